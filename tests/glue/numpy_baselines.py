"""Seasonal naive and climatology once more, hour by hour in plain numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
import pytest

WEEK = 168


def scores(values: Any, first_hour: int, windows: Sequence[Any], quantiles: Sequence[float]) -> dict[str, Any]:
    """What baselines.score gives, to compare with ==.

    `values`: an array of meters by hours from first_hour on; NaN is missing.
    """
    actual, naive, climatology, means = [], [], [], []
    for of_meter in values:
        for window in windows:
            start, end = window.start - first_hour, window.end - first_hour
            everything = of_meter[:start][~numpy.isnan(of_meter[:start])]
            for at in range(start, end):
                if numpy.isnan(of_meter[at]) or not len(everything):
                    continue
                same = of_meter[at % WEEK : start : WEEK]
                same = same[~numpy.isnan(same)]
                actual.append(of_meter[at])
                naive.append([same[-1] if len(same) else everything.mean()] * len(quantiles))
                climatology.append(numpy.quantile(same if len(same) else everything, quantiles))
                means.append(same.mean() if len(same) else everything.mean())
    y = numpy.array(actual)

    def losses(forecast: Any, points: Any) -> dict[str, Any]:
        error = y[:, None] - numpy.array(forecast)
        weights = numpy.where(error >= 0, quantiles, numpy.array(quantiles) - 1)
        by_quantile = 2 * (weights * error).sum(axis=0) / y.sum()
        return {
            "mean_wQuantileLoss": pytest.approx(by_quantile.mean()),
            "wQuantileLoss": pytest.approx(dict(zip(map(str, quantiles), by_quantile, strict=True))),
            "RMSE": pytest.approx(float(numpy.sqrt(((y - numpy.array(points)) ** 2).mean()))),
        }

    return {"seasonal_naive": losses(naive, [each[0] for each in naive]), "climatology": losses(climatology, means)}
