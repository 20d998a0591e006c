"""The same table as an extract in each of the five formats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as parquet

Cells = Mapping[str, Any]


def write(file_format: str, path: Path, columns: Cells, schema: dict[str, str] | None = None) -> Path:
    """A file of these columns; they are texts unless `schema` gives the type, as Avro or Arrow name it."""
    kinds = schema or {}
    if file_format == "csv":
        rows = [list(columns), *zip(*columns.values(), strict=True)]
        lines = [";".join("" if cell is None else str(cell) for cell in row) for row in rows]
        path.write_text("".join(f"{line}\r\n" for line in lines))
    elif file_format == "json":
        found = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        path.write_text("".join(f"{json.dumps(row)}\n" for row in found))
    elif file_format == "avro":
        write_avro(path, columns, kinds)
    else:
        arrow = {name: pa.array(cells, type=kinds.get(name, pa.string())) for name, cells in columns.items()}
        (parquet.write_table if file_format == "parquet" else orc.write_table)(pa.table(arrow), path)
    return path


def write_avro(path: Path, columns: Cells, kinds: dict[str, Any], codec: str = "deflate") -> Path:
    """Every field may be null. A time is given as the number that the file holds."""
    import fastavro  # tests that write no Avro run where it is not installed

    fields = [{"name": name, "type": ["null", kinds.get(name, "string")]} for name in columns]
    schema = {"type": "record", "name": "Reading", "fields": fields}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    with path.open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(schema), rows, codec)
    return path
