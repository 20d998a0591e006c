"""Which partitions of a table the catalog publishes, where they lie, and which of them new versions replace.

Readers ask the catalog and read the files at these places. What lies elsewhere, such as superseded runs, is not theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Values = tuple[str, ...]


@dataclass(frozen=True)
class Published:
    """A partition of the catalog. `rows` is what its publisher counted, 0 if it did not."""

    values: Values
    location: str
    rows: int


def partitions(glue: Any, database: str, table: str) -> dict[Values, Published]:
    """Returns the published partitions of a table by the values of its partition keys."""
    pages = glue.get_paginator("get_partitions").paginate(
        DatabaseName=database, TableName=table, ExcludeColumnSchema=True
    )
    return {
        tuple(entry["Values"]): Published(
            tuple(entry["Values"]),
            folder(entry["StorageDescriptor"]["Location"]),
            int(entry.get("Parameters", {}).get("rows", "0")),
        )
        for page in pages
        for entry in page["Partitions"]
    }


def folder(location: str) -> str:
    """Returns the location with a slash at its end, so that month=1 is no beginning of month=12."""
    return location if location.endswith("/") else location + "/"


def new_versions(rows: Iterable[tuple[Values, int]], locate: Callable[[Values], str]) -> list[dict[str, Any]]:
    """Returns values, location and rows of partitions that were written, in order of their values.

    `rows` are those of the files of each, which are added up.
    """
    of_partition: dict[Values, int] = {}
    for values, count in rows:
        of_partition[values] = of_partition.get(values, 0) + count
    return [
        {"values": list(values), "location": locate(values), "rows": count}
        for values, count in sorted(of_partition.items())
    ]


def replacing(new: Iterable[dict[str, Any]], known: Mapping[Values, Published]) -> list[dict[str, Any]]:
    """Returns new versions of partitions, each with the location of what it `replaces`, or None.

    `known` is what was published when the job began to read. If another version is published by the time of publishing,
    the new one is not: it would lack what the other brought.
    """
    return [
        {**partition, "replaces": known[values].location if (values := tuple(partition["values"])) in known else None}
        for partition in new
    ]
