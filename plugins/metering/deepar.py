"""DeepAR of SageMaker as this platform uses it: hyperparameters with their bounds, defaults and units.

Bounds are those that SageMaker documents, or its typical values where it documents none. This is the one place of the
defaults: the trigger form, the training job and the tuning job are made from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TIME_FREQ = "1H"
HOURS_A_DAY = 24
# What every forecast says, whatever the model was scored by: the columns p10, p50 and p90 of table forecast.
QUANTILES = (0.1, 0.5, 0.9)
# With weather, what dynamic_feat holds, in this order.
WEATHER_FEATURES = ("temperature", "apparenttemperature", "humidity")
LOSS, RMSE = "test:mean_wQuantileLoss", "test:RMSE"
# Sample paths of a forecast, from which its quantiles are taken.
SAMPLES = 100

WHOLE_UNIT_LIKELIHOOD = "negative-binomial"
LIKELIHOODS = ["negative-binomial", "student-T", "gaussian", "beta", "deterministic-L1"]
# An array of counts of categories, as SageMaker takes it.
CARDINALITY = r"^(auto|ignored|\[\s*[1-9]\d*(\s*,\s*[1-9]\d*)*\s*\])$"
NUM_DYNAMIC_FEAT = r"^(auto|ignored|[1-9]\d*)$"


@dataclass(frozen=True)
class Hyperparameter:
    """`schema` is JSON schema of a value in the trigger form; `default` None leaves the hyperparameter to DeepAR."""

    default: Any
    description: str
    schema: Mapping[str, Any]


def _whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


HYPERPARAMETERS: dict[str, Hyperparameter] = {
    "context_length": Hyperparameter(
        168, "Hours that the model looks at before it forecasts; lags reach further back.", _whole(1, 2000)
    ),
    "epochs": Hyperparameter(400, "Passes over the training data at most.", _whole(1, 10_000)),
    "early_stopping_patience": Hyperparameter(
        40, "Epochs without progress after which training ends with the best model so far.", _whole(1, 10_000)
    ),
    "mini_batch_size": Hyperparameter(48, "Series of a training step.", _whole(1, 1028)),
    "learning_rate": Hyperparameter(
        5e-4, "Size of a training step.", {"type": "number", "exclusiveMinimum": 0, "minimum": 0, "maximum": 1}
    ),
    "likelihood": Hyperparameter(
        WHOLE_UNIT_LIKELIHOOD,
        "Distribution of a forecast. negative-binomial learns whole watt-hours, the others kWh.",
        {"type": "string", "enum": LIKELIHOODS},
    ),
    "num_cells": Hyperparameter(40, "Cells of each hidden layer.", _whole(1, 400)),
    "num_layers": Hyperparameter(2, "Hidden layers.", _whole(1, 8)),
    "dropout_rate": Hyperparameter(
        0.1, "Share of neurons left out of a training step.", {"type": "number", "minimum": 0, "maximum": 0.99}
    ),
    "embedding_dimension": Hyperparameter(10, "Length of the vector learnt for a category.", _whole(1, 50)),
    "cardinality": Hyperparameter(
        "auto", "Categories: auto, ignored, or their numbers as in [2, 3].", {"type": "string", "pattern": CARDINALITY}
    ),
    "num_dynamic_feat": Hyperparameter(
        "auto",
        "Weather features that reach the model: auto, ignored, or their number.",
        {"type": "string", "pattern": NUM_DYNAMIC_FEAT},
    ),
    "num_eval_samples": Hyperparameter(100, "Sample paths for the test score.", _whole(1, 1000)),
    "test_quantiles": Hyperparameter(
        list(QUANTILES),
        "Quantiles of the test score, of the model and of the baselines alike, one a line.",
        {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}},
    ),
}

# Where a tuning job looks for better values; it keeps the others. Learning rates are tried on a logarithmic scale.
TUNED_WHOLE = {"num_cells": (30, 120), "num_layers": (1, 4), "mini_batch_size": (32, 256)}
TUNED_REAL = {"learning_rate": (1e-4, 1e-2, "Logarithmic"), "dropout_rate": (0.0, 0.2, "Linear")}


@dataclass(frozen=True)
class Unit:
    """What a value of a series is: `scale` kWh."""

    name: str
    scale: float


def unit_of(likelihood: str) -> Unit:
    """A distribution of counts wants whole numbers: watt-hours."""
    return Unit("Wh", 0.001) if likelihood == WHOLE_UNIT_LIKELIHOOD else Unit("kWh", 1.0)


def prediction_length(forecast_period: int) -> int:
    """Hours of a forecast of so many days."""
    return forecast_period * HOURS_A_DAY


def texts(values: Mapping[str, Any], prediction_length: int) -> dict[str, str]:
    """The hyperparameters of a training job as SageMaker takes them: all are strings."""
    fixed = {"time_freq": TIME_FREQ, "prediction_length": str(prediction_length)}
    return fixed | {name: text(values[name]) for name in HYPERPARAMETERS if values[name] is not None}


def quantiles_text(quantiles: Iterable[float]) -> str:
    """The form in which jobs get them: 0.1,0.5,0.9."""
    return ",".join(f"{quantile:g}" for quantile in quantiles)


def tuned(static: Mapping[str, str], best: Mapping[str, str]) -> dict[str, str]:
    """Hyperparameters with those that a tuning job found best. SageMaker may return a text in quotes."""
    known = {name: value.strip('"') for name, value in best.items() if name in (*TUNED_WHOLE, *TUNED_REAL)}
    return {**static, **known}


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def weather_features_asked_for(num_dynamic_feat: str) -> int | None:
    """How many features the operator demands; None when that is left to the data."""
    return int(num_dynamic_feat) if re.fullmatch(r"\d+", num_dynamic_feat) else None
