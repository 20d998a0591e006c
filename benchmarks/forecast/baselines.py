"""Forecasts that need no model, as the gate of a training has them (meter_data/series/baselines.py), in numpy."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.forecast.backtest import HORIZON
from benchmarks.forecast.households import Households

HOURS_A_WEEK = 168


class SeasonalNaive:
    """The newest known value of the same hour of the week, else the meter's mean; the same for every quantile."""

    def __init__(self, quantiles: Sequence[float]) -> None:
        self._quantiles = quantiles

    def train(self, past: Households) -> dict[str, Any]:
        return {}

    def forecast(self, past: Households) -> NDArray[np.float64]:
        newest = np.repeat(quantiles_of(past.kwh, None)[0][:, None], HORIZON, axis=1)
        for week in by_week(past.kwh):
            newest = np.where(np.isfinite(week), week, newest)
        return np.repeat(newest[None], len(self._quantiles), axis=0)


class Climatology:
    """The quantiles of all known values of the same hour of the week, else of all hours of the meter."""

    def __init__(self, quantiles: Sequence[float]) -> None:
        self._quantiles = quantiles

    def train(self, past: Households) -> dict[str, Any]:
        return {}

    def forecast(self, past: Households) -> NDArray[np.float64]:
        return climatology(past.kwh, self._quantiles)


def climatology(kwh: NDArray[np.float64], quantiles: Sequence[float]) -> NDArray[np.float64]:
    """Of the HORIZON hours that follow: (quantiles, meters, HORIZON)."""
    weeks = by_week(kwh)
    of_slot = quantiles_of(np.moveaxis(weeks, 0, -1), quantiles)
    of_meter = quantiles_of(kwh, quantiles)
    return np.where(np.isfinite(of_slot), of_slot, of_meter[..., None])


def by_week(kwh: NDArray[np.float64]) -> NDArray[np.float64]:
    """(meters, hours) as (weeks, meters, HOURS_A_WEEK), counted back from the end; the first week begins with NaN."""
    lacking = -kwh.shape[1] % HOURS_A_WEEK
    whole = np.pad(kwh, ((0, 0), (lacking, 0)), constant_values=np.nan)
    return np.moveaxis(whole.reshape(len(kwh), -1, HOURS_A_WEEK), 1, 0)


def quantiles_of(values: NDArray[np.float64], quantiles: Sequence[float] | None) -> NDArray[np.float64]:
    """Along the last axis, of the known values; None: their mean. NaN where none is known. The first axis is new."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice|Mean of empty slice", RuntimeWarning)
        if quantiles is None:
            return np.nanmean(values, axis=-1)[None]
        return np.nanquantile(values, quantiles, axis=-1)
