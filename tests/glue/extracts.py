"""The same table as an extract in each of the five formats, written by libraries other than those that read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as parquet

Cells = dict[str, list[Any]]


def write(spark: Any, file_format: str, path: Path, columns: Cells, schema: dict[str, str] | None = None) -> Path:
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
        write_avro(spark, path, columns, kinds)
    else:
        arrow = {name: pa.array(cells, type=kinds.get(name, pa.string())) for name, cells in columns.items()}
        (parquet.write_table if file_format == "parquet" else orc.write_table)(pa.table(arrow), path)
    return path


def write_avro(spark: Any, path: Path, columns: Cells, kinds: dict[str, Any], codec: str = "deflate") -> Path:
    """By Avro's own Java library; every field may be null."""
    avro, java = spark._jvm.org.apache.avro, spark._jvm.java
    fields = [{"name": name, "type": ["null", kinds.get(name, "string")]} for name in columns]
    schema = avro.Schema.Parser().parse(json.dumps({"type": "record", "name": "Reading", "fields": fields}))
    writer = avro.file.DataFileWriter(avro.generic.GenericDatumWriter(schema))
    writer.setCodec(avro.file.CodecFactory.fromString(codec))
    writer.create(schema, java.io.File(str(path)))
    for row in zip(*columns.values(), strict=True):
        record = avro.generic.GenericData.Record(schema)
        for name, cell in zip(columns, row, strict=True):
            is_long = isinstance(cell, int) and isinstance(kinds.get(name), dict | str) and "long" in str(kinds[name])
            record.put(name, java.lang.Long(cell) if is_long else cell)
        writer.append(record)
    writer.close()
    return path
