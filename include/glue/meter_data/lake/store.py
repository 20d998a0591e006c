"""Objects on S3 by their URIs, read through pyarrow and written whole.

Arrow reads: it fetches parts of Parquet files fast, and in parallel. boto3 does all else, because it writes an object
in one request, so that a killed job leaves it whole or not at all, and because it deletes without leaving the empty
objects that Arrow puts in place of folders.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO, cast

import boto3
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

# zstd is smallest. Redshift's COPY documents snappy for Parquet, so what is copied into Redshift is written with it.
ZSTD, SNAPPY = "zstd", "snappy"
_ATTEMPTS = 5
_NO_SUCH_OBJECT = {"404", "NoSuchKey", "NotFound"}
_SECONDS_TO_CONNECT, _SECONDS_TO_ANSWER = 10, 60
_BYTES_IN_MEMORY = 16 * 1024 * 1024


@dataclass(frozen=True)
class StoredObject:
    """An object and its size in bytes."""

    uri: str
    size: int


class Store:
    """Reads and writes objects by their URIs, s3://bucket/key.

    `files` is Arrow's file system whose paths are bucket/key, `s3` a client of boto3. A store belongs to one thread.
    """

    def __init__(self, files: pa.fs.FileSystem, s3: Any) -> None:
        self._files = files
        self._s3 = s3

    @property
    def s3(self) -> Any:
        """The client of boto3."""
        return self._s3

    # Reading.

    def open_stream(self, uri: str) -> BinaryIO:
        """Opens an object to be read from its beginning, as it is stored. Raises FileNotFoundError."""
        return cast(BinaryIO, self._files.open_input_stream(path_of(uri), compression=None))

    def open_file(self, uri: str) -> pa.NativeFile:
        """Opens an object to be read at any place. Raises FileNotFoundError."""
        return self._files.open_input_file(path_of(uri))

    def read_parquet(
        self,
        uri: str,
        columns: Sequence[str] | None = None,
        row_groups: Sequence[int] | None = None,
        coded: Sequence[str] = (),
    ) -> pa.Table:
        """Reads columns (all: None) of row groups (all: None) of a Parquet file, in the order of the file.

        The columns named in `coded` come as dictionaries of distinct texts. So do those that were dictionaries when
        `write_parquet` wrote them.
        """
        with self.open_file(uri) as source:
            file = pq.ParquetFile(source, read_dictionary=list(coded), pre_buffer=True)
            wanted = list(columns) if columns is not None else None
            if row_groups is None:
                return file.read(columns=wanted, use_threads=False)
            return file.read_row_groups(list(row_groups), columns=wanted, use_threads=False)

    def read_slices(
        self,
        uri: str,
        columns: Sequence[str],
        row_groups: Sequence[int] | None = None,
        coded: Sequence[str] = (),
        rows: int = 1_000_000,
    ) -> Iterator[pa.Table]:
        """Yields what read_parquet reads in tables of whole row groups, of `rows` rows at most or of one row group."""
        with self.open_file(uri) as source:
            file = pq.ParquetFile(source, read_dictionary=list(coded), pre_buffer=True)
            wanted: list[int] = []
            wanted_rows = 0
            for number in range(file.num_row_groups) if row_groups is None else row_groups:
                rows_of_group = file.metadata.row_group(number).num_rows
                if wanted and wanted_rows + rows_of_group > rows:
                    yield file.read_row_groups(wanted, columns=list(columns), use_threads=False)
                    wanted, wanted_rows = [], 0
                wanted.append(number)
                wanted_rows += rows_of_group
            if wanted:
                yield file.read_row_groups(wanted, columns=list(columns), use_threads=False)

    def read_json(self, uri: str) -> Any:
        """Reads a JSON document. Raises botocore's ClientError."""
        bucket, key = split_uri(uri)
        return json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def etag(self, uri: str) -> str | None:
        """Returns the ETag of an object, which stands for its content; None if there is no such object."""
        bucket, key = split_uri(uri)
        try:
            return str(self._s3.head_object(Bucket=bucket, Key=key)["ETag"]).strip('"')
        except ClientError as error:
            if error.response["Error"]["Code"] in _NO_SUCH_OBJECT:
                return None
            raise

    def listed(self, uri: str) -> list[StoredObject]:
        """Returns the objects below `uri`, in the order of their keys."""
        bucket, prefix = split_uri(uri)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [
            StoredObject(f"s3://{bucket}/{item['Key']}", item["Size"])
            for page in pages
            for item in page.get("Contents", [])
        ]

    def parquet_files(self, uri: str) -> list[str]:
        """Returns the URIs of the Parquet files below `uri`, in the order of their keys."""
        return [found.uri for found in self.listed(uri) if found.uri.endswith(".parquet")]

    # Writing.

    def write(self, uri: str, content: bytes | IO[bytes], content_type: str = "binary/octet-stream") -> None:
        """Writes an object, which appears whole or not at all. Of a file, all is written, wherever it stands."""
        bucket, key = split_uri(uri)
        if not isinstance(content, bytes):
            content.seek(0)
        self._s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)

    def write_json(self, uri: str, document: Any) -> None:
        """Writes a JSON document."""
        self.write(uri, json.dumps(document, indent=1, ensure_ascii=False).encode(), "application/json")

    def write_parquet(self, uri: str, table: pa.Table, rows_a_group: int, codec: str = ZSTD) -> None:
        """Writes a table as one Parquet file."""
        parts = (table.slice(start, rows_a_group) for start in range(0, table.num_rows, rows_a_group))
        self.write_row_groups(uri, table.schema, parts, codec)

    def write_row_groups(
        self,
        uri: str,
        schema: pa.Schema,
        groups: Iterable[pa.Table],
        codec: str = ZSTD,
        statistics: Sequence[str] | None = None,
    ) -> None:
        """Writes one Parquet file, each table as a row group of it. Only one table is held at a time.

        The footer says of the columns named in `statistics` (None: of all) what each row group holds of them.
        """
        chosen = True if statistics is None else list(statistics)
        with growing_file() as sink:
            with pq.ParquetWriter(sink, schema, compression=codec, write_statistics=chosen) as writer:
                for group in groups:
                    writer.write_table(group, row_group_size=max(group.num_rows, 1))
            self.write(uri, sink)

    def delete_folder(self, uri: str) -> int:
        """Deletes all objects below `uri`, which must end in a slash. Returns how many there were. Raises OSError."""
        if not split_uri(uri)[1].endswith("/"):
            raise ValueError(f"{uri!r} is no folder: it must end in a slash")
        return self.delete(found.uri for found in self.listed(uri))

    def delete(self, uris: Iterable[str]) -> int:
        """Deletes these objects. Returns how many. Raises OSError if one cannot be deleted."""
        by_bucket: dict[str, list[str]] = {}
        for uri in uris:
            bucket, key = split_uri(uri)
            by_bucket.setdefault(bucket, []).append(key)
        for bucket, keys in by_bucket.items():
            for start in range(0, len(keys), 1000):
                listed = [{"Key": key} for key in keys[start : start + 1000]]
                answer = self._s3.delete_objects(Bucket=bucket, Delete={"Objects": listed, "Quiet": True})
                if errors := answer.get("Errors"):
                    raise OSError(f"s3://{bucket}/{errors[0]['Key']} cannot be deleted: {errors[0].get('Message')}")
        return sum(len(keys) for keys in by_bucket.values())


