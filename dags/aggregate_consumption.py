"""
# Aggregate consumption

## Purpose
Sums the interval readings (INT, kWh) of touched dates to days, ISO weeks and months for every meter.

## When it runs
Whenever `ingest_meter_readings` has loaded a batch (asset `readings`), and by hand. One run at a time. A batch that was
loaded while this DAG was paused starts no run; the next run takes it along. If none is due, trigger by hand.

## Reads
The published readings (table `daily`) and, for the untouched days of a touched week or month, `aggregated_daily`.

## Writes
New folders of the touched partitions of `aggregated_daily`, `aggregated_weekly` and `aggregated_monthly` in the
business bucket, published at the end. Emits the asset `consumption`.

## Parameters
For runs by hand only: the first and the last date to sum anew. Empty: as far as there are readings.

## On failure
Readers see the old sums until `publish_consumption` has run. Every task can be cleared as often as needed.

- A failed run keeps its dates to itself: the next run does not take them over. Clear it, today or later; that is safe
  after newer runs too, because sums are always made from the published readings. If the run is gone, trigger this DAG
  with the dates.
- `aggregate_consumption`: the log ends with the message of Spark. Spark's own log is in CloudWatch,
  `/aws-glue/jobs/error`, stream = id of the job run. A retry or a clear attaches to a job run that still works.
- `publish_consumption` says that a newer run has published: clear `aggregate_consumption` of this run.

Otherwise ask the data platform's engineer on call, with the link of the alert.
"""

from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.sdk import Param, chain, dag, task
from metering import aggregation, glue
from metering.assets import CONSUMPTION, READINGS, extras
from metering.batches import BATCH, RUN
from metering.defaults import DAG_OPTIONS
from metering.deployment import CLEAN_BUCKET, GLUE_DATABASE

DATES = "{{ ti.xcom_pull(task_ids='choose_dates') | join(',') }}"

PARAMS = {
    "first_date": Param(
        None,
        type=["null", "string"],
        format="date",
        section="Dates",
        description="First date (UTC) to sum anew. Empty: the first with readings.",
    ),
    "last_date": Param(
        None,
        type=["null", "string"],
        format="date",
        section="Dates",
        description="Last date (UTC) to sum anew, included. Empty: the last with readings.",
    ),
}


@dag(schedule=[READINGS], params=PARAMS, tags=["consumption"], doc_md=__doc__, **DAG_OPTIONS)
def aggregate_consumption():
    # A batch may touch no date (error readings only): the job is skipped, the batch is announced all the same.
    @task.short_circuit(ignore_downstream_trigger_rules=False)
    def choose_dates(database, params=None, triggering_asset_events=None):
        return aggregation.choose_dates(extras(triggering_asset_events), params, database)

    @task(outlets=[CONSUMPTION], trigger_rule="none_failed")
    def publish_consumption(
        batch, chosen_dates, clean_bucket, database, triggering_asset_events=None, outlet_events=None
    ):
        outlet_events[CONSUMPTION].extra = aggregation.publish_consumption(
            extras(triggering_asset_events), batch, chosen_dates, clean_bucket, database
        )

    chain(
        choose_dates(GLUE_DATABASE),
        GlueJobOperator(**glue.job("aggregate_consumption", {"--run": RUN, "--dates": DATES})),
        publish_consumption(BATCH, DATES, CLEAN_BUCKET, GLUE_DATABASE),
    )


aggregate_consumption()
