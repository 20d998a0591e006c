"""The London transformer: what becomes a reading, what an error reading, what a reject and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from transformers import london

OFFICIAL, WITH_ACORN, KAGGLE = london.HEADERS
READING = ["meter_id", "reading_value", "reading_type", "reading_date_time", "obis_code", "error_code", "reason"]


@pytest.fixture
def transformed(frame: Callable[..., Any], rows: Callable[..., Any]) -> Callable[..., list[Any]]:
    """transformed(header, *rows of fields): meter, value, type, time, OBIS code, error code and reason of each."""

    def transform(header: tuple[str, ...], *fields: tuple[str | None, ...]) -> list[Any]:
        places = [f"field_{place}" for place, _ in enumerate(header)]
        schema = ", ".join(["number int", *(f"{place} string" for place in places)])
        named = frame(schema, *((number, *row) for number, row in enumerate(fields)))
        for place, name in zip(places, header, strict=True):
            named = named.withColumnRenamed(place, name)
        return [row[1:] for row in rows(london.transform(named), "number", *READING)]

    return transform


@pytest.fixture
def reasons(transformed: Callable[..., list[Any]]) -> Callable[..., list[str | None]]:
    return lambda header, *fields: [row[-1] for row in transformed(header, *fields)]


def test_padded_values_and_seven_decimals_of_a_second_are_read(transformed: Callable[..., list[Any]]) -> None:
    assert transformed(OFFICIAL, ("MAC000002", "Std", "2013-01-01 00:30:00.0000000", " 0.219 ")) == [
        ("MAC000002", 0.219, "INT", "2013-01-01 00:30:00", None, None, None)
    ]


def test_the_layout_with_acorn_columns_is_read(transformed: Callable[..., list[Any]]) -> None:
    row = ("MAC000002", "ToU", "2013-07-01 23:30:00.0000000", " 1.5 ", "ACORN-A", "Affluent")
    assert transformed(WITH_ACORN, row) == [("MAC000002", 1.5, "INT", "2013-07-01 23:30:00", None, None, None)]


def test_the_layout_of_kaggle_is_read(transformed: Callable[..., list[Any]]) -> None:
    assert transformed(KAGGLE, ("MAC000131", "2011-12-15 09:00:00.0000000", " 0.485 ")) == [
        ("MAC000131", 0.485, "INT", "2011-12-15 09:00:00", None, None, None)
    ]


def test_a_null_reading_becomes_an_err_reading(transformed: Callable[..., list[Any]]) -> None:
    assert transformed(
        OFFICIAL,
        ("MAC000006", "Std", "2012-12-18 12:37:27.0000000", "Null"),
        ("MAC000006", "Std", "2012-12-18 13:00:00.0000000", " null "),
    ) == [
        ("MAC000006", None, "ERR", "2012-12-18 12:37:27", None, "NULL", None),
        ("MAC000006", None, "ERR", "2012-12-18 13:00:00", None, "NULL", None),
    ]


def test_a_value_off_the_half_hours_is_a_reading(transformed: Callable[..., list[Any]]) -> None:
    assert transformed(OFFICIAL, ("MAC000006", "Std", "2012-12-18 12:37:27.0000000", "0.2")) == [
        ("MAC000006", 0.2, "INT", "2012-12-18 12:37:27", None, None, None)
    ]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2013-01-01 00:30:00", "2013-01-01 00:30:00"),
        ("2013-01-01 00:30:00.5", "2013-01-01 00:30:00.5"),
        ("2013-01-01 00:30:00.1239999", "2013-01-01 00:30:00.123"),
        ("2013-01-01 00:30:00.999999999", "2013-01-01 00:30:00.999"),
        ("2012-02-29 23:59:59.0000000", "2012-02-29 23:59:59"),
        ("2013-03-31 01:30:00.0000000", "2013-03-31 01:30:00"),  # the hour that London's clocks left out
        ("1969-12-31 23:59:59.9999999", "1969-12-31 23:59:59.999"),
    ],
)
def test_what_is_finer_than_a_millisecond_is_dropped(
    transformed: Callable[..., list[Any]], text: str, time: str
) -> None:
    assert [row[3] for row in transformed(KAGGLE, ("MAC000002", text, "1"))] == [time]


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0.0), ("-0", 0.0), ("+1.25", 1.25), (".5", 0.5), ("1.", 1.0), ("2.5E-1", 0.25), ("1000", 1000.0)],
)
def test_decimal_numbers_are_read(transformed: Callable[..., list[Any]], text: str, value: float) -> None:
    ((_, found, kind, *_, reason),) = transformed(KAGGLE, ("MAC000002", "2013-01-01 00:30:00", text))
    assert (str(found), kind, reason) == (str(value), "INT", None)


def test_a_row_that_is_no_reading_has_the_reason(reasons: Callable[..., list[str | None]]) -> None:
    time = "2013-01-01 00:30:00.0000000"
    wrong = [
        ("", time, "1", "missing_meter_id"),
        ("   ", time, "1", "missing_meter_id"),
        ("MAC  2", time, "1", "invalid_meter_id"),
        ("MAC/2", time, "1", "invalid_meter_id"),
        ("MAC2\n", time, "1", "invalid_meter_id"),
        ("7.221E+12", time, "1", "meter_id_lost_digits"),
        ("MAC\x002", time, "1", "invalid_meter_id"),
        ("MÄC2", time, "1", "invalid_meter_id"),
        ("M" * 65, time, "1", "invalid_meter_id"),
        ("MAC2", "", "1", "malformed_timestamp"),
        ("MAC2", "2013-01-01", "1", "malformed_timestamp"),
        ("MAC2", "2013-1-1 00:30:00", "1", "malformed_timestamp"),
        ("MAC2", "2013-01-01T00:30:00", "1", "malformed_timestamp"),
        ("MAC2", "2013-01-01 00:30:00+01:00", "1", "malformed_timestamp"),
        ("MAC2", "01/01/2013 00:30", "1", "malformed_timestamp"),
        ("MAC2", "2013-02-30 00:30:00.0000000", "1", "impossible_timestamp"),
        ("MAC2", "2013-02-28 24:00:00.0000000", "1", "impossible_timestamp"),
        ("MAC2", "2013-13-01 00:00:00.0000000", "1", "impossible_timestamp"),
        ("MAC2", time, "", "missing_value"),
        ("MAC2", time, "  ", "missing_value"),
        ("MAC2", time, "abc", "not_a_number"),
        ("MAC2", time, "NaN", "not_a_number"),
        ("MAC2", time, "Infinity", "not_a_number"),
        ("MAC2", time, "-inf", "not_a_number"),
        ("MAC2", time, "0.1f", "not_a_number"),
        ("MAC2", time, "0x10", "not_a_number"),
        ("MAC2", time, "1,5", "not_a_number"),
        ("MAC2", time, "0.1\x00", "not_a_number"),
        ("MAC2", time, "-0.001", "negative_value"),
        ("MAC2", time, "1000.001", "value_too_large"),
        ("MAC2", time, "1e300", "value_too_large"),
        ("MAC2", time, "1e999", "value_too_large"),
    ]

    found = reasons(KAGGLE, *(row[:3] for row in wrong))

    assert [(*row[:3], reason) for row, reason in zip(wrong, found, strict=True)] == wrong
    assert set(found) == set(london.REASONS)


def test_columns_that_are_not_used_are_no_fault(reasons: Callable[..., list[str | None]]) -> None:
    time = "2013-01-01 00:30:00.0000000"
    assert reasons(
        WITH_ACORN, ("MAC000002", "\ufffd", time, "1", "", ""), ("MAC000002", "", time, "1", "?", "\x00")
    ) == [
        None,
        None,
    ]


def test_fields_that_a_short_row_lacks_end_nothing(transformed: Callable[..., list[Any]]) -> None:
    assert len(transformed(OFFICIAL, ("MAC000002", None, None, None), (None, None, None, None))) == 2
