"""Weeks and months are those of Python's calendar."""

from __future__ import annotations

from datetime import date, timedelta

from meter_data.consumption import periods
from meter_data.lake.calendar import number_of


def test_weeks_and_months_of_days_are_those_of_the_calendar_of_python() -> None:
    for number in range(0, 6600, 3):
        day = date(2008, 12, 20) + timedelta(days=number)
        monday = day - timedelta(days=day.weekday())
        found = periods.week_start(number_of(f"{day:%Y%m%d}"))
        assert found == f"{monday:%Y%m%d}"
        assert periods.week_of_year(found) == day.isocalendar().week
        assert periods.month_start(number_of(f"{day:%Y%m%d}")) == f"{day:%Y%m}01"
        assert periods.month_of_year(f"{day:%Y%m}01") == day.month
