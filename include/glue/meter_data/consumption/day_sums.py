"""Sums interval readings by meter and day (UTC), and counts what completeness says of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.calendar import DAY, MICROSECONDS
from meter_data.lake.columns import coded, column_of, days_and_codes, sums, values
from meter_data.lake.meter_ranges import ALL_METERS, MeterRange
from meter_data.lake.schemas import CODED, INSTANT, INT, REAL

# What is read of a reading, and which of it are texts.
COLUMNS = ("meter_id", "reading_value", "reading_date_time", "error_code")
TEXTS = ("meter_id", "error_code")
# Of a meter and a day (a number since 1970): kWh, readings, those that have an error_code, the first and last time.
DAY_SUMS = pa.schema(
    [
        ("meter_id", CODED),
        ("day", INT),
        ("consumption", REAL),
        ("received", INT),
        ("estimated", INT),
        ("first_reading", INSTANT),
        ("last_reading", INSTANT),
    ]
)
_MICROSECONDS_A_DAY = DAY * MICROSECONDS


def sum_days(slices: Iterable[pa.Table], days: Collection[int], meters: MeterRange = ALL_METERS) -> pa.Table:
    """Returns DAY_SUMS of interval readings: of these days (numbers since 1970) and meters.

    `slices` have COLUMNS. Within them the rows of a meter and day follow each other in order of time, as the business
    zone has them; a slice may end amid a day. Readings are added in that order, one by one, so that a sum does not
    depend on how the table is cut into slices.
    """
    summed = [DAY_SUMS.empty_table()]
    held: pa.Table | None = None
    for read in slices:
        # Interval readings have values. Should one come without, it is no reading that was received.
        table = read.filter(pc.is_valid(read["reading_value"])) if read["reading_value"].null_count else read
        table = table if held is None else pa.concat_tables([held, table])
        if not table.num_rows:
            continue
        starts = _starts(table)
        # The last day of a slice may go on in the next one.
        last = int(starts[-1])
        summed.append(_sum(table.slice(0, last), starts[:-1]))
        held = table.slice(last)
    if held is not None:
        summed.append(_sum(held, np.zeros(1, np.int64)))
    found = meters.rows(pa.concat_tables(summed).unify_dictionaries().combine_chunks())
    return found.filter(pa.array(np.isin(values(found["day"]), list(days))))


def meters_on(slices: Iterable[pa.Table], days: Collection[int], meters: MeterRange = ALL_METERS) -> pa.StringArray:
    """Returns the meters of a range that have readings on these days. `slices` have meter_id and date_str."""
    found = [pa.array([], pa.string())]
    for read in slices:
        table = meters.rows(read)
        meter = coded(table["meter_id"])
        dates, date = days_and_codes(table["date_str"])
        is_wanted = np.isin(dates, list(days))[date]
        has_rows = np.zeros(len(meter.texts), bool)
        has_rows[meter.codes[is_wanted]] = True
        found.append(meter.texts.filter(pa.array(has_rows)))
    return pa.concat_arrays(found).unique()


def days_of(slices: Iterable[pa.Table], days: Collection[int]) -> set[int]:
    """Returns which of these days have readings. `slices` have date_str. Stops reading when all of them are found."""
    found: set[int] = set()
    for table in slices:
        dates, date = days_and_codes(table["date_str"])
        found.update(dates[np.bincount(date, minlength=len(dates)) > 0].tolist())
        if found.issuperset(days):
            break
    return found.intersection(days)


def _starts(table: pa.Table) -> npt.NDArray[np.int64]:
    """The first row of each meter and day."""
    meter = coded(table["meter_id"]).codes
    day = values(table["reading_date_time"]) // _MICROSECONDS_A_DAY
    is_first = np.ones(len(day), bool)
    is_first[1:] = (meter[1:] != meter[:-1]) | (day[1:] != day[:-1])
    return np.flatnonzero(is_first)


def _sum(table: pa.Table, starts: npt.NDArray[np.int64]) -> pa.Table:
    """DAY_SUMS of rows whose days start at `starts`."""
    meter = coded(table["meter_id"])
    time, rows = values(table["reading_date_time"]), table.num_rows
    ends = np.append(starts[1:], rows)[: len(starts)]
    received = (ends - starts).astype(np.int32)
    # The place of each row's day among the days.
    place = np.repeat(np.arange(len(starts)), received)
    consumption = sums(place, values(table["reading_value"]), len(starts))
    estimated = np.zeros(len(starts), np.int32)
    if table["error_code"].null_count < rows:
        has_code = pc.is_valid(table["error_code"]).to_numpy()
        estimated += np.bincount(place[has_code], minlength=len(starts)).astype(np.int32)
    columns = [
        column_of(meter.texts, meter.codes[starts]),
        pa.array((time[starts] // _MICROSECONDS_A_DAY).astype(np.int32)),
        pa.array(consumption),
        pa.array(received),
        pa.array(estimated),
        pa.array(time[starts]).cast(INSTANT),
        pa.array(time[ends - 1]).cast(INSTANT),
    ]
    return pa.Table.from_arrays(columns, schema=DAY_SUMS)
