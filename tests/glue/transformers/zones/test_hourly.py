"""Hourly series: what is known, what is missing, where a series starts and ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from transformers.zones import hourly
from transformers.zones.hourly import NegativeConsumptionError, Unit

from tests.glue.hourly_readings import READINGS, hour, readings

WH, KWH = Unit(0.001), Unit(1.0)
YEARS = range(hour("2012-01-01"), hour("2015-01-01"))
FEBRUARY = range(hour("2013-02-01"), hour("2013-03-01"))


@pytest.fixture
def series_of(frame: Callable[..., Any]) -> Callable[..., dict[str, tuple[str, str, list[Any]]]]:
    """series_of(*rows): first hour, last hour and target by meter."""

    def make(
        *rows: Any, hours: range = YEARS, intervals: int = 2, unit: Unit = WH, longest: int | None = None
    ) -> dict[str, tuple[str, str, list[Any]]]:
        known = hourly.known_hours(frame(READINGS, *rows), hours, intervals, unit)
        found = hourly.series(known, ["meter_id"], unit, longest)
        texts = [hourly.text(found[name]).alias(name) for name in ("first_hour", "last_hour")]
        return {row[0]: (row[1], row[2], row[3]) for row in found.select("meter_id", *texts, "target").collect()}

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


def test_only_interval_readings_count(series_of: Callable[..., Any]) -> None:
    found = series_of(
        *readings("M1", "2013-02-01 00:00:00", [1]),
        *readings("M1", "2013-02-01 00:00:00", [99, 99], kind="AGG"),
        ("M1", "ERR", "2013-02-01 01:00:00", None),
        ("M1", "INT", "2013-02-01 01:30:00", 7.0),
        ("M2", "ERR", "2013-02-01 01:00:00", None),
    )
    assert found == {"M1": ("2013-02-01 00:00:00", "2013-02-01 00:00:00", [1000])}


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


def test_only_the_newest_hours_are_taken_when_there_is_a_longest(series_of: Callable[..., Any]) -> None:
    rows = readings("M1", "2013-02-01 00:00:00", [1, 2, 3, 4, 5])
    assert series_of(*rows, longest=3)["M1"] == ("2013-02-01 02:00:00", "2013-02-01 04:00:00", [3000, 4000, 5000])
    assert series_of(*rows, longest=5)["M1"][2] == [1000, 2000, 3000, 4000, 5000]
    # It still starts with a known hour.
    gap = readings("M1", "2013-02-01 00:00:00", [1, None, 3, 4])
    assert series_of(*gap, longest=3)["M1"] == ("2013-02-01 02:00:00", "2013-02-01 03:00:00", [3000, 4000])


def test_hours_below_zero_are_refused_with_what_to_do() -> None:
    hourly.refuse_negative(0, None)
    with pytest.raises(NegativeConsumptionError, match="3 hourly sums .* meter M1: .*student-T or gaussian"):
        hourly.refuse_negative(3, "M1")


def test_a_unit_has_a_name() -> None:
    assert [Unit(scale).name for scale in (1.0, 0.001, 0.01)] == ["kWh", "Wh", "0.01 kWh"]
