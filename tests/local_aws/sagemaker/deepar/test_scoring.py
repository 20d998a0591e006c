from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from local_aws.sagemaker.deepar import scoring
from local_aws.sagemaker.deepar.model import Model
from local_aws.sagemaker.deepar.series import Series
from tests.local_aws.sagemaker.deepar.meters import day, hyperparameters, series

NAN = math.nan


class Persistent:
    """Stands in for a model: every path of a window repeats the value before it, or that and one more."""

    hyperparameters = hyperparameters(prediction_length="2", num_eval_samples="2", test_quantiles="[0.5]")

    def padded(self, one: Series) -> Series:
        return one

    def sample_windows(self, chosen: list[tuple[Series, int]], number: int, seed: int) -> Any:
        last = np.array([one.target[at - 1] for one, at in chosen], np.float32)
        return last[:, None, None] + np.arange(number)[None, :, None] + np.zeros((1, 1, 2))


def scored(*given: Series) -> dict[str, float]:
    return scoring.score(Persistent(), list(given))  # type: ignore[arg-type]


def test_scores_are_those_of_the_definition() -> None:
    found = scoring.scores(
        np.array([[1, 2], [NAN, 4]], np.float32),
        np.array([[2, 4], [5, 4]], np.float32),
        {0.5: np.array([[2.0, 2], [9, 3]]), 0.9: np.array([[3.0, 2], [0, 3]])},
    )
    # Known are 1, 2, 4: their sum is 7. Distances of the median -1, 0, 1; of 0.9: -2, 0, 1.
    assert found == pytest.approx(
        {
            "RMSE": math.sqrt((1 + 4 + 0) / 3),
            "wQuantileLoss[0.5]": 2 * (0.5 + 0 + 0.5) / 7,
            "wQuantileLoss[0.9]": 2 * (0.1 * 2 + 0 + 0.9 * 1) / 7,
            "mean_absolute_QuantileLoss": (2.0 + 2.2) / 2,
            "mean_wQuantileLoss": (2.0 + 2.2) / 2 / 7,
        }
    )


def test_negative_values_count_by_their_size() -> None:
    found = scoring.scores(np.array([[-3, 1]], np.float32), np.zeros((1, 2), np.float32), {0.5: np.zeros((1, 2))})
    assert found["wQuantileLoss[0.5]"] == pytest.approx((3 + 1) / (3 + 1))


def test_a_truth_of_zeros_has_no_relative_loss() -> None:
    found = scoring.scores(np.zeros((1, 2), np.float32), np.full((1, 2), 2, np.float32), {0.5: np.ones((1, 2))})
    assert found == {"RMSE": 2.0}


def test_the_last_values_of_every_series_are_forecast_from_those_before() -> None:
    # From 5 to (6, 8) by the median 5.5: losses 0.5, 2.5; by the mean 5.5. From 1 to (1, missing): loss 0.5.
    found = scored(series([9, 5, 6, 8]), series([1, 1, None]))
    assert found["wQuantileLoss[0.5]"] == pytest.approx((0.5 + 2.5 + 0.5) / (6 + 8 + 1))
    assert found["RMSE"] == pytest.approx(math.sqrt((0.25 + 6.25 + 0.25) / 3))


def test_series_without_a_value_before_the_window_are_left_out() -> None:
    kept = series([9, 5, 6, 8])
    assert scored(series([100, 100]), kept, series([100])) == scored(kept)


@pytest.mark.parametrize("given", [[], [[1, 2]], [[1, None, None]]])
def test_there_is_no_score_when_nothing_can_be_compared(given: list[list[float | None]]) -> None:
    assert scored(*[series(target) for target in given]) == {}


def test_more_series_than_are_forecast_at_once_keep_their_own_truth() -> None:
    many = [series([number, number, number]) for number in range(1, 2 * scoring.WINDOWS_AT_ONCE + 8)]
    found = scored(*many)
    # Each median is half a unit above its own series.
    assert found["RMSE"] == pytest.approx(0.5)
    assert found["mean_absolute_QuantileLoss"] == pytest.approx(0.5 * 2 * len(many))


def test_a_forecast_of_the_score_is_what_a_request_at_that_hour_would_get(trained: Model) -> None:
    whole = day(150, 240)
    at = 240 - 24
    scored_paths = trained.sample_windows([(trained.padded(series(whole)), at)], 10, seed=5)
    asked_paths = trained.sample_windows([(trained.padded(series(whole[:at])), at)], 10, seed=5)
    np.testing.assert_array_equal(scored_paths, asked_paths)


def test_the_score_of_a_trained_model_is_small_on_the_rhythm_that_it_knows(trained: Model) -> None:
    found = scoring.score(trained, [series(day(level, 264)) for level in (70, 250)])
    assert set(found) == {
        "RMSE",
        "mean_absolute_QuantileLoss",
        "mean_wQuantileLoss",
        *(f"wQuantileLoss[{quantile}]" for quantile in ("0.1", "0.5", "0.9")),
    }
    # The mean of the day as forecast has a loss of 0.57: the mean of |0.9 sin| is 0.9 · 2 / π.
    assert found["wQuantileLoss[0.5]"] < 0.25
    assert found["mean_wQuantileLoss"] == pytest.approx(
        sum(found[f"wQuantileLoss[{quantile}]"] for quantile in ("0.1", "0.5", "0.9")) / 3
    )
