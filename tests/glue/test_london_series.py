"""Hourly series and baselines of the London files, against plain Python over the raw files.

Without the files (SHARED_DATA) a small generated fleet takes their place, as in test_london_data.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy
import pytest
from transformers.zones import baselines, hourly, schemas
from transformers.zones.hourly import Unit

from tests.end_to_end import expected_consumption as expected
from tests.glue.deliveries import clean
from tests.glue.numpy_baselines import scores
from tests.glue.test_london_data import meter_files  # noqa: F401 (a fixture)

QUANTILES = (0.1, 0.5, 0.9)
WEEK = 168
WH = Unit(0.001)


@dataclass(frozen=True)
class Hours:
    """Known hours as the jobs make them, and as plain Python does: kWh by meter and hour."""

    known: Any
    expected: dict[str, dict[int, float]]
    all: range


@pytest.fixture(scope="module")
def hours(spark: Any, meter_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Hours:  # noqa: F811
    zone = tmp_path_factory.mktemp("zone")
    cleaned = clean(spark, zone, meter_files)
    readings = spark.read.schema(schemas.CLEAN).parquet(str(cleaned.clean)).dropDuplicates(schemas.KEY)
    parts: dict[tuple[str, int], list[float]] = defaultdict(list)
    for (meter_id, time), kwh in expected.read(meter_files)[0].items():
        parts[meter_id, int(time.replace(tzinfo=UTC).timestamp()) // 3600].append(kwh)
    by_meter: dict[str, dict[int, float]] = defaultdict(dict)
    for (meter_id, hour), values in parts.items():
        if len(values) >= 2:
            by_meter[meter_id][hour] = sum(values)
    # The newest eight weeks that end with a day: some of the first file's meters have left by then.
    last = max(max(values) for values in by_meter.values()) // 24 * 24
    every = range(last - 8 * WEEK, last)
    within = {
        meter_id: {hour: kwh for hour, kwh in values.items() if hour in every} for meter_id, values in by_meter.items()
    }
    known = hourly.known_hours(readings, every, 2, WH).persist()
    return Hours(known, {meter_id: values for meter_id, values in within.items() if values}, every)


def test_every_series_is_that_of_the_raw_files(hours: Hours) -> None:
    found = hourly.series(hours.known, ["meter_id"], WH).collect()
    assert {row["meter_id"] for row in found} == set(hours.expected)
    for row in found:
        values = hours.expected[row["meter_id"]]
        own = range(min(values), max(values) + 1)
        assert (row["first_hour"], row["last_hour"]) == (own.start, own.stop - 1)
        assert len(row["target"]) == len(own)
        for hour, value in zip(own, row["target"], strict=True):
            assert (value is None) == (hour not in values), (
                f"{row['meter_id']}, {datetime.fromtimestamp(3600 * hour, UTC)}"
            )
            assert value is None or abs(value - 1000 * values[hour]) <= 0.5 + 1e-6


def test_the_baselines_are_those_of_numpy(hours: Hours) -> None:
    tested = baselines.windows(hours.all.stop, 3, WEEK)
    known = {(row["meter_id"], row["hour"]): row["value"] for row in hours.known.collect()}
    grid = [[known.get((meter_id, hour), numpy.nan) for hour in hours.all] for meter_id in sorted(hours.expected)]
    found = baselines.score(hours.known, tested, QUANTILES)
    assert found == scores(numpy.array(grid), hours.all.start, tested, QUANTILES)
    assert 0 < found["climatology"]["mean_wQuantileLoss"] < found["seasonal_naive"]["mean_wQuantileLoss"] < 1