def connect(session: Any = None) -> Store:
    """Returns a store that acts with the credentials of the process, as they are now.

    Credentials of a role expire after hours at most. boto3 renews them, and Arrow cannot: ask for a store for each work
    item. All stores of a process share one client of boto3, which several threads may use at once.
    """
    session, s3 = (session, session.client("s3")) if session else _of_this_process()
    credentials = session.get_credentials().get_frozen_credentials()
    # Arrow's constructor does not look for the endpoint in these settings of every AWS SDK (apache/arrow GH-49643).
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    files = pa.fs.S3FileSystem(
        access_key=credentials.access_key,
        secret_key=credentials.secret_key,
        session_token=credentials.token,
        region=s3.meta.region_name,
        endpoint_override=endpoint,
        connect_timeout=_SECONDS_TO_CONNECT,
        request_timeout=_SECONDS_TO_ANSWER,
        retry_strategy=pa.fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )
    return Store(files, s3)


@cache
def _of_this_process() -> tuple[Any, Any]:
    """Returns a session of boto3 and its client of S3. To make them costs 0.1 CPU seconds, as much as a small item."""
    session = boto3.session.Session()
    return session, session.client("s3")


def is_of_s3(error: Exception) -> bool:
    """Tells whether an error of Arrow is a failure of S3, such as a broken connection, and not of what a file holds.

    Arrow raises OSError for both. Its words tell them apart: "AWS Error NETWORK_CONNECTION during GetObject operation".
    """
    return isinstance(error, OSError) and "AWS Error" in str(error)


def growing_file() -> IO[bytes]:
    """Returns an empty file for content that is made piece by piece: in memory while it is small, else on disk.

    Nobody knows beforehand how much a packed meter file becomes. It is gone when it is closed.
    """
    return SpooledTemporaryFile(_BYTES_IN_MEMORY)


def split_uri(uri: str) -> tuple[str, str]:
    """Returns bucket and key of s3://bucket/key. The key is taken as it is: it may hold ? or #."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise ValueError(f"{uri!r} is no place on S3. It must look like s3://bucket/key.")
    return bucket, key


def path_of(uri: str) -> str:
    """Returns the path that Arrow's file system knows an object by."""
    return "/".join(split_uri(uri))
