"""The process of each job of the load is killed (SIGKILL) before, amid and after its writes, by itself and with Spark;
the job is run again, and leaves what one undisturbed run leaves. tests/glue/test_killed_jobs.py stops at every write.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from local_aws import processes
from local_aws.engines.seaweedfs import SeaweedFS
from local_aws.settings import Settings
from tests.glue.deliveries import KAGGLE
from tests.glue.job_runs import gate as gates
from tests.glue.job_runs.gate import Gate
from tests.glue.job_runs.job_platform import TABLES
from tests.glue.job_runs.load_platform import LoadPlatform, text_of

pytestmark = pytest.mark.slow

FIRST = text_of(
    KAGGLE,
    "MAC1,2013-01-30 00:00:00.0000000,1",
    "MAC1,2013-01-30 00:30:00.0000000,1",
    "MAC2,2013-02-01 00:00:00.0000000,2",
)
CORRECTION = text_of(
    KAGGLE,
    "MAC1,2013-01-30 00:30:00.0000000,3",
    "MAC1,2013-01-31 12:00:00.0000000,1",
    "MAC1,2013-01-31 12:00:00.0000000,1",  # twice
)
OTHER_CORRECTION = text_of(
    KAGGLE,
    "MAC2,2013-02-01 00:00:00.0000000,5",
    "MAC2,2013-02-01 00:30:00.0000000,-1",  # a reject
)
READINGS = [
    ("MAC1", "20130130", 1.0),
    ("MAC1", "20130130", 3.0),
    ("MAC1", "20130131", 1.0),
    ("MAC2", "20130201", 5.0),
]
DAYS = [("MAC1", "20130130", 4.0, 2), ("MAC1", "20130131", 1.0, 1), ("MAC2", "20130201", 5.0, 1)]
WEEKS = [("MAC1", "20130128", 5.0, 3), ("MAC2", "20130128", 5.0, 1)]
MONTHS = [("MAC1", "20130101", 5.0, 3), ("MAC2", "20130201", 5.0, 1)]
# meter, day, expected, received, estimated, rejected, duplicates
COMPLETENESS = [
    ("MAC1", "20130130", 48, 2, 0, 0, 1),
    ("MAC1", "20130131", 48, 1, 0, 0, 1),
    ("MAC1", "20130201", 48, 0, 0, 0, 0),
    ("MAC2", "20130201", 48, 1, 0, 1, 1),
]
DATES = "20130130-20130201"
RAW_TO_CLEAN, CLEAN_TO_BUSINESS, AGGREGATE_CONSUMPTION = "raw_to_clean", "clean_to_business", "aggregate_consumption"
JOBS = (RAW_TO_CLEAN, CLEAN_TO_BUSINESS, AGGREGATE_CONSUMPTION)
# The first try of a task names its run so, and so does the second.
KILLED, AGAIN = "b2-1", "b2-2"
IN_PROCESS, SPREAD = "100000000", "0"

Objects = dict[str, bytes]


class Snapshot:
    """What a load has written and published, to which it can be taken back. A batch's objects are never changed."""

    def __init__(self, platform: LoadPlatform) -> None:
        self._platform = platform
        self.objects, self.partitions = objects(platform), partitions(platform)

    def restore(self) -> None:
        platform = self._platform
        for place in objects(platform).keys() - self.objects.keys():
            zone, _, key = place.partition("/")
            platform.s3.delete_object(Bucket=platform.buckets[zone], Key=key)
        for table, found in partitions(platform).items():
            if found != self.partitions[table]:
                values = [{"Values": partition["Values"]} for partition in found]
                of_table = {"DatabaseName": platform.database, "TableName": table}
                platform.glue.batch_delete_partition(**of_table, PartitionsToDelete=values)
                platform.glue.batch_create_partition(**of_table, PartitionInputList=self.partitions[table])


