"""Which hours of the raw files are known, in plain Python that shares nothing with the pipeline."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from tests.end_to_end.expected_consumption import Readings

READINGS_PER_HOUR = 2
Hours = dict[str, dict[datetime, float]]


def known_hours(readings: Readings, end: datetime) -> Hours:
    """kWh by meter and hour before `end`, of the hours of which both half hours were read (times UTC, naive)."""
    half_hours: dict[tuple[str, datetime], list[float]] = defaultdict(list)
    for (meter, moment), kwh in readings.items():
        hour = moment.replace(minute=0, second=0, microsecond=0)
        if hour < end:
            half_hours[meter, hour].append(kwh)
    hours: Hours = defaultdict(dict)
    for (meter, hour), values in half_hours.items():
        if len(values) >= READINGS_PER_HOUR:
            hours[meter][hour] = sum(values)
    return dict(hours)


def next_hour(hours: dict[datetime, float]) -> datetime:
    """The hour after the last known one."""
    return max(hours) + timedelta(hours=1)
