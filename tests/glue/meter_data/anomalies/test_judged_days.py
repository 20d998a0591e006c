"""Complete days, and what is counted of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from meter_data.anomalies import judged_days
from meter_data.anomalies.judged_days import NO_ROW, Counts


def complete(*intervals: list[int], a_day: int = 48) -> list[list[bool]]:
    return judged_days.complete_days(np.array(intervals, np.int32), a_day).tolist()


def test_a_day_is_complete_with_the_intervals_of_the_deployment() -> None:
    assert complete([48, 47, NO_ROW, 49, 48]) == [[True, False, False, False, True]]


@pytest.mark.parametrize(
    ("intervals", "own"),
    [
        ([24, 24, 23], 24),  # an hourly meter that lost a reading
        ([24, 24, 48, 48], 48),  # of equally frequent numbers the larger one
        ([24, 47, 46], None),  # on less than half of its days
        ([47, 47, 47], None),  # does not cut a day into equal parts
        ([0, 0, 0], None),
        ([NO_ROW, 1, NO_ROW], 1),
    ],
)
def test_a_meter_may_have_intervals_of_its_own(intervals: list[int], own: int | None) -> None:
    assert complete(intervals, a_day=96) == [[number == own for number in intervals]]


@given(st.lists(st.lists(st.sampled_from([NO_ROW, 0, 1, 23, 24, 47, 48]), min_size=5, max_size=5), min_size=1))
def test_complete_days_are_those_of_plain_python(intervals: list[list[int]]) -> None:
    expected = []
    for meter in intervals:
        rows = [number for number in meter if number != NO_ROW]
        most = max(((rows.count(number), number) for number in rows), default=(0, 0))
        regular = most[0] * 2 >= len(rows) and most[1] > 0 and 1440 % most[1] == 0
        own = most[1] if regular else 48
        expected.append([number in (48, own) for number in meter])
    assert complete(*intervals) == expected


def test_days_are_counted_by_what_there_is_to_judge() -> None:
    intervals = np.full((4, 6), 48, np.int32)
    intervals[1, 3:] = NO_ROW
    intervals[2, 0] = 7
    is_complete = intervals == 48
    is_judged = np.zeros((4, 6), bool)
    is_judged[0] = True  # nothing new
    is_judged[2, :2] = True  # one of them is not complete: it is not kept
    found = judged_days.count(is_complete, is_judged, intervals, least_history=5)
    assert found == Counts(meters=2, short=1, kept=7, complete=20, incomplete=1)
    assert found + found == Counts(meters=4, short=2, kept=14, complete=40, incomplete=2)
