"""
# Load Redshift

## Purpose
Brings new batches of readings and the sums they touched into the Redshift warehouse, from which the REST API answers.

## When it runs
Whenever `aggregate_consumption` has published sums (asset `consumption`), and by hand. One run at a time. What was
published while this DAG was paused starts no run; the next run takes it along.

## Reads
The batches in the clean zone; the sums as the catalog publishes them when they are merged; the tables of
`set_up_warehouse`.

## Writes
`daily` (merged by meter, type and time; the newest delivery wins, then the batch that the lake merged later) and the
three `aggregated_*` tables, either in one transaction; manifests of what is copied below `_manifests/` in the business
bucket. Emits the asset `warehouse`.

## Parameters
For runs by hand only: batches, dates, or both. Empty: everything that was ever published, e.g. for a new cluster.

## On failure
The transaction was rolled back: the API answers with the old numbers. Every task can be cleared as often as needed;
loading twice changes nothing.

- `plan_load` says that batches were cleaned by an earlier version: in `ingest_meter_readings`, clear `raw_to_clean` of
  their runs, with all tasks after it; then clear `plan_load`.
- `merge_readings`, `merge_consumption`: the log ends with Redshift's message. Is a table missing? Run
  `set_up_warehouse`. Is a file missing? Its batch was cleaned anew meanwhile: clear `plan_load`. Is the cluster paused?
  Resume it and clear the task.
- A statement that was running when its task was cleared goes on in Redshift; the next one waits for it at the lock.
- A failed run keeps its batches to itself: the next run does not take them over. Clear it, today or later. If the run
  is gone, trigger this DAG with its batches and dates.

Otherwise ask the data platform's engineer on call, with the link of the alert.
"""

from airflow.sdk import Param, chain, dag, task
from metering import warehouse
from metering.assets import CONSUMPTION, WAREHOUSE, extras
from metering.batches import BATCH, BATCH_PATTERN
from metering.defaults import DAG_OPTIONS
from metering.deployment import BUSINESS_BUCKET, CLEAN_BUCKET, GLUE_DATABASE
from metering.operators import PlannedTransactionOperator, RedshiftTransactionOperator

PARAMS = {
    "batches": Param(
        [],
        type="array",
        items={"type": "string", "pattern": BATCH_PATTERN},
        section="Readings",
        description="Batches to load, one a line, e.g. 20260102T090000-3fa2c1. Empty with empty dates: all.",
    ),
    "first_date": Param(
        None,
        type=["null", "string"],
        format="date",
        section="Sums",
        description="First date (UTC) whose sums are loaded. Empty: the first there is.",
    ),
    "last_date": Param(
        None,
        type=["null", "string"],
        format="date",
        section="Sums",
        description="Last date (UTC) whose sums are loaded, included. Empty: the last there is.",
    ),
}


@dag(schedule=[CONSUMPTION], params=PARAMS, tags=["warehouse"], doc_md=__doc__, **DAG_OPTIONS)
def load_redshift():
    @task.branch
    def plan_load(batch, clean_bucket, business_bucket, database, params=None, triggering_asset_events=None):
        announced = extras(triggering_asset_events)
        return warehouse.plan_load(announced, params, batch, clean_bucket, business_bucket, database)

    @task(outlets=[WAREHOUSE], trigger_rule="none_failed_min_one_success")
    def announce_warehouse():
        """Both transactions are committed."""

    chain(
        plan_load(BATCH, CLEAN_BUCKET, BUSINESS_BUCKET, GLUE_DATABASE),
        [
            RedshiftTransactionOperator(
                task_id="merge_readings", sql=warehouse.MERGES["merge_readings"], **warehouse.TRANSACTION
            ),
            PlannedTransactionOperator(
                task_id="merge_consumption",
                plan=warehouse.plan_sums,
                plan_arguments=[BATCH, BUSINESS_BUCKET, GLUE_DATABASE],
                sql=warehouse.MERGES["merge_consumption"],
                **warehouse.TRANSACTION,
            ),
        ],
        announce_warehouse(),
    )


load_redshift()
