"""Jobs whose items are worked on elsewhere: items, functions and results go through pickle, as Spark sends them.

Every object is the same as when the job does the work in its own process, however the items are cut.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import detect_anomalies
import prepare_forecast_batches
import prepare_training_set
import pytest
import store_forecasts
from meter_data.runner import work

from tests.glue import folder_lake
from tests.glue.folder_lake import FolderLake
from tests.glue.hourly_readings import readings

GIVEN = {
    **folder_lake.ARGUMENTS,
    "data_start": "2013-12-01",
    "data_end": "2013-12-31",
    "prediction_length": "24",
    "context_length": "24",
    "scale": "0.001",
    "intervals_per_hour": "2",
    "quantiles": "0.1,0.5,0.9",
    "with_weather": "true",
}
TRAINING = {"run": "r1", "training_samples": "3", "test_windows": "2"}
BATCHES = {"batch": "b1", "meter_start": "1", "meter_end": "auto", "batch_size": "2"}
ANOMALIES = {"run": "r1", "days": "30", "country": "GB", "level": "0.98"}


def sent(message: Any) -> Any:
    return pickle.loads(pickle.dumps(message))  # noqa: S301 (made a moment ago)


def run_elsewhere(function: Any, items: Sequence[Any], spread_above_rows: int, connect: Callable[[], Any]) -> list[Any]:
    assert spread_above_rows == 100_000_000
    return [sent(sent(function)(connect(), sent(item))) for item in reversed(items)][::-1]


def objects(root: Path) -> dict[str, bytes]:
    """All that four jobs write of one small fleet, and what they read."""
    lake = FolderLake(root)
    values = [[(hour * (meter + 3)) % 17 + 1 for hour in range(24 * 30)] for meter in range(5)]
    lake.publish_readings(
        [row for meter, of in enumerate(values) for row in readings(f"M{meter}", "2013-12-01 00:00:00", of)]
    )
    lake.deliver_weather(
        f"2013-12-{day:02d} {hour:02d}:00:00\t{hour}\t{day}\t0.{day}" for day in range(1, 30) for hour in range(24)
    )
    prepare_training_set.prepare({**GIVEN, **TRAINING}, lake, lake.connect)
    record = json.dumps(lake.summary("r1", prepare_training_set.JOB)["weather"])
    prepare_forecast_batches.prepare({**GIVEN, **BATCHES, "weather": record}, lake, lake.connect)
    for number in (1, 2, 3):
        lines = [
            {"SageMakerOutput": {"quantiles": dict.fromkeys(("0.1", "0.5", "0.9"), [7.5] * 24)}, **line}
            for line in lake.lines(f"s3://working/forecast/b1/batches/{number:04d}.jsonl")
        ]
        text = "\n".join(map(json.dumps, lines)).encode()
        lake.store.write(f"s3://working/forecast/b1/transformed/{number:04d}.jsonl.out", text)
    store_forecasts.store_rows({**GIVEN, "batch": "b1", "model_name": "m"}, lake.connect)
    detect_anomalies.detect({**GIVEN, **ANOMALIES}, lake, lake.connect)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_work_that_is_done_elsewhere_leaves_the_same_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = objects(tmp_path / "here")
    monkeypatch.setattr(work, "run", run_elsewhere)
    elsewhere = objects(tmp_path / "elsewhere")

    assert sorted(here) == sorted(elsewhere)
    assert [name for name in here if here[name] != elsewhere[name]] == []
    assert {name.partition("/")[0] for name in here} == {"business", "clean", "working"}
