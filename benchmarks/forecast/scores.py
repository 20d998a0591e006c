"""Losses of quantile forecasts.

wQuantileLoss[q] = 2 · Σ max(q·(y − ŷ), (q − 1)·(y − ŷ)) / Σ |y| over all hours: the weighted quantile loss of Amazon
SageMaker's developer guide, "How the DeepAR Algorithm Works".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def score(truth: Floats, forecasts: Floats, quantiles: Sequence[float]) -> dict[str, Any]:
    """Of hours (hours) and their forecast quantiles (quantiles, hours), in the same unit; all are known.

    `coverage` is the share of hours from the lowest to the highest quantile, both included; None where they are one.
    """
    losses = {
        f"{quantile:g}": quantile_loss(truth, forecast, quantile)
        for quantile, forecast in zip(quantiles, forecasts, strict=True)
    }
    is_within = (truth >= forecasts[0]) & (truth <= forecasts[-1])
    return {
        "mean_wQuantileLoss": sum(losses.values()) / len(losses),
        "wQuantileLoss": losses,
        "coverage": float(is_within.mean()) if (forecasts[0] < forecasts[-1]).any() else None,
    }


def quantile_loss(truth: Floats, forecast: Floats, quantile: float) -> float:
    """wQuantileLoss of one quantile."""
    error = truth - forecast
    return float(2 * np.maximum(quantile * error, (quantile - 1) * error).sum() / np.abs(truth).sum())
