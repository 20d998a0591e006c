"""Scores on the test channel, as DeepAR reports them.

wQuantileLoss[q] = 2 · Σ max(q·(y − ŷ), (q − 1)·(y − ŷ)) / Σ |y|, over the known values of all windows; RMSE is that of
the mean forecast. See "How the DeepAR algorithm works" in SageMaker's documentation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from local_aws.sagemaker.deepar.model import Model
from local_aws.sagemaker.deepar.series import Series, Values
from local_aws.sagemaker.deepar.training import SEED

WINDOWS_AT_ONCE = 32

Doubles = npt.NDArray[np.float64]


def score(model: Model, channel: list[Series]) -> dict[str, float]:
    """Metric name → value: the last prediction_length values of every series are forecast from what is before them.

    Empty when no series is long enough or nothing of the windows is known.
    """
    length, quantiles = model.hyperparameters.prediction_length, model.hyperparameters.test_quantiles
    chosen = [(model.padded(one), len(one) - length) for one in channel if len(one) > length]
    truth = [one.target[-length:] for one in channel if len(one.target) > length]
    means, forecasts = [], []
    for begin in range(0, len(chosen), WINDOWS_AT_ONCE):
        number = model.hyperparameters.num_eval_samples
        paths = model.sample_windows(chosen[begin : begin + WINDOWS_AT_ONCE], number, SEED)
        means.append(paths.mean(axis=1))
        forecasts.append(np.quantile(paths, quantiles, axis=1))
    if not chosen or not np.isfinite(truth).any():
        return {}
    return scores(
        np.stack(truth),
        np.concatenate(means),
        dict(zip(quantiles, np.concatenate(forecasts, axis=1), strict=True)),
    )


def scores(truth: Values, mean: Values, forecasts: Mapping[float, Doubles]) -> dict[str, float]:
    """Of arrays (windows, steps); `truth` is NaN where nothing is known. RMSE alone when all that is known is zero."""
    known = np.isfinite(truth)
    values = truth[known].astype(np.float64)
    found = {"RMSE": math.sqrt(float(((values - mean[known]) ** 2).mean()))}
    total = float(np.abs(values).sum())
    if not total:
        return found
    losses = {quantile: _loss(values, forecast[known], quantile) for quantile, forecast in forecasts.items()}
    found["mean_absolute_QuantileLoss"] = sum(losses.values()) / len(losses)
    found["mean_wQuantileLoss"] = found["mean_absolute_QuantileLoss"] / total
    return found | {f"wQuantileLoss[{quantile:g}]": loss / total for quantile, loss in losses.items()}


def _loss(values: Doubles, forecast: Doubles, quantile: float) -> float:
    distance = values - forecast
    return float(2 * np.maximum(quantile * distance, (quantile - 1) * distance).sum())
