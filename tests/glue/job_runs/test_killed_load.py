"""Spark is killed (SIGKILL) in each job of the load while it writes; the job is run again, and all tables are those
that the rows of the files add up to. tests/glue/sequences kills at all other points, within one Spark session.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from tests.glue.deliveries import KAGGLE
from tests.glue.job_runs.load_platform import LoadPlatform, text_of

pytestmark = pytest.mark.slow

DEADLINE_SECONDS = 120
FIRST = text_of(
    KAGGLE,
    "MAC1,2013-01-30 00:00:00.0000000,1",
    "MAC1,2013-01-30 00:30:00.0000000,1",
    "MAC2,2013-02-01 00:00:00.0000000,2",
)
SECOND = text_of(
    KAGGLE,
    "MAC1,2013-01-30 00:30:00.0000000,3",  # corrects
    "MAC1,2013-01-31 12:00:00.0000000,1",
    "MAC1,2013-01-31 12:00:00.0000000,1",  # twice
    "MAC2,2013-02-01 00:30:00.0000000,-1",  # a reject
)
OLD_READINGS = [("MAC1", "20130130", 1.0), ("MAC1", "20130130", 1.0), ("MAC2", "20130201", 2.0)]
READINGS = [
    ("MAC1", "20130130", 1.0),
    ("MAC1", "20130130", 3.0),
    ("MAC1", "20130131", 1.0),
    ("MAC2", "20130201", 2.0),
]
DAYS = [("MAC1", "20130130", 4.0, 2), ("MAC1", "20130131", 1.0, 1), ("MAC2", "20130201", 2.0, 1)]
WEEKS = [("MAC1", "20130128", 5.0, 3), ("MAC2", "20130128", 2.0, 1)]
MONTHS = [("MAC1", "20130101", 5.0, 3), ("MAC2", "20130201", 2.0, 1)]
# meter, day, expected, received, estimated, rejected, duplicates
COMPLETENESS = [
    ("MAC1", "20130130", 48, 2, 0, 0, 1),
    ("MAC1", "20130131", 48, 1, 0, 0, 1),
    ("MAC1", "20130201", 48, 0, 0, 0, 0),
    ("MAC2", "20130201", 48, 1, 0, 1, 0),
]
DATES = "20130130-20130201"


@dataclass(frozen=True)
class Job:
    """A job of the second delivery: its arguments in a try, and the first place that it writes to."""

    script: str
    arguments: Callable[[LoadPlatform, int], dict[str, str]]
    output: Callable[[int], tuple[str, str]]
    summary: Callable[[int], str]


RAW_TO_CLEAN = Job(
    "raw_to_clean",
    lambda platform, _: {
        "batch": "b2",
        "manifest": f"s3://{platform.buckets['clean']}/_manifests/b2.json",
        "transformer": "london",
    },
    lambda _: ("clean", "clean/batch=b2/"),
    lambda _: "b2",
)
CLEAN_TO_BUSINESS = Job(
    "clean_to_business",
    lambda _, number: {"batch": "b2", "run": f"b2-{number}", "grain": "month"},
    lambda _: ("clean", "tallies/batch=b2/"),
    lambda _: "b2",
)
AGGREGATE_CONSUMPTION = Job(
    "aggregate_consumption",
    lambda _, number: {"run": f"sums-{number}", "dates": DATES, "intervals_per_hour": "2"},
    lambda number: ("business", f"aggregated_daily/run=sums-{number}/"),
    lambda number: f"sums-{number}",
)


def processes_of(run_id: str) -> list[psutil.Process]:
    """The script and its JVM, which both have the folder of the run among their arguments."""
    living = psutil.process_iter(["name", "cmdline"])
    return [process for process in living if run_id in " ".join(process.info["cmdline"] or [])]


def kill_when(is_time: Callable[[], bool], run_id: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_time():
        assert time.monotonic() < deadline, "the moment of the kill does not come"
        time.sleep(0.01)
    for process in processes_of(run_id):
        process.kill()


def killed_while_it_writes(platform: LoadPlatform, job: Job) -> None:
    run_id = platform.start(job.script, **job.arguments(platform, 1))

    kill_when(lambda: bool(platform.keys(*job.output(1))), run_id)

    assert "SIGKILL" in (platform.finish(job.script, run_id) or "")
    assert platform.keys("clean", f"_summaries/{job.summary(1)}/{job.script}.json") == []


def run_again(platform: LoadPlatform, job: Job) -> None:
    assert platform.run(job.script, **job.arguments(platform, 2)) is None


@pytest.fixture(scope="module")
def platform(aws: Callable[[str], Any]) -> LoadPlatform:
    """The first delivery is published, the second has come."""
    made = LoadPlatform(aws)
    made.deliver("b1", "2014-01-01T09:00:00Z", a__csv=FIRST)
    made.ingest("b1")
    made.record("b1")
    made.deliver("b2", "2014-01-02T09:00:00Z", b__csv=SECOND)
    return made


def test_a_killed_cleaning_is_run_again(platform: LoadPlatform) -> None:
    killed_while_it_writes(platform, RAW_TO_CLEAN)

    run_again(platform, RAW_TO_CLEAN)

    summary = platform.summary("b2", "raw_to_clean")
    assert [summary[name] for name in ("rows", "good", "rejected_by_reason")] == [4, 3, {"negative_value": 1}]


def test_a_killed_merge_leaves_the_old_readings_and_is_run_again(platform: LoadPlatform) -> None:
    killed_while_it_writes(platform, CLEAN_TO_BUSINESS)
    assert platform.published("daily", "meter_id", "date_str", "reading_value") == OLD_READINGS

    run_again(platform, CLEAN_TO_BUSINESS)
    summary = platform.summary("b2", "clean_to_business")
    platform.publish("daily", summary["partitions"], summary["run"])

    assert platform.published("daily", "meter_id", "date_str", "reading_value") == READINGS
    platform.record("b2")


def test_killed_sums_are_summed_again(platform: LoadPlatform) -> None:
    killed_while_it_writes(platform, AGGREGATE_CONSUMPTION)
    assert platform.published("aggregated_daily", "meter_id") == []

    platform.aggregate("sums-2", [DATES])

    sums = ("consumption", "interval_count")
    assert platform.published("aggregated_daily", "meter_id", "date_str", *sums) == DAYS
    assert platform.published("aggregated_weekly", "meter_id", "week_start", *sums) == WEEKS
    assert platform.published("aggregated_monthly", "meter_id", "month_start", *sums) == MONTHS
    counted = ("expected", "received", "estimated", "rejected", "duplicates")
    assert platform.published("completeness", "meter_id", "date_str", *counted) == COMPLETENESS
