"""What jobs read from S3 and write to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

_ERRORS = (ClientError, BotoCoreError, S3UploadFailedError)


class StorageError(Exception):
    """S3 has not what was asked for, or does not take what was given; the message says which."""


@dataclass(frozen=True)
class S3Object:
    bucket: str
    key: str
    # The place below the prefix under which it was found.
    name: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Storage:
    """A client of S3 in the words of SageMaker's jobs. All methods raise StorageError."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def under_prefix(self, uri: str) -> list[S3Object]:
        """All objects whose key begins with the URI's, the markers of folders left out; in the order of their keys."""
        bucket, prefix = split(uri)
        found = []
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                found += [entry["Key"] for entry in page.get("Contents", []) if not entry["Key"].endswith("/")]
        except _ERRORS as error:
            raise StorageError(f"{uri} cannot be listed: {error}") from error
        return [S3Object(bucket, key, relative_name(key, prefix)) for key in sorted(found)]

    def of_manifest(self, uri: str) -> list[S3Object]:
        """The objects that a manifest names: [{"prefix": "s3://bucket/folder/"}, "a.json", "sub/b.json"]."""
        try:
            first, *names = json.loads(self.read(uri))
            bucket, prefix = split(first["prefix"])
        except (ValueError, TypeError, KeyError) as error:
            raise StorageError(f'{uri} is no manifest like [{{"prefix": "s3://…"}}, "name", …]: {error}') from error
        return [S3Object(bucket, prefix + name, name) for name in names]

    def read(self, uri: str) -> bytes:
        bucket, key = split(uri)
        try:
            return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except _ERRORS as error:
            raise StorageError(f"{uri} cannot be read: {error}") from error

    def download(self, source: S3Object, folder: Path) -> Path:
        """Under its name below the folder; a name that leads out of the folder is refused."""
        target = folder / source.name
        if not target.resolve().is_relative_to(folder.resolve()):
            raise StorageError(f"{source.uri} would be written outside its channel")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._client.download_file(source.bucket, source.key, str(target))
        except _ERRORS as error:
            raise StorageError(f"{source.uri} cannot be read: {error}") from error
        return target

    def upload(self, file: Path, uri: str) -> None:
        bucket, key = split(uri)
        try:
            self._client.upload_file(str(file), bucket, key)
        except _ERRORS as error:
            raise StorageError(f"{uri} cannot be written: {error}") from error

    def etag(self, uri: str) -> str | None:
        """None for an object that does not exist."""
        bucket, key = split(uri)
        try:
            return self._client.head_object(Bucket=bucket, Key=key)["ETag"]
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise StorageError(f"{uri} cannot be read: {error}") from error
        except BotoCoreError as error:
            raise StorageError(f"{uri} cannot be read: {error}") from error


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of s3://bucket/key."""
    place = urlsplit(uri)
    if place.scheme != "s3" or not place.netloc:
        raise StorageError(f"{uri} is no s3:// location")
    # A ? or # is an ordinary character of a key.
    return place.netloc, uri.removeprefix(f"s3://{place.netloc}").removeprefix("/")


def relative_name(key: str, prefix: str) -> str:
    """What is left of a key below the folder that a prefix names; a prefix that is the key itself leaves its last part.

    train/a.json under train/ or train is a.json; under tra it is train/a.json.
    """
    if key == prefix:
        return key.rpartition("/")[2]
    if prefix.endswith("/") or key.startswith(prefix + "/"):
        return key[len(prefix) :].removeprefix("/")
    return key[len(prefix.rpartition("/")[0]) :].removeprefix("/")


def joined(uri: str, *names: str) -> str:
    """A location below another one."""
    return "/".join([uri.rstrip("/"), *names])
