"""The record of a trained model (current_model), from its plan, its training job and its training set.

`trained` is what DescribeTrainingJob says, `training_set` the summary of prepare_training_set.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from metering import deepar
from metering.training_plan import TrainingPlan


class NoScoreError(LookupError):
    """A training job has completed without a test score, so that nothing is known of its model."""


def record(
    planned: TrainingPlan, trained: dict[str, Any], training_set: dict[str, Any], baseline: dict[str, float]
) -> dict[str, Any]:
    """Everything a reader of forecasts needs. `baseline` is the loss of each baseline."""
    name = trained["TrainingJobName"]
    return {
        "endpoint_name": planned.endpoint_name,
        "endpoint_config_name": name,
        "model_name": name,
        "training_job_name": name,
        "image": trained["AlgorithmSpecification"]["TrainingImage"],
        "unit": planned.unit,
        "scale": planned.scale,
        "time_freq": deepar.TIME_FREQ,
        "context_length": int(trained["HyperParameters"]["context_length"]),
        "prediction_length": int(trained["HyperParameters"]["prediction_length"]),
        "quantiles": list(deepar.QUANTILES),
        "likelihood": planned.likelihood,
        "intervals_per_hour": planned.intervals_per_hour,
        "weather": _weather(training_set, trained["HyperParameters"]),
        "trained_at": trained["TrainingEndTime"].astimezone(UTC).isoformat(timespec="seconds"),
        "data_start": training_set["data_start"],
        "data_end": training_set["data_end"],
        "metrics": metrics(trained),
        "baseline": baseline,
    }


def _weather(training_set: dict[str, Any], hyperparameters: dict[str, str]) -> dict[str, Any] | None:
    """What a reader needs to make the features as they were made for the training; None for a model without."""
    features = training_set["weather"]
    if not features or hyperparameters["num_dynamic_feat"] == "ignored":
        return None
    return {"features": features["features"]}


def metrics(trained: dict[str, Any]) -> dict[str, float]:
    """The test scores. Raises NoScoreError."""
    values = {metric["MetricName"]: metric["Value"] for metric in trained.get("FinalMetricDataList", [])}
    if deepar.LOSS not in values:
        raise NoScoreError(
            f"The training job {trained['TrainingJobName']} reports no {deepar.LOSS}. Its log: CloudWatch "
            f"/aws/sagemaker/TrainingJobs, streams {trained['TrainingJobName']}/…"
        )
    return {name: values[name] for name in (deepar.LOSS, deepar.RMSE) if name in values}
