"""CPU time and memory of a process and of everything it starts, those that have ended included.

CPU seconds are what the kernel counts for children that were waited for (RUSAGE_CHILDREN: user and system, with the
children's own children). Spark's JVM outlives the Python process that started it; PR_SET_CHILD_SUBREAPER hands it to
this process, which waits for it as well, so that nothing is missed and nothing is estimated. Memory is sampled: the
sum over all living processes, every INTERVAL seconds, by resident pages (RSS, pages that are shared counted in each)
and by PSS (shared pages divided among those who share them).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

INTERVAL = 0.2
PR_SET_CHILD_SUBREAPER = 36
MEGABYTE = 1024**2


class ForeignChildrenError(RuntimeError):
    """Processes that were there before would be counted."""


@dataclass
class Usage:
    """Filled when the measurement is over. CPU and wall in seconds, memory in bytes."""

    cpu: float = 0.0
    wall: float = 0.0
    peak_rss: int = 0
    peak_pss: int = 0


@contextlib.contextmanager
def measured() -> Iterator[Usage]:
    """Usage of the processes that start within the block; they are waited for at its end."""
    adopt_orphans()
    if children := psutil.Process().children():
        raise ForeignChildrenError(f"{children} run already: their CPU time would be counted")
    usage, ended = Usage(), threading.Event()
    sampler = threading.Thread(target=_sample, args=(usage, ended), name="sampler", daemon=True)
    cpu, begun = _cpu_of_ended_children(), time.monotonic()
    sampler.start()
    try:
        yield usage
        usage.wall = time.monotonic() - begun
    finally:
        wait_for_orphans()
        ended.set()
        sampler.join()
    usage.cpu = _cpu_of_ended_children() - cpu


def adopt_orphans() -> None:
    """Processes below this one whose parent ends become children of this one."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER is refused")


def _cpu_of_ended_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def wait_for_orphans() -> None:
    """Waits for all children of this process, those that it has adopted included."""
    # When one ends, those that it has started become children in turn.
    while children := psutil.Process().children():
        for child in children:
            # One that its own Popen has waited for meanwhile is no child any more.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child.pid, 0)


def _sample(usage: Usage, ended: threading.Event) -> None:
    while not ended.wait(INTERVAL):
        rss, pss = memory_of(psutil.Process().children(recursive=True))
        usage.peak_rss, usage.peak_pss = max(usage.peak_rss, rss), max(usage.peak_pss, pss)


def memory_of(members: list[psutil.Process]) -> tuple[int, int]:
    """RSS and PSS of the processes together, in bytes; one that has ended counts nothing."""
    rss = pss = 0
    for member in members:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{member.pid}/smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(":")
                if name == "Rss":
                    rss += int(rest.split()[0]) * 1024
                elif name == "Pss":
                    pss += int(rest.split()[0]) * 1024
    return rss, pss
