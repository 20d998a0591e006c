"""The process that serves a transform job's model, kept for the next job of the same model and environment.

A start costs seconds; a forecast of many batches is many jobs that differ in their input only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from local_aws.sagemaker.backend import Backend
from local_aws.sagemaker.serve_process import ServeProcess

Key = tuple[Path, frozenset[tuple[str, str]]]


class WarmServer:
    """At most one process at a time; used by one job at a time."""

    def __init__(self, backend: Backend, start_seconds: float) -> None:
        self._backend = backend
        self._start_seconds = start_seconds
        self._process: ServeProcess | None = None
        self._key: Key | None = None
        self._lock = threading.Lock()

    def ready(
        self,
        folder: Path,
        environment: Mapping[str, str],
        log_group: str,
        log_stream: str,
        interrupted: Callable[[], bool],
    ) -> ServeProcess:
        """A process that serves the model in the folder and writes to the log stream. Raises NotServingError."""
        key = (folder, frozenset(environment.items()))
        with self._lock:
            if self._process is not None and self._key == key and self._process.alive:
                self._process.log_to(log_stream)
                return self._process
            self._end()
            logs = self._backend.logs
            process = ServeProcess(self._backend.container, folder, environment, logs, log_group, log_stream)
            process.start()
            self._process, self._key = process, key
            process.wait_ready(self._start_seconds, interrupted)
            return process

    def close(self) -> None:
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = self._key = None
