"""Row groups of files that are sorted by meter, and how a job's work is cut into ranges of meters.

A work item is about some meters. It reads exactly the row groups that may hold them: the footers say which meters a row
group holds from first to last.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from meter_data.lake.store import Store

# What one item reads at most, unless a single meter has more. Two million readings take 50 MB as columns, and another
# 50 MB while hours or days are summed, so that an item fits beside others into the memory of a worker.
ROWS_AN_ITEM = 2_000_000
METER = "meter_id"
_REQUESTS_AT_ONCE = 16

Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MeterGroup:
    """A row group, its rows and the first and last meter in it, in the order of ids; None where its file is silent."""

    uri: str
    row_group: int
    rows: int
    first: str | None
    last: str | None


@dataclass(frozen=True)
class Part:
    """Row groups of one file, in order."""

    uri: str
    row_groups: tuple[int, ...]


def of_folders(store: Store, locations: Iterable[str]) -> list[MeterGroup]:
    """Returns the row groups of all Parquet files below these locations."""
    return of_files(store, [uri for location in sorted(locations) for uri in store.parquet_files(location)])


def of_files(store: Store, uris: Sequence[str]) -> list[MeterGroup]:
    """Returns the row groups of these Parquet files, in order. Only footers are read, several at a time."""
    # Each footer is a request that mostly waits. Arrow's file systems may be used by several threads.
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as requests:
        return [group for found in requests.map(lambda uri: _groups(store, uri), uris) for group in found]


def parts(groups: Iterable[MeterGroup], most_rows: int = ROWS_AN_ITEM) -> Iterator[Part]:
    """Yields the row groups as parts of files with so many rows at most, or one row group."""
    uri, chosen, rows = "", list[int](), 0
    for group in groups:
        if chosen and (group.uri != uri or rows + group.rows > most_rows):
            yield Part(uri, tuple(chosen))
            chosen, rows = [], 0
        uri, rows = group.uri, rows + group.rows
        chosen.append(group.row_group)
    if chosen:
        yield Part(uri, tuple(chosen))


def expected_rows(groups: Iterable[MeterGroup], ids: Sequence[str]) -> Floats:
    """Returns about how many rows each of the meters has. `ids` are all meters, sorted.

    The rows of a row group are shared out evenly over the meters from its first to its last.
    """
    # Each group adds its share where its meters begin and takes it away where they end; the running sum is what all
    # groups around a meter add up to.
    changes = np.zeros(len(ids) + 1)
    for group in groups:
        begin, end = _span(group, ids)
        if end > begin:
            changes[begin] += group.rows / (end - begin)
            changes[end] -= group.rows / (end - begin)
    return np.cumsum(changes)[:-1]


def cut(weights: Floats, most: float) -> list[range]:
    """Returns consecutive ranges of places whose weights add up to `most` at most, or that hold one place."""
    total = np.cumsum(weights)
    found, begin = list[range](), 0
    while begin < len(total):
        before = total[begin - 1] if begin else 0.0
        end = max(begin + 1, int(np.searchsorted(total, before + most, side="right")))
        found.append(range(begin, end))
        begin = end
    return found


def reads(groups: Iterable[MeterGroup], ids: Sequence[str], ranges: Sequence[range]) -> list[list[MeterGroup]]:
    """Returns, for each range of places of `ids` (sorted), the row groups that may hold any of its meters.

    The ranges are consecutive and cover all ids.
    """
    starts = [each.start for each in ranges]
    found: list[list[MeterGroup]] = [[] for _ in ranges]
    for group in groups:
        begin, end = _span(group, ids)
        if end > begin:
            for number in range(bisect_right(starts, begin) - 1, bisect_left(starts, end)):
                found[number].append(group)
    return found


def rows_of_meters(
    store: Store, groups: Iterable[MeterGroup], ids: Sequence[str], columns: Sequence[str], coded: Sequence[str] = ()
) -> Iterator[tuple[Places, pa.Table]]:
    """Yields the rows of these meters: for each row the place of its meter among `ids`, and its columns.

    The columns named in `coded` are dictionaries.
    """
    wanted = pa.array(ids, pa.string())
    for part in parts(groups):
        table = store.read_parquet(part.uri, [METER, *columns], part.row_groups, [METER, *coded])
        table = table.unify_dictionaries().combine_chunks()
        if not table.num_rows:
            continue
        meters = one_chunk(table[METER])
        # A meter's place is looked up once for each distinct id, then taken for each of its rows. -1: not wanted.
        place_of = pc.fill_null(pc.index_in(meters.dictionary, value_set=wanted), -1).to_numpy(zero_copy_only=False)
        places = place_of.astype(np.int64)[numbers(meters.indices)]
        is_wanted = places >= 0
        kept = table.drop_columns([METER])
        if not is_wanted.all():
            places, kept = places[is_wanted], kept.filter(pa.array(is_wanted))
        yield places, kept


def one_chunk(column: pa.ChunkedArray) -> Any:
    """Returns a column that was read in parts as one array."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.combine_chunks() if column.num_chunks else pa.array([], column.type)


def numbers(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """Returns a column of numbers as numpy has it."""
    whole = one_chunk(column) if isinstance(column, pa.ChunkedArray) else column
    found: npt.NDArray[Any] = whole.to_numpy(zero_copy_only=False)
    return found


def _span(group: MeterGroup, ids: Sequence[str]) -> tuple[int, int]:
    """Returns the places of the ids that the group may hold, from and to, without the end."""
    if group.first is None or group.last is None:
        return 0, len(ids)
    return bisect_left(ids, group.first), bisect_right(ids, group.last)


def _groups(store: Store, uri: str) -> list[MeterGroup]:
    with store.open_file(uri) as source:
        footer = pq.ParquetFile(source).metadata
    meters = footer.schema.names.index(METER)
    found = []
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        said = group.column(meters).statistics
        known = said is not None and said.has_min_max
        found.append(MeterGroup(uri, number, group.num_rows, said.min if known else None, said.max if known else None))
    return found
