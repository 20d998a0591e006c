"""Two runs of a DAG at once, as when the job of a task that has died goes on, or a failed run is cleared late."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from metering.catalog import SupersededError

from tests.glue.sequences.deliveries import MeterFile, Row
from tests.glue.sequences.found import in_business_zone
from tests.glue.sequences.runs import AggregateRun, DagRun, Extra, IngestRun
from tests.glue.sequences.session_platform import Platform

DECEMBER, JANUARY, FEBRUARY = (datetime(2012, 12, 1), datetime(2013, 1, 1), datetime(2013, 2, 1))  # noqa: DTZ001 (UTC)


def deliver(platform: Platform, name: str, *rows: Row) -> None:
    platform.clock.tick(60)
    platform.deliver(f"readings/{name}.csv", MeterFile(rows).content())


def advance(run: DagRun, step: str | None = None) -> None:
    """Do the steps of a run before this one; all without one."""
    while run.step not in (step, None):
        run.begin()()
        run.advance()


@contextlib.contextmanager
def at_the_first(client: Any, event: str, action: Callable[[], None]) -> Iterator[None]:
    """At the first such event of a boto3 client something else happens."""
    happened: list[str] = []

    def handler(event_name: str, **_: Any) -> None:
        if not happened:
            happened.append(event_name)
            action()

    client.meta.events.register(event, handler)
    yield
    client.meta.events.unregister(event, handler)
    assert happened


@pytest.mark.parametrize(
    ("service", "event"),
    [("glue", "after-call.glue.GetPartitions"), ("s3", "before-call.s3.PutObject")],
    ids=["when it knows what is published", "when all but its summary is written"],
)
def test_a_merge_that_another_run_overtakes_is_not_published_and_starts_anew(
    platform: Platform, service: str, event: str
) -> None:
    platform.empty()
    deliver(platform, "a", Row("MAC1", JANUARY, 8))
    advance(IngestRun(platform, "month", []))
    deliver(platform, "b", Row("MAC1", JANUARY, 16), Row("MAC1", FEBRUARY, 4))
    slow, fast = IngestRun(platform, "month", []), IngestRun(platform, "month", [])
    advance(slow, "clean_to_business")
    deliver(platform, "c", Row("MAC2", JANUARY, 24), Row("MAC2", FEBRUARY, 4))
    advance(fast, "clean_to_business")

    with at_the_first(platform.client(service), event, lambda: advance(fast)):
        advance(slow, "publish_readings")

    with pytest.raises(SupersededError, match="since this run's job read it"):
        slow.publish_readings()
    slow.clear("clean_to_business")
    advance(slow)
    readings = [(meter, moment, value) for meter, _, moment, value, *_ in in_business_zone(platform)["daily"]]
    assert readings == [
        ("MAC1", JANUARY, 2.0),
        ("MAC1", FEBRUARY, 0.5),
        ("MAC2", JANUARY, 3.0),
        ("MAC2", FEBRUARY, 0.5),
    ]


@pytest.mark.parametrize("late", ["201212", "201301"])
def test_months_that_two_runs_sum_at_once_know_of_each_others_meters(platform: Platform, late: str) -> None:
    """Which meters are missed in January depends on December. Both runs have begun before anything was published."""
    platform.empty()
    runs: dict[str, AggregateRun] = {}
    months = {"201212": [Row("MAC1", DECEMBER, 8), Row("MAC2", DECEMBER, 8)], "201301": [Row("MAC1", JANUARY, 8)]}
    for month, rows in months.items():
        announced: list[Extra] = []
        deliver(platform, month, *rows)
        advance(IngestRun(platform, "month", announced))
        runs[month] = AggregateRun(platform, announced, [])
        advance(runs[month], "publish_consumption")
    late_run = runs.pop(late)
    for run in runs.values():
        advance(run)

    with pytest.raises(SupersededError, match="has changed since this run's job read it"):
        late_run.publish_consumption()
    late_run.clear("aggregate_consumption")
    advance(late_run)

    received = {(meter, date): count for meter, date, _, count, *_ in in_business_zone(platform)["completeness"]}
    assert received == {
        ("MAC1", "20121201"): 1,
        ("MAC2", "20121201"): 1,
        ("MAC1", "20130101"): 1,
        ("MAC2", "20130101"): 0,
    }
