"""prepare_training_set: what goes into both channels, and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import prepare_training_set as job
import pytest
from transformers.zones import weather
from transformers.zones.baselines import Window
from transformers.zones.data_range import DataRange
from transformers.zones.hourly import NegativeConsumptionError, Unit
from transformers.zones.samples import Sample
from transformers.zones.weather import Feature

from tests.glue.hourly_readings import KNOWN, hour, known

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


@pytest.fixture
def written(spark: Any, frame: Callable[..., Any], tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """written(rows of known hours, …): what baseline.json says; the channels lie below tmp_path."""

    def write(
        rows: Iterable[Any],
        settings: job.Settings = SETTINGS,
        features: weather.Filled | None = None,
        folder: str = "run",
        schema: str = KNOWN,
    ) -> dict[str, Any]:
        rows = list(rows)
        sample = Sample(frame(schema, *rows), len({row[0] for row in rows}), 3)
        tested = job.windows_of(DAYS, settings)
        return job.write(spark, sample, DAYS, tested, settings, features, f"file://{tmp_path}/{folder}/")

    return write


@pytest.fixture
def lines(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """lines("train"): the lines of a channel, in the order of the file."""

    def read(channel: str, folder: str = "run") -> list[dict[str, Any]]:
        files = sorted((tmp_path / folder / channel).glob("part-*.json"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    return read


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
    assert said["dropped"] == {"meters_with_too_few_hours": 3, "test_windows_without_readings": 0}
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
    with pytest.raises(job.TooFewObservationsError, match="has 0 known hours"):
        written([])


@pytest.mark.parametrize("place", [10, 500])
def test_hours_below_zero_are_refused_where_only_counts_are_known(written: Callable[..., Any], place: int) -> None:
    rows = known("M1", FIRST, [*WHOLE[:place], -5, *WHOLE[place + 1 :]])
    with pytest.raises(NegativeConsumptionError, match="1 hourly sums are below zero, .* meter M1"):
        written(rows)


def test_hours_below_zero_are_taken_by_other_likelihoods(
    written: Callable[..., Any], lines: Callable[..., Any]
) -> None:
    settings = job.Settings.of(ARGUMENTS | {"scale": "1"})
    rows = known("M1", FIRST, [-0.25, *[0.5] * 503])
    said = written(rows, settings, schema=KNOWN.replace("bigint", "double"))
    assert lines("train")[0]["target"][:2] == [-0.25, 0.5]
    assert (said["unit"], said["scale"]) == ("kWh", 1.0)


def test_weather_is_as_long_as_the_target_in_both_channels(
    written: Callable[..., Any], lines: Callable[..., Any]
) -> None:
    at = {number: float(number - FIRST) for number in DAYS.hours if number < END - 3}
    features = weather.filled({"temperature": at}, [Feature("temperature", 0.0, 1.0)], DAYS.hours)
    # Series from the 101st hour on, so that the weather starts there too.
    said = written(known("M1", FIRST + 100, WHOLE[100:]), features=features)

    (train,), test = lines("train"), lines("test")
    assert train["dynamic_feat"] == [[*range(100, 504 - 48)]]
    assert [len(line["dynamic_feat"][0]) for line in test] == [380, 404] == [len(line["target"]) for line in test]
    assert said["weather"] == {
        "features": [{"name": "temperature", "mean": 0.0, "std": 1.0}],
        "last_known": "2014-01-09 20:00:00",
        "hours_filled": 3,
    }


def test_the_files_do_not_depend_on_the_order_of_the_rows(
    written: Callable[..., Any], lines: Callable[..., Any]
) -> None:
    names = [f"M{number}" for number in range(5)]
    rows = [row for place, name in enumerate(names) for row in known(name, FIRST, [place + 1] * 504)]
    first, again = written(rows), written(reversed(rows), folder="again")

    assert first == again
    for channel in ("train", "test"):
        assert lines(channel) == lines(channel, "again")
    in_hash_order = sorted(range(5), key=lambda place: hashlib.sha256(names[place].encode()).hexdigest())
    assert [line["target"][0] for line in lines("train")] == [place + 1 for place in in_hash_order]
