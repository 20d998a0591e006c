"""The objects that a COPY reads: all below a prefix, or those that a manifest names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local_aws.redshift.copy_command import CopyCommand
from local_aws.redshift.errors import StatementError


@dataclass(frozen=True)
class SourceObject:
    bucket: str
    key: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def source_objects(s3: Any, command: CopyCommand) -> list[SourceObject]:
    """In the order of their keys or of the manifest. Raises StatementError when there is nothing to read."""
    try:
        return _of_manifest(s3, command) if command.manifest else _below_prefix(s3, command)
    except ClientError as error:
        raise s3_error(error) from None


def s3_error(error: ClientError) -> StatementError:
    """S3's refusal in Redshift's words."""
    details, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return StatementError(f"S3ServiceException:{details['Message']},Status {status},Error {details['Code']}")


def _below_prefix(s3: Any, command: CopyCommand) -> list[SourceObject]:
    found = [
        SourceObject(command.bucket, item["Key"])
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=command.bucket, Prefix=command.prefix)
        for item in page.get("Contents", [])
        # A key that ends in a slash is what a console makes as a "folder": it holds nothing.
        if not item["Key"].endswith("/")
    ]
    if not found:
        raise StatementError(f"The specified S3 prefix '{command.prefix}' does not exist")
    return found


def _of_manifest(s3: Any, command: CopyCommand) -> list[SourceObject]:
    """{"entries": [{"url", "mandatory", "meta": {"content_length"}}]}; the length is needed for Parquet."""
    text = s3.get_object(Bucket=command.bucket, Key=command.prefix)["Body"].read()
    where = f"the manifest s3://{command.bucket}/{command.prefix}"
    try:
        entries = json.loads(text)["entries"]
    except (ValueError, KeyError, TypeError):
        raise StatementError(f"Problem reading manifest file: {where} is no JSON with entries") from None
    found = [entry for given in entries if (entry := _entry(s3, given, command, where)) is not None]
    if not found:
        raise StatementError(f"No files are listed in {where}, or none of them exists")
    return found


def _entry(s3: Any, given: dict[str, Any], command: CopyCommand, where: str) -> SourceObject | None:
    url = re.fullmatch(r"s3://([^/]+)/(.+)", str(given.get("url", "")))
    if url is None:
        raise StatementError(f"Problem reading manifest file: {where} has an entry without the url of an object")
    length = given.get("meta", {}).get("content_length")
    if command.format == "parquet" and length is None:
        raise StatementError(f"Problem reading manifest file: {where} has no meta.content_length for {url[0]}")
    try:
        size = s3.head_object(Bucket=url[1], Key=url[2])["ContentLength"]
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        if given.get("mandatory", False):
            raise StatementError(f"The mandatory file {url[0]} of {where} does not exist") from None
        return None
    if length is not None and length != size:
        raise StatementError(f"{url[0]} has {size} bytes, but {where} says content_length {length}")
    return SourceObject(url[1], url[2])
