"""The jobs of the load are killed at every point of what they write, and run again: the objects are those of one run.

The points: before and after an object is written, before, amid and after objects are deleted, and the end of the job.
An object appears whole or not at all. tests/glue/job_runs/test_killed_load.py kills processes.
"""

from __future__ import annotations

import importlib
import re
import shutil
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from unittest.mock import patch

import boto3
import clean_to_business
import pyarrow as pa
import pytest
import raw_to_clean
from meter_data.lake import store as lake_store
from meter_data.lake.summaries import summary_uri

from tests.glue.deliveries import OFFICIAL, manifest_file, text_of
from tests.glue.folder_lake import ARGUMENTS, FolderLake
from tests.glue.folder_store import FolderStore

DESCRIPTION = {
    "meter_id_column": "meter",
    "date_time_column": "time",
    "value_column": "kwh",
    "timestamp_pattern": "yyyy-MM-dd HH:mm",
    "time_zone": "Europe/London",
}
ROW = "{meter},Std,{time}:00.0000000, {value} "
FIRST_FILES = {
    "a.csv": text_of(
        OFFICIAL,
        ROW.format(meter="M1", time="2013-10-01 00:30", value=1),
        ROW.format(meter="M2", time="2013-11-01 00:30", value=2),
    )
}
# Corrections, a row that comes twice, an error reading, a row that is rejected, and one that cannot be read at all.
SECOND_FILES = {
    "b.csv": text_of(
        OFFICIAL,
        *(ROW.format(meter="M1", time=f"2013-10-01 {hour:02d}:30", value=hour) for hour in range(6)),
        ROW.format(meter="M3", time="2013-12-31 23:30", value=3),
        ROW.format(meter="M3", time="2013-12-31 23:30", value=3),
        ROW.format(meter="M3", time="2013-11-01 00:30", value=4),
        ROW.format(meter="M2", time="2013-11-01 00:30", value="Null"),
        ROW.format(meter="M2", time="2013-11-02 00:30", value=-1),
        "no reading",
    ),
    # Its last two times are those of the hour that clocks in London show twice.
    "own/c.csv": text_of("meter,time,kwh", "M2,2013-10-27 00:30,1", "M2,2013-10-27 01:30,2", "M2,2013-10-27 01:30,3"),
    "d.csv": b"PK\x03\x04",
}
FIRST_AT, SECOND_AT = "2014-01-01T09:00:00Z", "2014-01-02T09:00:00Z"
# So little that b.csv is read in parts, and a month is written in ranges of meters.
PART_BYTES, MOST_ROWS = 300, 4
RAW_TO_CLEAN, CLEAN_TO_BUSINESS, AGGREGATE_CONSUMPTION = "raw_to_clean", "clean_to_business", "aggregate_consumption"
JOBS = [RAW_TO_CLEAN, CLEAN_TO_BUSINESS, AGGREGATE_CONSUMPTION]

Objects = dict[str, bytes]


class Killed(BaseException):
    """The process is gone. It is no error, so that no code of the jobs catches it."""


class Life:
    """Ends at the point of this number, counted from 0; never without one. `passed` counts the points."""

    def __init__(self, ends_at: int | None = None) -> None:
        self.passed = 0
        self._ends_at = ends_at
        self._lock = threading.Lock()

    def point(self) -> None:
        """Raises Killed at the end of the life, and ever after: a dead process does nothing more in any thread."""
        with self._lock:
            if self.passed == self._ends_at:
                raise Killed
            self.passed += 1


class MortalStore(FolderStore):
    """A store of a process that may be killed."""

    def __init__(self, root: Path, life: Life) -> None:
        super().__init__(root)
        self._life = life

    def write(self, uri: str, content: bytes | pa.Buffer, content_type: str = "binary/octet-stream") -> None:
        self._life.point()
        super().write(uri, content, content_type)
        self._life.point()

    def delete(self, uris: Iterable[str]) -> int:
        """S3 deletes the objects of a request one by one."""
        found = list(uris)
        for part in (found[::2], found[1::2]):
            self._life.point()
            super().delete(part)
        self._life.point()
        return len(found)


