"""Hyperparameters tried against each other, on windows that end where those of the results begin.

So the choice of the defaults did not see the weeks that the results are about. Each is trained from one seed, and early
stopping may end it: differences of a per cent or so mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.forecast.backtest import Backtest
from benchmarks.forecast.deepar import DeepAR

EPOCHS = 100
# Whatever the defaults are, it is this that the configurations change.
STARTING_POINT: dict[str, Any] = {
    "likelihood": "negative-binomial",
    "learning_rate": 1e-3,
    "mini_batch_size": 48,
    "num_cells": 40,
    "num_layers": 2,
    "dropout_rate": 0.1,
    "context_length": 168,
    "training_samples": 50,
    "early_stopping_patience": 40,
}
CONFIGURATIONS: tuple[dict[str, Any], ...] = (
    {},
    {"num_cells": 64},
    {"learning_rate": 2e-3},
    {"learning_rate": 5e-4},
    {"mini_batch_size": 128},
    {"likelihood": "student-T"},
    {"dropout_rate": 0.0},
    {"num_layers": 3},
    {"context_length": 336},
    {"context_length": 72},
    {"training_samples": 60},
)
# What is kept of a run.
KEPT = ("mean_wQuantileLoss", "wQuantileLoss", "coverage", "cpu_seconds", "epochs_run", "best_epoch")


def compare(
    backtest: Backtest,
    configurations: tuple[dict[str, Any], ...],
    epochs: int,
    tell: Callable[[str, dict[str, Any]], object],
) -> list[dict[str, Any]]:
    """Run them one after the other; `tell` gets the name and the results of each when it is done."""
    results: list[dict[str, Any]] = []
    for changes in configurations:
        found = backtest.run(DeepAR(text(changes), {**STARTING_POINT, "epochs": epochs, **changes}))
        tell(text(changes), found)
        results.append({"changes": changes, **{name: found[name] for name in KEPT}})
    return results


def text(changes: dict[str, Any]) -> str:
    """As a row is called."""
    return ", ".join(f"{name} {value}" for name, value in changes.items()) or "starting point"
