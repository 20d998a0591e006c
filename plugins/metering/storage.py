"""Small JSON objects and listings on S3. `s3` is a boto3 client; every answer is paged through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

MOST_DELETED = 1000  # of one DeleteObjects


class DeletionError(OSError):
    """S3 keeps an object that was to be deleted."""


def objects(s3: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    """Every object below `prefix`, in order of its key: Key, Size, ETag (quoted), LastModified (UTC)."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", [])


def exists(s3: Any, bucket: str, key: str) -> bool:
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    return any(item["Key"] == key for item in listed)


def read_json(s3: Any, bucket: str, key: str) -> Any:
    return read_dated_json(s3, bucket, key)[0]


def read_dated_json(s3: Any, bucket: str, key: str) -> tuple[Any, datetime]:
    """The object's content and the time at which it was written (UTC)."""
    answer = s3.get_object(Bucket=bucket, Key=key)
    return json.loads(answer["Body"].read()), answer["LastModified"]


def write_json(s3: Any, bucket: str, key: str, content: Any) -> None:
    body = json.dumps(content, ensure_ascii=False).encode()
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")


def write_text(s3: Any, bucket: str, key: str, text: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="text/plain")


def delete(s3: Any, bucket: str, keys: list[str]) -> None:
    """Delete objects. Those that are gone already are none to S3; DeletionError names the first that it keeps."""
    for start in range(0, len(keys), MOST_DELETED):
        named = [{"Key": key} for key in keys[start : start + MOST_DELETED]]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": named, "Quiet": True})
        if errors := answer.get("Errors"):
            first = errors[0]
            raise DeletionError(f"s3://{bucket}/{first['Key']} cannot be deleted: {first.get('Message')}")


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of s3://bucket/key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
