"""The table completeness: for each meter and day, how many of the expected readings arrived.

    expected                      intervals of a day: 24 times the intervals of an hour, a setting of the deployment
    received                      interval readings (INT); more than expected where times lie off the grid
    estimated                     how many of them have an error_code beside their value: the sender filled them in
    rejected                      rows in quarantine whose meter and date can be read
    duplicates                    interval rows delivered beyond one for each reading received, over all deliveries
    first_reading, last_reading   times (UTC) of the first and last interval reading; null without any

A day is loaded when any meter has an interval reading on it. A meter is expected on each loaded day of a month from its
own first reading on; on each loaded day, if it had readings in the month before. So a meter that falls silent is missed
until the end of the month after its last reading. The table has a row for each day on which the meter is expected, and
for each other day on which rows of the meter were rejected.

Tallies are looked at when a date of their month is summed: rejected rows of a batch that has no interval reading in
that month show the next time.

A month's rows follow from its readings, its tallies and the meters that had readings in the month before, and from
nothing else, so that they do not depend on the order in which days were delivered.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from meter_data.lake.calendar import date_text
from meter_data.lake.columns import coded, column_of, day_numbers, in_order, places, sums, values
from meter_data.lake.schemas import CODED, COMPLETENESS, INSTANT, INT

# What is known of a meter and a day (a number since 1970) that has readings.
COUNTED = pa.schema(
    [
        ("meter_id", CODED),
        ("day", INT),
        ("received", INT),
        ("estimated", INT),
        ("first_reading", INSTANT),
        ("last_reading", INSTANT),
    ]
)
# The columns of the table from which the days that are not summed are carried over.
CARRIED = pa.schema([COMPLETENESS.field(name) for name in ("meter_id", "date_str", *COUNTED.names[2:])])


def carried_over(published: pa.Table, summed_days: Collection[int]) -> pa.Table:
    """Returns COUNTED of those rows of the table (CARRIED) that have readings and are of no day that is summed."""
    day = day_numbers(published["date_str"])
    is_kept = (values(published["received"]) > 0) & ~np.isin(day, list(summed_days))
    columns = [published["meter_id"], pa.array(day), *(published[name] for name in COUNTED.names[2:])]
    return pa.Table.from_arrays(columns, schema=COUNTED).filter(pa.array(is_kept))


def with_readings(found: pa.Table) -> pa.Table:
    """Returns the rows of the table that have readings."""
    return found.filter(pa.array(values(found["received"]) > 0))


def rows(
    days: range,
    counted: pa.Table,
    meters_before: pa.Array,
    tallied: pa.Table,
    loaded: Collection[int],
    intervals_a_day: int,
) -> pa.Table:
    """Returns the rows of the table, in order of meter and day, of a month whose days (numbers since 1970) are given.

    counted        COUNTED of each meter and day with readings, each pair once
    meters_before  the meters that had readings in the month before
    tallied        meter_id, date_str, readings and rejected; of a pair there may be several rows
    loaded         the loaded days of the month
    """
    counted_meter, tallied_meter = coded(counted["meter_id"]), coded(tallied["meter_id"])
    meters = in_order([counted_meter.texts, meters_before, tallied_meter.texts])
    # All pairs of a meter and a day are the cells of a grid with a line a meter and a column a day. Cells are numbered
    # line by line, which is the order of the table.
    shape = (len(meters), len(days))
    of_counted = counted_meter.places_among(meters) * len(days) + (values(counted["day"]) - days.start)
    of_tallied = tallied_meter.places_among(meters) * len(days) + (day_numbers(tallied["date_str"]) - days.start)
    has_readings = np.zeros(shape, bool)
    has_readings.reshape(-1)[of_counted] = True

    # The column from which on each meter is expected: its first with readings; behind the last for a meter without.
    since = np.where(has_readings.any(axis=1), has_readings.argmax(axis=1), len(days))
    since[places(meters_before.cast(pa.string()), meters)] = 0
    is_loaded = np.isin(np.array(days), list(loaded))
    is_expected = is_loaded & (np.arange(len(days)) >= since[:, np.newaxis])

    cells = shape[0] * shape[1]
    # Floating point is exact for counts.
    rejected = sums(of_tallied, values(tallied["rejected"]), cells).astype(np.int32)
    kept = np.flatnonzero(is_expected.reshape(-1) | (rejected > 0))

    def at_kept(name: str) -> npt.NDArray[Any]:
        """A column of `counted` for the cells that are kept; 0 where there are no readings."""
        found = values(counted[name])
        grid = np.zeros(cells, found.dtype)
        grid[of_counted] = found
        return grid[kept]

    received = at_kept("received")
    delivered = sums(of_tallied, values(tallied["readings"]), cells).astype(np.int32)[kept]
    is_silent = ~has_readings.reshape(-1)[kept]
    dates = pa.array([date_text(day) for day in days], pa.string())
    columns = {
        "meter_id": column_of(meters, kept // len(days)).cast(pa.string()),
        "date_str": column_of(dates, kept % len(days)).cast(pa.string()),
        "expected": pa.array(np.full(len(kept), intervals_a_day, np.int32)),
        "received": pa.array(received),
        "estimated": pa.array(at_kept("estimated")),
        "rejected": pa.array(rejected[kept]),
        "duplicates": pa.array(np.maximum(delivered - received, 0)),
        "first_reading": pa.array(at_kept("first_reading"), mask=is_silent).cast(INSTANT),
        "last_reading": pa.array(at_kept("last_reading"), mask=is_silent).cast(INSTANT),
    }
    return pa.Table.from_pydict(columns, schema=COMPLETENESS)
