"""Times that the clocks of a zone show, as instants.

A clock's time is held in milliseconds since 1970 of a clock that shows UTC. When clocks go forward, the times that they
leave out do not exist. When they go back, each time that they repeat is two instants.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import numpy.typing as npt

Milliseconds = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_OFFSET = re.compile(r"([+-])(0[0-9]|1[0-8]):([0-5][0-9])")
_GREATEST_OFFSET = 18 * 60  # minutes
# Changes of clocks are looked for in these years. Meters do not read at other times.
_FIRST, _LAST = datetime(1969, 12, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
# Less than is ever between two changes.
_STEP = timedelta(hours=24)


@dataclass(frozen=True)
class Instants:
    """What n times of a clock mean, in milliseconds since 1970 UTC.

    `earlier` is the instant, the earlier one if there are two; if there is none, that of a clock that was not put
    forward. `exists` tells whether the zone's clocks showed the time, `is_ambiguous` whether they showed it twice.
    `later` is the later of two instants, and equals `earlier` otherwise.
    """

    earlier: Milliseconds
    exists: Mask
    is_ambiguous: Mask
    later: Milliseconds


def is_zone(name: str) -> bool:
    """Tells whether there is such a zone: Europe/London, UTC, +01:00."""
    return _minutes(name) is not None or name in _names()


def instants(clocks: Milliseconds, zone: str) -> Instants:
    """Returns the instants at which the clocks of the zone showed these times."""
    changes, offsets = _changes(zone)
    before, after = offsets[:-1], offsets[1:]
    # The clocks show the time at which they are changed, and then go on with another one. Up to the later of both times
    # the offset may be the old one; from the earlier one on it may be the new one.
    earlier = clocks - offsets[np.searchsorted(changes + np.maximum(before, after), clocks, side="right")]
    later = clocks - offsets[np.searchsorted(changes + np.minimum(before, after), clocks, side="right")]
    exists = _shown(earlier, changes, offsets) == clocks
    is_ambiguous = exists & (later > earlier) & (_shown(later, changes, offsets) == clocks)
    return Instants(earlier, exists, is_ambiguous, np.where(is_ambiguous, later, earlier))


def _shown(instants: Milliseconds, changes: Milliseconds, offsets: Milliseconds) -> Milliseconds:
    """Returns what the clocks show at instants."""
    return instants + offsets[np.searchsorted(changes, instants, side="right")]


def _minutes(name: str) -> int | None:
    """Returns the minutes of an offset from UTC such as +01:00; None if the name is no offset."""
    found = _OFFSET.fullmatch(name)
    if found is None:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    if minutes > _GREATEST_OFFSET:
        return None
    return -minutes if found[1] == "-" else minutes


@lru_cache(maxsize=1)
def _names() -> set[str]:
    # Names that stand for whatever this computer is set to are no zones of a file.
    return available_timezones() - {"localtime", "posixrules", "Factory"}


@lru_cache(maxsize=64)
def _changes(zone: str) -> tuple[Milliseconds, Milliseconds]:
    """Returns the instants at which the zone's clocks change, and its offsets: in front of them, and after each."""
    minutes = _minutes(zone)
    if minutes is not None:
        return np.empty(0, np.int64), np.array([minutes * 60_000])
    info = ZoneInfo(zone)

    def offset(at: datetime) -> timedelta:
        return at.astimezone(info).utcoffset() or timedelta()

    changes, offsets = [], [offset(_FIRST)]
    at = _FIRST
    while at < _LAST:
        if offset(at + _STEP) != offsets[-1]:
            start, end = at, at + _STEP  # the old offset holds at `start`, another one at `end`
            while end - start > timedelta(seconds=1):
                middle = start + (end - start) // 2
                middle = middle.replace(microsecond=0)
                start, end = (middle, end) if offset(middle) == offsets[-1] else (start, middle)
            changes.append(round(end.timestamp() * 1000))
            offsets.append(offset(end))
        else:
            at += _STEP
    return np.array(changes, np.int64), np.array([round(each.total_seconds() * 1000) for each in offsets])
