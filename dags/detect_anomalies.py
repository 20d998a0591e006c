"""
# Detect anomalies

## Purpose
Judges the days of every meter: below, inside or above the band in which its consumption was to be expected.

## When it runs
Whenever `aggregate_consumption` has published sums (asset `consumption`), and by hand. One run at a time. Without new
complete days the run skips what is left of it: that is no failure.

## Reads
`aggregated_daily` of the days looked at, the judgements in `anomaly`, and `weather` where the deployment uses weather.

## Writes
New folders of the touched months of `anomaly` in the business bucket, published at the end. Emits the asset
`anomalies`. A day is judged once: when it is complete, and its meter has 28 complete days. Judgements are kept, also
when readings of the day are corrected later. Only a day that is not judged yet is added.

## Parameters
For runs by hand: how many days are looked at, whose public holidays count, how wide the band is. They are for new
judgements; those that exist stay.

## On failure
Readers see the old judgements until `publish_anomalies` has run. Every task can be cleared as often as needed, and a
failed run needs no clearing once a newer one succeeds: that one judges what is still to be judged.

- `detect_anomalies`: the log ends with the job's message. The job's own log is in CloudWatch,
  `/aws-glue/jobs/error`, stream = id of the job run. `NoWeatherError`: run `load_reference_data`, then clear the task.
- `publish_anomalies` says that a newer run has published: clear `detect_anomalies` of this run.
- To judge days anew after their readings were corrected: delete the partitions of their months of `anomaly` from the
  catalog and trigger this DAG with `days` that reach back as far.

Otherwise ask the data platform's engineer on call, with the link of the alert.
"""

from airflow.sdk import Param, chain, dag, task
from metering import anomalies, glue
from metering.assets import ANOMALIES, CONSUMPTION, extras
from metering.batches import BATCH
from metering.defaults import DAG_OPTIONS
from metering.deployment import CLEAN_BUCKET, GLUE_DATABASE
from metering.operators import JobRunOperator

PARAMS = {
    "days": Param(
        365,
        type="integer",
        minimum=28,
        maximum=1096,
        section="Days",
        description="How many days up to the newest complete one are looked at, and judged where they are not yet.",
    ),
    "country": Param(
        None,
        type=["null", "string"],
        enum=[None, *anomalies.COUNTRIES],
        section="Band",
        description="Whose public holidays count (ISO 3166). Empty: the deployment's country.",
    ),
    "level": Param(
        0.98,
        type="number",
        minimum=0.5,
        maximum=0.999,
        section="Band",
        description="Share of ordinary days that the band holds; the rest is judged as an anomaly though it is none.",
    ),
}


@dag(schedule=[CONSUMPTION], params=PARAMS, tags=["consumption"], doc_md=__doc__, **DAG_OPTIONS)
def detect_anomalies():
    @task.short_circuit
    def find_summed_days(database, triggering_asset_events=None):
        return anomalies.find_summed_days(extras(triggering_asset_events), database)

    @task.short_circuit
    def find_judged_days(batch, clean_bucket):
        return anomalies.find_judged_days(batch, clean_bucket)

    @task(outlets=[ANOMALIES])
    def publish_anomalies(batch, clean_bucket, database, outlet_events=None):
        outlet_events[ANOMALIES].extra = anomalies.publish_anomalies(batch, clean_bucket, database)

    chain(
        find_summed_days(GLUE_DATABASE),
        JobRunOperator(**glue.job("detect_anomalies", anomalies.ARGUMENTS)),
        find_judged_days(BATCH, CLEAN_BUCKET),
        publish_anomalies(BATCH, CLEAN_BUCKET, GLUE_DATABASE),
    )


detect_anomalies()
