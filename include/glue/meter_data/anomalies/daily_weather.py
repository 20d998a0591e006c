"""Hourly weather as daily means, and without a gap where the regression needs it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from meter_data.anomalies.design import Weather
from meter_data.lake.calendar import HOURS_A_DAY, day_of

Means = dict[date, float]


@dataclass(frozen=True)
class DailyWeather:
    """Daily means in °C of the days (UTC) on which they are known."""

    temperature: Means
    apparent_temperature: Means

    @classmethod
    def of(cls, hourly: Mapping[str, Mapping[int, float]]) -> DailyWeather:
        """From the known hours of each column of the table weather."""
        return cls(daily_means(hourly["temperature"]), daily_means(hourly["apparenttemperature"]))

    def without_gaps(self, days: list[date]) -> Weather:
        """The weather of these days; where it is not known, what it usually is."""
        return Weather(
            np.array(without_gaps(self.temperature, days)), np.array(without_gaps(self.apparent_temperature, days))
        )

    def summary(self, days: list[date]) -> dict[str, Any]:
        """The last day that is known, and how many of `days` are not."""
        known = self.temperature.keys() & self.apparent_temperature.keys()
        return {"last_known": str(max(known, default=None)), "days_filled": len(set(days) - known)}


def daily_means(hourly: Mapping[int, float]) -> Means:
    """Means of the days of which at least half of the hours are known. An hour is whole hours since 1970."""
    of_day: dict[int, list[float]] = defaultdict(list)
    for hour, temperature in hourly.items():
        of_day[hour // HOURS_A_DAY].append(temperature)
    return {
        day_of(number): math.fsum(known) / len(known)
        for number, known in of_day.items()
        if 2 * len(known) >= HOURS_A_DAY
    }


def without_gaps(known: Means, days: list[date]) -> list[float]:
    """A value for each day: its own, else the mean of that day of the year, else of that month, else of all; or 0."""
    of_year: dict[tuple[int, int], list[float]] = defaultdict(list)
    of_month: dict[int, list[float]] = defaultdict(list)
    for day, mean in known.items():
        of_year[day.month, day.day].append(mean)
        of_month[day.month].append(mean)

    def usual(day: date) -> float:
        like = of_year.get((day.month, day.day)) or of_month.get(day.month) or list(known.values())
        return math.fsum(like) / len(like) if like else 0.0

    return [known[day] if day in known else usual(day) for day in days]
