"""Kills: a step ends at a chosen point of its work, as if its process had gone, and what it has written stays.

The points of a step are: before and after each call to AWS, before each write of Spark, amid it and after it, before
each statement of Redshift and after the commit, and the end of the step, when all is done and only nobody knows it.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from pyspark.sql import DataFrameWriter

AT_ITS_END = "at its end"
LEFT_BEHIND = "_temporary/0/_temporary/attempt_202601010000000000000000_0000_m_000000_1"


class Killed(BaseException):
    """The process of a step is gone. It is no error, so that no code but the driver of the run catches it."""


class Killer:
    """Counts the points of the running step and calls `action` at the one that was chosen.

    kills      by step and point
    arrivals   how often files arrived at a point instead
    unreached  how many interruptions were meant for a point that the step did not have
    """

    def __init__(self, folder_of: Callable[[str], Path]) -> None:
        self.kills: Counter[tuple[str, str]] = Counter()
        self.arrivals = 0
        self.unreached = 0
        self._folder_of = folder_of
        self._lock = threading.RLock()
        self._step = ""
        self._countdown = -1
        self._action: Callable[[], None] | None = None
        self._random = Random()  # noqa: S311 (no secret)
        self._is_dead = False

    @contextlib.contextmanager
    def during(
        self, step: str, point: int | None = None, seed: int = 0, action: Callable[[], None] | None = None
    ) -> Iterator[None]:
        """While the step works: at its point of that number `action` happens; without one the step is killed."""
        self._step, self._action, self._is_dead = step, action, False
        self._random = Random(seed)  # noqa: S311 (no secret)
        self._countdown = -1 if point is None else point
        try:
            yield
            self.point(AT_ITS_END)
            self.unreached += self._countdown >= 0
        finally:
            self._step = ""

    def point(self, where: str, ruin: Callable[[Random], None] | None = None) -> None:
        """A point of the running step. `ruin` makes of what was written what a kill amid the write would leave."""
        with self._lock:
            if not self._step:
                return
            if self._is_dead:  # a dead process does nothing more, neither in other threads nor while it unwinds
                raise Killed
            self._countdown -= 1
            if self._countdown != -1:
                return
            if self._action:
                self.arrivals += 1
                self._action()
                return
            self._is_dead = True
        if ruin:
            ruin(self._random)
        self.kills[self._step, where] += 1
        raise Killed

    def watch(self, client: Any) -> None:
        """Make each call of a boto3 client two points."""
        client.meta.events.register("before-call", self._before_call)
        client.meta.events.register("after-call", self._after_call)

    def write(self, original: Callable[..., None], writer: DataFrameWriter, uri: str, **options: Any) -> None:
        """Stands in for DataFrameWriter.parquet: three points."""
        table = uri.split("/")[3]
        self.point(f"before Spark writes {table}")
        original(writer, uri, **options)
        self.point(f"while Spark writes {table}", lambda random: half_written(self._folder_of(uri), random))
        self.point(f"after Spark has written {table}")

    def _before_call(self, model: Any, **_: Any) -> None:
        self.point(f"before {model.name}")

    def _after_call(self, model: Any, **_: Any) -> None:
        self.point(f"after {model.name}")


def half_written(folder: Path, random: Random) -> None:
    """Some files of a write are there, some are not, and one lies half done where a task left it."""
    files = sorted(folder.rglob("*.parquet"))
    for path in files:
        if random.random() < 0.5:
            path.unlink()
            path.with_name(f".{path.name}.crc").unlink(missing_ok=True)
    leftover = folder / LEFT_BEHIND / "part-00000.zstd.parquet"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"PAR1")


def told(killer: Killer, after: Counter[str]) -> str:
    """The kills as a table of Markdown (step, point, kills), and in a line what followed them."""
    rows = [f"| {step} | {where} | {number} |" for (step, where), number in sorted(killer.kills.items())]
    followed = ", ".join(f"{what} {number}" for what, number in sorted(after.items()))
    others = f"Files arrived {killer.arrivals} times; {killer.unreached} points were not reached."
    return "\n".join(
        ["| step | point | kills |", "|---|---|---:|", *rows, "", f"{killer.kills.total()} kills: {followed}. {others}"]
    )
