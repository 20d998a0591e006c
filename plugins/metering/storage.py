"""Small JSON objects and listings on S3. `s3` is a boto3 client; every answer is paged through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any


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


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of s3://bucket/key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
