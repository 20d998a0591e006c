"""Hourly series as the tests' meters give them, and the hyperparameters of a small network."""

from __future__ import annotations

import math
from typing import Any

from local_aws.sagemaker.deepar.frequency import Frequency
from local_aws.sagemaker.deepar.hyperparameters import Hyperparameters
from local_aws.sagemaker.deepar.series import Series

HOUR = Frequency.parse("1H")
START = "2026-01-01 00:00:00"
LEVELS = (50, 100, 150, 200, 300, 400)
SMALL = {
    "time_freq": "1H",
    "prediction_length": "24",
    "context_length": "24",
    "epochs": "1",
    "mini_batch_size": "16",
    "learning_rate": "0.02",
    "num_cells": "8",
    "num_layers": "1",
    "likelihood": "negative-binomial",
    "test_quantiles": "[0.1, 0.5, 0.9]",
}


def hyperparameters(**given: str) -> Hyperparameters:
    return Hyperparameters.parse(SMALL | given)


def day(level: int, hours: int) -> list[float | None]:
    """Whole numbers of the mean `level`, least (a tenth of it) at 18 o'clock, most at 6 o'clock, every day alike."""
    return [round(level * (1 + 0.9 * math.sin(2 * math.pi * hour / 24))) for hour in range(hours)]


def series(target: list[Any], start: str = START, **fields: Any) -> Series:
    return Series.read({"start": start, "target": target} | fields, HOUR)
