"""Row groups of Parquet files that are sorted by meter within each row group, as their footers describe them.

A footer says of each row group which meter is its first and which its last. So a work item about some meters reads a
few row groups, and the rows of large tables are shared out before any of them is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pyarrow.parquet as pq

from meter_data.lake.store import Store

METER = "meter_id"
# Meters that no meter is before, or behind.
FIRST_OF_ALL, LAST_OF_ALL = "", "\U0010ffff"
_FOOTERS_AT_ONCE = 16


@dataclass(frozen=True)
class MeterRowGroup:
    """A row group of a file, its number of rows, its first and its last meter.

    FIRST_OF_ALL and LAST_OF_ALL where the file does not say them.
    """

    uri: str
    row_group: int
    rows: int
    first_meter: str
    last_meter: str


def of_folders(store: Store, locations: Iterable[str]) -> list[MeterRowGroup]:
    """Returns the row groups of all Parquet files below these locations, in the order of the locations' names."""
    return of_files(store, [uri for location in sorted(locations) for uri in store.parquet_files(location)])


def of_files(store: Store, uris: Iterable[str]) -> list[MeterRowGroup]:
    """Returns the row groups of these Parquet files, in order. Only footers are read, several at a time."""
    # A footer is a few kilobytes: the time goes into waiting for S3. Arrow's files may be read by several threads.
    with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as threads:
        return [group for found in threads.map(lambda uri: _of_file(store, uri), uris) for group in found]


def weighted(groups: Iterable[MeterRowGroup], weight: int) -> list[MeterRowGroup]:
    """Returns the row groups as if each of their rows were `weight` rows, to cut tables of several kinds together."""
    return [replace(group, rows=group.rows * weight) for group in groups]


def _of_file(store: Store, uri: str) -> list[MeterRowGroup]:
    with store.open_file(uri) as source:
        footer = pq.ParquetFile(source).metadata
    place = footer.schema.names.index(METER)
    found = []
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        statistics = group.column(place).statistics
        is_said = statistics is not None and statistics.has_min_max
        first, last = (statistics.min, statistics.max) if is_said else (FIRST_OF_ALL, LAST_OF_ALL)
        found.append(MeterRowGroup(uri, number, group.num_rows, first, last))
    return found
