"""LightGBM, one model a quantile for all meters, on what is known when a forecast begins.

It learns from forecasts of the past that begin a week apart, as those of the windows do. Values are in units of the
meter's mean up to then, and weighted with it, so that a model fits small and large households and its loss is in kWh.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.forecast.backtest import HORIZON
from benchmarks.forecast.baselines import HOURS_A_WEEK, by_week, climatology, quantiles_of
from benchmarks.forecast.households import HOURS_A_DAY, Households

Floats = NDArray[np.float64]

# Forecasts of the past begin when so many weeks are known.
LEAST_WEEKS = 4
LAGS_WEEKS = 4
# Quantiles of the climatology that are features, whatever is forecast.
FEATURE_QUANTILES = (0.1, 0.5, 0.9)
ROUNDS = 300
OPTIONS = {
    "objective": "quantile",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "num_threads": 1,
    "deterministic": True,
    "seed": 1,
    "verbosity": -1,
}


class Boosting:
    """As a method of the backtest."""

    def __init__(self, quantiles: Sequence[float]) -> None:
        self._quantiles = quantiles
        self._models: list[Any] = []

    def train(self, past: Households) -> dict[str, Any]:
        import lightgbm

        begins = range(past.kwh.shape[1] - HORIZON, LEAST_WEEKS * HOURS_A_WEEK - 1, -HORIZON)
        parts = [self._examples(past, begin) for begin in begins]
        rows, values, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        data = lightgbm.Dataset(rows, values, weight=weights, free_raw_data=False)
        for quantile in self._quantiles:
            self._models.append(lightgbm.train(OPTIONS | {"alpha": quantile}, data, ROUNDS))
        return {"options": OPTIONS | {"rounds": ROUNDS}, "examples": len(rows)}

    def forecast(self, past: Households) -> Floats:
        rows, scale = features(past)
        shape = rows.shape[:2]
        found = [model.predict(rows.reshape(-1, rows.shape[2])).reshape(shape) for model in self._models]
        # Models that know nothing of each other may cross.
        return np.sort(found, axis=0) * scale[:, None]

    @staticmethod
    def _examples(past: Households, begin: int) -> tuple[Floats, Floats, Floats]:
        rows, scale = features(past.part(0, begin))
        actual = past.kwh[:, begin : begin + HORIZON]
        is_taken = np.isfinite(actual) & (scale > 0)[:, None]
        weights = np.broadcast_to(scale[:, None], actual.shape)[is_taken]
        return rows[is_taken], actual[is_taken] / weights, weights


def features(past: Households) -> tuple[Floats, Floats]:
    """Of the HORIZON hours that follow: (meters, HORIZON, features), and the meters' means, their unit."""
    meters, end = past.kwh.shape
    scale = quantiles_of(past.kwh, None)[0]
    unit = np.where(scale > 0, scale, 1)[:, None]
    scaled = past.kwh / unit
    weeks = by_week(scaled)
    lags = np.full((LAGS_WEEKS, meters, HORIZON), np.nan)
    lags[-len(weeks) :] = weeks[-LAGS_WEEKS:]
    last_week = scaled[:, -HOURS_A_WEEK:]
    of_hour_of_day = quantiles_of(np.moveaxis(last_week.reshape(meters, -1, HOURS_A_DAY), 1, -1), None)[0]
    constants = (
        quantiles_of(scaled[:, -HOURS_A_DAY:], None)[0],
        quantiles_of(last_week, None)[0],
        quantiles_of(scaled[:, -LAGS_WEEKS * HOURS_A_WEEK :], None)[0],
        scale,
    )
    steps = np.arange(HORIZON)
    hour_of_week = past.hour_of_week(end, end + HORIZON)
    columns = [
        *lags,
        quantiles_of(np.moveaxis(lags, 0, -1), None)[0],
        *climatology(scaled, FEATURE_QUANTILES),
        np.tile(of_hour_of_day, HORIZON // HOURS_A_DAY),
        *(np.broadcast_to(values[:, None], (meters, HORIZON)) for values in constants),
        *(np.broadcast_to(each, (meters, HORIZON)) for each in (steps, hour_of_week, hour_of_week % HOURS_A_DAY)),
    ]
    return np.stack(columns, axis=-1), np.where(np.isfinite(scale), scale, 0)
