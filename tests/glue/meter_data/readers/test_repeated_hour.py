"""Rows of an hour that clocks show twice, told apart by the order in which they came."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.cleaning.clean_zone import OF_READINGS
from meter_data.lake.schemas import CODED, INSTANT
from meter_data.readers import repeated_hour

HOUR = 3_600_000
ONE = round(datetime(2013, 10, 27, 1, tzinfo=UTC).timestamp() * 1000)  # the clock, shown at 00:00 and 01:00 UTC
CALENDAR = {"date_str", "iso_year", "week_of_year", "day_of_month", "month", "year", "hour", "minute"}
# meter, whether it is a register, minutes of the clock from 01:00 on, file, row
Row = tuple[str, bool, int, int, int]


def table(rows: list[Row]) -> pa.Table:
    """Rows as raw_to_clean keeps them. London's clocks go back."""
    clocks = [ONE + minutes * 60_000 for _, _, minutes, _, _ in rows]
    made = {
        "meter_id": pa.array([row[0] for row in rows], pa.string()).cast(CODED),
        "reading_date_time": pa.array([(clock - HOUR) * 1000 for clock in clocks], pa.int64()).cast(INSTANT),
        "source_row": pa.array([row[4] for row in rows], pa.int64()),
        "wall_clock": pa.array(clocks, pa.int64()),
        "later": pa.array(clocks, pa.int64()),
        "is_register": pa.array([row[1] for row in rows], pa.bool_()),
        "file_order": pa.array([row[3] for row in rows], pa.int64()),
    }
    others = {field.name: pa.nulls(len(rows), field.type) for field in OF_READINGS if field.name not in CALENDAR}
    return pa.table({**others, **made})


def rounds(rows: list[Row]) -> list[int]:
    """Which round of the hour each row is decided to be of: 1 or 2."""
    given_rows = table(rows)
    decided = repeated_hour.decided(given_rows)
    assert decided.drop_columns(["reading_date_time"]).equals(given_rows.drop_columns(["reading_date_time"]))
    assert decided.schema == given_rows.schema
    instants = [round(time.timestamp() * 1000) for time in decided["reading_date_time"].to_pylist()]
    found = {0: 2, -HOUR: 1}
    return [found[instant - row["wall_clock"]] for instant, row in zip(instants, given_rows.to_pylist(), strict=True)]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ([0, 30, 0, 30], [1, 1, 2, 2]),
        ([0, 0, 30, 30], [1, 2, 1, 2]),
        ([30, 0, 30], [1, 2, 2]),
        ([0, 0, 30], [1, 2, 2]),
        ([0, 30], [1, 1]),
        ([30, 0], [1, 2]),
        ([15], [1]),
        ([0, 30, 0, 30, 0, 30, 0, 30], [1, 1, 2, 2, 1, 1, 2, 2]),
        ([], []),
    ],
)
def test_the_order_of_arrival_tells_the_rounds_apart(minutes: list[int], expected: list[int]) -> None:
    assert rounds([("M1", False, each, 0, at) for at, each in enumerate(minutes)]) == expected


def test_rows_come_by_file_and_then_by_row_wherever_they_stand_in_the_table() -> None:
    rows = [("M1", False, 0, 7, 0), ("M1", False, 30, 2, 9), ("M1", False, 30, 7, 3), ("M1", False, 0, 2, 4)]
    assert rounds(rows) == [2, 1, 2, 1]


def test_meters_registers_and_days_have_an_order_of_their_own() -> None:
    day = 24 * 60
    rows = [("M1", False, 30, 0, 0), ("M2", False, 0, 0, 1), ("M1", True, 0, 0, 2), ("M1", False, day, 0, 3)]
    assert rounds(rows) == [1, 1, 1, 1]


ROWS = some.lists(
    some.tuples(
        some.sampled_from(["M1", "M2"]), some.booleans(), some.sampled_from([0, 15, 30, 1440]), some.integers(0, 2)
    ),
    max_size=25,
)


@settings(deadline=None)
@given(found=ROWS, order=some.randoms(use_true_random=False))
def test_rows_are_decided_as_the_rule_says(found: list[tuple[str, bool, int, int]], order: Any) -> None:
    rows = [(meter, register, minutes, file, at) for at, (meter, register, minutes, file) in enumerate(found)]
    order.shuffle(rows)
    assert rounds(rows) == defined(rows)


def defined(rows: list[Row]) -> list[int]:
    """The rule, row by row."""
    came = sorted(rows, key=lambda row: row[3:])
    answer: dict[Row, int] = {}
    for at, row in enumerate(came):
        same = [other for other in came if other[:3] == row[:3]]
        number = same.index(row) + 1
        if len(same) > 1:
            answer[row] = 2 if number % 2 == 0 else 1
            continue
        before = [o for o in came[:at] if o[:2] == row[:2] and o[2] // 1440 == row[2] // 1440]
        had_second = any(sum(o[2] == each for o in before) > 1 for each in {o[2] for o in before})
        answer[row] = 2 if had_second or any(o[2] > row[2] for o in before) else 1
    return [answer[row] for row in rows]
