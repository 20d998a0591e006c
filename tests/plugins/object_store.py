"""S3 in memory, with the operations of boto3's client that `metering.storage` calls. Pages hold two keys."""
# ruff: noqa: N803 (the names are those of boto3)

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

PAGE = 2


class ObjectStore:
    """Objects by bucket and key. Every put happens a minute after the one before, from 2026-01-01 on."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def put_object(self, Bucket: str, Key: str, Body: bytes | str, ContentType: str = "") -> dict[str, Any]:
        body = Body.encode() if isinstance(Body, str) else Body
        self.now += timedelta(minutes=1)
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        self.objects[Bucket, Key] = {"Body": body, "ETag": f'"{etag}"', "LastModified": self.now}
        return {"ETag": f'"{etag}"'}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        found = self.objects[Bucket, Key]
        return {**found, "Body": io.BytesIO(found["Body"])}

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int = 1000) -> dict[str, Any]:
        contents = [
            {"Key": key, "Size": len(found["Body"]), "ETag": found["ETag"], "LastModified": found["LastModified"]}
            for (bucket, key), found in sorted(self.objects.items())
            if bucket == Bucket and key.startswith(Prefix)
        ]
        return {"Contents": contents[:MaxKeys]} if contents else {}

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        for named in Delete["Objects"]:
            self.objects.pop((Bucket, named["Key"]), None)
        return {}

    def get_paginator(self, operation: str) -> ObjectStore:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        contents = self.list_objects_v2(Bucket, Prefix).get("Contents", [])
        for start in range(0, len(contents), PAGE):
            yield {"Contents": contents[start : start + PAGE]}
        if not contents:
            yield {}

    def put_json(self, bucket: str, key: str, content: Any) -> None:
        self.put_object(bucket, key, json.dumps(content))

    def json(self, bucket: str, key: str) -> Any:
        return json.loads(self.objects[bucket, key]["Body"])

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        return sorted(key for of, key in self.objects if of == bucket and key.startswith(prefix))
