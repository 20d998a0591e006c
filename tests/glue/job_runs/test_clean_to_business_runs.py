"""clean_to_business as a job run, on S3 and the catalog: two batches become one published table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.glue import clean_zone
from tests.glue.clean_zone import FIRST, SECOND, MeterFile, Reading, Rejected
from tests.glue.job_runs.load_platform import LoadPlatform

JANUARY, FEBRUARY = "2013-01-31 23:30:00", "2013-02-01 00:00:00"
GIVEN = {"spread_above_rows": "100000000", "grain": "month"}


@pytest.fixture(scope="module")
def platform(aws: Callable[[str], Any]) -> LoadPlatform:
    return LoadPlatform(aws)


def load(platform: LoadPlatform, batch: str, *files: MeterFile) -> dict[str, Any]:
    clean_zone.write(platform.store, batch, files, bucket=platform.buckets["clean"])
    assert platform.run("clean_to_business", batch=batch, run=f"{batch}-1", **GIVEN) is None
    summary = platform.summary(batch, "clean_to_business")
    platform.publish("daily", summary["partitions"], summary["run"])
    return summary


def test_a_second_batch_is_merged_with_the_published_first_one(platform: LoadPlatform) -> None:
    clean_zone.quarantine(
        platform.store, "b2", [Rejected("b.csv", SECOND, "M1", "20130131")], bucket=platform.buckets["clean"]
    )
    load(platform, "b1", MeterFile("a [x] %20.csv", FIRST, [Reading("M1", JANUARY, 1.0), Reading("M2", FEBRUARY, 1.0)]))

    summary = load(
        platform, "b2", MeterFile("b.csv", SECOND, [Reading("M1", JANUARY, 2.0), Reading("M3", JANUARY, 3.0)])
    )

    assert platform.published("daily", "meter_id", "date_str", "reading_value") == [
        ("M1", "20130131", 2.0),
        ("M2", "20130201", 1.0),
        ("M3", "20130131", 3.0),
    ]
    business = f"s3://{platform.buckets['business']}/daily"
    assert summary["partitions"] == [
        {
            "values": ["INT", "201301"],
            "location": f"{business}/run=b2-1/reading_type=INT/month=201301/",
            "rows": 2,
            "replaces": f"{business}/run=b1-1/reading_type=INT/month=201301/",
        }
    ]
    told = ("readings_added", "readings_replaced", "dates", "rejected_attributed")
    assert [summary[name] for name in told] == [1, 1, ["20130131-20130131"], 1]
    # No empty object stands for a folder.
    assert platform.keys("business", "daily/run=b2-1/") == [
        "daily/run=b2-1/reading_type=INT/month=201301/00000.parquet"
    ]
    assert platform.keys("clean", "tallies/batch=b2/") == [
        f"tallies/batch=b2/month=201301/{name}.parquet" for name in ("readings-00000", "rejects")
    ]


def test_a_grain_that_does_not_fit_is_the_message_of_the_run(platform: LoadPlatform) -> None:
    clean_zone.write(
        platform.store,
        "b3",
        [MeterFile("c.csv", SECOND, [Reading("M1", JANUARY, 2.0)])],
        bucket=platform.buckets["clean"],
    )
    load(platform, "b4", MeterFile("d.csv", FIRST, [Reading("M9", JANUARY, 2.0)]))

    message = platform.run("clean_to_business", batch="b3", run="b3-1", **{**GIVEN, "grain": "day"}) or ""

    assert message.startswith(
        "GrainError: daily is published with INT readings of 201301 in a partition of grain month;"
    )
    assert (
        platform.keys("clean", "_summaries/b3/clean_to_business.json")
        == platform.keys("business", "daily/run=b3")
        == []
    )
