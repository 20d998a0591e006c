"""Shows rows of Parquet and ORC as objects of JSON: as a rejected row was given.

Every value is shown that Arrow can hold, also those that Python does not have. Inside of lists, maps and columns with
fields values are shown as elsewhere.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from meter_data.meter_files import records


def texts(table: pa.Table) -> Iterator[str]:
    """Yields the rows of a table, each as an object of JSON."""
    columns = [_values(column.combine_chunks()) for column in table.columns]
    for row in zip(*columns, strict=True):
        yield _ENCODER.encode(dict(zip(table.column_names, row, strict=True)))


def _values(column: pa.Array) -> list[Any]:
    if isinstance(column, pa.ChunkedArray):  # without any chunk
        return []
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_nested(kind):
        # Cell by cell: some versions of Arrow end the process when a map as a whole is changed.
        return [_parts(cell) if cell.is_valid else None for cell in column]
    if pa.types.is_timestamp(kind):
        end = "Z" if kind.tz else ""
        return [text and text + end for text in records.iso_texts(column).to_pylist()]
    if pa.types.is_date(kind):
        # By numpy, because Python has no date behind the year 9999.
        days = column.cast(pa.date32()).cast(pa.int32())
        shown = np.datetime_as_string(days.fill_null(0).to_numpy().astype("datetime64[D]")).tolist()
        return [text if is_there else None for text, is_there in zip(shown, days.is_valid().to_pylist(), strict=True)]
    if pa.types.is_floating(kind):
        return [records.number_text(each) if each is not None and not math.isfinite(each) else each
                for each in column.to_pylist()]  # fmt: skip
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return [_text_if_utf_8(each) for each in column.cast(pa.large_binary()).to_pylist()]
    if pa.types.is_duration(kind):  # of which Python has shorter ones only
        return column.cast(pa.int64()).to_pylist()
    return column.to_pylist()


def _parts(cell: pa.Scalar) -> Any:
    """Returns the values that a list, a map or a column with fields has in one row."""
    if pa.types.is_map(cell.type):
        keys, values = (_values(cell.values.field(at)) for at in range(2))
        return [list(entry) for entry in zip(keys, values, strict=True)]
    if pa.types.is_struct(cell.type):
        return {field.name: _values(pa.array([cell[at]], field.type))[0] for at, field in enumerate(cell.type)}
    return _values(cell.values)


def _text_if_utf_8(content: bytes | None) -> str | bytes | None:
    try:
        return content and content.decode()
    except UnicodeDecodeError:
        return content


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


# json.dumps would make one for each row.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_json_value)
