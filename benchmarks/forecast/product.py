"""What the benchmark takes from the product: it is the deployed configuration that is measured."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from typing import Any

from benchmarks.anomalies.households import REPOSITORY

for folder in (REPOSITORY / "plugins", REPOSITORY / "include" / "glue"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from meter_data.series import weather  # noqa: E402 (after the path)
from metering import deepar, training_form  # noqa: E402

__all__ = ["DEFAULTS", "QUANTILES", "SAMPLES", "hyperparameters", "in_order_of_sampling", "unit_of", "weather"]

DEFAULTS: dict[str, Any] = training_form.DEFAULTS
QUANTILES: tuple[float, ...] = deepar.QUANTILES
SAMPLES: int = deepar.SAMPLES
unit_of = deepar.unit_of


def hyperparameters(horizon: int, changes: dict[str, Any]) -> dict[str, str]:
    """The texts of a training job with the defaults of the trigger form and these changes."""
    return deepar.texts(DEFAULTS | changes, horizon)


def in_order_of_sampling(meters: Iterable[str]) -> list[str]:
    """Meters in the order in which prepare_training_set takes them (meter_data/series/samples.py)."""
    return sorted(meters, key=lambda meter: (hashlib.sha256(meter.encode()).hexdigest(), meter))
