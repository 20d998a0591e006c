"""The two detectors, each from the series to judged days."""

from __future__ import annotations

import logging
import sys
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.anomalies.households import REPOSITORY
from benchmarks.anomalies.scores import Judged

GLUE = REPOSITORY / "include" / "glue"
COUNTRY, LEVEL = "GB", 0.98


def judge_rows(consumption: NDArray[np.float64], days: list[date]) -> Any:
    """What detect_anomalies does for a chunk of meters once their days are read, design included."""
    if str(GLUE) not in sys.path:
        sys.path.insert(0, str(GLUE))
    from meter_data.anomalies import country_calendar, detection
    from meter_data.anomalies.design import design

    shared = design(days, country_calendar.holidays(COUNTRY))
    return detection.judge_rows(consumption, np.isfinite(consumption), shared, LEVEL)


def by_regression(consumption: NDArray[np.float64], days: list[date]) -> Judged:
    """detect_anomalies."""
    found = judge_rows(consumption, days)
    places = (found.meter, found.day)
    importance, distance = np.zeros(consumption.shape), np.zeros(consumption.shape)
    importance[places] = found.importance
    lower, upper, given = (np.cbrt(values) for values in (found.lower, found.upper, found.consumption))
    inside = np.abs(2 * given - lower - upper) / (upper - lower)
    distance[places] = np.where(found.importance > 0, 1 + found.importance, np.minimum(inside, 1))
    return Judged(importance > 0, importance, distance)


def by_prophet(consumption: NDArray[np.float64], days: list[date]) -> Judged:
    """Prophet, one model a meter; importance is the distance outside over half of the band, in kWh."""
    importance, distance = np.zeros(consumption.shape), np.zeros(consumption.shape)
    calendar = pd.to_datetime(pd.Series(days))
    for meter, values in enumerate(consumption):
        known = np.isfinite(values)
        band = _prophet(pd.DataFrame({"ds": calendar[known], "y": values[known]}), seed=meter)
        half = (band["yhat_upper"] - band["yhat_lower"]).to_numpy() / 2
        outside = np.maximum(values[known] - band["yhat_upper"], band["yhat_lower"] - values[known])
        importance[meter, known] = np.maximum(outside, 0) / half
        distance[meter, known] = np.abs(values[known] - band["yhat"]) / half
    return Judged(importance > 0, importance, distance)


def _prophet(series: pd.DataFrame, seed: int) -> Any:
    logging.getLogger("prophet.plot").disabled = True  # misses plotly
    from prophet import Prophet

    for chatty in ("cmdstanpy", "prophet"):
        logging.getLogger(chatty).disabled = True
    np.random.seed(seed)  # Prophet draws its band from the global generator
    model = Prophet(interval_width=LEVEL, weekly_seasonality=True, yearly_seasonality=True, daily_seasonality=False)
    model.add_country_holidays(COUNTRY)
    model.fit(series, seed=seed)
    return model.predict(series)
