"""Interval readings, summed by meter and day as they are read."""

from __future__ import annotations

from typing import Any

import pytest
from meter_data.consumption import day_sums
from meter_data.lake.calendar import number_of
from meter_data.lake.meter_ranges import ALL_METERS, MeterRange

from tests.glue.consumption_lake import Row, business_row, table_of

DAYS = {number_of("20130101"), number_of("20130102")}
READINGS: list[Row] = [
    ("M1", "2013-01-01 00:30", 0.5, None),
    ("M1", "2013-01-01 07:00", 0.1, None),
    ("M1", "2013-01-01 12:37:27", 0.0, "E17"),
    ("M1", "2013-01-02 00:00", 2.0, None),
    ("M2", "2013-01-02 00:00", 4.0, "E1"),
    ("M2", "2013-01-03 00:00", 8.0, None),  # not asked for
]


def summed(*slices: list[Row], meters: MeterRange = ALL_METERS) -> list[Row]:
    tables = (table_of("daily", [business_row(*row) for row in rows]).select(day_sums.COLUMNS) for rows in slices)
    found = day_sums.sum_days(tables, DAYS, meters)
    assert found.schema.equals(day_sums.DAY_SUMS)
    return [of_row(row) for row in found.to_pylist()]


def of_row(row: dict[str, Any]) -> Row:
    first, last = f"{row['first_reading']:%d %H:%M:%S}", f"{row['last_reading']:%d %H:%M:%S}"
    return (row["meter_id"], row["day"], row["consumption"], row["received"], row["estimated"], first, last)


EXPECTED = [
    ("M1", number_of("20130101"), 0.6, 3, 1, "01 00:30:00", "01 12:37:27"),
    ("M1", number_of("20130102"), 2.0, 1, 0, "02 00:00:00", "02 00:00:00"),
    ("M2", number_of("20130102"), 4.0, 1, 1, "02 00:00:00", "02 00:00:00"),
]


def test_readings_are_summed_and_counted_with_their_first_and_last_time() -> None:
    assert summed(READINGS) == EXPECTED


@pytest.mark.parametrize("cut", range(len(READINGS) + 1))
def test_a_slice_may_end_anywhere(cut: int) -> None:
    assert summed(READINGS[:cut], READINGS[cut:]) == EXPECTED


def test_a_slice_may_be_a_single_reading() -> None:
    assert summed(*([row] for row in READINGS)) == EXPECTED


def test_only_the_meters_of_a_range_are_summed() -> None:
    assert summed(READINGS, meters=MeterRange("M2", None)) == EXPECTED[2:]
    assert summed(READINGS, meters=MeterRange("", "M2")) == EXPECTED[:2]


def test_a_reading_without_a_value_is_not_received() -> None:
    assert summed([*READINGS, ("M2", "2013-01-02 00:30", None, "E2")]) == EXPECTED


def test_there_may_be_no_readings() -> None:
    assert summed() == summed([]) == []


def test_meters_and_days_of_readings_are_found_without_summing() -> None:
    tables = [table_of("daily", [business_row(*row) for row in READINGS])]
    assert day_sums.meters_on(tables, {number_of("20130103")}).to_pylist() == ["M2"]
    assert sorted(day_sums.meters_on(tables, DAYS).to_pylist()) == ["M1", "M2"]
    assert day_sums.meters_on(tables, DAYS, MeterRange("", "M2")).to_pylist() == ["M1"]
    assert day_sums.days_of(tables, {number_of("20130103"), number_of("20130104")}) == {number_of("20130103")}
