"""What a day's consumption may depend on: the columns of a regression that all meters share.

The calendar alone, so a meter's fit never depends on which meters stand beside it. After Taylor and Letham, Forecasting
at Scale (2018): a trend with hinges, Fourier terms of the year, and the week; here with ridge penalties for priors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DAYS_A_YEAR = 365.25
DAYS_A_HINGE = 60
HIGHEST_ORDER = 6
SATURDAY = 5
# Degrees Celsius below which houses are heated: the base of the UK's degree days.
HEATING_BASE = 15.5

# Yearly terms by days of history: with fewer days they would follow the noise.
ORDERS = ((90, 0), (300, 3))

# Ridge penalties: the number of ordinary days at zero that a coefficient must outweigh.
SLOPE, HINGE, YEARLY, WEEKEND, WEEKDAY, HOLIDAY, WEATHER = 0.001, 1.0, 0.05, 0.1, 1.0, 1.0, 0.1
# Keeps a column out of a meter's fit.
EXCLUDED = 1e9


@dataclass(frozen=True)
class Weather:
    """Daily means in °C, one value a day of the design, none missing."""

    temperature: Floats
    apparent_temperature: Floats


@dataclass
class Design:
    """columns: (days, columns). penalties: (columns,). orders: yearly order of each column, 0 if it is none."""

    days: list[date]
    columns: Floats
    penalties: Floats
    orders: NDArray[np.int64] = field(repr=False)

    def penalties_of(self, history: NDArray[np.int64]) -> Floats:
        """(meters, columns): penalties of meters with so many days of history."""
        excluded = self.orders[None, :] > yearly_order(history)[:, None]
        return np.where(excluded, EXCLUDED, self.penalties[None, :])


def yearly_order(history: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order of the yearly Fourier terms for so many days of history."""
    order = np.full(history.shape, HIGHEST_ORDER)
    for days, lower in reversed(ORDERS):
        order[history < days] = lower
    return order


def design(days: list[date], holidays: set[date], weather: Weather | None = None) -> Design:
    """The design of consecutive days, at least one."""
    terms: list[tuple[Floats, float, int]] = [
        *_trend(len(days)),
        *_year(days),
        *_week(days, holidays),
        *(_weather(weather) if weather else []),
    ]
    columns, penalties, orders = zip(*terms, strict=True)
    return Design(days, np.stack(columns, axis=1), np.array(penalties), np.array(orders))


def _trend(count: int) -> list[tuple[Floats, float, int]]:
    """Level, slope a year, and a hinge about every DAYS_A_HINGE days where the slope may change."""
    number = np.arange(count, dtype=float)
    hinges = np.linspace(0, count, max(count // DAYS_A_HINGE, 1) + 1)[1:-1]
    return [
        (np.ones(count), 0.0, 0),
        ((number - count / 2) / DAYS_A_YEAR, SLOPE, 0),
        *((np.maximum(number - hinge, 0) / DAYS_A_YEAR, HINGE, 0) for hinge in hinges),
    ]


def _year(days: list[date]) -> list[tuple[Floats, float, int]]:
    angle = 2 * np.pi * np.array([day.timetuple().tm_yday - 1 for day in days]) / DAYS_A_YEAR
    return [
        (wave(order * angle), YEARLY * order, order)
        for order in range(1, HIGHEST_ORDER + 1)
        for wave in (np.sin, np.cos)
    ]


def _week(days: list[date], holidays: set[date]) -> list[tuple[Floats, float, int]]:
    """Weekend against working days, each weekday's own share, and one effect of all holidays alike.

    A holiday of its own would be explained by itself: a year has one of each.
    """
    weekday = np.array([day.weekday() for day in days])
    holiday = np.array([day in holidays for day in days], dtype=float)
    return [
        ((weekday >= SATURDAY) - 2 / 7, WEEKEND, 0),
        *(((weekday == number) - 1 / 7, WEEKDAY, 0) for number in range(7)),
        (holiday, HOLIDAY, 0),
    ]


def _weather(weather: Weather) -> list[tuple[Floats, float, int]]:
    """Temperature, how it feels, and heating degrees."""
    heating = np.maximum(HEATING_BASE - weather.temperature, 0)
    return [
        (_standardised(values), WEATHER, 0) for values in (weather.temperature, weather.apparent_temperature, heating)
    ]


def _standardised(values: Floats) -> Floats:
    standard: Floats = (values - values.mean()) / (values.std() or 1.0)
    return standard
