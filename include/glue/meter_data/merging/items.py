"""New versions of the partitions of the table `daily` that a batch touches: who makes which, and how.

An item is a reading type and month, or a range of the meters of one. It reads exactly the row groups of the clean zone
that hold its rows, and the published rows of its partitions, and writes one Parquet file a partition. At grain month
its partition is the month. At grain day its partitions are the touched days of the month: the rows of a month lie
together in the clean zone, so each is read once for all its days.

The files of a partition hold ranges of meters, and their names are in the order of these ranges. So all rows of a
partition, file after file, are ordered by meter and time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake import meter_ranges, meter_row_groups, table_parts
from meter_data.lake.calendar import DAY, MICROSECONDS, day_of, number_of
from meter_data.lake.clean_row_groups import CleanRowGroup
from meter_data.lake.meter_ranges import ALL_METERS, MeterRange
from meter_data.lake.meter_row_groups import METER, MeterRowGroup
from meter_data.lake.published import Published, Values, new_versions
from meter_data.lake.schemas import BUSINESS, INTERVAL
from meter_data.lake.store import Store
from meter_data.lake.table_parts import Part
from meter_data.merging import tallies
from meter_data.merging import winners as merging
from meter_data.merging.winners import Counts, Merged

TABLE = "daily"
MONTH = "month"
# The grains, with the length of a partition's value: yyyyMM, yyyyMMdd.
GRAINS = {MONTH: len("yyyyMM"), "day": len("yyyyMMdd")}
# The rows of an item, those that came and the published ones together. Measured with 2 million: 0.27 GB of memory for
# the columns, the order and the file that is written, 130 bytes a row. As many items are worked on at a time as there
# are processors. A smaller number would make more and smaller files, in each of which a reader opens a footer.
MOST_ROWS = 2_000_000
# Rows are sorted by meter, so a reader of one meter needs one row group of a file, or two. Measured with 1.4 M rows a
# file: one meter, 90 days, meter, time and value take 0.5 MB of 3 files, footers included; with groups of 280,000 rows
# it is 2 MB.
ROWS_A_GROUP = 65_536
# What a footer says of row groups. Only meters tell the groups of a partition apart: each holds all of its days. A
# reader of one meter reads the whole footer, which is a quarter smaller so.
DESCRIBED = (METER,)
# How many row groups are looked into for meters at which to cut, when first and last meters do not say enough, and how
# many meters are taken of each.
_LOOKED_INTO, _METERS_OF_EACH = 16, 64


class GrainError(ValueError):
    """The grain is unknown, or the table holds the same time in partitions of another grain."""


@dataclass(frozen=True)
class Item:
    """What is written in one go.

    reading_type, month (yyyyMM)
    meters      the range of meters that it is about
    came        the rows that came
    published   the rows that its partitions have now
    files       the file to write for each partition, by the partition's value of month (yyyyMM, or yyyyMMdd)
    tallies     the file to write the tallies of the rows that came to; None if they are not interval readings
    rows        about how many rows it reads
    """

    reading_type: str
    month: str
    meters: MeterRange
    came: tuple[Part, ...]
    published: tuple[Part, ...]
    files: tuple[tuple[str, str], ...]
    tallies: str | None
    rows: int


@dataclass(frozen=True)
class Written:
    """What came of an item: `rows` written by partition, and the `days` (numbers since 1970) of the rows that came."""

    reading_type: str
    counts: Counts
    rows: dict[Values, int]
    days: frozenset[int]


@dataclass(frozen=True)
class Folders:
    """Where items write: the new versions of partitions below `partitions`, tallies below `tallies`."""

    partitions: str
    tallies: str

    def partition(self, values: Values, grain: str) -> str:
        """Returns the folder of a partition's new version."""
        reading_type, value = values
        return f"{self.partitions}reading_type={reading_type}/{grain}={value}/"


# Planning.


