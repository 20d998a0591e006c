"""Deliveries of files that the reader `default` reads, and what raw_to_clean makes of them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.glue.deliveries import DELIVERED_AT, Cleaned, clean, text_of


def meter_file(path: Path, header: str, *lines: str, end: str = "\r\n") -> Path:
    """A file of these lines, each with its end; packed if its name says so."""
    content = text_of(header, *lines, end=end)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def clean_described(root: Path, files: list[Path], *, delivered_at: str = DELIVERED_AT, **description: Any) -> Cleaned:
    """Delivers these files, and cleans them by the description of a trigger form."""
    contents = {path.name: path.read_bytes() for path in files}
    return clean(root / "store", contents, "default", delivered_at=delivered_at, **description)


def rows(table: pa.Table, *columns: str) -> list[tuple[Any, ...]]:
    """These columns of a table, sorted by all of them; a time as 2013-07-01 00:30:00[.125], UTC."""
    found = [tuple(_shown(row[name]) for name in columns) for row in table.to_pylist()]
    return sorted(found, key=lambda row: [(value is None, value) for value in row])


def _shown(value: Any) -> Any:
    if not hasattr(value, "isoformat"):
        return value
    text = f"{value:%Y-%m-%d %H:%M:%S.%f}"
    return text.rstrip("0").rstrip(".")


def set_aside(cleaned: Cleaned) -> str:
    """Why the one file of a delivery was set aside; no row of it may be anywhere."""
    (file,) = cleaned.summary["files"]
    assert (file["rows"], cleaned.readings().num_rows, cleaned.rejects().num_rows) == (0, 0, 0)
    reason: str = file["set_aside"]["reason"]
    return reason
