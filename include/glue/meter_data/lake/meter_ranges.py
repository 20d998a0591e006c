"""Cuts the meters of a job into ranges, each for one work item. Meters are ordered by the bytes of their ids in UTF-8.

Python orders texts by code points, which is the same order. Arrow and Parquet's statistics order by bytes.

`cut` is for jobs that do not know the meters: its ranges hold any id. `cut_by_weight` and `groups_of_ranges` are for
jobs that have a sorted list of them, perhaps a few of many: its ranges are places in the list, and a row group that
holds none of the listed meters is not read.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.columns import coded
from meter_data.lake.meter_row_groups import METER, MeterRowGroup

# What an item reads at most that has a list of meters, unless it has a single one. Two million readings take 50 MB as
# columns, and another 50 MB while hours or days are summed, so that an item fits beside others into the memory of a
# worker.
ROWS_AN_ITEM = 2_000_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MeterRange:
    """The meters from `first` to those before `end`. None: there is no bound on that side."""

    first: str | None = None
    end: str | None = None

    def overlaps(self, group: MeterRowGroup) -> bool:
        """Returns whether a row group may hold meters of the range."""
        is_late_enough = self.first is None or group.last_meter >= self.first
        return is_late_enough and (self.end is None or group.first_meter < self.end)

    def rows(self, table: pa.Table) -> pa.Table:
        """Returns the rows of a table whose meter_id lies in the range."""
        if self == ALL_METERS or not table.num_rows:
            return table
        meters = coded(table[METER])
        # Each distinct id is judged once.
        is_within = pa.repeat(pa.scalar(True), len(meters.texts))
        if self.first is not None:
            is_within = pc.and_(is_within, pc.greater_equal(meters.texts, self.first))
        if self.end is not None:
            is_within = pc.and_(is_within, pc.less(meters.texts, self.end))
        if pc.all(is_within).as_py():
            return table
        return table.filter(pa.array(is_within.to_numpy(zero_copy_only=False)[meters.codes]))


ALL_METERS = MeterRange()


def expected_rows(groups: Iterable[MeterRowGroup], meters: Sequence[str]) -> Floats:
    """Returns about how many rows each of some meters has, which are sorted.

    Each of a row group's meters, of those that are given, is taken to have the same number of its rows.
    """
    # A group raises the share where its meters begin and lowers it again where they end. So the running sum of these
    # steps is what all groups around a meter add up to.
    steps = np.zeros(len(meters) + 1)
    for group in groups:
        begin, end = _span(group, meters)
        if end > begin:
            steps[begin] += group.rows / (end - begin)
            steps[end] -= group.rows / (end - begin)
    return np.cumsum(steps[:-1])


def cut(groups: Sequence[MeterRowGroup], most_rows: int, further_meters: Iterable[str] = ()) -> list[MeterRange]:
    """Returns ranges that hold every meter once, in order, each with about `most_rows` of the groups' rows at most.

    A range begins at the first or last meter of a group, or at one of `further_meters`.
    """
    meters = _possible_begins(groups, further_meters)
    begins = [meters[each.start] for each in cut_by_weight(expected_rows(groups, meters), most_rows)[1:]]
    return [MeterRange(first, end) for first, end in pairwise([None, *begins, None])]


def largest_share(groups: Sequence[MeterRowGroup]) -> int:
    """Returns how many rows the largest of the ranges has that `cut` cannot cut further."""
    return int(np.ceil(expected_rows(groups, _possible_begins(groups)).max(initial=0)))


def cut_by_weight(weights: npt.NDArray[np.float64 | np.int64], most: float) -> list[range]:
    """Returns consecutive ranges of places whose weights add up to `most` at most, or that hold one place."""
    total = np.cumsum(weights)
    found, begin = list[range](), 0
    while begin < len(total):
        before = total[begin - 1] if begin else 0.0
        end = max(begin + 1, int(np.searchsorted(total, before + most, side="right")))
        found.append(range(begin, end))
        begin = end
    return found


def groups_of_ranges(
    groups: Iterable[MeterRowGroup], meters: Sequence[str], ranges: Sequence[range]
) -> list[list[MeterRowGroup]]:
    """Returns, for each range of places of `meters` (sorted), the row groups that may hold any of its meters.

    The ranges are consecutive and cover all meters.
    """
    starts = [each.start for each in ranges]
    found: list[list[MeterRowGroup]] = [[] for _ in ranges]
    for group in groups:
        begin, end = _span(group, meters)
        if end > begin:
            for number in range(bisect_right(starts, begin) - 1, bisect_left(starts, end)):
                found[number].append(group)
    return found


def _possible_begins(groups: Iterable[MeterRowGroup], further_meters: Iterable[str] = ()) -> list[str]:
    """Returns the meters at which a range may begin."""
    ends = {meter for group in groups for meter in (group.first_meter, group.last_meter)}
    return sorted(ends.union(further_meters))


def _span(group: MeterRowGroup, meters: Sequence[str]) -> tuple[int, int]:
    """Returns the places of the meters that the group may hold, from and to, without the end."""
    return bisect_left(meters, group.first_meter), bisect_right(meters, group.last_meter)
