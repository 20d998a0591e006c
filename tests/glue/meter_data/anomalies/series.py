"""Made-up meters: daily consumption with weekends and seasons, and noise of a known size."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from meter_data.anomalies.design import Design, Floats, design
from meter_data.anomalies.judgement import Judgements, judge

FIRST = date(2013, 1, 1)
LEVEL = 0.98


def dates(count: int) -> list[date]:
    return [FIRST + timedelta(days=number) for number in range(count)]


def shared(count: int) -> Design:
    return design(dates(count), set())


def ordinary(meters: int, count: int, seed: int = 1, noise: float = 0.1) -> Floats:
    """(meters, days): about 10 kWh a day. The noise is the deviation of the cube root, over that of 10 kWh."""
    values: Floats = 10 * (_root(count) + np.random.default_rng(seed).normal(0, noise, (meters, count))) ** 3
    return values


def usual(count: int) -> Floats:
    """(days,): the same without noise."""
    values: Floats = 10 * _root(count) ** 3
    return values


def judged(consumption: Floats) -> Judgements:
    return judge(consumption, shared(consumption.shape[1]), LEVEL)


def _root(count: int) -> Floats:
    weekend = np.array([day.weekday() >= 5 for day in dates(count)])
    root: Floats = 1 + 0.08 * np.cos(2 * np.pi * np.arange(count) / 365) + 0.05 * weekend
    return root
