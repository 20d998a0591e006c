"""What all households of a fleet share: the calendar, the weather, the light. Everything on a half-hourly UTC grid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

SLOTS = 48  # half hours a day
LATITUDE_DEGREES = 51.5
COMFORT_CELSIUS = 15.5  # below it homes are heated (base of British degree days)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Conditions:
    """Arrays of shape (days, SLOTS); slot 0 begins at 00:00 UTC."""

    start: date
    local_hour: Floats  # middle of the slot on a London clock, 0 to 24
    weekend: NDArray[np.bool_]  # in London's local time
    celsius: Floats  # of the air
    cold: Floats  # degrees Celsius below COMFORT_CELSIUS, never negative
    dark: Floats  # 1 at night, 0 by day, in between at dusk

    @property
    def days(self) -> int:
        return len(self.cold)


def conditions(start: date, days: int, rng: np.random.Generator) -> Conditions:
    """The conditions from 00:00 UTC of `start` for `days` days; the weather is drawn from `rng`."""
    dates = [start + timedelta(days=day) for day in range(days)]
    utc_hour = np.arange(SLOTS) / 2 + 0.25
    summer_time = np.array([is_summer_time(day) for day in dates])
    local = utc_hour[None, :] + summer_time[:, None]
    weekday = np.array([day.weekday() for day in dates])[:, None] + (local >= 24)
    year_angle = 2 * np.pi * np.array([day.timetuple().tm_yday for day in dates]) / 365.25
    air = temperature(year_angle, utc_hour, rng)
    return Conditions(
        start=start,
        local_hour=local % 24,
        weekend=weekday % 7 >= 5,
        celsius=air,
        cold=np.maximum(0.0, COMFORT_CELSIUS - air),
        dark=darkness(year_angle, utc_hour),
    )


def is_summer_time(day: date) -> bool:
    """Whether British Summer Time holds on most of this day."""
    return last_sunday(day.year, 3) <= day < last_sunday(day.year, 10)


def last_sunday(year: int, month: int) -> date:
    end = date(year, month, 31)
    return end - timedelta(days=(end.weekday() + 1) % 7)


def temperature(year_angle: Floats, utc_hour: Floats, rng: np.random.Generator) -> Floats:
    """London's air in degrees Celsius: the season, spells of some days, and the course of the day."""
    anomaly = np.empty(len(year_angle))
    level = 0.0
    for day, shock in enumerate(rng.normal(0.0, 2.4 * np.sqrt(1 - 0.67**2), len(year_angle))):
        level = 0.67 * level + shock
        anomaly[day] = level
    season = 11.3 - 7.7 * np.cos(year_angle - 0.5)
    course = 2.8 * np.cos(2 * np.pi * (utc_hour - 15) / 24)
    return (season + anomaly)[:, None] + course[None, :]


def darkness(year_angle: Floats, utc_hour: Floats) -> Floats:
    """From the sun's elevation over London: 0 above 3 degrees, 1 below -6 degrees."""
    declination = np.radians(-23.44) * np.cos(year_angle + 2 * np.pi * 10 / 365.25)
    latitude = np.radians(LATITUDE_DEGREES)
    hour_angle = np.pi * (utc_hour - 12) / 12
    sine = np.sin(latitude) * np.sin(declination)[:, None] + np.cos(latitude) * np.cos(declination)[:, None] * np.cos(
        hour_angle
    )
    return np.clip((3 - np.degrees(np.arcsin(sine))) / 9, 0.0, 1.0)
