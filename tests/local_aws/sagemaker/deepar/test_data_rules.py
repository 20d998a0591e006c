from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from local_aws.sagemaker.deepar import data_rules
from local_aws.sagemaker.deepar.data_rules import Features
from local_aws.sagemaker.deepar.errors import ClientError
from local_aws.sagemaker.deepar.frequency import Frequency
from local_aws.sagemaker.deepar.hyperparameters import Hyperparameters
from local_aws.sagemaker.deepar.series import Series

HOUR = Frequency.parse("1H")


def hyperparameters(**given: str) -> Hyperparameters:
    required = {"time_freq": "1H", "prediction_length": "24", "context_length": "24", "epochs": "1"}
    return Hyperparameters.parse(required | given)


def series(target: list[Any], **fields: Any) -> Series:
    return Series.read({"start": "2026-01-01 00:00:00", "target": target} | fields, HOUR)


def check(*given: Series, **hyper: str) -> Features:
    return data_rules.check_training_set(list(given), hyperparameters(**hyper))


def refusal(*given: Series, **hyper: str) -> str:
    with pytest.raises(ClientError) as caught:
        check(*given, **hyper)
    return str(caught.value)


def test_three_hundred_observations_are_enough() -> None:
    assert check(series([1] * 150), series([2] * 150)) == Features((), 0)


def test_fewer_than_three_hundred_observations_are_refused_and_counted() -> None:
    assert "The training set has 299 observations" in refusal(series([1] * 299))


def test_missing_values_are_no_observations() -> None:
    assert "has 298 observations" in refusal(series([1, None] * 149 + [1] * 149))


def test_series_shorter_than_the_forecast_do_not_count() -> None:
    assert "has 290 observations" in refusal(series([1] * 290), series([1] * 23))
    assert check(series([1] * 290), series([1] * 24)) == Features((), 0)


def test_a_training_set_of_nothing_but_short_series_is_refused() -> None:
    message = refusal(*[series([1] * 23)] * 20)
    assert message.endswith("No time series of the training set is as long as prediction_length (24)")


def test_a_training_set_of_zeros_is_refused_in_sagemakers_words() -> None:
    message = refusal(series([0] * 300), series([0, None] * 50))
    assert message == "ClientError: training time series consist of only zeros"


def test_one_value_above_zero_is_enough() -> None:
    assert check(series([0] * 300), series([0] * 23 + [1])) == Features((), 0)


@pytest.mark.parametrize("value", [0.5, -1, 3.0001])
def test_negative_binomial_refuses_a_value_that_counts_nothing(value: float) -> None:
    message = refusal(series([1] * 300), series([1] * 30 + [value]), likelihood="negative-binomial")
    assert "Time series 2 of data channel 'train': the likelihood negative-binomial" in message
    assert message.endswith("needs a target of non-negative integers")


@pytest.mark.parametrize("value", [-0.001, 1.001])
def test_beta_refuses_a_value_outside_of_zero_and_one(value: float) -> None:
    message = refusal(series([0.5] * 300 + [value]), likelihood="beta")
    assert message.endswith("Time series 1 of data channel 'train': the likelihood beta needs a target between 0 and 1")


def test_the_bounds_of_negative_binomial_and_beta_are_let_through() -> None:
    check(series([0, 1, 2.0, None] * 100), likelihood="negative-binomial")
    check(series([0, 1, 0.5, None] * 101), likelihood="beta")


@pytest.mark.parametrize("likelihood", ["gaussian", "student-T", "deterministic-L1"])
def test_other_likelihoods_take_fractions_and_negative_values(likelihood: str) -> None:
    check(series([-1.5, 2.25] * 150), likelihood=likelihood)


def test_auto_finds_the_categories_and_how_many_of_each() -> None:
    given = [series([1] * 150, cat=[0, 7]), series([1] * 150, cat=[2, 3])]
    assert check(*given).cardinality == (3, 8)


def test_given_cardinalities_are_kept() -> None:
    assert check(series([1] * 300, cat=[0, 7]), cardinality="[5, 8]").cardinality == (5, 8)


