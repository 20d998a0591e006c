"""Kills: a step ends at a chosen point of its work, as if its process had gone, and what it has written stays.

The points of a step are: before and after each call to AWS, amid each that deletes objects, before each statement of
Redshift and after the commit, and the end of the step, when all is done and only nobody knows it. An object is written
by one call, so it is there whole or not at all; the items of a job write several, two items at a time.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

AT_ITS_END = "at its end"
# Where the events of one call of boto3 find what it was.
CALL = "call"


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
        """Make each call of a boto3 client two points, and three if it deletes objects."""
        client.meta.events.register("before-call", self._before_call)
        client.meta.events.register("after-call", self._after_call)
        client.meta.events.register("provide-client-params.s3.DeleteObjects", self._amid_deleting)

    def _before_call(self, model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context[CALL] = f"{model.name}{room(params) if model.name == 'PutObject' else ''}"
        self.point(f"before {context[CALL]}")

    def _after_call(self, context: dict[str, Any], **_: Any) -> None:
        self.point(f"after {context[CALL]}")

    def _amid_deleting(self, params: dict[str, Any], **_: Any) -> None:
        """S3 deletes the objects of a request one by one."""
        folder = self._folder_of(f"s3://{params['Bucket']}/")
        files = [folder / item["Key"] for item in params["Delete"]["Objects"]]
        self.point("amid DeleteObjects", lambda random: half_deleted(files, random))


def room(params: dict[str, Any]) -> str:
    """The first folder of an object's key, as the end of a sentence."""
    return f" into {params['url_path'].split('/')[1]}/"


def half_deleted(files: Iterable[Path], random: Random) -> None:
    """Some of the objects are gone."""
    for path in files:
        if random.random() < 0.5:
            path.unlink(missing_ok=True)


def told(killer: Killer, after: Counter[str]) -> str:
    """The kills as a table of Markdown (step, point, kills), and in a line what followed them."""
    rows = [f"| {step} | {where} | {number} |" for (step, where), number in sorted(killer.kills.items())]
    followed = ", ".join(f"{what} {number}" for what, number in sorted(after.items()))
    others = f"Files arrived {killer.arrivals} times; {killer.unreached} points were not reached."
    return "\n".join(
        ["| step | point | kills |", "|---|---|---:|", *rows, "", f"{killer.kills.total()} kills: {followed}. {others}"]
    )
