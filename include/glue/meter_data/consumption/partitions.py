"""The tables that aggregate_consumption reads and writes, and the files of their partitions.

A partition that is written has one file for each work item. Each file holds its meters in their order, and the files of
a partition are named in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from meter_data.lake import published
from meter_data.lake.calendar import date_text
from meter_data.lake.published import Published, Values
from meter_data.lake.schemas import INTERVAL
from meter_data.lake.store import SNAPPY, ZSTD, Store

READINGS = "daily"
DAILY, WEEKLY, MONTHLY = "aggregated_daily", "aggregated_weekly", "aggregated_monthly"
COMPLETENESS = "completeness"
KEYS = {DAILY: "month", WEEKLY: "iso_year", MONTHLY: "year", COMPLETENESS: "month"}
# load_redshift copies all of these but completeness.
CODECS = {DAILY: SNAPPY, WEEKLY: SNAPPY, MONTHLY: SNAPPY, COMPLETENESS: ZSTD}
ROWS_A_GROUP = 131_072

# What the catalog publishes: the partitions of each table by their values.
Known = Mapping[str, Mapping[Values, Published]]


@dataclass(frozen=True)
class Target:
    """A file of a partition of a table: `number` is its place among the partition's files."""

    table: str
    prefix: str
    value: str
    number: int

    @property
    def location(self) -> str:
        """Where the partition lies."""
        return f"{self.prefix}{KEYS[self.table]}={self.value}/"

    @property
    def uri(self) -> str:
        """Where the file lies."""
        return f"{self.location}{self.number:05d}.parquet"

    def write(self, store: Store, rows: pa.Table) -> list[Written]:
        """Writes the file, and returns it. Without rows nothing is written, and nothing returned."""
        if not rows.num_rows:
            return []
        store.write_parquet(self.uri, rows, ROWS_A_GROUP, CODECS[self.table])
        return [Written(self, rows.num_rows)]


@dataclass(frozen=True)
class Written:
    """A file that was written, and its number of rows."""

    target: Target
    rows: int


def new_versions(table: str, files: Iterable[Written]) -> list[dict[str, Any]]:
    """Returns the new versions of the partitions of a table of which these files were written; see lake.published."""
    written = [file for file in files if file.target.table == table]
    location = {file.target.value: file.target.location for file in written}
    return published.new_versions(
        (((file.target.value,), file.rows) for file in written), lambda values: location[values[0]]
    )


def published_readings(known: Known, days: Iterable[int], month: str) -> list[Published]:
    """Returns the partitions that hold interval readings of days of a month: one, or at grain day one for each day.

    Days are numbers since 1970.
    """
    values = [month, *(date_text(day) for day in sorted(days))]
    found = (known[READINGS].get((INTERVAL, value)) for value in values)
    return [partition for partition in found if partition]


def published_partition(known: Known, table: str, value: str) -> list[Published]:
    """Returns the published partition of a table, if there is one."""
    return [known[table][(value,)]] if (value,) in known[table] else []


def files_of(store: Store, found: Iterable[Published]) -> list[str]:
    """Returns the files of some partitions."""
    return [uri for partition in found for uri in store.parquet_files(partition.location)]
