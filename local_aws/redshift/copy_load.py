"""COPY: files below an S3 prefix are streamed into a table in one PostgreSQL COPY."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from typing import IO, Any, ClassVar

import psycopg
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from botocore.exceptions import ClientError
from psycopg import sql

from local_aws.redshift.copy_command import CopyCommand
from local_aws.redshift.copy_parquet import check_schema, open_parquet, plain_columns
from local_aws.redshift.copy_source import SourceObject, s3_error, source_objects
from local_aws.redshift.errors import StatementError
from local_aws.redshift.table_columns import TableColumn, table_columns

BATCH_ROWS = 65_536
CHUNK_BYTES = 1 << 20


class CopyLoader:
    """Reads from S3 with the client that it is given."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def load(self, connection: psycopg.Connection[Any], command: CopyCommand) -> int:
        """Append all files to the table within the connection's transaction; returns the number of rows.

        Raises StatementError for what Redshift refuses, psycopg.Error for what PostgreSQL does.
        """
        columns = _target_columns(connection, command)
        objects = source_objects(self._s3, command)
        options = [sql.SQL("FORMAT csv"), sql.SQL("DELIMITER {}").format(sql.Literal(command.delimiter))]
        texts = [column.name for column in columns if column.holds_text]
        if command.format == "csv" and texts and not command.empty_as_null:
            # An empty field is an empty text to Redshift, and null in a column of any other type.
            options.append(sql.SQL("FORCE_NOT_NULL ({})").format(_names(texts)))
        table = sql.Identifier(*command.table.split("."))
        statement = sql.SQL("COPY {} ({}) FROM STDIN ({})").format(
            table,
            _names([column.name for column in columns]),
            sql.SQL(", ").join(options),
        )
        with connection.cursor() as cursor:
            with cursor.copy(statement) as copy:
                for source in objects:
                    for chunk in self._read(command, source, columns):
                        copy.write(chunk)
            rows = cursor.rowcount
            # As Redshift's COPY does (STATUPDATE): a MERGE of a staging table needs to know its size.
            cursor.execute(sql.SQL("ANALYZE {}").format(table).as_bytes(connection))
            return rows

    def _read(self, command: CopyCommand, source: SourceObject, columns: list[TableColumn]) -> Iterator[bytes]:
        try:
            yield from self._chunks(command, source, columns)
        except ClientError as error:
            raise s3_error(error) from None

    def _chunks(self, command: CopyCommand, source: SourceObject, columns: list[TableColumn]) -> Iterator[bytes]:
        if command.format == "parquet":
            return self._parquet(source, columns)
        if command.format == "json":
            return self._json(command, source, columns)
        return self._csv(command, source)

    def _parquet(self, source: SourceObject, columns: list[TableColumn]) -> Iterator[bytes]:
        with open_parquet(self._s3, source) as file:
            check_schema(file.schema_arrow, columns, source.url)
            options = pa.csv.WriteOptions(include_header=False, batch_size=BATCH_ROWS)
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                sink = io.BytesIO()
                pa.csv.write_csv(plain_columns(batch), sink, options)
                yield sink.getvalue()

    def _csv(self, command: CopyCommand, source: SourceObject) -> Iterator[bytes]:
        lines = self._open(command, source)
        for _ in range(command.header_lines):
            lines.readline()
        while chunk := lines.readlines(CHUNK_BYTES):
            # PostgreSQL wants one kind of line end in all files together, and an end of the last line.
            ended = (line.rstrip(b"\r\n") for line in chunk)
            yield b"".join(line + b"\n" for line in ended if line or not command.ignore_blank_lines)

    def _json(self, command: CopyCommand, source: SourceObject, columns: list[TableColumn]) -> Iterator[bytes]:
        """Objects one after another; a key that is no column is passed over, a column without key is null."""
        text = self._open(command, source).read().decode()
        decoder, place = json.JSONDecoder(), _skip_space(text, 0)
        names = [column.name for column in columns]
        while place < len(text):
            try:
                document, place = decoder.raw_decode(text, place)
            except json.JSONDecodeError as error:
                raise StatementError(f"Invalid JSON in {source.url}: {error}") from None
            if not isinstance(document, dict):
                raise StatementError(f"Invalid JSON in {source.url}: an object was expected")
            yield (",".join(_quoted(document.get(name)) for name in names) + "\n").encode()
            place = _skip_space(text, place)

    def _open(self, command: CopyCommand, source: SourceObject) -> IO[bytes]:
        body = self._s3.get_object(Bucket=source.bucket, Key=source.key)["Body"]
        raw = io.BufferedReader(_Raw(body), CHUNK_BYTES)
        return gzip.open(raw) if command.gzip else raw  # type: ignore[return-value]


class _Raw(io.RawIOBase):
    """botocore's body as a raw stream, so that it can be buffered and read by lines."""

    reads: ClassVar[bool] = True

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return self.reads

    def readinto(self, buffer: Any) -> int:
        data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _target_columns(connection: psycopg.Connection[Any], command: CopyCommand) -> list[TableColumn]:
    columns = {column.name: column for column in table_columns(connection, command.table)}
    if not command.columns:
        return list(columns.values())
    for name in command.columns:
        if name not in columns:
            raise StatementError(f'column "{name}" of relation "{command.table}" does not exist')
    return [columns[name] for name in command.columns]


def _names(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _quoted(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return '"' + text.replace('"', '""') + '"'


def _skip_space(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place
