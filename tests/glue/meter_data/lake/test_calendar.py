"""Days of months by their numbers since 1970."""

from __future__ import annotations

from datetime import date

from meter_data.lake.calendar import day_of, days_of, number_of, number_of_date


def test_days_are_numbered_from_1970() -> None:
    assert number_of("19700101") == number_of_date(date(1970, 1, 1)) == 0
    assert number_of("20000301") == number_of_date(date(2000, 3, 1)) == 11017
    assert day_of(11017) == date(2000, 3, 1)


def test_a_month_has_its_days() -> None:
    assert days_of("201302") == range(number_of("20130201"), number_of("20130301"))
    assert days_of("201212") == range(number_of("20121201"), number_of("20130101"))
    assert len(days_of("201602")) == 29
