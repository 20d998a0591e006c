"""Which row of a reading wins, among the rows that came and the row that is published.

Rows with the same meter and time are rows of one reading (one reading type at a time is looked at). The winner is

    1. of the newest delivered_at;
    2. of the rows of that time, a row that came rather than the published one: it was loaded later, for example because
       a file was loaded again after its reader was mended;
    3. of the latest file, by the bytes of source_file (files of one upload time are ordered by their keys);
    4. of the latest row of that file, by source_row.

The warehouse follows the same rule: include/sql/redshift/rank_daily.sql and discard_daily.sql. It may load batches
together or in another order, and so looks at the time at which each of them was merged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from meter_data.lake.calendar import MICROSECONDS, Days
from meter_data.lake.columns import CodedTexts, coded, values
from meter_data.lake.schemas import BUSINESS, CLEAN, INSTANT

# The columns of a published row that are kept. All others follow from reading_date_time.
STORED = ("meter_id", "reading_value", "reading_date_time", "obis_code", "error_code", "delivered_at")
# What is read of a row that came.
DELIVERED = (*STORED, "source_file", "source_row")
# Texts to be read as dictionaries.
TEXTS = ("meter_id", "obis_code", "error_code", "source_file")
_LOWEST = np.iinfo(np.int64).min
# A contest holds about ten numbers a row. A part of the readings at a time keeps that to some 20 MB.
_READINGS_AT_ONCE = 100_000
_BITS = 63

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Counts:
    """What a merge found.

    rows_in      rows that came
    readings_in  different readings among them
    conflicts    readings for which rows of the winner's delivered_at have another value than the winner, each counted
                 once. Rows of one file, rows of several files of one upload time, and the published row are compared
                 alike; a row without a value differs from none.
    published    rows that are published
    replaced     those of them for which another row won, and that differ from it
    written      readings, each once
    """

    rows_in: int = 0
    readings_in: int = 0
    conflicts: int = 0
    published: int = 0
    replaced: int = 0
    written: int = 0


@dataclass(frozen=True)
class Rows:
    """The published rows, and behind them the rows that came.

    first_that_came  how many rows are published
    meters, obis_codes, error_codes
    times            int64, microseconds since 1970 UTC
    values           kWh; null for an error
    delivered_at     int64, microseconds since 1970 UTC
    files            source_file of the rows that came
    places           int64: source_row of the rows that came
    """

    first_that_came: int
    meters: CodedTexts
    times: Integers
    values: pa.DoubleArray
    obis_codes: CodedTexts
    error_codes: CodedTexts
    delivered_at: Integers
    files: CodedTexts
    places: Integers

    @property
    def meters_that_came(self) -> CodedTexts:
        """The meters of the rows that came."""
        return CodedTexts(self.meters.texts, self.meters.codes[self.first_that_came :])


def rows_of(published: Sequence[pa.Table], came: Sequence[pa.Table]) -> Rows:
    """Returns rows of tables of published rows (columns STORED) and of rows that came (columns DELIVERED).

    It takes the columns one after the other, and lets go of each, so that the memory holds few of them twice.
    """
    now = pa.concat_tables([_empty(DELIVERED), *came])
    rows = pa.concat_tables([_empty(STORED), *published, now.select(list(STORED))])
    first_that_came = rows.num_rows - now.num_rows
    now = now.select(["source_file", "source_row"])
    del published, came
    files, places = _in_order(now["source_file"]), values(now["source_row"])
    del now
    found: dict[str, Any] = {}
    for name in STORED:
        column = rows[name]
        rows = rows.drop([name])
        if name in TEXTS:
            found[name] = _in_order(column)
        elif name == "reading_value":
            found[name] = column.combine_chunks()
        else:
            found[name] = values(column)
    return Rows(
        first_that_came=first_that_came,
        meters=found["meter_id"],
        times=found["reading_date_time"],
        values=found["reading_value"],
        obis_codes=found["obis_code"],
        error_codes=found["error_code"],
        delivered_at=found["delivered_at"],
        files=files,
        places=places,
    )


class Merged:
    """The readings of some rows, each once, ordered by meter and time.

    counts  what was found
    times   int64, milliseconds since 1970 UTC: the time of each reading, in their order
    """

    def __init__(self, rows: Rows) -> None:
        """Merges rows. The published ones hold each reading once."""
        self._rows = rows
        self._winners, self.counts = _merge(rows)
        self.times = rows.times[self._winners] // MICROSECONDS

    def readings(self, places: slice | Integers) -> pa.Table:
        """Returns readings by their places in the order of the merge, in the columns of BUSINESS."""
        winners, times = self._winners[places], self.times[places]
        columns = {
            "meter_id": self._rows.meters.rows(winners),
            "reading_value": self._rows.values.take(pa.array(winners)),
            "reading_date_time": pa.array(self._rows.times[winners]).cast(INSTANT),
            "obis_code": self._rows.obis_codes.rows(winners),
            "error_code": self._rows.error_codes.rows(winners),
            "delivered_at": pa.array(self._rows.delivered_at[winners]).cast(INSTANT),
            **Days(times).columns(times, BUSINESS.names),
        }
        return pa.table([columns[name] for name in BUSINESS.names], schema=BUSINESS)


def _merge(rows: Rows) -> tuple[Integers, Counts]:
    """Returns the row of each winner, ordered by meter and time, and the counts."""
    order, is_first = _readings(rows.meters.codes, rows.times)
    published = rows.first_that_came
    rows_in = len(order) - published
    if is_first.all():
        return order, Counts(rows_in, rows_in, published=published, written=len(order))
    # The rows that share their reading with another row. They are few as a rule, so that what follows costs little.
    is_shared = ~is_first
    is_shared[:-1] |= is_shared[1:]
    shared = np.flatnonzero(is_shared)
    starts = np.flatnonzero(is_first[shared])
    replaced = conflicts = readings_that_came = rows_that_came = 0
    for first in range(0, len(starts), _READINGS_AT_ONCE):
        some_starts = starts[first : first + _READINGS_AT_ONCE]
        end = starts[first + _READINGS_AT_ONCE] if first + _READINGS_AT_ONCE < len(starts) else len(shared)
        places = shared[some_starts[0] : end]
        result = _contest(rows, order[places], some_starts - some_starts[0])
        # The winner takes the place of the first row of its reading.
        order[places[some_starts - some_starts[0]]] = result.winners
        conflicts += result.conflicts
        replaced += result.replaced
        readings_that_came += result.readings_that_came
        rows_that_came += result.rows_that_came
    counts = Counts(
        rows_in=rows_in,
        readings_in=rows_in - rows_that_came + readings_that_came,
        conflicts=conflicts,
        published=published,
        replaced=replaced,
        written=int(is_first.sum()),
    )
    return order[is_first], counts


@dataclass(frozen=True)
class _Result:
    """The winners of some contests, in the order of their readings, and what was counted."""

    winners: Integers
    conflicts: int
    replaced: int
    readings_that_came: int
    rows_that_came: int


def _contest(rows: Rows, rivals: Integers, starts: Integers) -> _Result:
    """Finds the winner of each reading.

    The rows of one reading are neighbours in `rivals`. A reading begins at each place in `starts`.
    """
    # The number of each rival's reading, from 0.
    reading = np.zeros(len(rivals), np.int64)
    reading[starts[1:]] = 1
    reading = np.cumsum(reading)
    remains = np.ones(len(rivals), np.bool_)
    # Of the rows of a reading that remain, those remain that have the largest entry of the next column. The last column
    # has another entry in each row, so that one row remains.
    for number, column in enumerate((rows.delivered_at[rivals], *_origins(rows, rivals), np.arange(len(rivals)))):
        largest = np.maximum.reduceat(np.where(remains, column, _LOWEST), starts)
        remains &= column == largest[reading]
        if number == 0:
            is_newest = remains.copy()
    winners = rivals[remains]
    # An error has no value. It becomes not-a-number here, and is in conflict with nothing.
    kwh = rows.values.take(pa.array(rivals)).to_numpy(zero_copy_only=False)
    winning = kwh[remains][reading]
    has_no_value = np.isnan(kwh)
    differs = (kwh != winning) & ~(has_no_value & np.isnan(winning))
    is_conflict = is_newest & differs & ~has_no_value & ~np.isnan(winning)
    for column in (rows.obis_codes.codes, rows.error_codes.codes, rows.delivered_at):
        differs |= column[rivals] != column[winners][reading]
    came = rivals >= rows.first_that_came
    return _Result(
        winners=winners,
        conflicts=int(np.logical_or.reduceat(is_conflict, starts).sum()),
        replaced=int((differs & ~came).sum()),
        readings_that_came=int(np.logical_or.reduceat(came, starts).sum()),
        rows_that_came=int(came.sum()),
    )


def _origins(rows: Rows, rivals: Integers) -> tuple[Integers, Integers]:
    """Returns the place of each row's file among all files, which are ordered, and its place in that file.

    For a published row neither is known: it gets a place before all files, so that it loses against them.
    """
    file, place = np.full(len(rivals), -1, np.int64), np.full(len(rivals), -1, np.int64)
    came = rivals >= rows.first_that_came
    numbers = rivals[came] - rows.first_that_came
    file[came], place[came] = rows.files.codes[numbers], rows.places[numbers]
    return file, place


def _readings(meter: npt.NDArray[np.int32], time: Integers) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Returns the order of rows by meter and time, and whether each row, in that order, begins another reading."""
    first = int(time.min())
    bits = (int(time.max()) - first).bit_length()
    if int(meter.max()).bit_length() + bits > _BITS:
        # Millions of meters in one item: two numbers a row are compared.
        order = np.lexsort((time, meter))
        meter, time = meter[order], time[order]
        is_first = np.ones(len(order), np.bool_)
        is_first[1:] = (meter[1:] != meter[:-1]) | (time[1:] != time[:-1])
        return order, is_first
    # One number for meter and time: its upper bits are the meter's code, its lower ones the time since the first.
    # The files that are put together are sorted, and numpy's stable sort merges sorted runs.
    key = (meter.astype(np.int64) << bits) | (time - first)
    order = np.argsort(key, kind="stable")
    key = key[order]
    is_first = np.ones(len(order), np.bool_)
    np.not_equal(key[1:], key[:-1], out=is_first[1:])
    return order, is_first


def _in_order(column: pa.ChunkedArray) -> CodedTexts:
    """Returns a column of texts as codes that are ordered as the texts are, as merging orders meters and files."""
    return coded(column, nullable=True).in_order()


def _empty(columns: Sequence[str]) -> pa.Table:
    """Returns no rows of these columns."""
    return pa.schema([CLEAN.field(name) for name in columns]).empty_table()
