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

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from meter_data.lake.calendar import day_of
from meter_data.lake.columns import coded, day_numbers, in_order, places, sums, texts_and_codes, values
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
# The columns of the table from which the days that are not summed are carried over, and those that are reported.
CARRIED = pa.schema([COMPLETENESS.field(name) for name in ("meter_id", "date_str", *COUNTED.names[2:])])
REPORTED = pa.schema(
    [
        COMPLETENESS.field(name)
        for name in ("meter_id", "date_str", "expected", "received", "estimated", "rejected", "duplicates")
    ]
)
WORST_DAYS = 5
_SUMMED = ("expected", "received", "estimated", "rejected", "duplicates", "incomplete_meters")
_TOLD = ("date_str", "expected", "received", "incomplete_meters")


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
    counted_texts, counted_meter = texts_and_codes(counted["meter_id"])
    tallied_texts, tallied_meter = texts_and_codes(tallied["meter_id"])
    meters = in_order([counted_texts, meters_before, tallied_texts])
    # All pairs of a meter and a day are the cells of a grid with a line a meter and a column a day. Cells are numbered
    # line by line, which is the order of the table.
    shape = (len(meters), len(days))
    of_counted = places(counted_texts, meters)[counted_meter] * len(days) + (values(counted["day"]) - days.start)
    of_tallied = places(tallied_texts, meters)[tallied_meter] * len(days) + (
        day_numbers(tallied["date_str"]) - days.start
    )
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
    dates = pa.array([f"{day_of(day):%Y%m%d}" for day in days], pa.string())
    columns = {
        "meter_id": coded(meters, kept // len(days)).cast(pa.string()),
        "date_str": coded(dates, kept % len(days)).cast(pa.string()),
        "expected": pa.array(np.full(len(kept), intervals_a_day, np.int32)),
        "received": pa.array(received),
        "estimated": pa.array(at_kept("estimated")),
        "rejected": pa.array(rejected[kept]),
        "duplicates": pa.array(np.maximum(delivered - received, 0)),
        "first_reading": pa.array(at_kept("first_reading"), mask=is_silent).cast(INSTANT),
        "last_reading": pa.array(at_kept("last_reading"), mask=is_silent).cast(INSTANT),
    }
    return pa.Table.from_pydict(columns, schema=COMPLETENESS)


def report(found: pa.Table) -> dict[str, Any]:
    """Returns what `summary` adds up: by date, and of the meters, each of which has all its rows (REPORTED) here."""
    texts, date = texts_and_codes(found["date_str"])
    meter_texts, meter = texts_and_codes(found["meter_id"])
    expected, received = values(found["expected"]), values(found["received"])
    is_incomplete = received < expected
    columns = {name: values(found[name]) for name in ("estimated", "rejected", "duplicates")}
    # A surplus of a meter and day fills no gap of another.
    columns |= {"expected": expected, "received": np.minimum(received, expected), "incomplete_meters": is_incomplete}
    counts = {name: sums(date, column, len(texts)).astype(np.int64) for name, column in columns.items()}
    has_rows = np.bincount(date, minlength=len(texts)) > 0
    days = [
        {"date_str": text, **{name: int(counts[name][place]) for name in _SUMMED}}
        for place, text in enumerate(texts.to_pylist())
        if has_rows[place]
    ]
    rows_of_meters = np.bincount(meter, minlength=len(meter_texts))
    is_incomplete_meter = sums(meter, is_incomplete, len(meter_texts)) > 0
    is_silent_meter = (rows_of_meters > 0) & (sums(meter, received > 0, len(meter_texts)) == 0)
    return {
        "meters": int(np.count_nonzero(rows_of_meters)),
        "incomplete_meters": int(np.count_nonzero(is_incomplete_meter)),
        "silent_meters": int(np.count_nonzero(is_silent_meter)),
        "days": days,
    }


def summary(reports: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Returns how complete the days of some reports are, each of which is about other meters.

    It holds counts and dates only, so that it may stand in a log.
    """
    found = list(reports)
    by_date: dict[str, dict[str, Any]] = {}
    for day in (day for part in found for day in part["days"]):
        known = by_date.setdefault(day["date_str"], {"date_str": day["date_str"], **dict.fromkeys(_SUMMED, 0)})
        for name in _SUMMED:
            known[name] += day[name]
    days = list(by_date.values())
    worst = sorted(days, key=lambda day: (day["received"] - day["expected"], day["date_str"]))
    return {
        **{name: sum(day[name] for day in days) for name in _SUMMED[:-1]},
        **{name: sum(part[name] for part in found) for name in ("meters", "incomplete_meters", "silent_meters")},
        "days": len(days),
        "incomplete_days": sum(day["incomplete_meters"] > 0 for day in days),
        "worst_days": [
            {name: day[name] for name in _TOLD} for day in worst[:WORST_DAYS] if day["received"] < day["expected"]
        ],
    }


def on_days(found: pa.Table, days: Collection[int]) -> pa.Table:
    """Returns the rows of a table with date_str that are of these days."""
    return found.filter(pa.array(np.isin(day_numbers(found["date_str"]), list(days))))
