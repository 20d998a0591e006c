"""The gate between training and deployment: a model that is not good enough replaces nothing.

A loss is DeepAR's mean weighted quantile loss over the test windows; baselines are scored on the same windows. The
skill of a model, 1 - loss / loss of seasonal-naive, compares models that were tested on different data: 0 is no better
than the same hour of last week, 1 is perfect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from metering.deepar import LOSS


class ModelQualityError(ValueError):
    """A model is not good enough to be deployed; the message says both numbers and what to do."""


@dataclass(frozen=True)
class Score:
    """`loss` is that of the model, `baseline` that of seasonal-naive."""

    loss: float
    baseline: float

    @property
    def skill(self) -> float:
        """0 where the baseline is perfect and so is the model; minus infinity where only the baseline is."""
        if self.baseline:
            return 1 - self.loss / self.baseline
        return 0.0 if self.loss == 0 else -math.inf


def check(
    score: Score, *, min_improvement: float, skill_tolerance: float, force: bool, current: dict[str, Any] | None
) -> str:
    """A sentence on the model's quality; ModelQualityError when it is not sufficient and not forced.

    `current` is the record of the current model, None when there is none.
    """
    if not math.isfinite(score.loss):
        raise ModelQualityError(
            f"The model's loss is {score.loss}: it has learnt nothing. Deployed is what was before. Train with a "
            "smaller learning_rate or another likelihood."
        )
    verdict = f"Loss {score.loss:.4f}, of seasonal-naive {score.baseline:.4f}, skill {score.skill:.4f}."
    faults = [*_below_baseline(score, min_improvement), *_below_current(score, skill_tolerance, current)]
    if not faults:
        return verdict
    if force:
        return f"{verdict} Deployed all the same, as force asks: {' '.join(faults)}"
    raise ModelQualityError(
        f"{verdict} {' '.join(faults)}\n"
        "Nothing was deployed; the endpoint and the current model are those of before.\n"
        "What to do: train with more training_samples, epochs or earlier data, or with tune. If the model shall be "
        "deployed as it is, trigger train_forecast_model with force, or with another min_improvement or "
        "skill_tolerance."
    )


def score_of(record: dict[str, Any]) -> Score:
    """The score that a model's record states."""
    return Score(record["metrics"][LOSS], record["baseline"]["seasonal_naive"])


def _below_baseline(score: Score, min_improvement: float) -> list[str]:
    most = score.baseline * (1 - min_improvement)
    if score.loss < most:
        return []
    return [
        f"The loss {score.loss:.4f} is not below {most:.4f}, which is the loss {score.baseline:.4f} of seasonal-naive "
        f"less min_improvement {min_improvement:g}."
    ]


def _below_current(score: Score, tolerance: float, current: dict[str, Any] | None) -> list[str]:
    if current is None:
        return []
    known = score_of(current).skill
    if score.skill >= known - tolerance:
        return []
    return [
        f"The skill {score.skill:.4f} is below {known - tolerance:.4f}, which is the skill {known:.4f} of the current "
        f"model {current['model_name']} less skill_tolerance {tolerance:g}."
    ]
