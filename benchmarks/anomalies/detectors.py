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


def rows_of(consumption: NDArray[np.float64]) -> pd.DataFrame:
    """The complete days as the Glue job gives them to a chunk."""
    meter, day = np.nonzero(np.isfinite(consumption))
    return pd.DataFrame(
        {
            "meter_id": np.char.add("M", np.char.zfill(meter.astype(str), 6)).astype(object),
            "day": day.astype(np.int32),
            "consumption": consumption[meter, day],
            "is_judged": False,
        }
    )


def judge_rows(rows: pd.DataFrame, days: list[date]) -> pd.DataFrame:
    """What detect_anomalies does in Python for a chunk of meters, design included."""
    if str(GLUE) not in sys.path:
        sys.path.insert(0, str(GLUE))
    from transformers.anomalies import chunk, country_calendar
    from transformers.anomalies.design import design

    return chunk.judge_rows(rows, design(days, country_calendar.holidays(COUNTRY)), LEVEL)


def by_regression(consumption: NDArray[np.float64], days: list[date]) -> Judged:
    """detect_anomalies."""
    found = judge_rows(rows_of(consumption), days)
    meters = pd.factorize(found["meter_id"], sort=True)[0]
    places = (meters, found["day"])
    importance, distance = np.zeros(consumption.shape), np.zeros(consumption.shape)
    importance[places] = found["importance"]
    lower, upper, given = (np.cbrt(found[name].to_numpy()) for name in ("yhat_lower", "yhat_upper", "consumption"))
    inside = np.abs(2 * given - lower - upper) / (upper - lower)
    distance[places] = np.where(found["importance"] > 0, 1 + found["importance"], np.minimum(inside, 1))
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
