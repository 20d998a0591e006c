"""The record of a model fits into a parameter, however long its names and numbers are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from math import pi

from metering import current_model, deepar, model_names, model_record, training_plan
from metering.deepar_images import IMAGES
from metering.training_form import FORM

from tests.plugins.test_current_model import ParameterStore

DEPLOYMENT = {
    "region": max(IMAGES, key=lambda region: len(IMAGES[region])),
    "forecast_endpoint": "e" * 63,
    "intervals_per_hour": 60,
    "with_weather": True,
}


def longest_name(of_try: int) -> str:
    job = model_names.training_job("m" * model_names.MOST_MODEL_NAME, "20260102T090000-3fa2c1")
    return model_names.of_try(job, of_try)


def test_the_longest_record_fits_into_a_parameter() -> None:
    planned = training_plan.plan({name: field["default"] for name, field in FORM.items()}, DEPLOYMENT)
    number = -pi * 1e-100  # no number takes more characters
    trained = {
        "TrainingJobName": longest_name(999),
        "AlgorithmSpecification": {"TrainingImage": planned.image},
        "HyperParameters": planned.hyperparameters,
        "TrainingEndTime": datetime(2026, 1, 2, 9, 30, tzinfo=UTC),
        "FinalMetricDataList": [{"MetricName": name, "Value": number} for name in (deepar.LOSS, deepar.RMSE)],
    }
    features = [{"name": name, "mean": number, "std": number} for name in deepar.WEATHER_FEATURES]
    training_set = {"data_start": "2013-06-01", "data_end": "2014-01-01", "weather": {"features": features}}
    baseline = {"seasonal_naive": number, "climatology": number}

    record = model_record.record(planned, trained, training_set, baseline)
    before = {"model_name": longest_name(100), "superseded": [longest_name(number) for number in range(101, 110)]}
    record["superseded"] = current_model.superseded(longest_name(999), before)
    ssm = ParameterStore()
    current_model.write(ssm, "/metering", record)

    assert len(record["superseded"]) == 5
    assert len(ssm.values["/metering/current-model"]) < 2500


def test_a_model_in_kwh_says_so_and_its_time_is_utc() -> None:
    params = {name: field["default"] for name, field in FORM.items()} | {"likelihood": "student-T"}
    planned = training_plan.plan(params, DEPLOYMENT)
    trained = {
        "TrainingJobName": "m-1",
        "AlgorithmSpecification": {"TrainingImage": planned.image},
        "HyperParameters": planned.hyperparameters,
        "TrainingEndTime": datetime(2026, 1, 2, 9, 30, tzinfo=timezone(timedelta(hours=8))),
        "FinalMetricDataList": [{"MetricName": deepar.LOSS, "Value": 0.3}],
    }
    training_set = {"data_start": "2013-06-01", "data_end": "2014-01-01", "weather": None}

    record = model_record.record(planned, trained, training_set, {"seasonal_naive": 0.5, "climatology": 0.4})

    assert (record["unit"], record["scale"], record["likelihood"]) == ("kWh", 1.0, "student-T")
    assert record["trained_at"] == "2026-01-02T01:30:00+00:00"
    assert record["metrics"] == {deepar.LOSS: 0.3}
