"""Hourly series and baselines of the London files, against plain Python over the raw files.

Without the files (SHARED_DATA) a small generated fleet takes their place, as in test_london_data.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy
import pytest
from meter_data.series import baselines, hourly
from meter_data.series.data_range import DataRange
from meter_data.series.hourly import Floats, Unit
from meter_data.series.series_text import SeriesText
from meter_data.series.tables import Tables

from tests.end_to_end import expected_consumption as expected
from tests.glue.folder_lake import FolderLake
from tests.glue.numpy_baselines import scores

QUANTILES = (0.1, 0.5, 0.9)
WEEK = 168
WH = Unit(0.001)


@dataclass(frozen=True)
class Hours:
    """Known hours as the jobs make them (meters by hours), and as plain Python does: kWh by meter and hour."""

    known: Floats
    expected: dict[str, dict[int, float]]
    all: range


@pytest.fixture(scope="module")
def hours(meter_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Hours:
    readings = expected.read(meter_files)[0]
    parts: dict[tuple[str, int], list[float]] = defaultdict(list)
    for (meter_id, time), kwh in readings.items():
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
    known_by_meter = {meter_id: within[meter_id] for meter_id in sorted(within) if within[meter_id]}
    lake = FolderLake(tmp_path_factory.mktemp("lake"))
    lake.publish_readings(
        [(meter_id, "INT", f"{time}", kwh) for (meter_id, time), kwh in readings.items()], rows_a_group=65_536
    )
    first, end = (datetime.fromtimestamp(hour * 3600, UTC).date() for hour in (every.start, every.stop))
    groups = Tables(lake.store, lake, "metering").interval_readings(DataRange(first, end))
    known = hourly.known_hours(lake.store, groups, list(known_by_meter), every, 2, WH)
    return Hours(known, known_by_meter, every)


def test_every_series_is_that_of_the_raw_files(hours: Hours) -> None:
    first, after = hourly.ends(hours.known)
    text = SeriesText(hours.known, first, after, whole=True)
    for row, (meter_id, values) in enumerate(hours.expected.items()):
        own = range(min(values), max(values) + 1)
        start, end = int(first[row]), int(after[row])
        assert (hours.all[start], hours.all[end - 1]) == (own[0], own[-1])
        for hour, value in zip(own, json.loads(text.part(row, start, end)), strict=True):
            assert (value is None) == (hour not in values), f"{meter_id}, {datetime.fromtimestamp(3600 * hour, UTC)}"
            assert value is None or abs(value - 1000 * values[hour]) <= 0.5 + 1e-6


def test_the_baselines_are_those_of_numpy(hours: Hours) -> None:
    tested = baselines.windows(hours.all.stop, 3, WEEK)
    grid = [
        [numpy.round(1000 * values[hour]) if hour in values else numpy.nan for hour in hours.all]
        for values in hours.expected.values()
    ]
    found = baselines.score(baselines.losses(hours.known, hours.all.start, tested, QUANTILES), QUANTILES)
    assert found == scores(numpy.array(grid), hours.all.start, tested, QUANTILES)
    assert 0 < found["climatology"]["mean_wQuantileLoss"] < found["seasonal_naive"]["mean_wQuantileLoss"] < 1
