"""The steps of train_forecast_model that are no operator of the provider.

`plan` is the TrainingPlan of the run as JSON, `deployment` the Airflow variable `metering` as JSON. `training_set` is
what prepare_training_set says of the try that finished last.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from metering import (
    clients,
    current_model,
    dates,
    deepar,
    endpoints,
    glue,
    ledger,
    model_quality,
    model_record,
    sagemaker_jobs,
    storage,
    training_plan,
    training_requests,
)
from metering.batches import RUN
from metering.deployment import WITH_WEATHER
from metering.settings import SETTINGS
from metering.training_plan import TrainingPlan

PREPARE = "prepare_training_set"
# Templates: the plan, as plan_training returns it, and what later tasks say.
PLAN = "{{ ti.xcom_pull(task_ids='plan_training') | tojson }}"
TUNING = "{{ ti.xcom_pull(task_ids='tune_hyperparameters') | tojson }}"
TRAINING_JOB = "{{ ti.xcom_pull(task_ids='train_model')['Training']['TrainingJobName'] }}"


def _of_plan(name: str) -> str:
    return f"{{{{ ti.xcom_pull(task_ids='plan_training')['{name}'] }}}}"


PREPARE_ARGUMENTS = {
    "--run": RUN,
    **{
        f"--{name}": _of_plan(name)
        for name in (
            "data_start",
            "data_end",
            "training_samples",
            "prediction_length",
            "context_length",
            "test_windows",
            "scale",
            "intervals_per_hour",
        )
    },
    "--quantiles": "{{ ti.xcom_pull(task_ids='plan_training')['test_quantiles'] | join(',') }}",
    "--with_weather": WITH_WEATHER,
}

# SageMaker's log stays in CloudWatch: the provider would ask for it every 30 s and keep all of it.
TRAINING_OPTIONS = sagemaker_jobs.OPTIONS | {"print_log": False, "action_if_job_exists": "fail"}
ENDPOINT = {"EndpointName": _of_plan("endpoint_name"), "EndpointConfigName": TRAINING_JOB}
ENDPOINT_OPTIONS = {
    "deferrable": True,
    "check_interval": SETTINGS.job_poll_seconds,
    "max_ingestion_time": SETTINGS.max_wait_hours * 3600,
}

BY_ASSET, BY_HAND = "asset_triggered", "manual"

log = logging.getLogger(__name__)


class NoBestTrainingJobError(LookupError):
    """A tuning job has ended without any training job that has a score."""


def plan_training(deployment: str, params: dict[str, Any], dag_run: Any) -> dict[str, Any] | None:
    """The plan of the run; None when there is nothing to do.

    A load starts this DAG for the first model only; later ones are trained when the month begins, or by hand. With too
    few days only a run by hand goes on: its job says what is missing.
    """
    values = json.loads(deployment)
    if dag_run.run_type == BY_ASSET:
        record = current_model.current(clients.ssm(), values["model_parameters"])
        if record:
            log.info("%s serves since %s; no new model is trained", record["model_name"], record["trained_at"])
            return None
    planned = training_plan.plan(params, values)
    if dag_run.run_type != BY_HAND:
        days = dates.count(ledger.published_dates(clients.s3(), values["clean_bucket"]))
        if days < planned.fewest_days:
            log.info(
                "Readings of %d days are loaded. A model needs those of %d: %d test windows of %d hours, and one such "
                "length to train on. The next load or month tries again",
                days,
                planned.fewest_days,
                planned.test_windows,
                planned.prediction_length,
            )
            return None
    return planned.to_json()


def describe_tuning_job(
    plan: str, batch: str, role_arn: str, clean_bucket: str, working_bucket: str
) -> dict[str, Any] | None:
    """The request for the tuning job; None when none is wanted."""
    planned = TrainingPlan.from_json(plan)
    if not planned.tune:
        return None
    return training_requests.tuning_job(
        planned,
        batch=batch,
        role_arn=role_arn,
        training_set=_training_set(clean_bucket, batch),
        working_bucket=working_bucket,
    )


def describe_training_job(
    plan: str, tuning: str, batch: str, role_arn: str, clean_bucket: str, working_bucket: str
) -> dict[str, Any]:
    """The request for the training job. `tuning`: what the tuning job says of itself as JSON, null without one."""
    planned = TrainingPlan.from_json(plan)
    hyperparameters = planned.hyperparameters
    if tuned := json.loads(tuning):
        best = tuned["Tuning"].get("BestTrainingJob")
        if best is None:
            raise NoBestTrainingJobError(
                "The tuning job has no best training job: see why its training jobs failed, and clear "
                "tune_hyperparameters. Or trigger the DAG without tune."
            )
        log.info("%s has found %s", best["TrainingJobName"], best["TunedHyperParameters"])
        hyperparameters = deepar.tuned(hyperparameters, best["TunedHyperParameters"])
    return training_requests.training_job(
        planned,
        hyperparameters,
        batch=batch,
        role_arn=role_arn,
        training_set=_training_set(clean_bucket, batch),
        working_bucket=working_bucket,
    )


def check_model_quality(plan: str, training_job: str, deployment: str, clean_bucket: str, batch: str) -> str:
    """A sentence on the model's quality; model_quality.ModelQualityError when it is not good enough."""
    planned, values = TrainingPlan.from_json(plan), json.loads(deployment)
    metrics = model_record.metrics(clients.sagemaker().describe_training_job(TrainingJobName=training_job))
    verdict = model_quality.check(
        model_quality.Score(metrics[deepar.LOSS], _baseline(clean_bucket, batch)["seasonal_naive"]),
        min_improvement=planned.min_improvement,
        skill_tolerance=planned.skill_tolerance,
        force=planned.force,
        current=current_model.current(clients.ssm(), values["model_parameters"]),
    )
    log.info(verdict)
    return verdict


