"""
# Forecast consumption

## Purpose
Forecasts the hourly consumption of every meter with the current model: median, and the quantiles 10 % and 90 %.

## When it runs
On Mondays at 07:00 UTC, after each load of the warehouse (asset `warehouse`), when a new model serves (asset
`forecast_model`), and by hand. One run at a time. As long as there is no model, all tasks after the first are skipped.

## Reads
The record of the current model; the published readings, `aggregated_daily`, and `weather` if the model knows weather.

## Writes
`forecast/<batch>/` in the working bucket; `forecast/run=<batch>/` in the business bucket, a partition of the table
`forecast` once it was crawled. Emits the asset `forecasts`.

## Parameters
Which meters, readings and model. Empty: all meters, the newest readings, the current model.

## On failure
Stored forecasts are those of before. Every task can be cleared as often as needed; a transform job that an earlier try
has left running is stopped first.

- `transform_batch`: a failed batch fails alone; the forecasts of the others are stored. The message is SageMaker's
  reason; the job's log is in CloudWatch, `/aws/sagemaker/TransformJobs`. Clear the failed ones with their downstream
  tasks. If it says that the model does not exist, a new one has replaced it: clear `choose_model`, with all that
  follows.
- `find_results`: not one batch was transformed. See the first task that failed.
- `prepare_forecast_batches`, `store_forecasts`: the log ends with the job's message. The job's own log is in
  CloudWatch, `/aws-glue/jobs/error`, stream = id of the job run.
- `check_batches` names the batches that have no forecast.

Otherwise ask the data platform's engineer on call, with the link of the alert.
"""

from airflow.sdk import Param, chain, dag, task
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable
from metering import forecasting, glue
from metering.assets import FORECAST_MODEL, FORECASTS, WAREHOUSE
from metering.batches import BATCH
from metering.defaults import DAG_OPTIONS
from metering.deployment import CLEAN_BUCKET, MODEL_PARAMETERS, WORKING_BUCKET
from metering.forecast_form import FORM
from metering.forecasting import TRANSFORM_JOB, TRANSFORM_OPTIONS
from metering.operators import BatchTransformOperator, CrawlOperator, JobRunOperator


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 7 * * 1", timezone="UTC"), assets=WAREHOUSE | FORECAST_MODEL
    ),
    params={name: Param(**field) for name, field in FORM.items()},
    tags=["forecast"],
    doc_md=__doc__,
    **DAG_OPTIONS,
)
def forecast_consumption():
    @task(outlets=[FORECASTS])
    def announce_forecasts(batch, clean_bucket, outlet_events=None):
        outlet_events[FORECASTS].extra = forecasting.announce_forecasts(batch, clean_bucket)

    batches = task(forecasting.list_batches)(BATCH, CLEAN_BUCKET)
    transform_batch = BatchTransformOperator.partial(
        task_id="transform_batch", config=TRANSFORM_JOB, forecast_batch=BATCH, **TRANSFORM_OPTIONS
    )

    chain(
        task.short_circuit(forecasting.choose_model)(MODEL_PARAMETERS),
        JobRunOperator(**glue.job("prepare_forecast_batches", forecasting.PREPARE_ARGUMENTS)),
        batches,
        transform_batch.expand(batch=batches),
        task(forecasting.find_results, trigger_rule="all_done")(BATCH, WORKING_BUCKET),
        JobRunOperator(**glue.job("store_forecasts", forecasting.STORE_ARGUMENTS)),
        CrawlOperator(task_id="crawl_forecast", config={"Name": "crawl_forecast"}, **glue.CRAWL),
        [
            announce_forecasts(BATCH, CLEAN_BUCKET),
            task(forecasting.check_batches, retries=0)(BATCH, CLEAN_BUCKET),
        ],
    )


forecast_consumption()
