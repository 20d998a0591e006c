"""Hourly series: what is known, what is missing, where a series starts and ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from meter_data.lake.meter_row_groups import of_files
from meter_data.series import hourly
from meter_data.series.data_range import hour_text
from meter_data.series.hourly import NegativeConsumptionError, Unit

from tests.glue.folder_lake import READINGS
from tests.glue.folder_store import FolderStore
from tests.glue.hourly_readings import hour, readings

WH, KWH = Unit(0.001), Unit(1.0)
YEARS = range(hour("2012-01-01"), hour("2015-01-01"))
FEBRUARY = range(hour("2013-02-01"), hour("2013-03-01"))


@pytest.fixture
def series_of(tmp_path: Path) -> Callable[..., dict[str, tuple[str, str, list[Any]]]]:
    """series_of(*rows): first hour, last hour and values by meter, None where an hour is missing."""
    store = FolderStore(tmp_path)

    def make(
        *rows: Any, hours: range = YEARS, intervals: int = 2, unit: Unit = WH
    ) -> dict[str, tuple[str, str, list[Any]]]:
        given = [
            {"meter_id": meter, "reading_value": value, "reading_date_time": datetime.fromisoformat(time)}
            for meter, _, time, value in rows
        ]
        # Row groups of three rows, so that a meter and an hour lie in several.
        store.write_parquet("s3://daily/1.parquet", pa.Table.from_pylist(given, READINGS), 3)
        ids = sorted({row[0] for row in rows})
        groups = of_files(store, ["s3://daily/1.parquet"])
        known = hourly.known_hours(store, groups, ids, hours, intervals, unit)
        first, after = hourly.ends(known)
        return {
            meter: (
                hour_text(hours.start + start),
                hour_text(hours.start + end - 1),
                [None if numpy.isnan(value) else value for value in of_meter[start:end].tolist()],
            )
            for meter, of_meter, start, end in zip(ids, known, first.tolist(), after.tolist(), strict=True)
            if end
        }

    return make


def test_an_hour_is_the_sum_of_its_readings_in_the_unit_of_the_model(series_of: Callable[..., Any]) -> None:
    rows = [
        ("M1", "INT", "2013-02-01 00:00:00", 0.1),
        ("M1", "INT", "2013-02-01 00:30:00", 0.2),
        ("M1", "INT", "2013-02-01 01:00:00", 0.0014),
        ("M1", "INT", "2013-02-01 01:59:59", 1.0),
    ]
    assert series_of(*rows) == {"M1": ("2013-02-01 00:00:00", "2013-02-01 01:00:00", [300, 1001])}
    assert series_of(*rows, unit=KWH) == {"M1": ("2013-02-01 00:00:00", "2013-02-01 01:00:00", [0.3, 1.0014])}


def test_a_gap_of_five_hours_is_five_missing_hours(series_of: Callable[..., Any]) -> None:
    rows = readings("M1", "2013-02-01 22:00:00", [1, 2, None, None, None, None, None, 3])
    target = [1000, 2000, None, None, None, None, None, 3000]
    assert series_of(*rows) == {"M1": ("2013-02-01 22:00:00", "2013-02-02 05:00:00", target)}


def test_an_hour_with_one_of_two_half_hours_is_missing(series_of: Callable[..., Any]) -> None:
    rows = readings("M1", "2013-02-01 00:00:00", [1, 2, 3])
    assert rows.pop(3)[2] == "2013-02-01 01:30:00"
    assert series_of(*rows)["M1"][2] == [1000, None, 3000]
    assert series_of(*rows, intervals=1)["M1"][2] == [1000, 1000, 3000]


def test_zeros_are_known(series_of: Callable[..., Any]) -> None:
    assert series_of(*readings("M1", "2013-02-01 00:00:00", [0, 0, None, 0]))["M1"][2] == [0, 0, None, 0]


def test_a_half_hour_at_the_ends_does_not_make_the_series_longer(series_of: Callable[..., Any]) -> None:
    rows = readings("M1", "2013-02-01 00:00:00", [5, 1, 2, 5])[1:-1]
    assert series_of(*rows) == {"M1": ("2013-02-01 01:00:00", "2013-02-01 02:00:00", [1000, 2000])}


def test_every_meter_has_its_own_first_and_last_hour(series_of: Callable[..., Any]) -> None:
    found = series_of(
        *readings("M1", "2013-02-01 00:00:00", [1, 1, 1]),
        *readings("joined late", "2013-02-01 02:00:00", [2, 2]),
        *readings("left early", "2013-01-31 23:00:00", [3]),
    )
    assert found == {
        "M1": ("2013-02-01 00:00:00", "2013-02-01 02:00:00", [1000, 1000, 1000]),
        "joined late": ("2013-02-01 02:00:00", "2013-02-01 03:00:00", [2000, 2000]),
        "left early": ("2013-01-31 23:00:00", "2013-01-31 23:00:00", [3000]),
    }


def test_a_reading_without_a_number_is_none(series_of: Callable[..., Any]) -> None:
    found = series_of(
        *readings("M1", "2013-02-01 00:00:00", [1]),
        ("M1", "INT", "2013-02-01 01:00:00", None),
        ("M1", "INT", "2013-02-01 01:30:00", 7.0),
        ("M1", "INT", "2013-02-01 02:00:00", float("nan")),
        ("M1", "INT", "2013-02-01 02:30:00", 7.0),
        ("M2", "INT", "2013-02-01 01:00:00", None),
    )
    assert found == {"M1": ("2013-02-01 00:00:00", "2013-02-01 00:00:00", [1000])}


def test_meters_that_are_not_asked_for_are_left_out(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    rows = [
        {"meter_id": meter, "reading_value": 1.0, "reading_date_time": datetime(2013, 2, 1, 5, tzinfo=UTC)}
        for meter in ("M1", "M2", "M3")
    ]
    store.write_parquet("s3://daily/1.parquet", pa.Table.from_pylist(rows, READINGS), 2)
    groups = of_files(store, ["s3://daily/1.parquet"])
    found = hourly.known_hours(store, groups, ["M2", "M9"], FEBRUARY, 1, KWH)
    assert numpy.argwhere(~numpy.isnan(found)).tolist() == [[0, 5]]


def test_hours_outside_of_the_range_are_left_out(series_of: Callable[..., Any]) -> None:
    rows = [
        *readings("M1", "2013-01-31 22:00:00", [1, 2, 3]),
        *readings("M1", "2013-02-28 23:00:00", [4, 5, 6]),
    ]
    first, last, target = series_of(*rows, hours=FEBRUARY)["M1"]
    assert (first, last) == ("2013-02-01 00:00:00", "2013-02-28 23:00:00")
    assert (len(target), target[0], target[-1]) == (28 * 24, 3000, 4000)


def test_a_series_runs_through_the_end_of_a_year(series_of: Callable[..., Any]) -> None:
    rows = readings("M1", "2012-12-31 22:00:00", [1, 2, 3, 4])
    assert series_of(*rows) == {"M1": ("2012-12-31 22:00:00", "2013-01-01 01:00:00", [1000, 2000, 3000, 4000])}


@pytest.mark.parametrize("day", ["2013-03-31", "2013-10-27"])
def test_days_of_a_clock_change_have_24_hours(series_of: Callable[..., Any], day: str) -> None:
    values = list(range(1, 25))
    first, last, target = series_of(*readings("M1", f"{day} 00:00:00", values))["M1"]
    assert (first, last) == (f"{day} 00:00:00", f"{day} 23:00:00")
    assert target == [1000 * value for value in values]


@given(st.lists(st.decimals(-50_000, 50_000, places=1), min_size=1))
def test_halves_are_rounded_away_from_zero(values: list[Decimal]) -> None:
    found = Unit(0.5).of(numpy.array([float(value) / 2 for value in values]))
    assert found.tolist() == [float(value.quantize(Decimal(1), ROUND_HALF_UP)) for value in values]


def test_hours_below_zero_are_refused_with_what_to_do() -> None:
    hourly.refuse_negative(0, None)
    with pytest.raises(NegativeConsumptionError, match="3 hourly sums .* meter M1: .*student-T or gaussian"):
        hourly.refuse_negative(3, "M1")


def test_a_unit_has_a_name() -> None:
    assert [Unit(scale).name for scale in (1.0, 0.001, 0.01)] == ["kWh", "Wh", "0.01 kWh"]
