"""aggregate_consumption as a job run on S3 and the catalog: from published readings to published sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.glue.consumption_lake import business_row, table_of
from tests.glue.job_runs.load_platform import LoadPlatform

pytestmark = pytest.mark.slow

FOLDER = "daily/run=b1-1/reading_type=INT/month=201301/"


def test_published_readings_become_published_sums(aws: Callable[[str], Any]) -> None:
    platform = LoadPlatform(aws)
    readings = [("M1", "2013-01-30 00:00", 1.0), ("M1", "2013-01-30 00:30", 0.5), ("M2", "2013-01-31 00:00", 4.0)]
    for number, rows in enumerate((readings[:2], readings[2:])):
        content = pa.BufferOutputStream()
        pq.write_table(table_of("daily", [business_row(*row) for row in rows]), content)
        platform.put("business", f"{FOLDER}{number:05d}.parquet", content.getvalue().to_pybytes())
    location = f"s3://{platform.buckets['business']}/{FOLDER}"
    partition = {"values": ["INT", "201301"], "location": location, "rows": len(readings), "replaces": None}
    platform.publish("daily", [partition], "b1-1")

    platform.aggregate("b1-1", ["20130130-20130131"])

    assert platform.published("aggregated_daily", "meter_id", "date_str", "consumption", "interval_count") == [
        ("M1", "20130130", 1.5, 2),
        ("M2", "20130131", 4.0, 1),
    ]
    assert platform.published("aggregated_weekly", "meter_id", "week_start", "consumption") == [
        ("M1", "20130128", 1.5),
        ("M2", "20130128", 4.0),
    ]
    assert platform.published("aggregated_monthly", "meter_id", "month_start", "consumption") == [
        ("M1", "20130101", 1.5),
        ("M2", "20130101", 4.0),
    ]
    assert platform.published("completeness", "meter_id", "date_str", "received") == [
        ("M1", "20130130", 2),
        ("M1", "20130131", 0),
        ("M2", "20130131", 1),
    ]
    summary = platform.summary("b1-1", "aggregate_consumption")
    assert summary["dates"] == ["20130130-20130131"]
    assert [summary["completeness"][name] for name in ("meters", "expected", "received")] == [2, 144, 3]
