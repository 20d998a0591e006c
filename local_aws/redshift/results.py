"""Result sets: PostgreSQL's rows as the Data API's typed fields, kept in pages on disk.

A result lies in <folder>/<statement id>/: columns.json and 0.json, 1.json …, each a list of records of about a page's
size.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from psycopg import Column
from psycopg.adapt import AdaptersMap
from psycopg.types.string import TextLoader

from local_aws.redshift.errors import StatementError

PAGE_BYTES = 1_000_000
# Amazon Redshift Data API, "Considerations": the largest result of a query.
LARGEST_RESULT_BYTES = 500_000_000

_TYPES = {
    16: "bool",
    20: "int8",
    21: "int2",
    23: "int4",
    25: "varchar",
    700: "float4",
    701: "float8",
    1042: "bpchar",
    1043: "varchar",
    1082: "date",
    1083: "time",
    1114: "timestamp",
    1184: "timestamptz",
    1186: "interval",
    1700: "numeric",
    3802: "super",
}
# The Data API gives these, and all unknown types, as text in the engine's own spelling.
_AS_TEXT = (
    "numeric",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "json",
    "jsonb",
    "uuid",
    "bytea",
)
_SIGNED = {"int2", "int4", "int8", "float4", "float8", "numeric"}


def register_text_types(adapters: AdaptersMap) -> None:
    """Make a connection hand over numbers with decimals, dates and times as PostgreSQL writes them."""
    for name in _AS_TEXT:
        adapters.register_loader(name, TextLoader)


def column_metadata(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """ColumnMetadata of the Data API."""
    described = []
    for column in columns:
        type_name = _TYPES.get(column.type_code, "varchar")
        described.append(
            {
                "isCaseSensitive": type_name in ("varchar", "bpchar"),
                "isCurrency": False,
                "isSigned": type_name in _SIGNED,
                "label": column.name,
                "length": column.display_size or column.internal_size or 0,
                "name": column.name,
                "nullable": 1,
                "precision": column.precision or 0,
                "scale": column.scale or 0,
                "schemaName": "",
                "tableName": "",
                "typeName": type_name,
            }
        )
    return described


def field(value: object) -> dict[str, Any]:
    """A value as a Field of the Data API."""
    if value is None:
        return {"isNull": True}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"longValue": value}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}


class Results:
    """The results of all statements below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, statement_id: str, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> tuple[int, int]:
        """Keep a result; returns its rows and bytes. Raises StatementError when it is larger than Redshift allows."""
        folder = self._path(statement_id)
        folder.mkdir(parents=True, exist_ok=True)
        page: list[str] = []
        pages, count, size, page_size = 0, 0, 0, 0
        for row in rows:
            record = json.dumps([field(value) for value in row])
            page.append(record)
            count, size, page_size = count + 1, size + len(record), page_size + len(record)
            if size > LARGEST_RESULT_BYTES:
                shutil.rmtree(folder)
                raise StatementError(f"The result is larger than the limit of {LARGEST_RESULT_BYTES // 1_000_000} MB")
            if page_size >= PAGE_BYTES:
                _write_page(folder, pages, page)
                pages, page, page_size = pages + 1, [], 0
        if page or not pages:
            _write_page(folder, pages, page)
            pages += 1
        head = {"columns": column_metadata(columns), "rows": count, "pages": pages}
        (folder / "columns.json").write_text(json.dumps(head))
        return count, size

    def page(self, statement_id: str, number: int) -> tuple[dict[str, Any], list[list[dict[str, Any]]]] | None:
        """({"columns", "rows", "pages"}, the page's records), or None when there is no such page."""
        folder = self._path(statement_id)
        try:
            head = json.loads((folder / "columns.json").read_text())
            return head, json.loads((folder / f"{number}.json").read_text())
        except FileNotFoundError:
            return None

    def forget(self, statement_id: str) -> None:
        """Remove a statement's result and those of its sub-statements."""
        for folder in [self._path(statement_id), *self._folder.glob(f"{statement_id}_*")]:
            shutil.rmtree(folder, ignore_errors=True)

    def _path(self, statement_id: str) -> Path:
        return self._folder / statement_id.replace(":", "_")


def _write_page(folder: Path, number: int, records: list[str]) -> None:
    (folder / f"{number}.json").write_text(f"[{','.join(records)}]")