class Stage:
    """A load that has come to a job of its second delivery.

    once      the objects that one undisturbed run of the job adds
    written   the same by their names, bucket and key, in the order in which they were written
    """

    def __init__(self, platform: LoadPlatform, gate: Gate, job: str) -> None:
        self.platform, self.job, self._gate = platform, job, gate
        self._bring()
        self.before = Snapshot(platform)
        gate.open()
        self.run(AGAIN)
        self.once, self.written = self.added(), gate.written
        self.before.restore()

    def kill(self, after: int, spread_above_rows: str = IN_PROCESS) -> None:
        """Runs the job, and kills its processes when so many objects are written."""
        self._gate.hold(after)
        run_id = self.platform.start(self.job, **self._arguments(KILLED, spread_above_rows))
        self._gate.wait()
        members = processes.session(leader(run_id))
        assert any(process.name() == "java" for process in members) == (spread_above_rows == SPREAD)
        for process in members:
            process.kill()
        assert "SIGKILL" in (self.platform.finish(self.job, run_id) or "")
        self._gate.open()

    def run(self, run: str, spread_above_rows: str = IN_PROCESS) -> None:
        assert self.platform.run(self.job, **self._arguments(run, spread_above_rows)) is None

    def added(self) -> Objects:
        """The objects by zone and key; without those from the beginning, and those that only the killed run names."""
        return {
            place: content
            for place, content in objects(self.platform).items()
            if place not in self.before.objects and f"{KILLED}/" not in place
        }

    def left(self) -> set[str]:
        """What a killed run has written: bucket and key of each object."""
        found = objects(self.platform).keys() - self.before.objects.keys()
        return {f"{self.platform.buckets[zone]}/{key}" for zone, _, key in (place.partition("/") for place in found)}

    def publish(self) -> None:
        """As the steps after the job do."""
        if self.job == CLEAN_TO_BUSINESS:
            self.platform.publish("daily", self.platform.summary("b2", self.job)["partitions"], AGAIN)
        if self.job == AGGREGATE_CONSUMPTION:
            self.platform.publish_sums(AGAIN)

    def _bring(self) -> None:
        """Runs the jobs before this one."""
        if self.job == CLEAN_TO_BUSINESS:
            assert self.platform.raw_to_clean("b2") is None
        if self.job == AGGREGATE_CONSUMPTION:
            self.platform.ingest("b2")
            self.platform.record("b2")

    def _arguments(self, run: str, spread_above_rows: str) -> dict[str, str]:
        manifest = f"s3://{self.platform.buckets['clean']}/_manifests/b2.json"
        of_job = {
            RAW_TO_CLEAN: {"batch": "b2", "manifest": manifest, "transformer": "london"},
            CLEAN_TO_BUSINESS: {"batch": "b2", "run": run, "grain": "month"},
            AGGREGATE_CONSUMPTION: {"run": run, "dates": DATES, "intervals_per_hour": "2"},
        }
        return of_job[self.job] | {"spread_above_rows": spread_above_rows}


def objects(platform: LoadPlatform) -> Objects:
    """All objects of the zones that jobs write to."""
    keys = [(zone, key) for zone in ("clean", "business") for key in platform.keys(zone, "")]
    return {f"{zone}/{key}": platform.content(zone, key) for zone, key in keys}


def partitions(platform: LoadPlatform) -> dict[str, list[dict[str, Any]]]:
    """The published partitions of each table, as they can be given to the catalog."""
    names = ("Values", "StorageDescriptor", "Parameters")
    answers = {table: platform.glue.get_partitions(DatabaseName=platform.database, TableName=table) for table in TABLES}
    return {
        table: [{name: found[name] for name in names} for found in answer["Partitions"]]
        for table, answer in answers.items()
    }


def leader(run_id: str) -> int:
    """The process of a job run: it has the folder of the run among its arguments, as its JVM may."""
    living = psutil.process_iter(["cmdline"])
    found = [process.pid for process in living if run_id in " ".join(process.info["cmdline"] or [])]
    return next(pid for pid in found if processes.session(pid))


