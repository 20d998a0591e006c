"""Schemas of files on S3, read from their headers: Parquet from the footer, CSV from the first lines.

Only ranges of a file are fetched: the last FOOTER_BYTES of a Parquet file, the first SAMPLE_BYTES of a CSV file
(plain or gzip).
"""

from __future__ import annotations

import csv
import io
import re
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SAMPLE_BYTES = 64 * 1024
FOOTER_BYTES = 64 * 1024
SAMPLE_LINES = 500
DELIMITERS = ",;|\t"

Columns = dict[str, str]


class UnreadableFileError(Exception):
    """The file is of no format that a crawl knows, or its header cannot be read."""


@dataclass(frozen=True)
class FileSchema:
    """Columns by name (lower case) with their Hive types, in file order."""

    classification: str
    columns: Columns
    delimiter: str | None = None
    header: bool = False
    compression: str = "none"


def read_schema(s3: Any, bucket: str, key: str) -> FileSchema:
    """The schema of one object. Raises UnreadableFileError."""
    tail = _range(s3, bucket, key, f"bytes=-{FOOTER_BYTES}")
    if tail.endswith(b"PAR1"):
        return _parquet(s3, bucket, key, tail)
    head = _range(s3, bucket, key, f"bytes=0-{SAMPLE_BYTES - 1}")
    if head.startswith(b"\x1f\x8b"):
        return _csv(zlib.decompressobj(wbits=31).decompress(head, SAMPLE_BYTES), key, "gzip")
    return _csv(head, key, "none")


def merged(first: Columns, second: Columns) -> Columns:
    """All columns of both, the first's first; a type that holds the values of both, text where no other does."""
    types = dict(first)
    for name, kind in second.items():
        types[name] = _wider(types[name], kind) if name in types else kind
    return types


def _wider(first: str, second: str) -> str:
    integers = ["tinyint", "smallint", "int", "bigint"]
    if first == second:
        return first
    if first in integers and second in integers:
        return max(first, second, key=integers.index)
    if {first, second} <= {*integers, "float", "double"}:
        return "double"
    return "string"


def _parquet(s3: Any, bucket: str, key: str, tail: bytes) -> FileSchema:
    (length,) = struct.unpack("<I", tail[-8:-4])
    if length + 8 > len(tail):
        tail = _range(s3, bucket, key, f"bytes=-{length + 8}")
    try:
        # The reader looks at the footer alone, so that the footer behind a file's first mark is file enough.
        schema = pq.read_schema(pa.BufferReader(b"PAR1" + tail[-(length + 8) :]))
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(f"s3://{bucket}/{key} has no readable Parquet footer: {error}") from error
    return FileSchema("parquet", {field.name.lower(): hive_type(field.type) for field in schema})


def hive_type(kind: pa.DataType) -> str:
    """Hive's name of an Arrow type."""
    if pa.types.is_dictionary(kind):
        return hive_type(kind.value_type)
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_map(kind):
        return f"map<{hive_type(kind.key_type)},{hive_type(kind.item_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name.lower()}:{hive_type(field.type)}' for field in kind)}>"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{hive_type(kind.value_type)}>"
    names = {
        "bool": "boolean",
        "int8": "tinyint",
        "int16": "smallint",
        "int32": "int",
        "int64": "bigint",
        "uint8": "smallint",
        "uint16": "int",
        "uint32": "bigint",
        "halffloat": "float",
        "float": "float",
        "double": "double",
        "date32[day]": "date",
        "binary": "binary",
        "large_binary": "binary",
    }
    return names.get(str(kind), "string")


def _csv(sample: bytes, key: str, compression: str) -> FileSchema:
    if b"\0" in sample:
        raise UnreadableFileError(f"{key} is neither Parquet nor text")
    text = sample.decode("utf-8-sig", errors="replace")
    lines = text.splitlines()
    if len(sample) >= SAMPLE_BYTES and len(lines) > 1:
        lines.pop()  # its end was not fetched
    lines = [line for line in lines if line.strip()][:SAMPLE_LINES]
    if not lines:
        raise UnreadableFileError(f"{key} holds no line")
    delimiter = max(DELIMITERS, key=lines[0].count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)]
    header = _is_header(rows[0])
    names = _unique([name.lower() for name in rows[0]]) if header else [f"col{i}" for i in range(len(rows[0]))]
    data = rows[1:] if header else rows
    types = [_text_type([row[i] for row in data if i < len(row)]) for i in range(len(names))]
    return FileSchema("csv", dict(zip(names, types, strict=True)), delimiter, header, compression)


def _is_header(cells: list[str]) -> bool:
    """A first line of names only: none is empty or a number."""
    return all(cells) and not any(_is_number(cell) for cell in cells)


def _unique(names: list[str]) -> list[str]:
    return [name if names.index(name) == i else f"{name}_{i}" for i, name in enumerate(names)]


def _text_type(cells: list[str]) -> str:
    """bigint or double when every value that is there is one, else string."""
    values = [cell for cell in cells if cell]
    if not values:
        return "string"
    if all(re.fullmatch(r"[+-]?\d{1,18}", value) for value in values):
        return "bigint"
    return "double" if all(map(_is_number, values)) else "string"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) is not None


def _range(s3: Any, bucket: str, key: str, wanted: str) -> bytes:
    return s3.get_object(Bucket=bucket, Key=key, Range=wanted)["Body"].read()
