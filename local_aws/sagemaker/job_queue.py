"""Jobs that run one after the other in the background, each of which can be interrupted."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable


class Interrupt:
    """Whether a job shall end: because somebody stopped it, or because the control plane ends."""

    def __init__(self, closing: threading.Event) -> None:
        self._stopped = threading.Event()
        self._closing = closing

    def stop(self) -> None:
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    def __bool__(self) -> bool:
        return self.stopped or self.closing


class JobQueue:
    """`run(name, interrupt)` for each name that was put, `at_once` of them at the same time.

    `failed(name, error)` gets what a defect of `run` raised. `idle()` is called when no job came for `idle_seconds`.
    """

    def __init__(
        self,
        title: str,
        run: Callable[[str, Interrupt], None],
        failed: Callable[[str, Exception], None],
        *,
        at_once: int = 1,
        idle: Callable[[], None] = lambda: None,
        idle_seconds: float = 60,
    ) -> None:
        self._run = run
        self._failed = failed
        self._idle = idle
        self._idle_seconds = idle_seconds
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._interrupts: dict[str, Interrupt] = {}
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"{title}-{number}", daemon=True) for number in range(at_once)
        ]
        self._log = logging.getLogger(f"local_aws.sagemaker.{title}")

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def put(self, name: str) -> None:
        self._interrupts[name] = Interrupt(self._closing)
        self._waiting.put(name)

    def stop(self, name: str) -> None:
        """Does nothing for a job that has ended."""
        interrupt = self._interrupts.get(name)
        if interrupt is not None:
            interrupt.stop()

    @property
    def busy(self) -> bool:
        """Whether a job put now would have to wait."""
        return len(self._interrupts) >= len(self._threads)

    def close(self) -> None:
        """Interrupt all jobs and wait for their ends."""
        self._closing.set()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=60)

    def _work(self) -> None:
        while True:
            try:
                name = self._waiting.get(timeout=self._idle_seconds)
            except queue.Empty:
                self._idle()
                continue
            if name is None:
                self._idle()
                return
            try:
                self._run(name, self._interrupts[name])
            except Exception as error:  # noqa: BLE001 (a defect here must end the job, not the thread of all jobs)
                self._log.exception("job %s", name)
                self._failed(name, error)
            finally:
                self._interrupts.pop(name, None)
