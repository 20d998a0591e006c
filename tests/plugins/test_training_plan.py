"""A training's plan: the form goes before the deployment's values, these before the defaults."""

from __future__ import annotations

import json
from typing import Any

import pytest
from metering import training_plan
from metering.training_form import FORM
from metering.training_plan import TrainingPlan, TrainingPlanError

DEPLOYMENT = {
    "region": "cn-northwest-1",
    "forecast_endpoint": "metering-forecast",
    "intervals_per_hour": 2,
    "with_weather": False,
    "training_defaults": {"epochs": 40, "training_samples": 60, "min_improvement": 0.02},
}


def plan(deployment: dict[str, Any] | None = None, **params: Any) -> TrainingPlan:
    form = {name: field["default"] for name, field in FORM.items()}
    return training_plan.plan({**form, **params}, {**DEPLOYMENT, **(deployment or {})})


def test_an_empty_form_takes_the_values_of_the_deployment_and_then_the_defaults() -> None:
    planned = plan()

    assert planned.image == "387376663083.dkr.ecr.cn-northwest-1.amazonaws.com.cn/forecasting-deepar:1"
    assert (planned.endpoint_name, planned.model_name) == ("metering-forecast", "consumption")
    assert (planned.data_start, planned.data_end) == ("auto", "auto")
    assert (planned.training_samples, planned.min_improvement) == (60, 0.02)
    assert planned.prediction_length == 168
    assert (planned.unit, planned.scale) == ("Wh", 0.001)
    assert planned.hyperparameters["epochs"] == "40"
    assert planned.hyperparameters["prediction_length"] == "168"
    assert planned.hyperparameters["test_quantiles"] == "[0.1, 0.5, 0.9]"
    assert all(isinstance(value, str) for value in planned.hyperparameters.values())


def test_the_form_goes_before_the_deployment() -> None:
    planned = plan(epochs=5, training_samples=7, min_improvement=0, ml_endpoint_name="other", forecast_period=2)

    assert planned.hyperparameters["epochs"] == "5"
    assert (planned.training_samples, planned.min_improvement, planned.endpoint_name) == (7, 0, "other")
    assert (planned.prediction_length, planned.hyperparameters["prediction_length"]) == (48, "48")


def test_a_distribution_that_is_not_of_counts_learns_kwh() -> None:
    planned = plan(likelihood="student-T")

    assert (planned.unit, planned.scale) == ("kWh", 1.0)


def test_a_plan_is_handed_on_as_json_without_a_loss() -> None:
    assert TrainingPlan.from_json(json.dumps(plan().to_json())) == plan()


def test_quantiles_are_put_in_order() -> None:
    planned = plan(test_quantiles=[0.9, 0.5])

    assert planned.test_quantiles == [0.5, 0.9]
    assert planned.hyperparameters["test_quantiles"] == "[0.5, 0.9]"


@pytest.mark.parametrize(
    ("deployment", "params", "message"),
    [
        (
            {"region": "mars-1"},
            {},
            "SageMaker has no image of DeepAR in mars-1; it has in .*cn-north-1, cn-northwest-1",
        ),
        ({}, {"data_start": "2013-06-01", "data_end": "2013-06-01"}, "is not before data_end 2013-06-01"),
        (
            {},
            {"data_start": "2013-06-01", "data_end": "2013-06-28"},
            "there are 27 days. 3 test windows of 7 .* need 28",
        ),
        ({}, {"tune": True, "tuning_jobs": 2, "parallel_tuning_jobs": 3}, "parallel_tuning_jobs 3 is more than tuning"),
        ({}, {"num_dynamic_feat": "3"}, "num_dynamic_feat 3 is not what the training set holds: 0 weather features"),
        (
            {"with_weather": True},
            {"num_dynamic_feat": "2"},
            "holds: 3 weather features, because this deployment is mad",
        ),
        ({}, {"test_quantiles": []}, "test_quantiles must name at least one quantile"),
        ({}, {"test_quantiles": [0.5, 0.5]}, "and each once"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_what_to_change(
    deployment: dict[str, Any], params: dict[str, Any], message: str
) -> None:
    with pytest.raises(TrainingPlanError, match=message):
        plan(deployment, **params)


def test_just_enough_days_are_enough() -> None:
    assert plan(data_start="2013-06-01", data_end="2013-06-29").data_start == "2013-06-01"
