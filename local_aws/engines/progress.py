"""Waits for an engine that starts: as long as it makes progress, however busy the machine is, and not longer.

A part makes progress while one of its threads wants to work: it runs, waits for a processor that others use, or waits
for the disk. The clock alone says nothing on a busy machine. Nor does a log: a server that hangs may log a heartbeat
for ever. Measured with Airflow on two cores: a part that starts wants to work nearly all the time, an idle one 3 % of
the time, and 25 % on a machine with seven times as much to do as it can.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

# A part that wanted to work at less than this share of all looks has stalled.
LEAST_SHARE = 1 / 3
STALL_SECONDS = 60.0
# A server that works for ever and never answers is given up in the end.
LONGEST_SECONDS = 1800.0
REPORT_SECONDS = 15.0
LOOK_SECONDS = 0.5
# R runs or waits for a processor, D waits for the disk: see proc_pid_stat(5).
AT_WORK = ("R", "D")

# (seconds since the start, what is waited for)
WaitReport = Callable[[float, str], None]


class StalledError(Exception):
    """Waiting any longer is of no use. The message says for what and why."""


@dataclass(frozen=True)
class Part:
    """A part of an engine that is not ready: the processes that work on it, and the log that says why it is not."""

    name: str
    processes: Callable[[], Iterable[psutil.Process]]
    log: Path


class Wait:
    """One wait. Call `go_on` every so often with the parts that are not ready yet."""

    def __init__(
        self,
        report: WaitReport | None = None,
        stall_seconds: float = STALL_SECONDS,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._report = report
        self._stall_seconds = stall_seconds
        self._longest_seconds = longest_seconds
        self._began = self._reported = time.monotonic()
        self._names: list[str] = []
        self._looks: deque[tuple[float, bool]] = deque()

    def go_on(self, parts: Sequence[Part]) -> None:
        """Report what is waited for, when it is time to. Raises StalledError when no part makes progress any more."""
        now = time.monotonic()
        waited = now - self._began
        names = [part.name for part in parts]
        if names != self._names:
            # Another part is ready, which is progress. What was seen so far was about other parts.
            self._names = names
            self._looks.clear()
        if self._looks and now - self._looks[-1][0] < min(LOOK_SECONDS, self._stall_seconds / 10):
            return
        self._looks.append((now, any(wants_to_work(process) for part in parts for process in part.processes())))
        while len(self._looks) > 1 and self._looks[1][0] <= now - self._stall_seconds:
            self._looks.popleft()
        seen = now - self._looks[0][0]
        share = sum(at_work for _, at_work in self._looks) / len(self._looks)
        if seen >= self._stall_seconds and share < LEAST_SHARE:
            raise StalledError(f"{listed(names)} made no progress for {seen:.0f} s (waited {waited:.0f} s in all)")
        if waited > self._longest_seconds:
            raise StalledError(f"{listed(names)} still worked after {waited:.0f} s, but never answered")
        if self._report and now - self._reported >= REPORT_SECONDS:
            self._report(waited, f"waiting for {listed(names)}")
            self._reported = now


def wants_to_work(process: psutil.Process) -> bool:
    """Whether a thread of the process runs or waits for a processor or the disk, at this moment."""
    for thread in Path(f"/proc/{process.pid}/task").glob("*/stat"):
        # A process or a thread may end while it is looked at.
        with contextlib.suppress(OSError):
            if thread.read_text().rpartition(")")[2].split()[0] in AT_WORK:
                return True
    return False


def listed(names: Sequence[str]) -> str:
    """The names as in a sentence: "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
