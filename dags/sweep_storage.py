"""
# Sweep storage

## Purpose
Deletes what no reader may still use: superseded folders of the business zone, old clean batches with their rows in
quarantine, old forecasts.

## When it runs
Daily at 03:00 UTC, and by hand. One run at a time.

## Reads
The catalog; listings of the clean and the business bucket; since when folders have been superseded
(`_sweeping/superseded.json` in the business bucket).

## Writes
Deletes folders `<table>/run=<run>/…` that the catalog points at no more and that can never be published again, batches
of `clean/` and `quarantine/`, and forecasts but the newest; withdraws the partitions that crawlers made of the latter.
The log names each folder; the tasks return folders, objects and bytes. Tallies, summaries and the ledger stay.

## Parameters
How long each kind is kept, and *dry_run*, which only lists what would go. All have defaults that suit the daily run.

## On failure
Nothing that is read was touched, and what is left goes with the next run. Every task can be cleared as often as needed.

- A table that a DAG is publishing is left alone; the log says so. A folder is noted on the first run that sees it
  superseded, and goes when the retention has passed since.
- A batch whose clean rows are gone cannot be loaded into an emptied Redshift: `load_redshift` says which, and that its
  files can be loaded anew (*reprocess*). Its readings in the business zone, and all sums, stay.

Otherwise ask the data platform's engineer on call, with the link of the alert.
"""

from airflow.sdk import Param, dag, task
from airflow.timetables.trigger import CronTriggerTimetable
from metering import sweeping
from metering.defaults import DAG_OPTIONS
from metering.deployment import BUSINESS_BUCKET, CLEAN_BUCKET, GLUE_DATABASE

PARAMS = {
    "superseded_days": Param(
        3,
        type="integer",
        minimum=1,
        maximum=365,
        section="Retention",
        description="Days for which a folder of the business zone is kept after a newer one has been published.",
    ),
    "clean_days": Param(
        365,
        type="integer",
        minimum=30,
        maximum=36500,
        section="Retention",
        description="Days for which clean batches and their rows in quarantine are kept. What is gone can be loaded "
        "into Redshift no more, unless its files are loaded anew.",
    ),
    "forecast_days": Param(
        90,
        type="integer",
        minimum=7,
        maximum=36500,
        section="Retention",
        description="Days for which forecasts are kept. The newest stays in any case.",
    ),
    "dry_run": Param(
        False,
        type="boolean",
        enum=[False, True],
        section="Run",
        description="Only list what would go.",
    ),
}


@dag(
    schedule=CronTriggerTimetable("0 3 * * *", timezone="UTC"),
    params=PARAMS,
    tags=["storage"],
    doc_md=__doc__,
    **DAG_OPTIONS,
)
def sweep_storage():
    # None waits for another: a zone that cannot be swept is no reason to leave the others.
    task(sweeping.sweep_superseded_folders)(GLUE_DATABASE, BUSINESS_BUCKET, CLEAN_BUCKET)
    task(sweeping.sweep_clean_batches)(GLUE_DATABASE, CLEAN_BUCKET)
    task(sweeping.sweep_forecasts)(GLUE_DATABASE, BUSINESS_BUCKET)


sweep_storage()
