"""The time of a sequence. It moves when something happens, so that no two events share a second by chance."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo


class Clock:
    """Stands in for `datetime` where the plugins ask for the time."""

    def __init__(self, begin: datetime) -> None:
        self._now = begin

    def now(self, zone: tzinfo | None = None) -> datetime:
        return self._now.astimezone(zone)

    def tick(self, seconds: int = 1) -> datetime:
        self._now += timedelta(seconds=seconds)
        return self._now
