"""DeepAR as it is deployed: the hyperparameters of the trigger form, the engine of the stand-in, in this process."""

from __future__ import annotations

import sys
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from benchmarks.forecast import product
from benchmarks.forecast.backtest import HORIZON, cpu_seconds
from benchmarks.forecast.households import Households
from local_aws.sagemaker.deepar import training
from local_aws.sagemaker.deepar.hyperparameters import Hyperparameters
from local_aws.sagemaker.deepar.model import Model
from local_aws.sagemaker.deepar.series import Series

SEED = 1
METERS_AT_ONCE = 32
EPOCHS_A_LINE = 20


class Weather(Protocol):
    """Standardised features of every hour of the past and, in a forecast, of the HORIZON hours after it."""

    def of_training(self, past: Households) -> NDArray[np.float32]: ...

    def of_forecast(self, past: Households) -> NDArray[np.float32]: ...


class DeepAR:
    """As a method of the backtest. `changes` to the hyperparameters of the trigger form."""

    def __init__(self, name: str, changes: dict[str, Any], weather: Weather | None = None) -> None:
        self._name = name
        self._weather = weather
        self._model: Model | None = None
        self._texts = product.hyperparameters(HORIZON, changes)
        self._unit = product.unit_of((product.DEFAULTS | changes)["likelihood"])
        self._samples: int = (product.DEFAULTS | changes)["training_samples"]

    def train(self, past: Households) -> dict[str, Any]:
        torch.set_num_threads(1)
        dynamic = self._weather.of_training(past) if self._weather else None
        series = {meter: until_known(self._series(past, place, dynamic)) for place, meter in enumerate(past.meters)}
        sampled = [
            series[meter] for meter in product.in_order_of_sampling(past.meters) if len(series[meter].known) >= HORIZON
        ][: self._samples]
        epochs: list[training.Epoch] = []
        begun = cpu_seconds()

        def report(epoch: training.Epoch) -> None:
            epochs.append(epoch)
            if (epoch.number + 1) % EPOCHS_A_LINE == 0:
                say(f"{self._name}: epoch {epoch.number + 1}, loss {epoch.loss:.4f}, {cpu_seconds() - begun:.0f} CPU s")

        parsed = Hyperparameters.parse(self._texts)
        self._model, loss = training.train(parsed, sampled, report)
        best = max(epoch.number for epoch in epochs if epoch.is_best) + 1
        return {
            "hyperparameters": self._texts,
            "unit": self._unit.name,
            "meters_trained_on": len(sampled),
            "batches_an_epoch": parsed.batches_per_epoch(len(sampled)),
            "epochs_run": len(epochs),
            "best_epoch": best,
            "training_loss": loss,
        }

    def forecast(self, past: Households) -> NDArray[np.float64]:
        if self._model is None:
            raise RuntimeError("train first")
        dynamic = self._weather.of_forecast(past) if self._weather else None
        chosen = []
        for place in range(len(past.meters)):
            series = self._series(past, place, dynamic)
            chosen.append((self._model.padded(series), len(series)))
        found = []
        for begin in range(0, len(chosen), METERS_AT_ONCE):
            paths = self._model.sample_windows(chosen[begin : begin + METERS_AT_ONCE], product.SAMPLES, SEED)
            found.append(np.quantile(paths.astype(np.float64), product.QUANTILES, axis=1))
        forecasts = np.concatenate(found, axis=1) * self._unit.scale
        # The unit of counts has no values below zero; of the others they are left as they are.
        return np.maximum(forecasts, 0) if self._unit.scale != 1 else forecasts

    def _series(self, past: Households, place: int, dynamic: NDArray[np.float32] | None) -> Series:
        """From the meter's first known hour to the end of the past, in the unit of the model; empty without any."""
        kwh = past.kwh[place]
        known = np.flatnonzero(np.isfinite(kwh))
        first = int(known[0]) if len(known) else len(kwh)
        target = kwh[first:] / self._unit.scale
        if self._unit.scale != 1:
            target = np.round(target)
        start = pd.Timestamp(past.first).tz_localize(None) + pd.Timedelta(hours=first)
        return Series(
            pd.Period(start, freq="h"),
            target.astype(np.float32),
            None,
            None if dynamic is None else dynamic[:, first:],
        )


class Trained:
    """A model that has learnt already, as a method of the backtest."""

    def __init__(self, method: DeepAR) -> None:
        self._method = method

    def train(self, past: Households) -> dict[str, Any]:
        return {}

    def forecast(self, past: Households) -> NDArray[np.float64]:
        return self._method.forecast(past)


def until_known(series: Series) -> Series:
    """Without what is missing at the end, as a training set has it."""
    known = np.flatnonzero(np.isfinite(series.target))
    end = int(known[-1]) + 1 if len(known) else 0
    dynamic = None if series.dynamic is None else series.dynamic[:, :end]
    return Series(series.start, series.target[:end], None, dynamic)


def say(line: str) -> None:
    """Progress: the work is long."""
    print(line, file=sys.stderr, flush=True)
