"""Rolling backtest: a method learns once from what was before the first window, and forecasts each window from what
was before that window. It is handed nothing else."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.forecast import households, scores
from benchmarks.forecast.households import HOURS_A_DAY, Households

HORIZON = 7 * HOURS_A_DAY
WINDOWS = 3
DAYS = 214


class Method(Protocol):
    """A way of forecasting. Values in kWh."""

    def train(self, past: Households) -> dict[str, Any]:
        """Learn; what is worth keeping about it."""

    def forecast(self, past: Households) -> NDArray[np.float64]:
        """The HORIZON hours after the past: (quantiles, meters, HORIZON). A meter without any known hour: any."""


@dataclass(frozen=True)
class Backtest:
    """`households` ends with the last of the windows, which begin at the hours `windows`."""

    households: Households
    windows: tuple[int, ...]
    quantiles: tuple[float, ...]

    @property
    def training(self) -> Households:
        return self.households.part(0, self.windows[0])

    def run(self, method: Method) -> dict[str, Any]:
        """Scores over all windows, the loss of each window, CPU seconds, and what training tells."""
        begun = cpu_seconds()
        told = method.train(self.training)
        trained = cpu_seconds()
        truth, forecasts = [], []
        for begin in self.windows:
            past = self.households.part(0, begin)
            of_window = method.forecast(past)
            actual = self.households.kwh[:, begin : begin + HORIZON]
            is_scored = np.isfinite(actual) & np.isfinite(past.kwh).any(axis=1)[:, None]
            truth.append(actual[is_scored])
            forecasts.append(of_window[:, is_scored])
        seconds = {"train": trained - begun, "forecast": cpu_seconds() - trained}
        found = scores.score(np.concatenate(truth), np.concatenate(forecasts, axis=1), self.quantiles)
        by_window = [
            scores.score(*of_window, self.quantiles)["mean_wQuantileLoss"]
            for of_window in zip(truth, forecasts, strict=True)
        ]
        return {**found, "by_window": by_window, "cpu_seconds": seconds, **told}


def last_weeks(given: Households, quantiles: Sequence[float], weeks_earlier: int = 0) -> Backtest:
    """The DAYS days up to the newest complete one, or so many weeks earlier, with WINDOWS windows at their end.

    Raises ValueError when there are not as many days.
    """
    end = (households.newest_complete_day(given) + 1) * HOURS_A_DAY - weeks_earlier * HORIZON
    begin = end - DAYS * HOURS_A_DAY
    if begin < 0:
        raise ValueError(f"{DAYS} days are needed, these end after {end // HOURS_A_DAY}")
    length = end - begin
    starts = tuple(length - left * HORIZON for left in range(WINDOWS, 0, -1))
    return Backtest(given.part(begin, end), starts, tuple(quantiles))


def cpu_seconds() -> float:
    """Of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