@pytest.mark.parametrize(
    ("cats", "hyper", "problem"),
    [
        ([[0], None], {}, "2 of data channel 'train': 'cat' has 0 categories, but 1 are expected"),
        ([None, [0]], {}, "2 of data channel 'train': 'cat' has 1 categories, but 0 are expected"),
        ([[0], [0, 1]], {}, "2 of data channel 'train': 'cat' has 2 categories, but 1 are expected"),
        ([None, None], {"cardinality": "[3]"}, "1 of data channel 'train': 'cat' has 0 categories, but 1"),
        ([[2], [3]], {"cardinality": "[3]"}, "2 of data channel 'train': 'cat' 0 is 3, but its cardinality is 3"),
    ],
)
def test_categories_that_differ_are_refused_by_series(
    cats: list[list[int] | None], hyper: dict[str, str], problem: str
) -> None:
    assert f"Time series {problem}" in refusal(*[series([1] * 200, cat=cat) for cat in cats], **hyper)


def test_auto_finds_the_dynamic_features() -> None:
    assert check(series([1] * 300, dynamic_feat=[[0.5] * 300, [1] * 300])).num_dynamic_feat == 2


@pytest.mark.parametrize(
    ("feats", "hyper", "problem"),
    [
        ([[[0] * 200], None], {}, "2 of data channel 'train': 'dynamic_feat' has 0 features, but 1 are expected"),
        ([None, [[0] * 200]], {}, "2 of data channel 'train': 'dynamic_feat' has 1 features, but 0 are expected"),
        ([[[0] * 200]] * 2, {"num_dynamic_feat": "3"}, "1 of data channel 'train': 'dynamic_feat' has 1 features"),
        (
            [[[0] * 200], [[0] * 199]],
            {},
            "2 of data channel 'train': 'dynamic_feat' has 199 values, but must be as long as 'target' (200)",
        ),
        ([[[0] * 224]] * 2, {}, "1 of data channel 'train': 'dynamic_feat' has 224 values, but must be as long as"),
    ],
)
def test_dynamic_features_that_differ_are_refused_by_series(
    feats: list[Any], hyper: dict[str, str], problem: str
) -> None:
    assert f"Time series {problem}" in refusal(*[series([1] * 200, dynamic_feat=feat) for feat in feats], **hyper)


def test_what_is_ignored_may_differ_and_the_model_does_not_see_it() -> None:
    given = [series([1] * 200, cat=[1], dynamic_feat=[[0] * 3]), series([1] * 200)]
    features = check(*given, cardinality="ignore", num_dynamic_feat="ignore")
    assert (features.cardinality, features.num_dynamic_feat) == ((), 0)
    seen = features.seen(given[0])
    assert (seen.categories, seen.dynamic) == (None, None)
    np.testing.assert_array_equal(seen.target, given[0].target)


def test_the_test_channel_is_compared_with_what_was_found_in_training() -> None:
    values = hyperparameters()
    with pytest.raises(ClientError, match="Time series 1 of data channel 'test': 'cat' 0 is 4"):
        data_rules.check_channel([series([1], cat=[4])], "test", Features((3,), 0), values)


def test_the_statistics_are_those_of_the_known_values() -> None:
    given = [series([1, None, 3]), series([-4])]
    assert data_rules.statistics(given) == [
        "Integer time series",
        "number of time series: 2",
        "number of observations: 3",
        "mean target length: 2.0",
        "min/mean/max target: -4.0/0.0/3.0",
        f"mean abs(target): {8 / 3}",
        "contains missing values: yes (1)",
    ]


def test_the_statistics_tell_real_series_and_such_without_a_gap() -> None:
    lines = data_rules.statistics([series([0.5, 1])])
    assert lines[0] == "Real time series"
    assert lines[-1] == "contains missing values: no"


def test_the_statistics_of_series_without_a_known_value_are_counts() -> None:
    lines = data_rules.statistics([series([None, None])])
    assert "number of observations: 0" in lines
    assert not [line for line in lines if "target:" in line]