def touched(store: Store, groups: Iterable[CleanRowGroup], grain: str) -> dict[Values, list[CleanRowGroup]]:
    """Returns the row groups that hold rows of each touched partition, in order of the partitions.

    At grain day the dates of a row group that spans several days are read. Raises GrainError for an unknown grain.
    """
    if grain not in GRAINS:
        raise GrainError(f"--grain must be {' or '.join(GRAINS)}, not {grain!r}.")
    found: dict[Values, list[CleanRowGroup]] = {}
    for group in groups:
        for value in [group.month] if grain == MONTH else _days(store, group):
            found.setdefault((group.reading_type, value), []).append(group)
    return dict(sorted(found.items()))


def _days(store: Store, group: CleanRowGroup) -> list[str]:
    """Returns the days (yyyyMMdd) of the rows of a row group."""
    if group.first_day == group.last_day:
        return [group.first_day]
    dates = store.read_parquet(group.uri, ["date_str"], [group.row_group], coded=["date_str"])["date_str"]
    return sorted(pc.unique(dates).to_pylist())


def require_one_grain(wanted: Iterable[Values], known: Iterable[Values], grain: str) -> None:
    """Raises GrainError if a partition of the other grain holds part of the time of a wanted one."""
    month = GRAINS[MONTH]
    others = {(kind, value[:month]): value for kind, value in known if len(value) != GRAINS[grain]}
    for reading_type, value in wanted:
        if other := others.get((reading_type, value[:month])):
            published_grain = next(name for name, length in GRAINS.items() if length == len(other))
            raise GrainError(
                f"{TABLE} is published with {reading_type} readings of {other} in a partition of grain "
                f"{published_grain}; a partition {value} beside it would show readings twice. Trigger "
                f"ingest_meter_readings with grain {published_grain}."
            )


def plan(
    store: Store,
    wanted: Mapping[Values, Sequence[CleanRowGroup]],
    known: Mapping[Values, Published],
    grain: str,
    folders: Folders,
    most_rows: int,
) -> list[Item]:
    """Returns the items that write the wanted partitions.

    `wanted` is what `touched` returns, `known` what is published. An item has about `most_rows` rows at most, those
    that came and those that are published together.
    """
    by_month: dict[Values, list[Values]] = {}
    for reading_type, value in wanted:
        by_month.setdefault((reading_type, value[: GRAINS[MONTH]]), []).append((reading_type, value))
    return [
        item
        for (reading_type, month), partitions in by_month.items()
        for item in _items_of_month(store, reading_type, month, partitions, wanted, known, grain, folders, most_rows)
    ]


def _items_of_month(
    store: Store,
    reading_type: str,
    month: str,
    partitions: Sequence[Values],
    wanted: Mapping[Values, Sequence[CleanRowGroup]],
    known: Mapping[Values, Published],
    grain: str,
    folders: Folders,
    most_rows: int,
) -> list[Item]:
    # A row group may hold rows of several of the days.
    came = list(dict.fromkeys(group for values in partitions for group in wanted[values]))
    files = [uri for values in partitions if values in known for uri in store.parquet_files(known[values].location)]
    published = meter_row_groups.of_files(store, files)
    ranges = _ranges(store, came, published, most_rows)
    return [
        Item(
            reading_type=reading_type,
            month=month,
            meters=meters,
            came=table_parts.parts(came, meters),
            published=table_parts.parts(published, meters),
            files=tuple(
                (values[1], f"{folders.partition(values, grain)}{number:05d}.parquet") for values in partitions
            ),
            tallies=f"{folders.tallies}month={month}/readings-{number:05d}.parquet"
            if reading_type == INTERVAL
            else None,
            rows=sum(group.rows for group in [*came, *published]) // len(ranges),
        )
        for number, meters in enumerate(ranges)
    ]