def create_model(plan: str, training_job: str, role_arn: str) -> str:
    """Make the model and its endpoint configuration of what the training job has left; their name, which is its."""
    planned, sagemaker = TrainingPlan.from_json(plan), clients.sagemaker()
    trained = sagemaker.describe_training_job(TrainingJobName=training_job)
    endpoints.create_model(
        sagemaker,
        name=training_job,
        image=trained["AlgorithmSpecification"]["TrainingImage"],
        artefact=trained["ModelArtifacts"]["S3ModelArtifacts"],
        role_arn=role_arn,
    )
    endpoints.create_endpoint_config(
        sagemaker,
        name=training_job,
        instance_type=planned.endpoint_instance_type,
        instance_count=planned.endpoint_instance_count,
    )
    return training_job


def record_model(plan: str, training_job: str, deployment: str, clean_bucket: str, batch: str) -> dict[str, Any]:
    """Write the model's record, which makes it the current one; the record."""
    planned, values = TrainingPlan.from_json(plan), json.loads(deployment)
    sagemaker, ssm = clients.sagemaker(), clients.ssm()
    # A run that is cleared after a newer one: the endpoint does not serve its model, which must not become current.
    endpoints.require_in_service(sagemaker, planned.endpoint_name, training_job)
    trained = sagemaker.describe_training_job(TrainingJobName=training_job)
    prefix = values["model_parameters"]
    before = current_model.of_endpoint(ssm, prefix, planned.endpoint_name)
    record = model_record.record(planned, trained, _training_set(clean_bucket, batch), _baseline(clean_bucket, batch))
    record["superseded"] = current_model.superseded(training_job, before)
    current_model.write(ssm, prefix, record)
    return record


def retire_superseded_model(plan: str, deployment: str) -> list[str]:
    """Delete what the endpoint served before, models and endpoint configurations; their names."""
    planned, values = TrainingPlan.from_json(plan), json.loads(deployment)
    record = current_model.of_endpoint(clients.ssm(), values["model_parameters"], planned.endpoint_name)
    names: list[str] = record["superseded"] if record else []
    for name in names:
        endpoints.retire(clients.sagemaker(), name)
    return names


def announcement(plan: str, training_job: str) -> dict[str, str]:
    """What the FORECAST_MODEL event says of the new model."""
    return {"model_name": training_job, "endpoint_name": TrainingPlan.from_json(plan).endpoint_name}


def _baseline(clean_bucket: str, batch: str) -> dict[str, float]:
    """The mean weighted quantile losses of the baselines."""
    s3 = clients.s3()
    bucket, key = storage.split_uri(_training_set(clean_bucket, batch)["baseline"])
    scores = storage.read_json(s3, bucket, key)
    return {name: scores[name]["mean_wQuantileLoss"] for name in ("seasonal_naive", "climatology")}


def _training_set(clean_bucket: str, batch: str) -> dict[str, Any]:
    return glue.newest_summary(clients.s3(), clean_bucket, batch, PREPARE)[0]
