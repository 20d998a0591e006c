"""prepare_training_set: what goes into both channels, and what is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import prepare_training_set as job
import pytest
from meter_data.series import training_set
from meter_data.series.baselines import EmptyTestWindowsError, Window
from meter_data.series.data_range import DataRange
from meter_data.series.hourly import NegativeConsumptionError, Unit

from tests.glue import folder_lake
from tests.glue.folder_lake import FolderLake
from tests.glue.hourly_readings import hour, readings

DAYS = DataRange(date(2013, 12, 20), date(2014, 1, 10))
FIRST, END = hour("2013-12-20"), hour("2014-01-10")
ARGUMENTS = {
    "training_samples": "50",
    "prediction_length": "24",
    "context_length": "48",
    "test_windows": "2",
    "quantiles": "0.1,0.5,0.9",
    "intervals_per_hour": "2",
    "scale": "0.001",
}
SETTINGS = job.Settings.of(ARGUMENTS)
TRAIN_END = END - 48
WHOLE = [*range(1, END - FIRST + 1)]  # a value for every hour of the days, each another
Rows = list[tuple[Any, ...]]


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path)


@pytest.fixture
def written(lake: FolderLake) -> Callable[..., dict[str, Any]]:
    """written(rows of readings, name=value, …): what baseline.json says; the channels are read by `lines`."""

    def write(rows: Iterable[Any], run: str = "run", **changed: str) -> dict[str, Any]:
        lake.publish_readings(rows)
        given = {"run": run, "data_start": f"{DAYS.start}", "data_end": f"{DAYS.end}", "with_weather": "false"}
        job.prepare({**folder_lake.ARGUMENTS, **ARGUMENTS, **given, **changed}, lake, lake.connect)
        said: dict[str, Any] = lake.store.read_json(f"s3://working/training/{run}/baseline.json")
        places = {name: f"s3://working/training/{run}/{name}/" for name in ("train", "test")}
        places["baseline"] = f"s3://working/training/{run}/baseline.json"
        assert lake.summary(run, job.JOB) == said | places
        return said

    return write


@pytest.fixture
def lines(lake: FolderLake) -> Callable[..., list[dict[str, Any]]]:
    """lines("train"): the lines of a channel, in the order of the files."""
    return lambda channel, run="run": lake.lines(f"s3://working/training/{run}/{channel}/")


def known(meter: str, first: int, wh: Sequence[float | None]) -> Rows:
    """Readings of a meter from the hour of this number on, of whole Wh an hour; none for None."""
    start = datetime.fromtimestamp(first * 3600, UTC).replace(tzinfo=None)
    return readings(meter, f"{start}", [None if value is None else value / 1000 for value in wh])


def test_arguments_are_typed() -> None:
    assert job.Settings(50, 24, 48, 2, (0.1, 0.5, 0.9), 2, Unit(0.001)) == SETTINGS


def test_the_test_windows_end_with_the_data() -> None:
    assert job.windows_of(DAYS, SETTINGS) == [Window(1, END - 48, END - 24), Window(2, END - 24, END)]


@pytest.mark.parametrize(("windows", "message"), [("21", "504 hours; 21 test windows of 24 hours"), ("0", "is 0")])
def test_days_too_few_for_the_windows_are_refused(windows: str, message: str) -> None:
    assert len(job.windows_of(DAYS, job.Settings.of(ARGUMENTS | {"test_windows": "20"}))) == 20
    with pytest.raises(job.TrainingRangeError, match=message):
        job.windows_of(DAYS, job.Settings.of(ARGUMENTS | {"test_windows": windows}))


def test_training_ends_before_the_first_window_and_a_test_line_with_its_window(
    written: Callable[..., Any], lines: Callable[..., Any]
) -> None:
    said = written(known("M1", FIRST, WHOLE))

    assert lines("train") == [{"start": "2013-12-20 00:00:00", "target": WHOLE[:-48]}]
    assert lines("test") == [
        {"start": "2013-12-20 00:00:00", "target": WHOLE[:-24]},
        {"start": "2013-12-20 00:00:00", "target": WHOLE},
    ]
    counts = ("meters", "series_train", "series_test", "observations", "train_end", "data_start", "data_end")
    assert [said[name] for name in counts] == [1, 1, 2, 504 - 48, "2014-01-08 00:00:00", "2013-12-20", "2014-01-10"]
    assert said["dropped"] == {"meters_with_too_few_hours": 0, "test_windows_without_readings": 0}
    same = {"prediction_length": 24, "context_length": 48, "test_windows": 2, "quantiles": [0.1, 0.5, 0.9]}
    assert said.items() >= (same | {"scale": 0.001, "unit": "Wh", "intervals_per_hour": 2, "weather": None}).items()


def test_the_baselines_are_scored_on_these_windows(written: Callable[..., Any]) -> None:
    # Every hour is 168 above that of the week before: 2 · q · Σ168 / Σy, y from 457 to 504.
    naive = written(known("M1", FIRST, WHOLE))["seasonal_naive"]
    share = 168 * 48 / sum(range(457, 505))
    assert naive["wQuantileLoss"] == pytest.approx({"0.1": 0.2 * share, "0.5": share, "0.9": 1.8 * share})
    assert naive["RMSE"] == pytest.approx(168)


def test_series_have_their_own_start_and_their_gaps(written: Callable[..., Any], lines: Callable[..., Any]) -> None:
    joined_late = known("M1", TRAIN_END - 30, [5] * 10 + [None] * 5 + [0] * 15 + [7] * 48)
    written([*joined_late, *known("M2", FIRST, WHOLE)])

    by_start = {line["start"]: line["target"] for line in lines("train")}
    assert by_start["2014-01-06 18:00:00"] == [5] * 10 + [None] * 5 + [0] * 15
    assert len(by_start["2013-12-20 00:00:00"]) == 504 - 48


def test_a_test_line_reaches_to_the_end_of_its_window_whatever_is_known(
    written: Callable[..., Any], lines: Callable[..., Any]
) -> None:
    # Known up to 20 hours before the first window, then three hours of the second.
    values = [*WHOLE[: 504 - 68], *[None] * 64, 1, 2, 3, None]
    said = written(known("M1", FIRST, values))

    (train,), (test,) = lines("train"), lines("test")
    assert train["target"] == WHOLE[: 504 - 68]
    assert test["target"] == values
    assert said["dropped"]["test_windows_without_readings"] == 1
    assert (said["series_test"], said["observations"]) == (1, 504 - 68)


def test_a_meter_of_zeros_is_trained_with_the_others(written: Callable[..., Any], lines: Callable[..., Any]) -> None:
    written([*known("M1", FIRST, WHOLE), *known("empty house", FIRST, [0] * 504)])
    assert [0] * (504 - 48) in [line["target"] for line in lines("train")]


def test_zeros_alone_are_refused(written: Callable[..., Any]) -> None:
    rows = known("M1", FIRST, [0] * (504 - 48) + [5] * 48)
    with pytest.raises(job.NoConsumptionError, match="All 456 known hours .* are zero"):
        written(rows)


def test_fewer_than_300_known_hours_are_refused(written: Callable[..., Any], lines: Callable[..., Any]) -> None:
    with pytest.raises(job.TooFewObservationsError, match="has 299 known hours; DeepAR needs 300.*IntervalsPerHour"):
        written(known("M1", TRAIN_END - 299, [1] * (299 + 48)))
    assert lines("train") == []
    assert written(known("M1", TRAIN_END - 300, [1] * (300 + 48)))["observations"] == 300


def test_meters_with_too_few_hours_are_counted(written: Callable[..., Any]) -> None:
    # 23 known hours before the windows: of M2 by its sums of days, of M3 only once its readings are read.
    few = known("M2", TRAIN_END - 23, [1] * 23)
    single = [
        row for row in known("M3", TRAIN_END - 60, [1] * 60) if row[2].endswith(":00:00") or row[2] > "2014-01-07 01"
    ]
    said = written([*known("M1", FIRST, WHOLE), *few, *single])
    assert (said["meters"], said["dropped"]["meters_with_too_few_hours"]) == (1, 2)


def test_a_fleet_of_meters_with_too_few_hours_is_refused(written: Callable[..., Any]) -> None:
    with pytest.raises(job.TooFewObservationsError, match="has 0 known hours"):
        written(known("M1", TRAIN_END - 23, [1] * 23))


@pytest.mark.parametrize("place", [10, 500])
def test_hours_below_zero_are_refused_where_only_counts_are_known(written: Callable[..., Any], place: int) -> None:
    rows = known("M2", FIRST, [*WHOLE[:place], -5, *WHOLE[place + 1 :]])
    with pytest.raises(NegativeConsumptionError, match="1 hourly sums are below zero, .* meter M2"):
        written([*known("M1", FIRST, WHOLE), *rows])


def test_hours_below_zero_are_taken_by_other_likelihoods(
    written: Callable[..., Any], lines: Callable[..., Any]
) -> None:
    said = written(known("M1", FIRST, [-250, *[500] * 503]), scale="1")
    assert lines("train")[0]["target"][:2] == [-0.25, 0.5]
    assert (said["unit"], said["scale"]) == ("kWh", 1.0)


def test_windows_without_consumption_are_refused_before_anything_is_written(
    written: Callable[..., Any], lines: Callable[..., Any]
) -> None:
    with pytest.raises(EmptyTestWindowsError, match="Give a data_end up to which readings are loaded"):
        written(known("M1", FIRST, [*WHOLE[:-48], *[0] * 48]))
    assert lines("train") == []


def test_weather_is_as_long_as_the_target_in_both_channels(
    lake: FolderLake, written: Callable[..., Any], lines: Callable[..., Any]
) -> None:
    times = [datetime(2013, 12, 20) + timedelta(hours=number) for number in range(504 - 3)]  # noqa: DTZ001 (a text)
    lake.deliver_weather(f"{time}\t{number % 2}\t1\t{number % 4 // 2}" for number, time in enumerate(times))
    # Series from the 101st hour on, so that the weather starts there too.
    said = written(known("M1", FIRST + 100, WHOLE[100:]), with_weather="true")

    (train,), test = lines("train"), lines("test")
    # 0 and 1 in turn have the mean 0.5 and the deviation 0.5; a constant stays 0.
    alternating = [-1.0, 1.0] * 178
    assert train["dynamic_feat"] == [alternating, [0.0] * 356, [-1.0, -1.0, 1.0, 1.0] * 89]
    assert [len(line["dynamic_feat"][0]) for line in test] == [380, 404] == [len(line["target"]) for line in test]
    assert said["weather"] == {
        "features": [
            {"name": "temperature", "mean": 0.5, "std": 0.5},
            {"name": "apparenttemperature", "mean": 1.0, "std": 1.0},
            {"name": "humidity", "mean": 0.5, "std": 0.5},
        ],
        "last_known": "2014-01-09 20:00:00",
        "hours_filled": 3,
    }


@pytest.mark.parametrize("is_cut", [False, True])
def test_lines_are_in_the_order_of_a_hash_however_the_work_is_cut(
    written: Callable[..., Any], lines: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, is_cut: bool
) -> None:
    if is_cut:
        monkeypatch.setattr(training_set, "ROWS_AN_ITEM", 2 * len(WHOLE))
        monkeypatch.setattr(training_set, "SERIES_A_FILE", 2)
    names = [f"M{number}" for number in range(5)]
    written([row for place, name in enumerate(names) for row in known(name, FIRST, [place + 1] * 504)])

    in_hash_order = sorted(range(5), key=lambda place: hashlib.sha256(names[place].encode()).hexdigest())
    assert [line["target"][0] for line in lines("train")] == [place + 1 for place in in_hash_order]
    of_windows = [(place + 1, length) for place in in_hash_order for length in (480, 504)]
    assert [(line["target"][0], len(line["target"])) for line in lines("test")] == of_windows


def test_a_sample_is_drawn_and_what_an_earlier_try_left_is_gone(
    lake: FolderLake, written: Callable[..., Any], lines: Callable[..., Any]
) -> None:
    names = [f"M{number}" for number in range(40)]
    for stale in ("train/0009.json", "known/0/0001.parquet", "test/0002.json"):
        lake.store.write(f"s3://working/training/run/{stale}", b'{"start": "stale"}')
    said = written(
        [row for name in names for row in known(name, FIRST, [int(name[1:]) + 1] * 504)], training_samples="3"
    )

    in_hash_order = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    assert [f"M{line['target'][0] - 1}" for line in lines("train")] == in_hash_order[:3]
    assert (said["meters"], said["series_test"]) == (3, 6)
    assert [found.uri for found in lake.store.listed("s3://working/training/run/")] == [
        f"s3://working/training/run/{name}" for name in ("baseline.json", "test/0001.json", "train/0001.json")
    ]


def test_the_newest_complete_days_are_taken_where_none_are_given(
    written: Callable[..., Any], lines: Callable[..., Any]
) -> None:
    said = written(known("M1", FIRST, [*WHOLE, 1, 2, 3]), data_start="auto", data_end="auto")
    assert (said["data_start"], said["data_end"]) == ("2013-06-10", "2014-01-10")
    assert lines("test")[1]["target"] == WHOLE
