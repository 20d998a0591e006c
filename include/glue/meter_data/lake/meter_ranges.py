"""Ranges of meters, into which large partitions are cut. Meters are ordered by the bytes of their ids in UTF-8.

Python orders texts by code points, which is the same order. Arrow and Parquet's statistics order by bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from meter_data.lake.schemas import CODED
from meter_data.lake.store import Store


@dataclass(frozen=True)
class MeterRange:
    """The meters from `first` to those before `end`. None: there is no bound on that side."""

    first: str | None = None
    end: str | None = None

    @property
    def is_all(self) -> bool:
        return self.first is None and self.end is None

    def overlaps(self, first: str, last: str) -> bool:
        """Returns whether a meter from `first` to `last`, both included, may lie in the range."""
        return (self.first is None or last >= self.first) and (self.end is None or first < self.end)

    def rows(self, table: pa.Table) -> pa.Table:
        """Returns the rows of a table whose meter_id lies in the range. The column is a dictionary."""
        if self.is_all or not table.num_rows:
            return table
        meters = table["meter_id"].cast(CODED).unify_dictionaries()
        # Each distinct id is judged once.
        texts = meters.chunk(0).dictionary
        is_within = pa.repeat(pa.scalar(True), len(texts))
        if self.first is not None:
            is_within = pc.and_(is_within, pc.greater_equal(texts, self.first))
        if self.end is not None:
            is_within = pc.and_(is_within, pc.less(texts, self.end))
        if pc.all(is_within).as_py():
            return table
        kept = pa.chunked_array([is_within.take(chunk.indices) for chunk in meters.chunks], pa.bool_())
        return table.filter(kept)


@dataclass(frozen=True)
class RowGroupOfMeters:
    """A row group of a Parquet file that is sorted by meter within the group: its rows, its first and last meter."""

    uri: str
    row_group: int
    rows: int
    first_meter: str
    last_meter: str


def row_groups_of(store: Store, uri: str) -> list[RowGroupOfMeters]:
    """Returns the row groups of a Parquet file with a column meter_id, by its footer alone."""
    with store.open_file(uri) as source:
        footer = pq.ParquetFile(source).metadata
    place = footer.schema.names.index("meter_id")
    found = []
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        statistics = group.column(place).statistics
        first, last = (statistics.min, statistics.max) if statistics and statistics.has_min_max else ("", "\U0010ffff")
        found.append(RowGroupOfMeters(uri, number, group.num_rows, first, last))
    return found


def largest_share(groups: Sequence[RowGroupOfMeters], further_meters: Iterable[str] = ()) -> int:
    """Returns how many rows the largest of the ranges has that `cut` cannot cut further."""
    _, shares = _shares(groups, further_meters)
    return int(np.ceil(shares.max(initial=0)))


def cut(groups: Sequence[RowGroupOfMeters], most_rows: int, further_meters: Iterable[str] = ()) -> list[MeterRange]:
    """Returns ranges that hold every meter once, in order, each with about `most_rows` of the groups' rows at most.

    A range begins at the first or last meter of a group, or at one of `further_meters`.
    """
    meters, shares = _shares(groups, further_meters)
    begins: list[str] = []
    rows = 0.0
    for meter, share in zip(meters, shares, strict=True):
        if rows and rows + share > most_rows:
            begins.append(meter)
            rows = 0.0
        rows += share
    return [MeterRange(first, end) for first, end in pairwise([None, *begins, None])]


def _shares(
    groups: Sequence[RowGroupOfMeters], further_meters: Iterable[str]
) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Returns places at which to cut, and how many rows lie from each to the next one, about.

    The rows of a group are taken to be spread evenly over the places from its first to its last meter.
    """
    ends = {meter for group in groups for meter in (group.first_meter, group.last_meter)}
    meters = sorted(ends.union(further_meters))
    number = {meter: place for place, meter in enumerate(meters)}
    # A group raises the share by its part at its first place and lowers it again behind its last one. So the running
    # sum of these steps is the share at each place.
    steps = np.zeros(len(meters) + 1)
    for group in groups:
        first, last = number[group.first_meter], number[group.last_meter]
        steps[first] += group.rows / (last - first + 1)
        steps[last + 1] -= group.rows / (last - first + 1)
    return meters, np.cumsum(steps[:-1])
