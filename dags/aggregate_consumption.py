"""
# Aggregate consumption

## Purpose
Sums the interval readings (INT, kWh) of touched dates to days, ISO weeks and months for every meter, and counts how
complete each meter's days are.

## When it runs
Whenever `ingest_meter_readings` has loaded a batch (asset `readings`), and by hand. One run at a time. A batch that was
loaded while this DAG was paused starts no run; the next run takes it along. If none is due, trigger by hand. A batch
without interval readings skips the job and the check; it is announced all the same, so that `load_redshift` loads it.

## Reads
The published readings (table `daily`), for the untouched days of a touched week or month `aggregated_daily` and
`completeness`, and the tallies of published batches in the clean bucket (rows delivered and rejected by meter and day).

## Writes
New folders of the touched partitions of `aggregated_daily`, `aggregated_weekly`, `aggregated_monthly` and
`completeness` in the business bucket, published together at the end. Emits the asset `consumption`.

## Parameters
For runs by hand only: the first and the last date to sum anew; empty: as far as there are readings. For all runs: which
share of the expected readings must have come, and whether the run fails or alerts otherwise.

## On failure
Readers see the old sums until `publish_consumption` has run. Every task can be cleared as often as needed.

- A failed run keeps its dates to itself: the next run does not take them over. Clear it, today or later; that is safe
  after newer runs too, because sums are always made from the published readings. If the run is gone, trigger this DAG
  with the dates.
- `aggregate_consumption`: the log ends with the job's message. The job's own log is in CloudWatch,
  `/aws-glue/jobs/error`, stream = id of the job run. A retry or a clear attaches to a job run that still works.
- `check_completeness`: its message says how much is missing, and the worst days. Nothing was published.
- `publish_consumption` says that a newer run has published: clear `aggregate_consumption` of this run.

Otherwise ask the data platform's engineer on call, with the link of the alert.
"""

from airflow.sdk import Param, chain, dag, task
from metering import aggregation, completeness, glue
from metering.assets import CONSUMPTION, READINGS, extras
from metering.batches import BATCH, RUN
from metering.defaults import DAG_OPTIONS
from metering.deployment import CLEAN_BUCKET, GLUE_DATABASE, INTERVALS_PER_HOUR
from metering.operators import JobRunOperator

# Without dates the short circuit leaves no XCom: the template then gives an empty text.
DATES = "{{ (ti.xcom_pull(task_ids='choose_dates') or []) | join(',') }}"

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
    "min_completeness": Param(
        0.5,
        type="number",
        minimum=0,
        maximum=1,
        section="Completeness",
        description="Share of the readings expected on the dates that must have come (0.99 = 99 %; 0 = any).",
    ),
    "on_incomplete": Param(
        completeness.ALERT,
        type="string",
        enum=[completeness.FAIL, completeness.ALERT],
        section="Completeness",
        description="When less has come: fail before anything is published, or publish and tell the operators.",
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

    arguments = {"--run": RUN, "--dates": DATES, "--intervals_per_hour": INTERVALS_PER_HOUR}

    chain(
        choose_dates(GLUE_DATABASE),
        JobRunOperator(**glue.job("aggregate_consumption", arguments)),
        task(aggregation.check_completeness, retries=0)(BATCH, CLEAN_BUCKET),
        publish_consumption(BATCH, DATES, CLEAN_BUCKET, GLUE_DATABASE),
    )


aggregate_consumption()