class Load:
    """A lake into which the first delivery is loaded and the second one has come, and what its jobs are run with."""

    def __init__(self, root: Path) -> None:
        self.lake = FolderLake(root)
        self._deliver("b1", FIRST_FILES, FIRST_AT)
        self._load("b1")
        self._deliver("b2", SECOND_FILES, SECOND_AT)

    def load_until(self, job: str) -> None:
        """Runs the jobs of the second delivery before this one."""
        if job != RAW_TO_CLEAN:
            self.run(RAW_TO_CLEAN, "b2")
        if job == AGGREGATE_CONSUMPTION:
            self.run(CLEAN_TO_BUSINESS, "b2")
            self._publish_readings("b2")

    def run(self, job: str, batch: str, attempt: int = 1, ends_at: int | None = None) -> int:
        """Runs the script's main(), to its end or to a point. Returns how many points it has passed."""
        life = Life(ends_at)
        run = f"{batch}-{attempt}"
        given = ARGUMENTS | {"batch": batch, "run": run, "grain": "month", "intervals_per_hour": "2"}
        given |= {"manifest": f"s3://clean/_manifests/{batch}.json", "transformer": "london"}
        given |= {"dates": "20131001-20131231"}
        words = [word for name, value in given.items() for word in (f"--{name}", value)]
        with (
            patch.object(sys, "argv", [job, *words]),
            patch.object(lake_store, "connect", lambda: MortalStore(self.lake.root, life)),
            patch.object(boto3, "client", lambda service: self.lake),
        ):
            if ends_at is None:
                importlib.import_module(job).main()
                return life.passed + 1  # the end of the job is a point
            try:
                importlib.import_module(job).main()
            except Killed:
                pass
            else:
                assert life.passed == ends_at, "the job has not come to this point"
        return life.passed

    def objects(self) -> Objects:
        root = self.lake.root
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    def _deliver(self, batch: str, files: dict[str, bytes], delivered_at: str) -> None:
        store = self.lake.store
        description = "s3://landing/readings/own/_transformer.json"
        store.write_json(description, DESCRIPTION)
        for name, content in files.items():
            store.write(f"s3://landing/readings/{name}", content)
        listed = [
            manifest_file(name, content, delivered_at, description if "/" in name else None)
            for name, content in files.items()
        ]
        store.write_json(f"s3://clean/_manifests/{batch}.json", {"batch": batch, "files": listed})

    def _load(self, batch: str) -> None:
        self.run(RAW_TO_CLEAN, batch)
        self.run(CLEAN_TO_BUSINESS, batch)
        self._publish_readings(batch)
        self.run(AGGREGATE_CONSUMPTION, batch)
        for table, said in self.lake.summary(f"{batch}-1", AGGREGATE_CONSUMPTION)["tables"].items():
            self._publish(table, said["partitions"])

    def _publish_readings(self, batch: str) -> None:
        self._publish("daily", self.lake.summary(batch, CLEAN_TO_BUSINESS)["partitions"])
        self.lake.store.write_json(f"s3://clean/_batches/{batch}.json", {})

    def _publish(self, table: str, partitions: list[dict]) -> None:
        for part in partitions:
            self.lake.publish_location(table, part["values"], part["location"])


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.setattr(raw_to_clean.cleaning, "PART_BYTES", PART_BYTES)
    monkeypatch.setattr(clean_to_business.business_partitions, "MOST_ROWS", MOST_ROWS)
    return Load(tmp_path / "lake")


class Tries:
    """Tries of a job, each from the same beginning. `once` is what an undisturbed one leaves, by its number."""

    def __init__(self, load: Load, job: str, folder: Path) -> None:
        load.load_until(job)
        self._load, self._job, self._before = load, job, folder
        shutil.copytree(load.lake.root, folder)
        self.points = load.run(job, "b2")
        self.once = {1: load.objects()}
        self.begin()
        load.run(job, "b2", attempt=2)
        self.once[2] = load.objects()

    def begin(self) -> None:
        shutil.rmtree(self._load.lake.root)
        shutil.copytree(self._before, self._load.lake.root)

    def kill(self, point: int, attempt: int = 1) -> None:
        self._load.run(self._job, "b2", attempt, ends_at=point)

    def finish(self, attempt: int) -> Objects:
        """Runs the job to its end. Returns all objects but those that only earlier numbers have written."""
        self._load.run(self._job, "b2", attempt)
        others = {f"b2-{number}" for number in range(1, attempt)}
        return {
            name: content
            for name, content in self._load.objects().items()
            if name in self.once[attempt] or not others & set(re.split("[/=]", name))
        }

    def is_told(self) -> bool:
        """Whether there is a summary."""
        name = "b2-1" if self._job == AGGREGATE_CONSUMPTION else "b2"
        return self._load.lake.store.place(summary_uri("clean", name, self._job)).exists()


@pytest.fixture(params=JOBS)
def tries(request: pytest.FixtureRequest, load: Load, tmp_path: Path) -> Tries:
    return Tries(load, request.param, tmp_path / "before")


def test_a_job_that_is_killed_anywhere_and_run_again_leaves_what_one_run_leaves(tries: Tries) -> None:
    for point in range(tries.points):
        tries.begin()
        tries.kill(point)
        # It is written last.
        assert tries.is_told() == (point >= tries.points - 2), point
        assert tries.finish(attempt=1) == tries.once[1], point


def test_a_job_that_is_killed_twice_and_run_under_another_name_leaves_what_one_run_leaves(tries: Tries) -> None:
    for point in range(0, tries.points, 3):
        tries.begin()
        tries.kill(point)
        tries.kill(point * 7 % tries.points, attempt=2)
        assert tries.finish(attempt=2) == tries.once[2], point


def test_nothing_is_left_of_a_killed_try_that_had_smaller_items(tries: Tries, monkeypatch: pytest.MonkeyPatch) -> None:
    for point in range(0, tries.points, 5):
        tries.begin()
        with monkeypatch.context() as patched:
            patched.setattr(raw_to_clean.cleaning, "PART_BYTES", PART_BYTES // 2)
            patched.setattr(clean_to_business.business_partitions, "MOST_ROWS", 1)
            tries.kill(point)
        assert tries.finish(attempt=1) == tries.once[1], point
