"""What follows from the time of a reading."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from transformers.zones import schemas

CALENDAR = ["iso_year", "week_of_year", "day_of_month", "month", "year", "hour", "minute"]


def test_the_parts_of_a_time_are_those_of_utc(frame: Callable[..., Any], rows: Callable[..., Any]) -> None:
    made = frame("reading_date_time timestamp", ("2013-03-31 01:30:00",), ("2013-12-30 23:59:59.999",))
    assert rows(schemas.with_calendar(made), "date_str", *CALENDAR) == [
        ("20130331", 2013, 13, 31, 3, 2013, 1, 30),
        ("20131230", 2014, 1, 30, 12, 2013, 23, 59),
    ]


def test_iso_weeks_are_those_of_the_calendar_of_python(frame: Callable[..., Any], rows: Callable[..., Any]) -> None:
    """Every day around twenty-six new years and the whole of a leap year."""
    days = {date(year, 12, 22) + timedelta(days=number) for year in range(2000, 2026) for number in range(20)}
    days |= {date(2012, 1, 1) + timedelta(days=number) for number in range(366)}
    made = frame("reading_date_time timestamp", *((f"{day} 00:00:00",) for day in days))

    found = rows(schemas.with_calendar(made), "date_str", "iso_year", "week_of_year")

    assert found == sorted((f"{day:%Y%m%d}", *day.isocalendar()[:2]) for day in days)


def test_names_are_those_of_the_columns_in_order() -> None:
    assert schemas.names("meter_id string, year int") == ["meter_id", "year"]
    assert schemas.names(schemas.CLEAN)[:4] == ["meter_id", "reading_value", "reading_type", "reading_date_time"]
