"""prepare_forecast_batches: a line for each meter, its history and the hour that its forecast starts with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import prepare_forecast_batches as job
import pytest
from transformers.zones import meters, weather
from transformers.zones.data_range import DataRange
from transformers.zones.hourly import NegativeConsumptionError, Unit
from transformers.zones.meters import MeterRange
from transformers.zones.weather import Feature, WeatherMismatchError

from tests.glue.hourly_readings import READINGS, hour, readings

DAYS = DataRange(date(2013, 12, 1), date(2014, 1, 2))
FIRST, END = hour("2013-12-01"), hour("2014-01-02")
SETTINGS = job.Settings(batch_size=2, prediction_length=24, context_length=24, intervals_per_hour=2, unit=Unit(0.001))


@pytest.fixture
def lines(spark: Any, frame: Callable[..., Any]) -> Callable[..., Any]:
    """lines(rows of readings, fleet=[…]): the frame of lines; the fleet are by default the meters of the rows."""

    def make(
        rows: list[Any],
        *,
        fleet: list[str] | None = None,
        chosen: MeterRange | None = None,
        settings: job.Settings = SETTINGS,
        features: weather.Filled | None = None,
    ) -> Any:
        names = fleet or sorted({row[0] for row in rows})
        numbered = meters.numbered(frame("meter_id string", *((name,) for name in names)))
        given = chosen or MeterRange(1, len(names))
        return job.forecast_lines(spark, frame(READINGS, *rows), numbered, given, DAYS, settings, features)

    return make


@pytest.fixture
def by_meter(lines: Callable[..., Any]) -> Callable[..., dict[str, dict[str, Any]]]:
    """The same as dictionaries by meter."""
    return lambda rows, **given: {row["meter_id"]: row.asDict() for row in lines(rows, **given).collect()}


def test_a_forecast_starts_with_the_hour_after_the_last_known_one(by_meter: Callable[..., Any]) -> None:
    rows = [
        *readings("M1", "2013-12-31 20:00:00", [1, 2, 3, 4]),
        *readings("M2", "2013-12-31 22:00:00", [1, 2, 3]),
        # Its last hour has one half hour only.
        *readings("M3", "2014-01-01 00:00:00", [1, 2, 3])[:-1],
        # No reading in the last week.
        *readings("M4", "2013-12-20 00:00:00", [1, None, 3]),
        # Readings from data_end on are not of these days.
        *readings("M5", "2014-01-01 22:00:00", [1, 2, 3, 4]),
    ]
    found = {name: (row["start"], row["target"], row["forecast_start"]) for name, row in by_meter(rows).items()}
    assert found == {
        "M1": ("2013-12-31 20:00:00", [1000, 2000, 3000, 4000], "2014-01-01 00:00:00"),
        "M2": ("2013-12-31 22:00:00", [1000, 2000, 3000], "2014-01-01 01:00:00"),
        "M3": ("2014-01-01 00:00:00", [1000, 2000], "2014-01-01 02:00:00"),
        "M4": ("2013-12-20 00:00:00", [1000, None, 3000], "2013-12-20 03:00:00"),
        "M5": ("2014-01-01 22:00:00", [1000, 2000], "2014-01-02 00:00:00"),
    }


def test_a_gap_of_five_hours_and_zeros_are_told_apart(by_meter: Callable[..., Any]) -> None:
    found = by_meter(
        [
            *readings("M1", "2013-12-05 00:00:00", [1, None, None, None, None, None, 2]),
            *readings("empty house", "2013-12-05 00:00:00", [0] * 4),
        ]
    )
    assert found["M1"]["target"] == [1000, None, None, None, None, None, 2000]
    assert found["empty house"]["target"] == [0, 0, 0, 0]


def test_the_history_is_as_long_as_the_model_looks_back(by_meter: Callable[..., Any]) -> None:
    rows = readings("M1", "2013-12-01 00:00:00", [0.001 * number for number in range(END - FIRST)])
    longest = SETTINGS.context_length + 721
    line = by_meter(rows)["M1"]
    assert len(line["target"]) == longest < END - FIRST
    assert line["target"] == list(range(END - FIRST - longest, END - FIRST))
    assert line["start"] == "2013-12-01 23:00:00"
    assert line["forecast_start"] == "2014-01-02 00:00:00"


def test_every_meter_of_the_range_with_a_known_hour_is_in_one_batch(by_meter: Callable[..., Any]) -> None:
    fleet = [f"M{number:02d}" for number in range(1, 8)]
    rows = [row for name in fleet if name != "M05" for row in readings(name, "2013-12-05 00:00:00", [1])]
    batches = {name: row["number"] for name, row in by_meter(rows, fleet=fleet).items()}
    assert batches == {"M01": 1, "M02": 1, "M03": 2, "M04": 2, "M06": 3, "M07": 4}
    batches = {name: row["number"] for name, row in by_meter(rows, fleet=fleet, chosen=MeterRange(2, 4)).items()}
    assert batches == {"M02": 1, "M03": 1, "M04": 2}
    alone = by_meter(rows, fleet=fleet, chosen=MeterRange(1, 1), settings=replace(SETTINGS, batch_size=1))
    assert {name: row["number"] for name, row in alone.items()} == {"M01": 1}


def test_a_meter_that_joins_the_fleet_changes_no_other_line(by_meter: Callable[..., Any]) -> None:
    rows = [row for name in ("M1", "M3", "M5") for row in readings(name, "2013-12-05 00:00:00", [1, None, 0.3])]
    before, after = by_meter(rows), by_meter([*readings("M2", "2013-12-04 00:00:00", [9] * 90), *rows])
    for name, line in before.items():
        assert line | {"number": 0} == after[name] | {"number": 0}
    assert {name: line["number"] for name, line in after.items()} == {"M1": 1, "M2": 1, "M3": 2, "M5": 2}


def test_weather_reaches_over_the_hours_that_are_forecast(by_meter: Callable[..., Any]) -> None:
    hours = range(FIRST, END + 24)
    # Known up to the last day's noon; the year before tells the rest.
    last_known = hour("2014-01-01 12:00:00")
    at = {number: float(number - FIRST) for number in hours if number <= last_known}
    a_year_before = {hour(f"2013-01-0{day} {time:02d}:00:00"): 1000.0 + time for day in (1, 2) for time in range(24)}
    features = weather.filled({"humidity": at | a_year_before}, [Feature("humidity", 0.0, 1.0)], hours)
    line = by_meter(readings("M1", "2014-01-01 08:00:00", [1, 2, 3]), features=features)["M1"]

    first = hour("2014-01-01 08:00:00") - FIRST
    known = [float(first + number) for number in range(5)]
    of_last_year = [1000.0 + time for time in [*range(13, 24), *range(11)]]
    assert line["dynamic_feat"] == [known + of_last_year]
    assert len(line["dynamic_feat"][0]) == len(line["target"]) + 24
    assert features.summary(hours)["last_known"] == "2014-01-01 12:00:00"


def test_weather_is_used_as_the_model_was_trained() -> None:
    notes: list[str] = []
    record = {"features": [{"name": "humidity", "mean": 0.7, "std": 0.1}]}
    assert job.wanted_weather('{"features": [{"name": "humidity", "mean": 0.7, "std": 0.1}]}', True, notes) == record
    assert job.wanted_weather("null", False, notes) is None
    assert notes == []
    assert job.wanted_weather("null", True, notes) is None
    assert notes == ["The current model was trained without weather, so none is used. Train a new one to use it."]
    with pytest.raises(WeatherMismatchError, match="trained with weather, but WithWeather of the deployment is off"):
        job.wanted_weather('{"features": []}', False, notes)


@pytest.fixture
def written(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., job.Written]:
    """written(lines): what the job writes, with a folder in place of S3."""

    def write(frame: Any, _: str, __: Any, ___: str, uri: str) -> dict[int, str]:
        frame.coalesce(1).write.partitionBy("number").json(f"file://{tmp_path}/parts")
        parts = sorted(tmp_path.glob("parts/number=*"))
        targets = {int(part.name.partition("=")[2]): f"{uri}{part.name[-1:]:0>4}.jsonl" for part in parts}
        for part, target in zip(parts, targets.values(), strict=True):
            (file,) = part.glob("part-*")
            Path(target.removeprefix("file://")).parent.mkdir(exist_ok=True)
            file.rename(target.removeprefix("file://"))
        return targets

    monkeypatch.setattr(job.numbered_files, "write", write)
    monkeypatch.setattr(job.storage, "delete_folder", lambda *_: None)
    return lambda lines, settings=SETTINGS: job.write(spark, lines, settings, None, f"file://{tmp_path}/")


def test_the_summary_counts_meters_by_batch_and_those_without_readings(
    written: Callable[..., job.Written], lines: Callable[..., Any]
) -> None:
    rows = [row for name in ("M1", "M2", "M4") for row in readings(name, "2013-12-05 00:00:00", [1, 2])]
    made = written(lines(rows, fleet=["M1", "M2", "M3", "M4"]))
    assert made.hours == range(hour("2013-12-05 00:00:00"), hour("2013-12-05 02:00:00") + 24)
    said = job.summary("b1", MeterRange(1, 4, ("a note",)), DAYS, made, ["a note"], None)
    assert [(entry["number"], entry["meters"]) for entry in said["batches"]] == [(1, 2), (2, 1)]
    assert said["batches"][0]["uri"].endswith("/batches/0001.jsonl")
    assert said | {"batches": []} == {
        "batch": "b1",
        "meters": 3,
        "batches": [],
        "without_readings": 1,
        "data_start": "2013-12-01",
        "data_end": "2014-01-02",
        "notes": ["a note"],
        "weather": None,
    }


def test_hours_below_zero_are_refused_where_only_counts_are_known(
    written: Callable[..., job.Written], lines: Callable[..., Any]
) -> None:
    rows = [*readings("M1", "2013-12-05 00:00:00", [1, 2]), *readings("M2", "2013-12-05 00:00:00", [-1, None, -2])]
    with pytest.raises(NegativeConsumptionError, match="2 hourly sums are below zero, .* meter M2"):
        written(lines(rows))


def test_hours_below_zero_are_taken_by_other_likelihoods(
    written: Callable[..., job.Written], lines: Callable[..., Any], by_meter: Callable[..., Any]
) -> None:
    settings = replace(SETTINGS, unit=Unit(1.0))
    rows = readings("M1", "2013-12-05 00:00:00", [-1, 0.25])
    assert by_meter(rows, settings=settings)["M1"]["target"] == [-1.0, 0.25]
    assert written(lines(rows, settings=settings), settings).batches[0]["meters"] == 1


def test_a_range_in_which_no_meter_has_a_known_hour_is_refused(
    written: Callable[..., job.Written], lines: Callable[..., Any]
) -> None:
    rows = [("M1", "INT", "2013-12-05 00:00:00", 1.0), *readings("M2", "2013-12-05 00:00:00", [1])]
    with pytest.raises(job.NothingToForecastError, match="None of the meters has a known hour"):
        written(lines(rows, chosen=MeterRange(1, 1)))
