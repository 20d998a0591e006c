"""The three scripts of the forecast as job runs on S3 and the catalog: training set, batches, stored forecasts."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
import pytest

from tests.glue.hourly_readings import readings
from tests.glue.job_runs.job_platform import JobPlatform

pytestmark = pytest.mark.slow

DAYS = 30
FIRST = date(2013, 12, 10)
END = FIRST + timedelta(days=DAYS)
WEATHER = "time string, temperature double, apparenttemperature double, humidity double, summary string"
LENGTHS = {"prediction_length": "24", "context_length": "24"}
UNIT = {"scale": "0.001", "intervals_per_hour": "2"}
AUTO = {"data_start": "auto", "data_end": "auto"}


class Fleet(JobPlatform):
    """A catalog with published readings, made by hand, and weather as a crawler finds it."""

    def __init__(self, aws: Callable[[str], Any]) -> None:
        super().__init__(aws)
        lines = []
        # Known up to four hours before the end.
        for number in range(24 * DAYS - 4):
            time = datetime.fromisoformat(f"{FIRST}") + timedelta(hours=number)
            lines.append(f'{time},{number % 24},{-(number % 24)},0.{number % 2 + 5},"wet, cold"')
        self.deliver_weather(WEATHER, lines)

    def publish_readings(self, rows: list[tuple[Any, ...]]) -> None:
        """Publish rows (meter_id, type, time, kWh) as `daily`, and their days as `aggregated_daily`."""
        of_month: dict[tuple[str, str], list[dict[str, Any]]] = {}
        days: dict[str, dict[tuple[str, str], list[float]]] = {}
        for meter_id, kind, time, value in rows:
            day = time[:10].replace("-", "")
            row = {"meter_id": meter_id, "reading_value": value, "reading_date_time": datetime.fromisoformat(time)}
            of_month.setdefault((kind, day[:6]), []).append({**row, "date_str": day})
            if kind == "INT":
                days.setdefault(day[:6], {}).setdefault((meter_id, day), []).append(value)
        readings_of = [self._partition("daily", list(key), found) for key, found in of_month.items()]
        days_of = [
            self._partition(
                "aggregated_daily",
                [month],
                [
                    {"meter_id": meter, "date_str": day, "consumption": sum(values), "interval_count": len(values)}
                    for (meter, day), values in found.items()
                ],
            )
            for month, found in days.items()
        ]
        self.publish("daily", readings_of, "r1")
        self.publish("aggregated_daily", days_of, "r1")

    def _partition(self, table: str, values: list[str], rows: list[dict[str, Any]]) -> dict[str, Any]:
        made = pyarrow.Table.from_pylist(rows)
        for name, kind in (("reading_date_time", pyarrow.timestamp("us", "UTC")), ("interval_count", pyarrow.int32())):
            if name in made.column_names:
                made = made.set_column(made.column_names.index(name), name, made[name].cast(kind))
        file = io.BytesIO()
        parquet.write_table(made, file)
        folder = f"{table}/run=r1/{'/'.join(values)}/"
        self.put("business", f"{folder}part-0.parquet", file.getvalue())
        return {"values": values, "location": f"s3://{self.buckets['business']}/{folder}", "rows": len(rows)}

    def lines(self, zone: str, prefix: str) -> list[dict[str, Any]]:
        """The JSON lines of all objects below a prefix."""
        found = [self.content(zone, key) for key in self.keys(zone, prefix)]
        return [json.loads(line) for body in found for line in body.decode().splitlines()]

    def transform(self, key: str) -> None:
        """Leave the result that a batch transform leaves of a batch: each hour's median is its place, from 1."""
        lines = []
        for line in self.lines("working", key):
            quantiles = {"0.1": [0.0] * 24, "0.5": list(range(1, 25)), "0.9": [100.0] * 24}
            kept = {name: line[name] for name in ("meter_id", "forecast_start")}
            lines.append(json.dumps({**kept, "SageMakerOutput": {"quantiles": quantiles}}))
        self.put("working", f"{key.replace('/batches/', '/transformed/')}.out", "\n".join(lines).encode())


@pytest.fixture(scope="module")
def fleet(aws: Callable[[str], Any]) -> Fleet:
    """Five meters, four of them with every hour of 30 days around new year, then a day of a few readings."""
    platform = Fleet(aws)
    rows = []
    for number in range(1, 5):
        values = [number + (hour % 24) / 100 for hour in range(24 * DAYS)]
        rows += readings(f"M{number}", f"{FIRST} 00:00:00", values)
    rows += readings("M5", f"{FIRST} 00:00:00", [1.0] * 10)
    rows += readings("M1", f"{END} 00:00:00", [50.0] * 3)
    rows += [("M1", "ERR", f"{FIRST} 00:00:00", None), *readings("M1", f"{FIRST} 00:00:00", [1e6] * 24, kind="AGG")]
    platform.publish_readings(rows)
    return platform


