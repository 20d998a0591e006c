"""The steps of train_forecast_model: when a run has nothing to do, what the gate compares, what is recorded when."""
# ruff: noqa: N803 (the names are those of boto3)

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from metering import clients, training
from metering.endpoints import EndpointError
from metering.model_quality import ModelQualityError
from metering.model_record import NoScoreError
from metering.training import NoBestTrainingJobError
from metering.training_form import FORM

from tests.plugins.object_store import ObjectStore
from tests.plugins.test_current_model import ParameterStore

BATCH = "20260102T090000-3fa2c1"
JOB = f"consumption-{BATCH}-1"
DEPLOYMENT = {
    "region": "eu-west-1",
    "forecast_endpoint": "metering-forecast",
    "intervals_per_hour": 2,
    "with_weather": False,
    "model_parameters": "/metering",
    "clean_bucket": "clean",
}
DEPLOYED = json.dumps(DEPLOYMENT)
WEATHER = {"features": [{"name": "temperature", "mean": 9.5, "std": 6.1}], "last_known": "x", "hours_filled": 4}
TRAINED = {
    "TrainingJobName": JOB,
    "AlgorithmSpecification": {"TrainingImage": "image"},
    "HyperParameters": {"context_length": "168", "prediction_length": "48", "num_dynamic_feat": "auto"},
    "ModelArtifacts": {"S3ModelArtifacts": "s3://w/models/model.tar.gz"},
    "TrainingEndTime": datetime(2026, 1, 2, 9, 30, tzinfo=UTC),
    "FinalMetricDataList": [
        {"MetricName": "train:final_loss", "Value": 5.0},
        {"MetricName": "test:mean_wQuantileLoss", "Value": 0.3},
        {"MetricName": "test:RMSE", "Value": 250.0},
    ],
}


class Sagemaker:
    """The training job and the endpoint, as they are described; what was deleted."""

    class exceptions:  # noqa: N801 (boto3's name)
        class ClientError(Exception):
            response: dict[str, Any]

    def __init__(self) -> None:
        self.trained: dict[str, Any] = TRAINED
        self.endpoint = {"EndpointStatus": "InService", "EndpointConfigName": JOB}
        self.deleted: list[tuple[str, str]] = []

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:
        assert TrainingJobName == JOB
        return self.trained

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        return self.endpoint

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:
        return {}

    def describe_model(self, ModelName: str) -> dict[str, Any]:
        return {}

    def delete_endpoint_config(self, EndpointConfigName: str) -> None:
        self.deleted.append(("config", EndpointConfigName))

    def delete_model(self, ModelName: str) -> None:
        self.deleted.append(("model", ModelName))


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Sagemaker:
    fake = Sagemaker()
    monkeypatch.setattr(clients, "sagemaker", lambda: fake)
    return fake


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> ParameterStore:
    fake = ParameterStore()
    monkeypatch.setattr(clients, "ssm", lambda: fake)
    return fake


