"""Sets of dates as closed ranges."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some
from transformers.zones import date_ranges

DATES = some.sets(some.dates(date(2011, 12, 1), date(2012, 3, 10)), min_size=1, max_size=60)


def test_neighbours_are_one_range() -> None:
    days = [date(2012, 3, 1), date(2012, 2, 28), date(2012, 2, 29), date(2012, 3, 3)]
    assert date_ranges.to_ranges(days) == ["20120228-20120301", "20120303-20120303"]


def test_ranges_are_read_with_both_ends() -> None:
    found = date_ranges.to_dates("20131231-20140101, 20140105-20140105")
    assert found == {date(2013, 12, 31), date(2014, 1, 1), date(2014, 1, 5)}


@given(DATES)
def test_dates_survive_the_way_to_ranges_and_back(dates: set[date]) -> None:
    ranges = date_ranges.to_ranges(dates)
    assert date_ranges.to_dates(",".join(ranges)) == dates
    assert all(one[-8:] < other[:8] for one, other in pairwise(ranges))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--dates is empty"),
        ("20130101", "no range of dates"),
        ("20130102-20130101", "ends before it begins"),
        ("20130230-20130301", "'20130230' is no date"),
        ("2013011-20130120", "'2013011' is no date"),
        ("20130101-20130102,,", "no range of dates"),
    ],
)
def test_another_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(date_ranges.DateRangeError, match=message):
        date_ranges.to_dates(text)
