"""The gate: a model is compared with seasonal-naive on its own test windows, and in skill with the current model."""

from __future__ import annotations

import math

import pytest
from metering import model_quality
from metering.model_quality import ModelQualityError, Score

CURRENT = {
    "model_name": "consumption-b1-1",
    "metrics": {"test:mean_wQuantileLoss": 0.3},
    "baseline": {"seasonal_naive": 0.5, "climatology": 0.4},
}


def check(loss: float, baseline: float = 0.5, **changed: object) -> str:
    given = {"min_improvement": 0.0, "skill_tolerance": 0.05, "force": False, "current": None, **changed}
    return model_quality.check(Score(loss, baseline), **given)


def test_a_model_that_loses_less_than_seasonal_naive_passes() -> None:
    assert check(0.4) == "Loss 0.4000, of seasonal-naive 0.5000, skill 0.2000."


@pytest.mark.parametrize("loss", [0.5, 0.6])
def test_a_model_that_is_no_better_than_seasonal_naive_fails_with_both_numbers(loss: float) -> None:
    with pytest.raises(ModelQualityError, match=rf"loss {loss:.4f} is not below 0.5000.*of seasonal-naive"):
        check(loss)


def test_the_improvement_asked_for_counts() -> None:
    assert check(0.39, min_improvement=0.2)
    with pytest.raises(
        ModelQualityError, match=r"0.4000 is not below 0.4000, which is the loss 0.5000 .* less min_imp"
    ):
        check(0.4, min_improvement=0.2)


def test_a_model_may_be_a_little_less_skilled_than_the_current_one_and_no_more() -> None:
    # The current model's skill is 1 - 0.3 / 0.5 = 0.4; on data of another size the loss alone says nothing.
    assert check(0.64, baseline=1.0, current=CURRENT)
    with pytest.raises(
        ModelQualityError, match="skill 0.3400 is below 0.3500, which is the skill 0.4000 of the curren"
    ):
        check(0.66, baseline=1.0, current=CURRENT)


def test_force_deploys_and_says_what_it_overruled() -> None:
    assert "Deployed all the same, as force asks: The loss 0.6000 is not below 0.5000" in check(0.6, force=True)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_never_deployed(loss: float) -> None:
    with pytest.raises(ModelQualityError, match="it has learnt nothing"):
        check(loss, force=True)


def test_a_perfect_baseline_is_no_division_by_zero() -> None:
    assert Score(0.0, 0.0).skill == 0.0
    assert Score(0.1, 0.0).skill == -math.inf
    with pytest.raises(ModelQualityError):
        check(0.0, baseline=0.0)
