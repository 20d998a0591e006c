"""Small objects on S3, by boto3: JSON documents, the first bytes of a file, and the end of a folder."""

from __future__ import annotations

import json
from typing import Any


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of s3://bucket/key. The key is taken as it is: it may hold ? or #."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise ValueError(f"{uri!r} is no place on S3. It must look like s3://bucket/key.")
    return bucket, key


def read_json(s3: Any, uri: str) -> Any:
    """The document at `uri`."""
    bucket, key = split_uri(uri)
    return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def write_json(s3: Any, uri: str, document: Any) -> None:
    """Write a document; its object appears whole or not at all."""
    bucket, key = split_uri(uri)
    body = json.dumps(document, indent=1, ensure_ascii=False).encode()
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")


def delete_folder(s3: Any, uri: str) -> int:
    """Delete all objects below `uri`, which must end in a slash; how many there were."""
    bucket, prefix = split_uri(uri)
    if not prefix.endswith("/"):
        raise ValueError(f"{uri!r} is no folder: it must end in a slash")
    deleted = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
        if keys:
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            if errors := answer.get("Errors"):
                raise OSError(f"s3://{bucket}/{errors[0]['Key']} cannot be deleted: {errors[0].get('Message')}")
            deleted += len(keys)
    return deleted


def summary_uri(clean_bucket: str, name: str, job: str) -> str:
    """Where a job says what it did; `name` is its batch, for aggregate_consumption its run."""
    return f"s3://{clean_bucket}/_summaries/{name}/{job}.json"
