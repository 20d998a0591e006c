"""The three scripts as job runs on S3 and the catalog: from meter files to published sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.glue.deliveries import KAGGLE, OFFICIAL
from tests.glue.job_runs.load_platform import LoadPlatform, text_of

pytestmark = pytest.mark.slow

ROW = "MAC000002,Std,2012-12-31 {time}:00.0000000, {value} "


@pytest.fixture(scope="module")
def platform(aws: Callable[[str], Any]) -> LoadPlatform:
    return LoadPlatform(aws)


def test_a_first_delivery_becomes_published_sums(platform: LoadPlatform) -> None:
    official = text_of(OFFICIAL, ROW.format(time="00:30", value="0.25"), ROW.format(time="00:30", value="0.25"), "bad")
    kaggle = text_of(KAGGLE, "MAC000003,2013-01-01 12:00:00.0000000, 2 ", "MAC000003,2013-01-01 12:37:27.0000000,Null")
    platform.deliver("b1", "2014-01-01T09:00:00Z", a__csv=official, **{"b [x] %20": kaggle})

    summary = platform.ingest("b1")

    cleaned = platform.summary("b1", "raw_to_clean")
    assert [cleaned[name] for name in ("rows", "good", "rejected_by_reason")] == [5, 4, {"wrong_field_count": 1}]
    assert [file["uri"].rpartition("/")[2] for file in cleaned["files"]] == ["a.csv", "b [x] %20"]
    assert len(platform.keys("clean", "quarantine/batch=b1/")) == 1
    told = ("run", "rows_in", "duplicates", "conflicts", "dates", "rejected_attributed", "rejected_unattributed")
    assert {name: summary[name] for name in told} == {
        "run": "b1-1",
        "rejected_attributed": 0,
        "rejected_unattributed": 1,
        "rows_in": 4,
        "duplicates": 1,
        "conflicts": 0,
        "dates": ["20121231-20130101"],
    }
    business = platform.buckets["business"]
    assert [(part["values"], part["location"], part["rows"]) for part in summary["partitions"]] == [
        (["ERR", "201301"], f"s3://{business}/daily/run=b1-1/reading_type=ERR/month=201301/", 1),
        (["INT", "201212"], f"s3://{business}/daily/run=b1-1/reading_type=INT/month=201212/", 1),
        (["INT", "201301"], f"s3://{business}/daily/run=b1-1/reading_type=INT/month=201301/", 1),
    ]
    assert all(key.endswith(".parquet") for key in platform.keys("business", "daily/"))

    platform.record("b1")
    platform.aggregate("b1-1", summary["dates"])

    assert platform.published("aggregated_daily", "meter_id", "date_str", "consumption", "interval_count") == [
        ("MAC000002", "20121231", 0.25, 1),
        ("MAC000003", "20130101", 2.0, 1),
    ]
    assert platform.published("aggregated_weekly", "meter_id", "week_start", "consumption") == [
        ("MAC000002", "20121231", 0.25),
        ("MAC000003", "20121231", 2.0),
    ]
    assert platform.published("aggregated_monthly", "meter_id", "month_start", "consumption") == [
        ("MAC000002", "20121201", 0.25),
        ("MAC000003", "20130101", 2.0),
    ]
    # A meter with readings in December is expected in January.
    columns = ["meter_id", "date_str", "expected", "received", "estimated", "rejected", "duplicates"]
    assert platform.published("completeness", *columns) == [
        ("MAC000002", "20121231", 48, 1, 0, 0, 1),
        ("MAC000002", "20130101", 48, 0, 0, 0, 0),
        ("MAC000003", "20130101", 48, 1, 0, 0, 0),
    ]
