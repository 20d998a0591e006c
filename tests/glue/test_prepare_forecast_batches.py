"""prepare_forecast_batches: a line for each meter, its history and the hour that its forecast starts with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import prepare_forecast_batches as job
import pytest
from meter_data.series import forecast_batches
from meter_data.series.data_range import DataRange
from meter_data.series.hourly import NegativeConsumptionError
from meter_data.series.weather import WeatherMismatchError

from tests.glue import folder_lake
from tests.glue.folder_lake import FolderLake
from tests.glue.hourly_readings import hour, readings

DAYS = DataRange(date(2013, 12, 1), date(2014, 1, 2))
FIRST, END = hour("2013-12-01"), hour("2014-01-02")
ARGUMENTS = {
    "batch": "b1",
    "data_start": f"{DAYS.start}",
    "data_end": f"{DAYS.end}",
    "meter_start": "1",
    "meter_end": "auto",
    "batch_size": "2",
    "prediction_length": "24",
    "context_length": "24",
    "scale": "0.001",
    "intervals_per_hour": "2",
    "with_weather": "false",
    "weather": "null",
}
PLACE = "s3://working/forecast/b1/"


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path)


@pytest.fixture
def prepared(lake: FolderLake) -> Callable[..., dict[str, Any]]:
    """prepared(rows of readings, fleet=[…], name=value, …): what the summary says.

    The fleet are the meters of the rows and further ones, which have sums of days of an earlier month alone.
    """

    def prepare(rows: Iterable[Any], *, fleet: Iterable[str] = (), **changed: str) -> dict[str, Any]:
        lake.publish_readings(rows)
        lake.publish_days([(meter, "20130101", 1.0, 48) for meter in fleet])
        job.prepare({**folder_lake.ARGUMENTS, **ARGUMENTS, **changed}, lake, lake.connect)
        return lake.summary("b1", job.JOB)

    return prepare


@pytest.fixture
def by_meter(lake: FolderLake, prepared: Callable[..., Any]) -> Callable[..., dict[str, dict[str, Any]]]:
    """by_meter(…): the lines by meter, each with the number of its batch."""

    def make(rows: Iterable[Any], **given: Any) -> dict[str, dict[str, Any]]:
        said = prepared(rows, **given)
        found = {}
        for entry in said["batches"]:
            lines = lake.lines(entry["uri"])
            assert len(lines) == entry["meters"]
            assert [line["meter_id"] for line in lines] == sorted(line["meter_id"] for line in lines)
            found |= {line["meter_id"]: line | {"number": entry["number"]} for line in lines}
        return found

    return make


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
    longest = 24 + 721
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
    batches = {name: row["number"] for name, row in by_meter(rows, fleet=fleet, meter_start="2", meter_end="4").items()}
    assert batches == {"M02": 1, "M03": 1, "M04": 2}
    alone = by_meter(rows, fleet=fleet, meter_end="1", batch_size="1")
    assert {name: row["number"] for name, row in alone.items()} == {"M01": 1}


def test_a_meter_that_joins_the_fleet_changes_no_other_line(by_meter: Callable[..., Any]) -> None:
    rows = [row for name in ("M1", "M3", "M5") for row in readings(name, "2013-12-05 00:00:00", [1, None, 0.3])]
    before, after = by_meter(rows), by_meter([*readings("M2", "2013-12-04 00:00:00", [9] * 90), *rows])
    for name, line in before.items():
        assert line | {"number": 0} == after[name] | {"number": 0}
    assert {name: line["number"] for name, line in after.items()} == {"M1": 1, "M2": 1, "M3": 2, "M5": 2}


@pytest.mark.parametrize("most", [50, 800, 2000])
def test_batches_do_not_depend_on_how_the_work_is_cut(
    lake: FolderLake, prepared: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    fleet = [f"M{number:02d}" for number in range(1, 12)]
    rows = [
        row for number, name in enumerate(fleet) for row in readings(name, "2013-12-05 00:00:00", [number, None, 2])
    ]
    expected = prepared(rows, batch_size="5")
    names = [entry["uri"] for entry in expected["batches"]]
    before = [lake.store.place(uri).read_bytes() for uri in names]
    monkeypatch.setattr(forecast_batches, "ROWS_AN_ITEM", most)
    assert prepared(rows, batch_size="5") == expected
    assert [lake.store.place(uri).read_bytes() for uri in names] == before
    assert [entry["meters"] for entry in expected["batches"]] == [5, 5, 1]


def test_weather_reaches_over_the_hours_that_are_forecast(lake: FolderLake, by_meter: Callable[..., Any]) -> None:
    # Known up to the last day's noon; the year before tells the rest.
    times = [datetime(2013, 12, 1) + timedelta(hours=number) for number in range(31 * 24 + 13)]  # noqa: DTZ001 (a text)
    lines = [f"{time}\t0\t0\t{number}" for number, time in enumerate(times)]
    lines += [f"2013-01-0{day} {time:02d}:00:00\t0\t0\t{1000 + time}" for day in (1, 2) for time in range(24)]
    lake.deliver_weather(lines)
    record = '{"features": [{"name": "humidity", "mean": 0.0, "std": 1.0}]}'
    rows = readings("M1", "2014-01-01 08:00:00", [1, 2, 3])
    line = by_meter(rows, with_weather="true", weather=record)["M1"]

    first = hour("2014-01-01 08:00:00") - FIRST
    known = [float(first + number) for number in range(5)]
    of_last_year = [1000.0 + time for time in [*range(13, 24), *range(11)]]
    assert line["dynamic_feat"] == [known + of_last_year]
    assert len(line["dynamic_feat"][0]) == len(line["target"]) + 24
    assert lake.summary("b1", job.JOB)["weather"] == {
        "features": [{"name": "humidity", "mean": 0.0, "std": 1.0}],
        "last_known": "2014-01-01 12:00:00",
        "hours_filled": 22,
    }


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


def test_the_summary_counts_meters_by_batch_and_those_without_readings(prepared: Callable[..., Any]) -> None:
    rows = [row for name in ("M1", "M2", "M4") for row in readings(name, "2013-12-05 00:00:00", [1, 2])]
    assert prepared(rows, fleet=["M3"], meter_end="9") == {
        "batch": "b1",
        "meters": 3,
        "batches": [
            {"number": 1, "uri": f"{PLACE}batches/0001.jsonl", "meters": 2},
            {"number": 2, "uri": f"{PLACE}batches/0002.jsonl", "meters": 1},
        ],
        "without_readings": 1,
        "data_start": "2013-12-01",
        "data_end": "2014-01-02",
        "notes": ["meter_end 9 is beyond the last meter, which is number 4."],
        "weather": None,
    }


def test_what_an_earlier_try_left_is_gone(lake: FolderLake, prepared: Callable[..., Any]) -> None:
    for stale in ("batches/0007.jsonl", "transformed/0001.jsonl.out"):
        lake.store.write(f"{PLACE}{stale}", b"{}")
    prepared(readings("M1", "2013-12-05 00:00:00", [1, 2]))
    assert [found.uri for found in lake.store.listed(PLACE)] == [f"{PLACE}batches/0001.jsonl"]


def test_hours_below_zero_are_refused_where_only_counts_are_known(
    lake: FolderLake, prepared: Callable[..., Any]
) -> None:
    rows = [*readings("M1", "2013-12-05 00:00:00", [1, 2]), *readings("M2", "2013-12-05 00:00:00", [-1, None, -2])]
    with pytest.raises(NegativeConsumptionError, match="2 hourly sums are below zero, .* meter M2"):
        prepared(rows)
    assert lake.store.listed(PLACE) == lake.store.listed("s3://clean/_summaries/") == []


def test_hours_below_zero_that_no_series_reaches_do_no_harm(by_meter: Callable[..., Any]) -> None:
    rows = [
        *readings("M1", "2013-12-01 00:00:00", [-1]),
        *readings("M1", "2013-12-01 23:00:00", [1] * (END - FIRST - 23)),
    ]
    assert len(by_meter(rows)["M1"]["target"]) == 24 + 721


def test_hours_below_zero_are_taken_by_other_likelihoods(by_meter: Callable[..., Any]) -> None:
    assert by_meter(readings("M1", "2013-12-05 00:00:00", [-1, 0.25]), scale="1")["M1"]["target"] == [-1.0, 0.25]


def test_a_range_in_which_no_meter_has_a_known_hour_is_refused(lake: FolderLake, prepared: Callable[..., Any]) -> None:
    rows = [("M1", "INT", "2013-12-05 00:00:00", 1.0), *readings("M2", "2013-12-05 00:00:00", [1])]
    with pytest.raises(job.NothingToForecastError, match="None of the meters has a known hour"):
        prepared(rows, meter_end="1")
    assert lake.store.listed(PLACE) == []
