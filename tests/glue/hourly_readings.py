"""Readings of a meter from hourly values written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any


def readings(meter: str, first: str, values: Sequence[float | None], kind: str = "INT") -> list[tuple[Any, ...]]:
    """Two half hours of half the value for each hour from `first` (UTC); none for None."""
    begin = datetime.fromisoformat(first)
    return [
        (meter, kind, f"{begin + timedelta(hours=place, minutes=minutes)}", value / 2)
        for place, value in enumerate(values)
        if value is not None
        for minutes in (0, 30)
    ]


def hour(text: str) -> int:
    """The number of an hour: hours since 1970-01-01 00:00 UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 3600
