"""The stack as a whole: its engines in the order in which they need each other."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from local_aws import machine
from local_aws.engines.airflow import Airflow
from local_aws.engines.control_plane import ControlPlaneDaemon
from local_aws.engines.daemon import Daemon, EngineError
from local_aws.engines.postgres import Postgres
from local_aws.engines.seaweedfs import SeaweedFS
from local_aws.settings import Settings

# (what was done, its seconds, a remark)
Report = Callable[[str, float, str], None]


class Stack:
    """The engines of one set of settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.postgres = Postgres(settings)
        self.seaweedfs = SeaweedFS(settings)
        self.control_plane = ControlPlaneDaemon(settings)
        self.airflow = Airflow(settings)
        self.engines: list[Daemon] = [self.postgres, self.seaweedfs, self.control_plane, self.airflow]

    def up(self, report: Report, *, without: frozenset[str] = frozenset()) -> None:
        """Start what is not running, and bring the resources of the templates up to date.

        Raises EngineError, MachineError or TemplateError. What had started by then keeps running.
        """
        wanted = [engine for engine in self.engines if engine.name not in without]
        with self._alone():
            down = [engine for engine in wanted if engine.process() is None]
            if down:
                machine.require(self.settings, airflow=self.airflow in down)
            for engine in down:
                engine.stop()  # what a killed predecessor left behind may hold the ports
                engine.require_free_ports()
            with ThreadPoolExecutor(max_workers=2) as pool:
                s3 = pool.submit(self._start, self.seaweedfs, report)
                metadata = pool.submit(self._start_database, self.airflow in down, report)
                _finish(metadata, s3)
            self._start(self.control_plane, report)
            self._deploy(report)
            if self.airflow in wanted:
                self._start(self.airflow, report)

    def down(self, report: Report) -> list[str]:
        """Stop all engines, the last started first; returns the names of those that ran. Raises EngineError."""
        ran = []
        with self._alone():
            for engine in reversed(self.engines):
                began = time.monotonic()
                if engine.stop():
                    ran.append(engine.name)
                    report(engine.name, time.monotonic() - began, "stopped")
        return ran

    def _start(self, engine: Daemon, report: Report) -> None:
        began = time.monotonic()
        known = engine.process() is not None
        engine.start(report=lambda seconds, remark: report(engine.name, seconds, remark))
        report(engine.name, time.monotonic() - began, f"{'runs already' if known else 'ready'}   {engine.url}")

    def _start_database(self, migrate: bool, report: Report) -> None:
        self._start(self.postgres, report)
        if migrate:
            began = time.monotonic()
            if self.airflow.migrate(lambda seconds, remark: report("airflow's tables", seconds, remark)):
                report("airflow's tables", time.monotonic() - began, "migrated")

    def _deploy(self, report: Report) -> None:
        from local_aws.infrastructure.deploy import deploy

        began = time.monotonic()
        deploy(self.settings)
        report("resources", time.monotonic() - began, "as in infra/main.yaml")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands on one home wait for each other."""
        path = self.settings.home / "run" / "lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EngineError("another `up` or `down` is at work on this stack: wait for it to end") from None
            yield


def _finish(*futures: Future[None]) -> None:
    """Wait for all, then raise the first error."""
    errors = [error for future in futures if (error := future.exception())]
    if errors:
        raise errors[0]
