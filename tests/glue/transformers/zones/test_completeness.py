"""Completeness: which meter and day has a row, what is counted in it, and what is said of touched dates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers.zones import completeness

Rows = Callable[..., list[tuple[Any, ...]]]

COUNTED = (
    "meter_id string, date_str string, received int, estimated int, first_reading timestamp, last_reading timestamp"
)
TALLIED = "meter_id string, date_str string, readings int, rejected int"
COMPLETE = "meter_id string, date_str string, expected int, received int, estimated int, rejected int, duplicates int"


def day(meter: str, date: str, received: int = 48, estimated: int = 0) -> tuple[Any, ...]:
    text = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    return (meter, date, received, estimated, f"{text} 00:00:00", f"{text} 23:30:00")


def test_a_row_says_what_was_expected_and_what_has_come(frame: Callable[..., Any], rows: Rows) -> None:
    counted = frame(COUNTED, day("M1", "20130131", 47, 2))
    tallied = frame(TALLIED, ("M1", "20130131", 50, 4))

    found = completeness.rows(counted, None, tallied, 48)

    assert found.columns == [
        "meter_id",
        "date_str",
        "expected",
        "received",
        "estimated",
        "rejected",
        "duplicates",
        "first_reading",
        "last_reading",
        "month",
    ]
    assert rows(found) == [("M1", "20130131", 48, 47, 2, 4, 3, "2013-01-31 00:00:00", "2013-01-31 23:30:00", "201301")]


def test_a_meter_that_falls_silent_is_expected_to_the_end_of_the_next_month(
    frame: Callable[..., Any], rows: Rows
) -> None:
    loaded = ["20130130", "20130131", "20130201", "20130228", "20130301"]
    counted = frame(COUNTED, *(day("M1", date) for date in loaded), day("M2", "20130130"))

    found = completeness.rows(counted, None, None, 48).where("meter_id = 'M2'")

    assert rows(found, "date_str", "expected", "received", "first_reading") == [
        ("20130130", 48, 48, "2013-01-30 00:00:00"),
        ("20130131", 48, 0, None),
        ("20130201", 48, 0, None),
        ("20130228", 48, 0, None),
    ]


def test_a_new_meter_is_expected_from_its_first_reading_on(frame: Callable[..., Any], rows: Rows) -> None:
    dates = ["20130101", "20130102", "20130103"]
    counted = frame(COUNTED, *(day("M1", date) for date in dates), day("M2", "20130102"))
    before = frame("meter_id string, month string", ("M1", "201212"), ("M3", "201211"))

    found = completeness.rows(counted, before, None, 48)

    assert rows(found.where("meter_id != 'M1'"), "meter_id", "date_str", "received") == [
        ("M2", "20130102", 48),
        ("M2", "20130103", 0),
    ]


def test_a_meter_of_the_month_before_is_expected_from_the_first_loaded_day_on(
    frame: Callable[..., Any], rows: Rows
) -> None:
    counted = frame(COUNTED, day("M1", "20130102"), day("M1", "20130103"), day("M2", "20130103", 1))
    before = frame("meter_id string, month string", ("M2", "201212"))

    found = completeness.rows(counted, before, None, 48).where("meter_id = 'M2'")

    assert rows(found, "date_str", "received") == [("20130102", 0), ("20130103", 1)]


def test_rejected_rows_have_a_day_of_their_own_where_nothing_else_came(frame: Callable[..., Any], rows: Rows) -> None:
    counted = frame(COUNTED, day("M1", "20130102"), day("M1", "20130103"))
    tallied = frame(
        TALLIED,
        ("M1", "20130104", 0, 2),  # no meter has readings of that day
        ("M2", "20130102", 0, 48),  # no reading of that meter came
        ("M3", "20130103", 5, 0),  # a batch whose readings are not published yet
        ("M1", "20130201", 0, 7),  # a month that is not summed
    )

    found = completeness.rows(counted, None, tallied, 48)

    assert rows(found, "meter_id", "date_str", "expected", "received", "rejected", "duplicates") == [
        ("M1", "20130102", 48, 48, 0, 0),
        ("M1", "20130103", 48, 48, 0, 0),
        ("M1", "20130104", 48, 0, 2, 0),
        ("M2", "20130102", 48, 0, 48, 0),
    ]


def test_readings_are_counted_with_their_first_and_last_time(frame: Callable[..., Any], rows: Rows) -> None:
    readings = frame(
        "meter_id string, reading_value double, reading_date_time timestamp, error_code string",
        ("M1", 0.5, "2013-01-01 00:30:00", None),
        ("M1", 0.0, "2013-01-01 12:37:27", "E17"),
        ("M1", 0.1, "2013-01-01 07:00:00", None),
    )
    found = readings.groupBy("meter_id").agg(*completeness.counts())
    assert rows(found) == [("M1", 3, 1, "2013-01-01 00:30:00", "2013-01-01 12:37:27")]


def test_what_is_said_of_dates_names_days_and_counts_meters(frame: Callable[..., Any]) -> None:
    complete = frame(
        COMPLETE,
        ("M1", "20130101", 48, 48, 0, 0, 0),
        ("M1", "20130102", 48, 50, 0, 0, 0),  # a surplus fills no other gap
        ("M2", "20130101", 48, 40, 1, 8, 2),
        ("M2", "20130102", 48, 0, 0, 0, 0),
        ("M3", "20130102", 48, 0, 0, 0, 0),
    )

    assert completeness.summary(complete) == {
        "expected": 240,
        "received": 136,
        "estimated": 1,
        "rejected": 8,
        "duplicates": 2,
        "meters": 3,
        "incomplete_meters": 2,
        "silent_meters": 1,
        "days": 2,
        "incomplete_days": 2,
        "worst_days": [
            {"date_str": "20130102", "expected": 144, "received": 48, "incomplete_meters": 2},
            {"date_str": "20130101", "expected": 96, "received": 88, "incomplete_meters": 1},
        ],
    }
