"""Types and values of a result as Athena writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

# DuckDB's type, Athena's type, its precision.
_TYPES = {
    "BOOLEAN": ("boolean", 0),
    "TINYINT": ("tinyint", 3),
    "SMALLINT": ("smallint", 5),
    "INTEGER": ("integer", 10),
    "BIGINT": ("bigint", 19),
    "HUGEINT": ("bigint", 19),
    "UBIGINT": ("bigint", 19),
    "UINTEGER": ("bigint", 19),
    "FLOAT": ("float", 17),
    "DOUBLE": ("double", 17),
    "VARCHAR": ("varchar", 2147483647),
    "DATE": ("date", 0),
    "TIME": ("time", 3),
    "TIMESTAMP": ("timestamp", 3),
    "TIMESTAMP_S": ("timestamp", 3),
    "TIMESTAMP_MS": ("timestamp", 3),
    "TIMESTAMP_NS": ("timestamp", 3),
    "TIMESTAMP WITH TIME ZONE": ("timestamp with time zone", 3),
    "BLOB": ("varbinary", 1073741824),
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


def column_info(name: str, duckdb_type: str) -> dict[str, Any]:
    """ColumnInfo of ResultSetMetadata."""
    kind, precision, scale = _athena_type(duckdb_type)
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind in ("varchar", "char"),
    }


def written(value: object) -> str | None:
    """A value as text; None stays None."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return _timestamp(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={_inside(item)}" for name, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_inside(item) for item in value) + "]"
    return str(value)


def _inside(value: object) -> str:
    text = written(value)
    return "null" if text is None else text


def _athena_type(duckdb_type: str) -> tuple[str, int, int]:
    if found := _DECIMAL.fullmatch(duckdb_type):
        return "decimal", int(found[1]), int(found[2])
    if duckdb_type.endswith("[]"):
        return "array", 0, 0
    if duckdb_type.startswith(("STRUCT", "MAP")):
        return "map" if duckdb_type.startswith("MAP") else "row", 0, 0
    kind, precision = _TYPES.get(duckdb_type, ("varchar", 2147483647))
    return kind, precision, 0


def _double(value: float) -> str:
    """Java's Double.toString: digits between 0.001 and 10,000,000, with an exponent beyond."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        digits = format(Decimal(repr(value)), "f")
        return digits if "." in digits else f"{digits}.0"
    sign, figures, _ = Decimal(repr(value)).normalize().as_tuple()
    mantissa = "".join(str(figure) for figure in figures)
    exponent = Decimal(repr(value)).adjusted()
    return f"{'-' if sign else ''}{mantissa[0]}.{mantissa[1:] or '0'}E{exponent}"


def _timestamp(value: datetime) -> str:
    zone = " UTC" if value.tzinfo else ""
    moment = value.astimezone(UTC) if value.tzinfo else value
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d}{zone}"
