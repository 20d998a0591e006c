"""Merging where a test of the job does not get to: numbers too large for one key, and nothing at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from meter_data.lake.schemas import CLEAN
from meter_data.merging import winners as merging
from meter_data.merging.winners import Counts, Merged

from tests.glue.clean_zone import FIRST, Reading


def delivered(*readings: Reading) -> pa.Table:
    rows = [reading.clean("s3://landing/a.csv", FIRST, line, "b1") for line, reading in enumerate(readings)]
    return pa.Table.from_pylist(rows, schema=CLEAN).select(list(merging.DELIVERED))


def test_rows_are_merged_alike_when_meter_and_time_do_not_fit_into_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = datetime(2013, 1, 1, tzinfo=UTC)
    readings = [
        Reading(f"M{number % 7}", f"{begin + timedelta(minutes=number % 11):%Y-%m-%d %H:%M:%S}", float(number))
        for number in range(200)
    ]
    rows = merging.rows_of([], [delivered(*readings)])
    in_one_number = Merged(rows)

    monkeypatch.setattr(merging, "_BITS", 8)
    in_two_numbers = Merged(rows)

    assert in_one_number.counts == in_two_numbers.counts == Counts(200, 77, 77, 0, 0, 77)
    assert in_one_number.readings(slice(None)).equals(in_two_numbers.readings(slice(None)))
    # Every meter has every minute, and the last of its rows won.
    last = {(number % 7, number % 11): float(number) for number in range(200)}
    assert in_one_number.readings(slice(None))["reading_value"].to_pylist() == [last[key] for key in sorted(last)]


def test_nothing_gives_no_rows() -> None:
    assert len(merging.rows_of([], []).times) == 0
    assert len(merging.rows_of([], [delivered()]).times) == 0
