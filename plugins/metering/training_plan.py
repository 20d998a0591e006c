"""What a run of train_forecast_model is to do: the form, the deployment's values and the defaults, checked together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from metering import deepar
from metering.deepar_images import IMAGES
from metering.training_form import DEFAULTS

AUTO = "auto"
HOURS_A_DAY = 24


class TrainingPlanError(ValueError):
    """Parameters that contradict each other, or that this deployment cannot follow; the message says what to change."""


@dataclass(frozen=True)
class TrainingPlan:
    """`data_start` and `data_end` (exclusive) are yyyy-MM-dd or auto; lengths are hours."""

    image: str
    endpoint_name: str
    model_name: str
    data_start: str
    data_end: str
    training_samples: int
    test_windows: int
    prediction_length: int
    context_length: int
    likelihood: str
    unit: str
    scale: float
    test_quantiles: list[float]
    intervals_per_hour: int
    with_weather: bool
    hyperparameters: dict[str, str]
    training_instance_type: str
    endpoint_instance_type: str
    endpoint_instance_count: int
    min_improvement: float
    skill_tolerance: float
    force: bool
    tune: bool
    tuning_jobs: int
    parallel_tuning_jobs: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def fewest_days(self) -> int:
        """So many days must have readings: those of the test windows, and one such length to train on."""
        return -(-self.prediction_length * (self.test_windows + 1) // HOURS_A_DAY)

    @classmethod
    def from_json(cls, text: str) -> TrainingPlan:
        return cls(**json.loads(text))


def plan(params: Mapping[str, Any], deployment: Mapping[str, Any]) -> TrainingPlan:
    """The plan of a run. `deployment` is the Airflow variable `metering`. Raises TrainingPlanError."""
    defaults = DEFAULTS | deployment.get("training_defaults", {})
    given = {name: defaults.get(name) if value is None else value for name, value in params.items()}
    length = deepar.prediction_length(given["forecast_period"])
    unit = deepar.unit_of(given["likelihood"])
    _check_dates(given, length)
    _check_tuning(given)
    _check_weather(given, with_weather=deployment["with_weather"])
    _check_quantiles(given["test_quantiles"])
    return TrainingPlan(
        image=_image(deployment["region"]),
        endpoint_name=given["ml_endpoint_name"] or deployment["forecast_endpoint"],
        model_name=given["model_name"],
        data_start=given["data_start"] or AUTO,
        data_end=given["data_end"] or AUTO,
        training_samples=given["training_samples"],
        test_windows=given["test_windows"],
        prediction_length=length,
        context_length=given["context_length"],
        likelihood=given["likelihood"],
        unit=unit.name,
        scale=unit.scale,
        test_quantiles=sorted(given["test_quantiles"]),
        intervals_per_hour=deployment["intervals_per_hour"],
        with_weather=deployment["with_weather"],
        hyperparameters=deepar.texts({**given, "test_quantiles": sorted(given["test_quantiles"])}, length),
        training_instance_type=given["training_instance_type"],
        endpoint_instance_type=given["endpoint_instance_type"],
        endpoint_instance_count=given["endpoint_instance_count"],
        min_improvement=given["min_improvement"],
        skill_tolerance=given["skill_tolerance"],
        force=given["force"],
        tune=given["tune"],
        tuning_jobs=given["tuning_jobs"],
        parallel_tuning_jobs=given["parallel_tuning_jobs"],
    )


def _check_dates(given: Mapping[str, Any], length: int) -> None:
    if not (given["data_start"] and given["data_end"]):
        return
    start, end = date.fromisoformat(given["data_start"]), date.fromisoformat(given["data_end"])
    if start >= end:
        raise TrainingPlanError(
            f"data_start {start} is not before data_end {end}, which is exclusive. Give an earlier data_start."
        )
    wanted = (given["test_windows"] + 1) * length // deepar.HOURS_A_DAY
    if (end - start).days < wanted:
        raise TrainingPlanError(
            f"From {start} to {end} there are {(end - start).days} days. {given['test_windows']} test windows of "
            f"{given['forecast_period']} days and one forecast period to train on need {wanted}. Give an earlier "
            "data_start, fewer test_windows or a shorter forecast_period."
        )


def _check_tuning(given: Mapping[str, Any]) -> None:
    if given["tune"] and given["parallel_tuning_jobs"] > given["tuning_jobs"]:
        raise TrainingPlanError(
            f"parallel_tuning_jobs {given['parallel_tuning_jobs']} is more than tuning_jobs {given['tuning_jobs']}."
        )


def _check_weather(given: Mapping[str, Any], *, with_weather: bool) -> None:
    wanted = deepar.weather_features_asked_for(given["num_dynamic_feat"])
    there = len(deepar.WEATHER_FEATURES) if with_weather else 0
    if wanted is not None and wanted != there:
        raise TrainingPlanError(
            f"num_dynamic_feat {wanted} is not what the training set holds: {there} weather features, because this "
            f"deployment is made with{'' if with_weather else 'out'} weather. Leave it at auto."
        )


def _check_quantiles(quantiles: list[float]) -> None:
    if not quantiles or len(set(quantiles)) != len(quantiles):
        raise TrainingPlanError("test_quantiles must name at least one quantile, and each once.")


def _image(region: str) -> str:
    if region not in IMAGES:
        raise TrainingPlanError(f"SageMaker has no image of DeepAR in {region}; it has in {', '.join(sorted(IMAGES))}.")
    return IMAGES[region]