@pytest.fixture(scope="module")
def gate(settings: Settings) -> Iterator[Gate]:
    with gates.opened(settings.s3_port) as opened:
        yield opened


@pytest.fixture(scope="module")
def platform(
    gate: Gate, settings: Settings, seaweedfs: SeaweedFS, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LoadPlatform]:
    """The first delivery is loaded and summed, the second has come."""
    s3 = seaweedfs.client()
    with gates.glue_behind(gate, settings, s3, tmp_path_factory.mktemp("behind_the_gate")) as glue:
        made = LoadPlatform({"s3": s3, "glue": glue}.__getitem__)
        made.deliver("b1", "2014-01-01T09:00:00Z", a__csv=FIRST)
        made.aggregate("b1-1", made.ingest("b1")["dates"])
        made.record("b1")
        made.deliver("b2", "2014-01-02T09:00:00Z", b__csv=CORRECTION, c__csv=OTHER_CORRECTION)
        yield made


@pytest.fixture(scope="module", params=JOBS)
def stage_of_job(request: pytest.FixtureRequest, platform: LoadPlatform, gate: Gate) -> Iterator[Stage]:
    before = Snapshot(platform)
    yield Stage(platform, gate, request.param)
    before.restore()


@pytest.fixture
def stage(stage_of_job: Stage) -> Iterator[Stage]:
    yield stage_of_job
    stage_of_job.before.restore()


def run_again(stage: Stage, spread_above_rows: str = IN_PROCESS) -> None:
    """Runs the job again, and publishes. All is as after one undisturbed run."""
    stage.run(AGAIN, spread_above_rows)
    assert stage.added() == stage.once
    stage.publish()
    assert_right(stage.platform, stage.job)


def assert_right(platform: LoadPlatform, job: str) -> None:
    """By hand: what a job of the second delivery has made."""
    if job == RAW_TO_CLEAN:
        summary = platform.summary("b2", job)
        assert [summary[name] for name in ("rows", "good", "rejected_by_reason")] == [5, 4, {"negative_value": 1}]
    if job == CLEAN_TO_BUSINESS:
        assert platform.published("daily", "meter_id", "date_str", "reading_value") == READINGS
    if job == AGGREGATE_CONSUMPTION:
        sums = ("consumption", "interval_count")
        assert platform.published("aggregated_daily", "meter_id", "date_str", *sums) == DAYS
        assert platform.published("aggregated_weekly", "meter_id", "week_start", *sums) == WEEKS
        assert platform.published("aggregated_monthly", "meter_id", "month_start", *sums) == MONTHS
        counted = ("expected", "received", "estimated", "rejected", "duplicates")
        assert platform.published("completeness", "meter_id", "date_str", *counted) == COMPLETENESS


def test_a_job_that_is_killed_before_its_first_write_is_run_again(stage: Stage) -> None:
    stage.kill(after=0)
    assert stage.left() == set()

    run_again(stage)


def test_a_job_that_is_killed_when_some_of_its_items_are_written_is_run_again(stage: Stage) -> None:
    after = len(stage.written) // 2

    stage.kill(after)
    assert len(stage.left()) == after
    assert partitions(stage.platform) == stage.before.partitions

    run_again(stage)


def test_a_job_that_is_killed_when_all_but_its_summary_is_written_is_run_again(stage: Stage) -> None:
    *items, summary = (place.replace(AGAIN, KILLED) for place in stage.written)
    assert "/_summaries/" in summary

    stage.kill(after=len(items))
    assert stage.left() == set(items)

    run_again(stage)


def test_a_job_that_is_killed_while_it_works_with_spark_is_run_again_with_spark(stage: Stage) -> None:
    stage.kill(len(stage.written) // 2, SPREAD)
    assert stage.left()

    run_again(stage, SPREAD)