@pytest.fixture
def loaded(s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Note a batch with interval readings of these dates in the ledger."""
    monkeypatch.setattr(clients, "s3", lambda: s3)

    def load(*dates: str) -> None:
        s3.put_json("clean", f"_batches/b{len(s3.objects)}.json", {"dates": list(dates)})

    return load


@pytest.fixture
def training_set(s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """prepare_training_set has run once; seasonal-naive loses 0.5."""
    monkeypatch.setattr(clients, "s3", lambda: s3)
    summary = {
        "train": "s3://w/train/",
        "test": "s3://w/test/",
        "baseline": "s3://w/baseline.json",
        "data_start": "2013-06-01",
        "data_end": "2014-01-01",
        "weather": None,
    }
    s3.put_json("clean", f"_summaries/{BATCH}-1/prepare_training_set.json", summary)
    losses = {"seasonal_naive": 0.5, "climatology": 0.4}
    s3.put_json("w", "baseline.json", {name: {"mean_wQuantileLoss": loss} for name, loss in losses.items()})
    return s3


def params(**changed: Any) -> dict[str, Any]:
    return {name: field["default"] for name, field in FORM.items()} | changed


def plan_of(**changed: Any) -> str:
    planned = training.training_plan.plan(params(**changed), DEPLOYMENT)
    return json.dumps(planned.to_json())


def planned_by(run_type: str) -> dict[str, Any] | None:
    return training.plan_training(DEPLOYED, params(), SimpleNamespace(run_type=run_type))


def test_a_load_trains_the_first_model_only(ssm: ParameterStore, loaded: Callable[..., None]) -> None:
    loaded("20130101-20131231")
    assert planned_by("asset_triggered") is not None

    ssm.values["/metering/current-model"] = json.dumps({"model_name": "m", "trained_at": "t"})

    assert planned_by("asset_triggered") is None
    assert planned_by("scheduled") is not None
    assert planned_by("manual") is not None


@pytest.mark.usefixtures("ssm")
@pytest.mark.parametrize("run_type", ["scheduled", "asset_triggered"])
def test_with_too_few_days_only_a_run_by_hand_goes_on(
    run_type: str, loaded: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """Three windows of a week to test, and a week to train on: 28 days."""
    assert planned_by(run_type) is None  # an empty platform

    loaded("20130101-20130110", "20130201-20130210")
    loaded()  # error readings only
    loaded("20130210-20130217")
    with caplog.at_level("INFO", logger="metering.training"):
        assert planned_by(run_type) is None
    assert "Readings of 27 days are loaded. A model needs those of 28: 3 test windows of 168 hours" in caplog.text
    assert planned_by("manual") is not None

    loaded("20130218-20130218")
    assert planned_by(run_type) is not None


@pytest.mark.usefixtures("sagemaker", "ssm", "training_set")
def test_the_gate_compares_the_models_test_score_with_the_baseline_of_its_training_set() -> None:
    assert training.check_model_quality(plan_of(), JOB, DEPLOYED, "clean", BATCH) == (
        "Loss 0.3000, of seasonal-naive 0.5000, skill 0.4000."
    )
    with pytest.raises(ModelQualityError, match="0.3000 is not below 0.2500"):
        training.check_model_quality(plan_of(min_improvement=0.5), JOB, DEPLOYED, "clean", BATCH)


@pytest.mark.usefixtures("ssm", "training_set")
def test_a_job_without_a_score_does_not_pass_the_gate(sagemaker: Sagemaker) -> None:
    sagemaker.trained = {**TRAINED, "FinalMetricDataList": TRAINED["FinalMetricDataList"][:1]}

    with pytest.raises(NoScoreError, match=f"{JOB} reports no test:mean_wQuantileLoss"):
        training.check_model_quality(plan_of(), JOB, DEPLOYED, "clean", BATCH)


@pytest.mark.usefixtures("sagemaker", "training_set")
def test_the_record_says_what_a_reader_needs(ssm: ParameterStore) -> None:
    record = training.record_model(plan_of(), JOB, DEPLOYED, "clean", BATCH)

    assert record == {
        "endpoint_name": "metering-forecast",
        "endpoint_config_name": JOB,
        "model_name": JOB,
        "training_job_name": JOB,
        "image": "image",
        "unit": "Wh",
        "scale": 0.001,
        "time_freq": "1H",
        "context_length": 168,
        "prediction_length": 48,
        "quantiles": [0.1, 0.5, 0.9],
        "likelihood": "negative-binomial",
        "intervals_per_hour": 2,
        "weather": None,
        "trained_at": "2026-01-02T09:30:00+00:00",
        "data_start": "2013-06-01",
        "data_end": "2014-01-01",
        "metrics": {"test:mean_wQuantileLoss": 0.3, "test:RMSE": 250.0},
        "baseline": {"seasonal_naive": 0.5, "climatology": 0.4},
        "superseded": [],
    }
    assert json.loads(ssm.values["/metering/current-model"]) == record


@pytest.mark.usefixtures("ssm")
@pytest.mark.parametrize(("num_dynamic_feat", "known"), [("auto", True), ("3", True), ("ignored", False)])
def test_weather_is_recorded_when_the_model_has_seen_it(
    sagemaker: Sagemaker, training_set: ObjectStore, num_dynamic_feat: str, known: bool
) -> None:
    key = f"_summaries/{BATCH}-1/prepare_training_set.json"
    training_set.put_json("clean", key, {**training_set.json("clean", key), "weather": WEATHER})
    hyperparameters = {**TRAINED["HyperParameters"], "num_dynamic_feat": num_dynamic_feat}
    sagemaker.trained = {**TRAINED, "HyperParameters": hyperparameters}

    record = training.record_model(plan_of(), JOB, DEPLOYED, "clean", BATCH)

    assert record["weather"] == ({"features": WEATHER["features"]} if known else None)


@pytest.mark.usefixtures("training_set")
def test_a_model_that_the_endpoint_does_not_serve_is_not_recorded(sagemaker: Sagemaker, ssm: ParameterStore) -> None:
    sagemaker.endpoint = {
        "EndpointStatus": "InService",
        "EndpointConfigName": "consumption-b0-1",
        "FailureReason": "The container did not answer",
    }

    with pytest.raises(EndpointError, match="did not answer. It serves consumption-b0-1 as before"):
        training.record_model(plan_of(), JOB, DEPLOYED, "clean", BATCH)

    assert ssm.written == []


@pytest.mark.usefixtures("training_set")
def test_what_was_replaced_is_retired_configuration_first(sagemaker: Sagemaker, ssm: ParameterStore) -> None:
    ssm.values["/metering/models/metering-forecast"] = json.dumps({"model_name": "consumption-b0-1"})
    training.record_model(plan_of(), JOB, DEPLOYED, "clean", BATCH)

    assert training.retire_superseded_model(plan_of(), DEPLOYED) == ["consumption-b0-1"]

    assert sagemaker.deleted == [("config", "consumption-b0-1"), ("model", "consumption-b0-1")]


@pytest.mark.usefixtures("training_set")
def test_what_tuning_has_found_is_trained_with() -> None:
    best = {
        "TrainingJobName": "t-003",
        "TunedHyperParameters": {"num_cells": "64", "learning_rate": '"0.002"', "x": "1"},
    }

    def described(tuning: Any) -> dict[str, str]:
        job = training.describe_training_job(plan_of(), json.dumps(tuning), BATCH, "role", "clean", "working")
        return job["HyperParameters"]

    with pytest.raises(NoBestTrainingJobError, match="clear tune_hyperparameters"):
        described({"Tuning": {"BestTrainingJob": None}})
    without = described(None)
    assert (without["num_cells"], without["learning_rate"]) == ("40", "0.0005")
    assert described({"Tuning": {"BestTrainingJob": best}}) == {**without, "num_cells": "64", "learning_rate": "0.002"}
