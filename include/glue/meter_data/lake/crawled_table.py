"""Tables that a crawler found or a template declares: text with delimiters, JSON Lines or Parquet, as the catalog says.

Such a table is small: reference data of some ten thousand rows. It is read as a whole. A column of a text file is known
by its place, one of a JSON or Parquet file by its name.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from meter_data.lake import published
from meter_data.lake.store import Store

FORMATS = ("csv", "json", "parquet")
_GZIP = b"\x1f\x8b"
_TEXT_SERDES = ("LazySimpleSerDe", "OpenCSVSerde")
# How text files say that a value is missing: nothing, or what Hive writes.
_NULLS = ("", "\\N")

# Values by column: each as its file has it, a text where that is text.
Columns = dict[str, list[Any]]


class TableFormatError(ValueError):
    """The files of a table are in a format that is not read here."""


@dataclass(frozen=True)
class CrawledTable:
    """A table as the catalog describes it. `columns` are its names in lower case, in the order of its files."""

    name: str
    locations: tuple[str, ...]
    format: str
    columns: tuple[str, ...]
    delimiter: str = ","
    header_lines: int = 0


def describe(glue: Any, database: str, name: str) -> CrawledTable:
    """Asks the catalog for a table. Raises TableFormatError, or the catalog's EntityNotFoundException."""
    table = glue.get_table(DatabaseName=database, Name=name)["Table"]
    descriptor = table["StorageDescriptor"]
    locations = [descriptor["Location"]]
    if table.get("PartitionKeys"):
        locations = [each.location for each in published.partitions(glue, database, name).values()]
    serde = descriptor.get("SerdeInfo", {})
    given = serde.get("Parameters", {}) | table.get("Parameters", {})
    return CrawledTable(
        name,
        tuple(published.folder(location) for location in locations),
        _format(name, given.get("classification", ""), serde.get("SerializationLibrary", "")),
        tuple(column["Name"].lower() for column in descriptor["Columns"]),
        given.get("separatorChar") or given.get("field.delim") or given.get("delimiter") or ",",
        int(given.get("skip.header.line.count", "0")),
    )


def read(store: Store, table: CrawledTable, wanted: Sequence[str]) -> Columns:
    """Reads these columns of all files of a table, which are columns that it has. A missing value is None."""
    found: Columns = {name: [] for name in wanted}
    for uri in _files(store, table):
        for name, values in _file(store, uri, table, wanted).items():
            found[name] += values
    return found


def _format(name: str, classification: str, library: str) -> str:
    for known in FORMATS:
        if known in (classification or library).lower():
            return known
    if library.endswith(_TEXT_SERDES):
        return "csv"
    raise TableFormatError(
        f"The table {name} is of the format {classification or library or 'unknown'}; read are {', '.join(FORMATS)}."
    )


def _files(store: Store, table: CrawledTable) -> list[str]:
    """The objects of a table. Those whose names begin with _ or . are for other eyes, as everywhere on a data lake."""
    listed = [found for location in table.locations for found in store.listed(location)]
    return [found.uri for found in listed if found.size and not found.uri.rpartition("/")[2].startswith(("_", "."))]


def _file(store: Store, uri: str, table: CrawledTable, wanted: Sequence[str]) -> Columns:
    if table.format == "parquet":
        return _parquet(store, uri, wanted)
    with store.open_stream(uri) as stream:
        content = stream.read()
    plain = gzip.decompress(content) if content.startswith(_GZIP) else content
    text = io.StringIO(plain.decode("utf-8-sig", errors="replace"), newline="")
    rows = _json_rows(text, wanted) if table.format == "json" else _text_rows(text, table, wanted)
    # Turned from rows into columns.
    return dict(zip(wanted, map(list, zip(*rows, strict=True)), strict=False)) or {name: [] for name in wanted}


def _text_rows(text: io.StringIO, table: CrawledTable, wanted: Sequence[str]) -> Iterator[tuple[str | None, ...]]:
    places = [table.columns.index(name) for name in wanted]
    for number, fields in enumerate(csv.reader(text, delimiter=table.delimiter)):
        if number >= table.header_lines and fields:
            yield tuple(
                fields[place] if place < len(fields) and fields[place] not in _NULLS else None for place in places
            )


def _json_rows(text: io.StringIO, wanted: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for line in text:
        if line.strip():
            row = {name.lower(): value for name, value in json.loads(line).items()}
            yield tuple(row.get(name) for name in wanted)


def _parquet(store: Store, uri: str, wanted: Sequence[str]) -> Columns:
    table = store.read_parquet(uri)
    names = {name.lower(): name for name in table.column_names}
    nothing = [None] * table.num_rows
    return {
        name: cast(list[Any], table[names[name]].to_pylist()) if name in names else list(nothing) for name in wanted
    }
