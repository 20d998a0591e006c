"""A sequence as it happens: files land, runs begin, are killed, tried again, cleared late or left alone."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from meter_data.meter_files.stored_files import ChangedMeterFileError
from metering.catalog import SupersededError

from local_aws.redshift.errors import StatementError
from tests.glue.sequences.deliveries import (
    ARRIVAL,
    CLEARED,
    LATER,
    NEVER,
    Clearing,
    Delivered,
    Interruption,
    MeterFile,
    NewFile,
    Round,
    Row,
    SameBytes,
    SameReadings,
)
from tests.glue.sequences.expected import Expected, Version, readings
from tests.glue.sequences.kills import Killed
from tests.glue.sequences.redshift import Redshift
from tests.glue.sequences.runs import AggregateRun, DagRun, Extra, IngestRun, LoadRun
from tests.glue.sequences.session_platform import CLEAN, LANDING, Platform


class World:
    """The landing zone's history and the runs of all DAGs. One run works at a time."""

    def __init__(self, platform: Platform, redshift: Redshift, grain: str, log: Callable[[str], Any]) -> None:
        self.platform, self.redshift, self.grain = platform, redshift, grain
        platform.empty()
        redshift.empty()
        self.files: list[tuple[str, MeterFile]] = []  # what was delivered, in order: key and content
        self.landing: dict[str, MeterFile] = {}  # what lies there now
        self.contents: dict[str, MeterFile] = {}  # by ETag
        self.delivered_at: set[tuple[str, str, datetime]] = set()  # key, ETag, time
        self.readings: list[Extra] = []  # events that no run has taken yet
        self.consumption: list[Extra] = []
        self.runs: list[DagRun] = []
        self.waiting: list[DagRun] = []  # failed runs, to be cleared
        self.published: list[set[Version]] = []  # batches, in the order of publishing
        self.tallied: set[Version] = set()
        self.log = log
        self.after: Counter[str] = Counter()  # what followed the kills

    def happen(self, event: Round) -> None:
        """One round."""
        self.deliver(event.delivered, at_once=event.at_once)
        if event.clearing and self.runs:
            self._clear(self.runs[event.clearing.run % len(self.runs)], event.clearing)
        self.drive(self._new_run(IngestRun(self.platform, self.grain, self.readings)), event.ingest, event.arriving)
        if event.aggregates and self.readings:
            self.drive(self._new_run(self._aggregate_run()), event.aggregate)
        if event.loads and self.consumption:
            self.drive(self._new_run(self._load_run()), event.load)

    def settle(self) -> None:
        """All that waits is cleared, and the DAGs run undisturbed until there is nothing to do."""
        for kind in (IngestRun, AggregateRun, LoadRun):
            for run in [run for run in self.waiting if isinstance(run, kind)]:
                self.drive(run)
        while True:
            run = IngestRun(self.platform, self.grain, self.readings)
            self.drive(run)
            if run.found_nothing:
                break
        if self.readings:
            self.drive(self._aggregate_run())
        if self.consumption:
            self.drive(self._load_run())

    def expected(self) -> Expected:
        return Expected(self.published, self.tallied)

    def deliver(self, things: Sequence[Delivered], *, at_once: bool = True) -> None:
        """Put files into the landing zone, all in the same second or one after the other."""
        self.platform.clock.tick(60)
        for thing in things:
            self.platform.clock.tick(0 if at_once else 1)
            found = self._file(thing)
            if found is None:
                continue
            key, file = found
            content = file.content()
            self.platform.deliver(key, content)
            self.files.append((key, file))
            self.landing[key] = file
            etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
            self.contents[etag] = file
            self.delivered_at.add((key, etag, self._now()))
            self.log(f"{self._now():%d %H:%M:%S} {key} {etag[:4]} {content!r}")

    def drive(
        self, run: DagRun, interruptions: Sequence[Interruption] = (), arriving: Sequence[Delivered] = ()
    ) -> None:
        """Do the steps of a run, as often as it takes, until it ends or waits."""
        if run in self.waiting:
            self.waiting.remove(run)
        pending = list(interruptions)
        while (step := run.step) is not None:
            given = next((given for given in pending if run.steps[given.step] == step), None)
            if given:
                pending.remove(given)
            try:
                self._try(run, given, arriving)
            except Killed:
                assert given is not None
                self.after[given.after] += 1
                self.log(f"  {type(run).__name__} {run.batch}: killed in {step}, then {given.after}")
                if given.after == CLEARED:
                    self._rewind(run, given.seed)
                elif given.after == NEVER and is_forgettable(run):
                    return
                elif given.after in (LATER, NEVER) and step != "record_ledger":
                    self.waiting.append(run)
                    return
            except SupersededError:
                run.clear("clean_to_business" if isinstance(run, IngestRun) else "aggregate_consumption")
            except ChangedMeterFileError:
                self.log(f"  {run.batch}: given up")
                return
            except StatementError as error:  # a batch that is planned to be loaded was cleaned anew meanwhile
                if "does not exist" not in str(error):
                    raise
                run.clear("plan_load")
            else:
                self._done(run, step)
                run.advance()
        self.log(f"  {type(run).__name__} {run.batch}: done")

    def _try(self, run: DagRun, given: Interruption | None, arriving: Sequence[Delivered]) -> None:
        step, work = run.steps[run.at], run.begin()
        chosen = (given.point, given.seed) if given else ()
        action = (lambda: self.deliver(arriving)) if given and given.what == ARRIVAL else None
        with self.platform.killer.during(step, *chosen, action=action):
            work()

    def _done(self, run: DagRun, step: str) -> None:
        if step == "publish_readings":
            self.published.append(self._versions(run.batch))
        if step == "record_ledger":
            self.tallied |= self._versions(run.batch)

    def _versions(self, batch: str) -> set[Version]:
        """The files of a batch. What its manifest says of them must have been so."""
        manifest = json.loads((self.platform.root / CLEAN / "_manifests" / f"{batch}.json").read_bytes())
        versions = set()
        for entry in manifest["files"]:
            moment = datetime.fromisoformat(entry["delivered_at"]).replace(tzinfo=None)
            assert (entry["key"], entry["etag"], moment) in self.delivered_at
            versions.add(Version(f"s3://{LANDING}/{entry['key']}", moment, self.contents[entry["etag"]]))
        return versions

    def _file(self, thing: Delivered) -> tuple[str, MeterFile] | None:
        """Key and content of what is delivered; None for a repetition when there is nothing to repeat."""
        new_key = f"readings/{len(self.files):02}.csv"
        if isinstance(thing, NewFile):
            if thing.replaces is None or not self.files or self._is_half_published():
                return new_key, thing.file
            return self.files[thing.replaces % len(self.files)][0], thing.file
        if not self.files:
            return None
        key, file = self.files[thing.earlier % len(self.files)]
        if isinstance(thing, SameBytes):
            return (key if thing.own_name and self.landing[key] == file else new_key), file
        return new_key, other_file(file, thing)

    def _is_half_published(self) -> bool:
        """Whether a run has begun to publish and has not recorded it. Until its files are loaded they must stay."""
        return any(isinstance(run, IngestRun) and run.step and run.tries["publish_readings"] for run in self.runs)

    def _new_run(self, run: DagRun) -> DagRun:
        self.runs.append(run)
        return run

    def _aggregate_run(self) -> AggregateRun:
        taken, self.readings[:] = list(self.readings), []
        return AggregateRun(self.platform, taken, self.consumption)

    def _load_run(self) -> LoadRun:
        taken, self.consumption[:] = list(self.consumption), []
        return LoadRun(self.platform, taken, self.redshift)

    def _clear(self, run: DagRun, clearing: Clearing) -> None:
        """Clear any run from a step that it has begun; those after a failed one are not its to begin."""
        if isinstance(run, IngestRun) and run.found_nothing:
            return
        begun = [name for name in run.steps[: run.at + 1] if run.tries[name]]
        run.clear(begun[clearing.step % len(begun)])
        self.log(f"  {type(run).__name__} {run.batch}: cleared from {run.step}")
        kill = clearing.kill
        self.drive(run, [replace(kill, step=kill.step % len(run.steps))] if kill else [])

    def _rewind(self, run: DagRun, seed: int) -> None:
        run.clear(run.steps[seed % (run.at + 1)])

    def _now(self) -> datetime:
        return self.platform.clock.now().replace(tzinfo=None)


def is_forgettable(run: DagRun) -> bool:
    """Whether nobody need look at a failed run: the next one takes its files. Not once the ledger was begun."""
    return isinstance(run, IngestRun) and not run.tries["record_ledger"]


def other_file(file: MeterFile, thing: SameReadings) -> MeterFile:
    """The readings in the opposite order, with the values that the delivery gives; no bad rows."""
    rows = list(reversed(readings(file)))
    if thing.eighths:
        rows = [
            Row(row.meter, row.moment, thing.eighths[number % len(thing.eighths)]) for number, row in enumerate(rows)
        ]
    return MeterFile(tuple(rows), not file.has_tariff)
