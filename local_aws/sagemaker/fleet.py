"""The processes that serve endpoints now, and how one follows another without a request lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from local_aws.sagemaker.serve_process import ServeProcess

# A request may take 60 s; the process that answers it is kept a little longer.
DRAIN_SECONDS = 70


class Fleet:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._processes: dict[str, ServeProcess] = {}

    @contextmanager
    def route(self, endpoint: str, wait_seconds: float) -> Iterator[ServeProcess | None]:
        """The process of an endpoint, kept from ending meanwhile; None when there is none within the time."""
        with self._changed:
            self._changed.wait_for(lambda: endpoint in self._processes, timeout=wait_seconds)
            process = self._processes.get(endpoint)
            if process is not None:
                process.take()
        try:
            yield process
        finally:
            if process is not None:
                process.give_back()

    def switch(self, endpoint: str, process: ServeProcess | None) -> ServeProcess | None:
        """Requests go to this process from now on (or to none); returns the former one, which the caller retires."""
        with self._changed:
            former = self._processes.pop(endpoint, None)
            if process is not None:
                self._processes[endpoint] = process
            self._changed.notify_all()
        return former

    def drop(self, endpoint: str, process: ServeProcess) -> bool:
        """Take a process that died out of the fleet; False when another one has its place."""
        with self._changed:
            if self._processes.get(endpoint) is not process:
                return False
            del self._processes[endpoint]
            return True

    def names(self) -> list[str]:
        with self._changed:
            return list(self._processes)


def retire(process: ServeProcess | None, seconds: float = DRAIN_SECONDS) -> None:
    """Let a process answer what it has, then end it."""
    if process is not None:
        process.drain(seconds)
        process.stop()
