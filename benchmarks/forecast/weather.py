"""Weather as features of DeepAR, standardised and filled by the code of the Glue jobs.

The hours after the past are forecast either with the weather as it turned out, which no forecast can know, or as the
deployed forecasts have it when the weather is known up to their first hour: with the mean of the hour of the year.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.anomalies.households import SHARED_DATA
from benchmarks.forecast.backtest import HORIZON
from benchmarks.forecast.households import Households
from benchmarks.forecast.product import weather

FILE = SHARED_DATA / "weather" / "weather_hourly_darksky.csv"
SECONDS_AN_HOUR = 3600


class Weather:
    """`is_foreseen`: forecasts get the weather as it turned out."""

    def __init__(self, known: dict[str, dict[int, float]], is_foreseen: bool = True) -> None:
        """`known`: feature → hour, in hours since 1970 → value."""
        self._known = known
        self.is_foreseen = is_foreseen
        self._features: tuple[weather.Feature, ...] = ()

    def of_training(self, past: Households) -> NDArray[np.float32]:
        hours = hours_of(past)
        self._features = weather.statistics(self._known, hours)
        return self._rows(self._known, hours)

    def of_forecast(self, past: Households) -> NDArray[np.float32]:
        hours = hours_of(past)
        known = self._known
        if not self.is_foreseen:
            known = {
                name: {hour: value for hour, value in values.items() if hour < hours.stop}
                for name, values in known.items()
            }
        return self._rows(known, range(hours.start, hours.stop + HORIZON))

    def _rows(self, known: dict[str, dict[int, float]], hours: range) -> NDArray[np.float32]:
        return np.array(weather.filled(known, self._features, hours).rows, dtype=np.float32)


def read(path: Path) -> dict[str, dict[int, float]]:
    """Feature → hour since 1970 → value. A time given twice counts with the mean."""
    rows = pd.read_csv(path).rename(columns=str.lower)
    hours = pd.to_datetime(rows["time"]).astype("datetime64[s]").astype("int64") // SECONDS_AN_HOUR
    means = rows[list(weather.FEATURES)].apply(pd.to_numeric, errors="coerce").groupby(hours).mean()
    return {name: means[name].dropna().to_dict() for name in weather.FEATURES}


def hours_of(past: Households) -> range:
    """The hours of households by number since 1970."""
    first = int((past.first - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) // SECONDS_AN_HOUR
    return range(first, first + past.kwh.shape[1])
