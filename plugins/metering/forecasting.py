"""The steps of forecast_consumption that are no operator of the provider.

A batch of meters is {"number", "uri", "meters"}; the batch of the run (batches.BATCH) names them all.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from metering import clients, current_model, deepar, glue, sagemaker_jobs, storage
from metering.batches import BATCH
from metering.deployment import WITH_WEATHER, WORKING_BUCKET
from metering.settings import SETTINGS

PREPARE, STORE = "prepare_forecast_batches", "store_forecasts"

# Templates: values of the model's record, as choose_model returns it.
OF_MODEL = {
    name: f"{{{{ ti.xcom_pull(task_ids='choose_model')['{name}'] }}}}"
    for name in ("model_name", "scale", "prediction_length", "context_length", "intervals_per_hour")
}
WEATHER = "{{ ti.xcom_pull(task_ids='choose_model')['weather'] | tojson }}"

PREPARE_ARGUMENTS = {
    "--batch": BATCH,
    "--data_start": "{{ params.data_start or 'auto' }}",
    "--data_end": "{{ params.data_end or 'auto' }}",
    "--meter_start": "{{ params.meter_start }}",
    "--meter_end": "{{ params.meter_end or 'auto' }}",
    "--batch_size": "{{ params.batch_size }}",
    "--prediction_length": OF_MODEL["prediction_length"],
    "--context_length": OF_MODEL["context_length"],
    "--scale": OF_MODEL["scale"],
    "--intervals_per_hour": OF_MODEL["intervals_per_hour"],
    "--with_weather": WITH_WEATHER,
    "--weather": WEATHER,
}
STORE_ARGUMENTS = {
    "--batch": BATCH,
    "--model_name": OF_MODEL["model_name"],
    "--scale": OF_MODEL["scale"],
    "--quantiles": deepar.quantiles_text(deepar.QUANTILES),
    "--prediction_length": OF_MODEL["prediction_length"],
}

# CreateTransformJob but for its name and its input, which the operator knows. JoinSource puts meter_id and
# forecast_start, which the model does not get to see, beside its answer: so each line of a result names its meter.
TRANSFORM_JOB: dict[str, Any] = {
    "ModelName": OF_MODEL["model_name"],
    "BatchStrategy": "SingleRecord",
    "Environment": {
        "DEEPAR_INFERENCE_CONFIG": deepar.text(
            {
                "num_samples": deepar.SAMPLES,
                "output_types": ["quantiles"],
                "quantiles": [f"{quantile:g}" for quantile in deepar.QUANTILES],
            }
        )
    },
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix"}},
        "ContentType": "application/jsonlines",
        "SplitType": "Line",
    },
    "TransformOutput": {
        "S3OutputPath": f"s3://{WORKING_BUCKET}/forecast/{BATCH}/transformed/",
        "Accept": "application/jsonlines",
        "AssembleWith": "Line",
    },
    "TransformResources": {"InstanceType": "{{ params.transform_instance_type }}", "InstanceCount": 1},
    "DataProcessing": {
        "InputFilter": "$['start','target'"
        "{% if ti.xcom_pull(task_ids='choose_model')['weather'] %},'dynamic_feat'{% endif %}]",
        "JoinSource": "Input",
        "OutputFilter": "$['meter_id','forecast_start','SageMakerOutput']",
    },
}
# Tasks that run at a time. Deferred ones do not count: this spares Airflow, it does not limit SageMaker's jobs.
TRANSFORM_OPTIONS = sagemaker_jobs.OPTIONS | {
    "action_if_job_exists": "fail",
    "max_active_tis_per_dagrun": SETTINGS.transform_tasks,
    "map_index_template": "{{ '%04d' % task.batch['number'] }}",
}

log = logging.getLogger(__name__)


class ForecastParameterError(ValueError):
    """Parameters that contradict each other; the message says what to change."""


class NoResultError(LookupError):
    """No transform job of the run has left a result."""


class FailedBatchesError(RuntimeError):
    """Some batches of a run have no forecast; the message names them."""


def choose_model(model_parameters: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """The record of the model that forecasts; None when there is no model yet.

    Raises ForecastParameterError, or current_model.NoModelError for an endpoint that has no model.
    """
    _check(params)
    endpoint, ssm = params["ml_endpoint_name"], clients.ssm()
    if endpoint:
        record = current_model.of_endpoint(ssm, model_parameters, endpoint)
        if record is None:
            raise current_model.NoModelError(
                f"The endpoint {endpoint} has no model. Trigger train_forecast_model with this ml_endpoint_name, or "
                "leave it empty for the current model."
            )
        return record
    record = current_model.current(ssm, model_parameters)
    if record is None:
        log.info("There is no model yet. train_forecast_model starts this DAG when there is one")
    return record


def list_batches(batch: str, clean_bucket: str) -> list[dict[str, Any]]:
    """The batches that prepare_forecast_batches has written."""
    summary, _ = glue.summary(clients.s3(), clean_bucket, batch, PREPARE)
    for note in summary["notes"]:
        log.info(note)
    if weather := summary["weather"]:
        log.info(
            "Weather is known until %s; %s hours without it have the mean of their hour of the year",
            weather["last_known"],
            weather["hours_filled"],
        )
    log.info("%s meters in %s batches", summary["meters"], len(summary["batches"]))
    batches: list[dict[str, Any]] = summary["batches"]
    return batches


def find_results(batch: str, working_bucket: str) -> list[str]:
    """The results of the transform jobs, whichever of them failed. Raises NoResultError when there is none."""
    found = [
        PurePosixPath(item["Key"]).name
        for item in storage.objects(clients.s3(), working_bucket, f"forecast/{batch}/transformed/")
        if item["Key"].endswith(".jsonl.out")
    ]
    if not found:
        raise NoResultError(
            "No transform job of this run has left a result; the log of the first task that failed says why. Clear "
            "that task with its downstream tasks. Stored forecasts are those of before."
        )
    return found


def announce_forecasts(batch: str, clean_bucket: str) -> dict[str, Any]:
    """What the FORECASTS event says of the stored forecasts."""
    summary, _ = glue.summary(clients.s3(), clean_bucket, batch, STORE)
    said = {name: summary[name] for name in ("rows", "meters", "first", "last")}
    return {"batch": batch, "batches": summary["batches_stored"], **said}


def check_batches(batch: str, clean_bucket: str) -> str:
    """A sentence on what was stored. Raises FailedBatchesError when a batch is missing."""
    s3 = clients.s3()
    prepared, _ = glue.summary(s3, clean_bucket, batch, PREPARE)
    stored, _ = glue.summary(s3, clean_bucket, batch, STORE)
    there = set(stored["batches_stored"])
    missing = [entry for entry in prepared["batches"] if entry["number"] not in there]
    if missing:
        names = ", ".join(f"{entry['number']:04d}" for entry in missing)
        meters = sum(entry["meters"] for entry in missing)
        raise FailedBatchesError(
            f"{len(missing)} of {len(prepared['batches'])} batches have no forecast: {names} ({meters} meters). The "
            "forecasts of the others are stored. See the log of transform_batch of each, and clear those that failed, "
            "with their downstream tasks."
        )
    return f"{stored['rows']} forecast hours of {stored['meters']} meters are stored"


def _check(params: Mapping[str, Any]) -> None:
    first, last = params["meter_start"], params["meter_end"]
    if last is not None and last < first:
        raise ForecastParameterError(f"meter_end {last} is less than meter_start {first}. Swap them.")
    start, end = params["data_start"], params["data_end"]
    if start and end and date.fromisoformat(start) >= date.fromisoformat(end):
        raise ForecastParameterError(
            f"data_start {start} is not before data_end {end}, which is exclusive. Give an earlier data_start."
        )
