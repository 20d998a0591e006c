"""Parquet files for COPY: opened on S3, checked against the table by place and type, made plain for CSV."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet
import pyarrow.types as types

from local_aws.redshift.copy_source import SourceObject
from local_aws.redshift.errors import StatementError
from local_aws.redshift.table_columns import TableColumn

# A file larger than this is kept on disk while it is read.
SPOOL_BYTES = 64 << 20

# Redshift does not convert while it reads Parquet: each type of a column takes these types of a file.
_ACCEPTS: dict[str, Callable[[pa.DataType], bool]] = {
    "boolean": types.is_boolean,
    "smallint": lambda kind: types.is_int8(kind) or types.is_int16(kind),
    "integer": lambda kind: types.is_int8(kind) or types.is_int16(kind) or types.is_int32(kind),
    "bigint": types.is_int64,
    "real": types.is_float32,
    "double precision": types.is_float64,
    "numeric": types.is_decimal,
    "date": types.is_date32,
    "timestamp without time zone": types.is_timestamp,
    "timestamp with time zone": types.is_timestamp,
    "character varying": lambda kind: types.is_string(kind) or types.is_large_string(kind),
    "character": lambda kind: types.is_string(kind) or types.is_large_string(kind),
    "text": lambda kind: types.is_string(kind) or types.is_large_string(kind),
}


@contextlib.contextmanager
def open_parquet(s3: Any, source: SourceObject) -> Iterator[pa.parquet.ParquetFile]:
    """Download and open a file. Raises StatementError when it is no Parquet file."""
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
        s3.download_fileobj(source.bucket, source.key, spool)
        size = spool.tell()
        spool.seek(0, io.SEEK_SET)
        try:
            file = pa.parquet.ParquetFile(spool)
        except pa.ArrowInvalid:
            message = f"Spectrum Scan Error: File '{source.url}' of {size} bytes is not a Parquet file"
            raise StatementError(message) from None
        yield file


def check_schema(schema: pa.Schema, columns: list[TableColumn], file: str) -> None:
    """Columns go by place, as in Redshift. Raises StatementError when their number or a type does not fit."""
    if len(schema) != len(columns):
        raise StatementError(
            "Spectrum Scan Error: Unmatched number of columns between table and file."
            f" Table columns: {len(columns)}, Data columns: {len(schema)}, File name: {file}"
        )
    for field, column in zip(schema, columns, strict=True):
        kind = field.type.value_type if types.is_dictionary(field.type) else field.type
        accepts = _ACCEPTS.get(column.type)
        if accepts is None or not accepts(kind):
            raise StatementError(
                f"Spectrum Scan Error: File '{file}' has an incompatible Parquet schema for column"
                f" '{column.name}'. Column type: {column.type.upper()}, Parquet schema: {field.type} {field.name}"
            )


def plain_columns(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Dictionaries decoded; moments in UTC without their zone, as Redshift's TIMESTAMP holds them."""
    columns = []
    for column in batch.columns:
        if types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us"), safe=False)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=[str(place) for place in range(len(columns))])