def _ranges(
    store: Store, came: Sequence[MeterRowGroup], published: Sequence[MeterRowGroup], most_rows: int
) -> list[MeterRange]:
    """Returns the ranges of meters into which the rows are cut."""
    groups = [*came, *published]
    if sum(group.rows for group in groups) <= most_rows:
        return [ALL_METERS]
    if meter_ranges.largest_share(groups) <= most_rows:
        return meter_ranges.cut(groups, most_rows)
    # Many small files with all meters each, for example: the meters lie between the first and the last one. Some of the
    # row groups tell where, as the others hold about the same meters.
    widest = sorted(groups, key=lambda group: -group.rows)[:_LOOKED_INTO]
    further = {meter for group in widest for meter in _some_meters(store, group)}
    return meter_ranges.cut(groups, most_rows, further)


def _some_meters(store: Store, group: MeterRowGroup) -> list[str]:
    """Returns some meters of a row group, with about as many rows between each two of them."""
    meters = store.read_parquet(group.uri, [METER], [group.row_group], coded=[METER])[METER]
    step = max(1, len(meters) // _METERS_OF_EACH)
    return pc.unique(meters.take(pa.array(np.arange(0, len(meters), step)))).to_pylist()


# Working.


def write(store: Store, item: Item) -> Written:
    """Merges the rows of an item, and writes its files and its tallies."""
    rows = merging.rows_of(
        [_read(store, part, merging.STORED, item.meters) for part in item.published],
        [_read(store, part, merging.DELIVERED, item.meters) for part in item.came],
    )
    if not len(rows.times):
        return Written(item.reading_type, Counts(), {}, frozenset())
    that_came = rows.times[rows.first_that_came :]
    if item.tallies and len(that_came):
        delivered_at = rows.delivered_at[rows.first_that_came :]
        tallied = tallies.of_readings(rows.files, rows.meters_that_came, that_came, delivered_at)
        tallies.write(store, item.tallies, tallied)
    days = frozenset(np.unique(that_came // (DAY * MICROSECONDS)).tolist())
    found = Merged(rows)
    written: dict[Values, int] = {
        (item.reading_type, value): rows_written
        for value, uri in item.files
        if (rows_written := _write_partition(store, uri, found, value))
    }
    return Written(item.reading_type, found.counts, written, days)


def _read(store: Store, part: Part, columns: Sequence[str], meters: MeterRange) -> pa.Table:
    coded = [name for name in columns if name in merging.TEXTS]
    return meters.rows(store.read_parquet(part.uri, columns, part.row_groups, coded))


def _write_partition(store: Store, uri: str, found: Merged, value: str) -> int:
    """Writes the readings of a partition. Returns how many there are."""
    if len(value) == GRAINS[MONTH]:
        places, count = None, len(found.times)
    else:
        places = np.flatnonzero(found.times // DAY == number_of(value))
        count = len(places)
    if not count:
        return 0

    def groups() -> Iterator[pa.Table]:
        for start in range(0, count, ROWS_A_GROUP):
            group = slice(start, start + ROWS_A_GROUP)
            yield found.readings(group if places is None else places[group])

    store.write_row_groups(uri, BUSINESS, groups(), statistics=DESCRIBED)
    return count


# Telling.


def summary(written: Collection[Written], locate: Callable[[Values], str]) -> dict[str, Any]:
    """Returns what the items did. `partitions` are the new versions; `locate` gives a partition's folder."""
    total = {name: sum(getattr(item.counts, name) for item in written) for name in Counts.__dataclass_fields__}
    return {
        "rows_in": total["rows_in"],
        "duplicates": total["rows_in"] - total["readings_in"],
        "conflicts": total["conflicts"],
        "readings_added": total["written"] - total["published"],
        "readings_replaced": total["replaced"],
        "readings_written": total["written"],
        "partitions": new_versions((each for item in written for each in item.rows.items()), locate),
    }


def dates_of_intervals(written: Iterable[Written]) -> set[date]:
    """Returns the dates of the interval readings that came. They alone are summed."""
    return {day_of(day) for item in written if item.reading_type == INTERVAL for day in item.days}