def test_a_training_set_is_made_of_the_newest_complete_days(fleet: Fleet) -> None:
    sizes = {"training_samples": "50", "test_windows": "2", "quantiles": "0.1,0.5,0.9"}

    assert fleet.run("prepare_training_set", run="t-1", with_weather="true", **sizes, **LENGTHS, **UNIT, **AUTO) is None

    summary = fleet.summary("t-1", "prepare_training_set")
    place = f"s3://{fleet.buckets['working']}/training/t-1/"
    assert {name: summary[name] for name in ("train", "test", "baseline", "data_end", "train_end", "meters")} == {
        "train": f"{place}train/",
        "test": f"{place}test/",
        "baseline": f"{place}baseline.json",
        "data_end": f"{END}",
        "train_end": f"{END - timedelta(days=2)} 00:00:00",
        "meters": 4,
    }
    assert summary["dropped"] == {"meters_with_too_few_hours": 1, "test_windows_without_readings": 0}
    train, test = fleet.lines("working", "training/t-1/train/"), fleet.lines("working", "training/t-1/test/")
    assert [len(line["target"]) for line in train] == [24 * (DAYS - 2)] * 4
    assert sorted(len(line["target"]) for line in test) == [24 * (DAYS - 1)] * 4 + [24 * DAYS] * 4
    assert sorted(line["target"][1] for line in train) == [1010, 2010, 3010, 4010]
    for line in train + test:
        assert line["start"] == f"{FIRST} 00:00:00"
        assert [len(row) for row in line["dynamic_feat"]] == [len(line["target"])] * 3
    assert summary["weather"]["last_known"] == f"{END - timedelta(days=1)} 19:00:00"
    assert summary["weather"]["hours_filled"] == 4
    baseline = json.loads(fleet.content("working", "training/t-1/baseline.json"))
    assert baseline["seasonal_naive"]["mean_wQuantileLoss"] == 0.0
    assert baseline["unit"] == "Wh"


def test_batches_are_transformed_and_stored(fleet: Fleet) -> None:
    batch, meters = "20140109T090000-3fa2c1", {"meter_start": "1", "meter_end": "100", "batch_size": "2"}
    weather = json.dumps(fleet.summary("t-1", "prepare_training_set")["weather"])
    arguments = {"with_weather": "true", "weather": weather, **meters, **LENGTHS, **UNIT, **AUTO}
    for stale in ("batches/0007.jsonl", "transformed/0007.jsonl.out"):
        fleet.put("working", f"forecast/{batch}/{stale}", b"{}\n")

    assert fleet.run("prepare_forecast_batches", batch=batch, **arguments) is None

    place = f"forecast/{batch}/batches"
    said = fleet.summary(batch, "prepare_forecast_batches")
    assert said["batches"] == [
        {"number": number, "uri": f"s3://{fleet.buckets['working']}/{place}/{number:04d}.jsonl", "meters": meters}
        for number, meters in ((1, 2), (2, 2), (3, 1))
    ]
    assert said["notes"] == ["meter_end 100 is beyond the last meter, which is number 5."]
    assert (said["meters"], said["without_readings"], said["data_end"]) == (5, 0, f"{END}")
    assert fleet.keys("working", f"forecast/{batch}/") == [f"{place}/{number:04d}.jsonl" for number in (1, 2, 3)]
    first = fleet.lines("working", f"{place}/0001.jsonl")[0]
    assert {name: first[name] for name in ("meter_id", "start", "forecast_start")} == {
        "meter_id": "M1",
        "start": f"{FIRST} 00:00:00",
        "forecast_start": f"{END} 00:00:00",
    }
    assert [len(row) for row in first["dynamic_feat"]] == [24 * DAYS + 24] * 3

    for number in (1, 3):
        fleet.transform(f"{place}/{number:04d}.jsonl")
    store = {"batch": batch, "model_name": "consumption", "quantiles": "0.1,0.5,0.9", "scale": "0.001"}
    assert fleet.run("store_forecasts", prediction_length="24", **store) is None

    said = fleet.summary(batch, "store_forecasts")
    assert {name: said[name] for name in ("rows", "meters", "batches_stored", "batches_missing", "first", "last")} == {
        "rows": 72,
        "meters": 3,
        "batches_stored": [1, 3],
        "batches_missing": [2],
        "first": f"{FIRST} 10:00:00",
        "last": f"{END} 23:00:00",
    }
    (file,) = fleet.keys("business", f"forecast/run={batch}/")
    stored = parquet.read_table(io.BytesIO(fleet.content("business", file))).to_pylist()
    assert [row["meter_id"] for row in stored] == ["M1"] * 24 + ["M2"] * 24 + ["M5"] * 24
    assert stored[0]["datetime"].isoformat() == f"{END}T00:00:00+00:00"
    assert [stored[0][name] for name in ("p10", "p50", "p90", "model_name")] == [0.0, 0.001, 0.1, "consumption"]


def test_a_range_without_known_hours_ends_the_job_with_what_to_do(fleet: Fleet) -> None:
    batch, days = "20140109T090000-3fa2c2", {"data_start": "2013-12-20", "data_end": "2013-12-22"}
    meters = {"meter_start": "5", "meter_end": "5", "batch_size": "2", "with_weather": "false", "weather": "null"}

    message = fleet.run("prepare_forecast_batches", batch=batch, **meters, **LENGTHS, **UNIT, **days) or ""

    assert message.startswith("NothingToForecastError: None of the meters has a known hour in these days.")
    assert fleet.keys("working", f"forecast/{batch}/") == fleet.keys("clean", f"_summaries/{batch}/") == []
