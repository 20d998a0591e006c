"""Requests to SageMaker for training and tuning DeepAR, as boto3 takes them; names are without the try."""

from __future__ import annotations

from typing import Any

from metering import deepar, model_names
from metering.settings import SETTINGS
from metering.training_plan import TrainingPlan

VOLUME_GB = 30


def training_job(
    plan: TrainingPlan,
    hyperparameters: dict[str, str],
    *,
    batch: str,
    role_arn: str,
    training_set: dict[str, Any],
    working_bucket: str,
) -> dict[str, Any]:
    """CreateTrainingJob. `training_set` is the summary of prepare_training_set."""
    return {
        "TrainingJobName": model_names.training_job(plan.model_name, batch),
        "HyperParameters": hyperparameters,
        **_job(plan, role_arn, training_set, f"s3://{working_bucket}/models/"),
    }


def tuning_job(
    plan: TrainingPlan, *, batch: str, role_arn: str, training_set: dict[str, Any], working_bucket: str
) -> dict[str, Any]:
    """CreateHyperParameterTuningJob: the least loss on the test windows wins."""
    searched = (*deepar.TUNED_WHOLE, *deepar.TUNED_REAL)
    static = {name: text for name, text in plan.hyperparameters.items() if name not in searched}
    return {
        "HyperParameterTuningJobName": model_names.tuning_job(batch),
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": deepar.LOSS},
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": plan.tuning_jobs,
                "MaxParallelTrainingJobs": plan.parallel_tuning_jobs,
            },
            "ParameterRanges": {
                "IntegerParameterRanges": [
                    _range(name, least, most, "Auto") for name, (least, most) in deepar.TUNED_WHOLE.items()
                ],
                "ContinuousParameterRanges": [
                    _range(name, least, most, scaling) for name, (least, most, scaling) in deepar.TUNED_REAL.items()
                ],
            },
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": static,
            **_job(plan, role_arn, training_set, f"s3://{working_bucket}/tuning/"),
        },
    }


def _job(plan: TrainingPlan, role_arn: str, training_set: dict[str, Any], output: str) -> dict[str, Any]:
    """What a training job and the definition of a tuning job's training jobs have in common."""
    return {
        "AlgorithmSpecification": {"TrainingImage": plan.image, "TrainingInputMode": "File"},
        "RoleArn": role_arn,
        "InputDataConfig": [_channel(name, training_set[name]) for name in ("train", "test")],
        "OutputDataConfig": {"S3OutputPath": output},
        "ResourceConfig": {
            "InstanceType": plan.training_instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": VOLUME_GB,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": SETTINGS.max_wait_hours * 3600},
    }


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "ContentType": "json", "DataSource": {"S3DataSource": source}}


def _range(name: str, least: float, most: float, scaling: str) -> dict[str, str]:
    return {"Name": name, "MinValue": f"{least:g}", "MaxValue": f"{most:g}", "ScalingType": scaling}
