"""Sets of dates as closed ranges."""

from __future__ import annotations

import pytest
from metering import dates


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        (["20130101-20130131"], ["20130101-20130131"]),
        (["20130201-20130228", "20130101-20130131"], ["20130101-20130228"]),
        (["20130101-20130110", "20130112-20130131"], ["20130101-20130110", "20130112-20130131"]),
        (["20130101-20131231", "20130301-20130302"], ["20130101-20131231"]),
        (["20121231-20121231", "20130101-20130101"], ["20121231-20130101"]),
        (["20240228-20240228", "20240301-20240301"], ["20240228-20240228", "20240301-20240301"]),
    ],
)
def test_ranges_that_touch_or_overlap_become_one(given: list[str], expected: list[str]) -> None:
    assert dates.merge(given) == expected


@pytest.mark.parametrize("text", ["20130101", "20130131-20130101", "2013-01-01", "20130230-20130301", "a-b", ""])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(dates.DateRangeError):
        dates.merge([text])


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, ["20130101-20130331", "20130601-20130630"]),
        ("2013-03-15", None, ["20130315-20130331", "20130601-20130630"]),
        (None, "2013-02-28", ["20130101-20130228"]),
        ("2013-06-10", "2013-06-10", ["20130610-20130610"]),
        ("2013-04-01", "2013-05-31", []),
    ],
)
def test_an_open_side_means_as_far_as_known(first: str | None, last: str | None, expected: list[str]) -> None:
    known = ["20130101-20130331", "20130601-20130630"]

    assert dates.between(first, last, known) == expected


def test_swapped_dates_are_refused_with_a_hint() -> None:
    with pytest.raises(dates.DateRangeError, match="Swap them"):
        dates.between("2013-02-01", "2013-01-01", ["20130101-20130131"])


def test_a_month_and_a_day_are_the_dates_that_they_hold() -> None:
    assert dates.of_partitions(["201302", "201212", "202402", "20130305"]) == [
        "20121201-20121231",
        "20130201-20130228",
        "20130305-20130305",
        "20240201-20240229",
    ]


def test_touched_partitions_at_the_turn_of_the_year() -> None:
    touched = ["20131229-20131230"]  # Sunday of week 52 of 2013, Monday of week 1 of 2014

    assert dates.months(touched) == {"201312"}
    assert dates.years(touched) == {"2013"}
    assert dates.iso_years(touched) == {"2013", "2014"}


def test_a_day_of_several_ranges_counts_once() -> None:
    assert dates.count(["20130101-20130103", "20130103-20130104", "20121231-20121231"]) == 5
    assert dates.count([]) == 0
