"""detect_anomalies: complete days are judged once, and kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import detect_anomalies as job
import numpy as np
import pytest
from meter_data.anomalies import detection
from meter_data.lake.schemas import ANOMALY
from meter_data.series.weather import NoWeatherError

from tests.glue import folder_lake
from tests.glue.folder_lake import FolderLake

Days = list[list[Any]]
Detect = Callable[..., dict[str, Any]]
Stored = Callable[..., list[dict[str, Any]]]

FIRST = date(2013, 1, 1)
INTERVALS = 48
ARGUMENTS = {"country": "GB", "intervals_per_hour": "2", "with_weather": "false", "level": "0.98"}


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path)


@pytest.fixture
def detect(lake: FolderLake) -> Detect:
    """detect(days, run="1", …): what the job says; it looks at 120 days from FIRST on, and its rows are published."""

    def run(days: Days, run: str = "1", length: int = 120, **changed: str) -> dict[str, Any]:
        lake.publish_days(map(tuple, days), run)
        given = {"run": run, "days": f"{length}", "data_end": f"{FIRST + timedelta(days=length)}"}
        job.detect({**folder_lake.ARGUMENTS, **ARGUMENTS, **given, **changed}, lake, lake.connect)
        said = lake.summary(run, job.JOB)
        for part in said["partitions"]:
            lake.publish_location("anomaly", part["values"], part["location"])
        return said

    return run


@pytest.fixture
def stored(lake: FolderLake) -> Stored:
    """stored(run): the rows that a run has written."""
    return lambda run="1": lake.rows(f"s3://business/anomaly/run={run}/")


def series(meter: str, days: int, start: int = 0, seed: int = 1) -> list[list[Any]]:
    """Rows of aggregated_daily: about 10 kWh a day, more on weekends; no two alike."""
    noise = np.random.default_rng(seed).normal(0, 0.8, days)
    dates = [FIRST + timedelta(days=start + number) for number in range(days)]
    return [
        [meter, f"{day:%Y%m%d}", 10.0 + 3 * (day.weekday() >= 5) + float(noise[number]), INTERVALS]
        for number, day in enumerate(dates)
    ]


def test_complete_days_are_judged_and_unusual_ones_found(detect: Detect, stored: Stored) -> None:
    given = series("M1", 120)
    given[40][2] *= 3
    given[70][2] *= 0.1
    given[90][3] = INTERVALS - 1
    given[90][2] = 99.0

    said = detect(given)

    assert said["judged"] == 119
    assert said["incomplete"] == 1
    found = [
        tuple(row[name] for name in ("ds", "anomaly", "importance", "yhat_lower", "yhat_upper", "consumption"))
        for row in stored()
    ]
    by_day = {row[0]: row for row in found}
    assert FIRST + timedelta(days=90) not in by_day
    assert by_day[date(2013, 2, 10)][1] == 1
    assert by_day[date(2013, 3, 12)][1] == -1
    assert sum(row[1] != 0 for row in found) <= 2 + 0.05 * 119
    assert said["anomalies"] == {
        "high": sum(row[1] == 1 for row in found),
        "low": sum(row[1] == -1 for row in found),
    }
    for _, anomaly, importance, lower, upper, consumption in found:
        assert 0 <= lower < upper
        assert (importance == 0) == (anomaly == 0)
        assert anomaly == (consumption > upper) - (consumption < lower)


def test_the_same_days_again_are_not_written_again(lake: FolderLake, detect: Detect) -> None:
    days = series("M1", 60)
    first = detect(days)
    second = detect(days, run="2")

    assert (first["judged"], first["kept"]) == (60, 0)
    assert (second["judged"], second["kept"], second["partitions"], second["days"]) == (0, 60, [], [])
    assert lake.store.listed("s3://business/anomaly/run=2/") == []


def test_a_new_day_is_added_and_what_was_judged_stays_exactly_as_it_was(detect: Detect, stored: Stored) -> None:
    given = series("M1", 63) + series("M2", 62, seed=2)
    before = [row for row in given if row[1] != "20130304"]  # day 62 of M1
    detect(before)
    # A correction that comes late: the judgement is kept as it was.
    corrected = [[*row[:2], row[2] * (5 if row[1] == "20130301" else 1), *row[3:]] for row in given]

    said = detect(corrected, run="2")

    assert (said["judged"], said["kept"], said["days"]) == (1, 124, ["20130304-20130304"])
    assert [part["values"] for part in said["partitions"]] == [["201303"]]
    assert said["partitions"][0]["rows"] == 4 + 3
    old = [row for row in stored() if row["ds"].month == 3]
    new = stored("2")
    assert [row for row in new if (row["meter_id"], row["ds"]) != ("M1", date(2013, 3, 4))] == old
    assert [row["ds"] for row in new if row not in old] == [date(2013, 3, 4)]


def test_rows_of_meters_that_have_left_are_carried_over(detect: Detect, stored: Stored) -> None:
    detect(series("M1", 58) + series("gone", 58, seed=2))
    said = detect(series("M1", 59), run="2")
    assert (said["judged"], [part["rows"] for part in said["partitions"]]) == (1, [28 + 27])
    # Only M2 has new days, in both months.
    said = detect(series("M2", 59, seed=3), run="3")

    assert (said["judged"], [part["rows"] for part in said["partitions"]]) == (59, [3 * 31, 28 + 27 + 28])
    before, after = ([row for row in stored(run) if row["meter_id"] == "gone"] for run in ("1", "3"))
    assert before == after


def test_a_meter_is_judged_once_it_has_28_complete_days(detect: Detect, stored: Stored) -> None:
    said = detect(series("M1", 28, start=50) + series("M2", 27, seed=2))

    assert (said["judged"], said["meters_with_short_history"]) == (28, 1)
    assert {row["meter_id"] for row in stored()} == {"M1"}


def test_where_no_day_can_be_judged_nothing_is_written(lake: FolderLake, detect: Detect) -> None:
    said = detect(series("M1", 27))

    assert (said["judged"], said["partitions"], said["days"]) == (0, [], [])
    assert lake.store.listed("s3://business/anomaly") == []


def test_a_day_is_complete_with_the_readings_that_its_meter_usually_has(detect: Detect, stored: Stored) -> None:
    hourly = [[*row[:3], 24] for row in series("hourly", 40)]
    hourly[10][3] = 23
    # 47 does not cut a day into equal parts: this meter loses a reading every day.
    leaking = [[*row[:3], 47] for row in series("leaking", 40)]

    said = detect(hourly + leaking)

    assert (said["judged"], said["incomplete"]) == (39, 41)
    assert {row["meter_id"] for row in stored()} == {"hourly"}


def test_the_meters_beside_it_never_matter_to_a_meter(
    lake: FolderLake, detect: Detect, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [row for number in range(6) for row in series(f"M{number}", 90, start=number, seed=number)]
    detect(given, run="together")
    lake.withdraw("anomaly")
    monkeypatch.setattr(detection, "METERS_A_CHUNK", 1)
    # An item a meter, and months of several files.
    monkeypatch.setattr(detection, "ROWS_AN_ITEM", 100)
    detect(given, run="apart")

    together, apart = stored("together"), stored("apart")
    files = lake.store.parquet_files("s3://business/anomaly/run=apart/")
    assert len(files) > len(lake.store.parquet_files("s3://business/anomaly/run=together/"))
    for one, other in zip(together, apart, strict=True):
        assert (one["meter_id"], one["ds"]) == (other["meter_id"], other["ds"])
        for name in ("consumption", "yhat_lower", "yhat_upper", "anomaly", "importance"):
            assert one[name] == pytest.approx(other[name], abs=1e-9)


def test_the_weather_of_a_day_stands_beside_it_where_it_is_known(
    lake: FolderLake, detect: Detect, stored: Stored
) -> None:
    dates = [FIRST + timedelta(days=number) for number in range(30)]
    lake.deliver_weather(f"{day} {hour:02d}:00:00\t5\t3.5\t0" for day in dates[:20] for hour in range(24))

    said = detect(series("M1", 30), length=30, with_weather="true")

    assert said["weather"] == {"last_known": "2013-01-20", "days_filled": 10}
    found = [(row["ds"], row["temperature"], row["apparenttemperature"]) for row in stored()]
    assert found[19] == (dates[19], 5.0, 3.5)
    assert found[20] == (dates[20], None, None)


def test_each_partition_is_one_file_of_the_columns_of_the_table(lake: FolderLake, detect: Detect) -> None:
    lake.store.write("s3://business/anomaly/run=1/month=201301/of-an-earlier-try.parquet", b"")
    said = detect(series("M2", 40) + series("M1", 40, seed=2))

    assert [(part["values"], part["rows"]) for part in said["partitions"]] == [(["201301"], 62), (["201302"], 18)]
    for part in said["partitions"]:
        assert part["location"] == f"s3://business/anomaly/run=1/month={part['values'][0]}/"
        (file,) = lake.store.parquet_files(part["location"])
        assert lake.store.read_parquet(file).schema == ANOMALY
        keys = [(row["meter_id"], row["ds"]) for row in lake.rows(part["location"])]
        assert keys == sorted(keys)
    assert len(lake.store.listed("s3://business/anomaly/")) == 2
    assert said["days"] == ["20130101-20130209"]


def test_a_partition_says_which_version_it_replaces(detect: Detect) -> None:
    first = detect(series("M1", 59))
    assert [part["replaces"] for part in first["partitions"]] == [None, None]
    second = detect(series("M1", 61), run="2")
    assert [(part["values"], part["replaces"]) for part in second["partitions"]] == [(["201303"], None)]
    third = detect(series("M1", 62), run="3")
    assert [part["replaces"] for part in third["partitions"]] == [second["partitions"][0]["location"]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"days": "27"}, "28 days at least"), ({"level": "1.0"}, "below 1"), ({"level": "0.4"}, "from 0.5")],
)
def test_arguments_by_which_no_day_can_be_judged_are_refused(changed: dict[str, str], message: str) -> None:
    given = {"days": "365", "level": "0.98", "country": "GB", "intervals_per_hour": "2"}
    assert job.Settings.of(given) == job.Settings(365, "GB", 48, 0.98)
    with pytest.raises(job.SettingsError, match=message):
        job.Settings.of({**given, **changed})


def test_days_before_and_after_those_looked_at_are_passed_over(detect: Detect) -> None:
    said = detect(series("M1", 150, start=-10))

    assert (said["judged"], said["incomplete"], said["days"]) == (120, 0, ["20130101-20130430"])
    assert (said["data_start"], said["data_end"]) == ("2013-01-01", "2013-05-01")


def test_weather_without_a_temperature_is_refused(lake: FolderLake, detect: Detect) -> None:
    lake.deliver_weather(["2013-01-01 00:00:00\t\t1\t0.5"])
    with pytest.raises(NoWeatherError, match="trigger load_reference_data"):
        detect(series("M1", 40), with_weather="true")


def test_where_there_are_no_sums_of_days_the_summary_says_so(detect: Detect) -> None:
    said = detect([], data_end="auto")
    assert said["notes"] == ["The table aggregated_daily is empty. Load readings first: trigger ingest_meter_readings."]
    assert (said["judged"], said["partitions"]) == (0, [])
