"""
# Ingest meter readings

## Purpose
Loads the meter files that are new in the landing zone: cleans them, puts bad rows into quarantine, and merges the
readings into the business zone. Loading a file twice changes nothing.

## When it runs
Daily at 09:00 UTC, and by hand. One run at a time. Without new files all tasks after the first are skipped.

## Reads
The landing zone; the ledger of known files in the clean bucket. How to load any other file than the deployment's:
docs/loading-your-files.md.

## Writes
`clean/batch=<batch>/` and `quarantine/batch=<batch>/` in the clean bucket; new folders of the touched partitions in the
business bucket, which become visible in one step (`publish_readings`); at last the ledger. Emits the asset `readings`.

## Parameters
All have defaults that suit the daily run; the trigger form explains each. Those of *Default transformer* describe files
of your own; a file `_transformer.json` in their folder says the same for the daily run, and wins.

## On failure
Nothing is half loaded: until `publish_readings` readers see the old numbers, after it the new ones. Every task can be
cleared (with what follows it) as often as needed; the run keeps its batch and its files. If nobody clears the run, the
next one takes its files, unless `record_ledger` failed: then clear that, or its dates are not summed.

- `check_rejected_share`: its message names the worst reasons and files, the place of the quarantine and what to do.
  A file that cannot be read at all (an archive, a workbook, other columns, a description that does not fit) is set
  aside with the reason: an alert names it, the others load. The task fails when no file can be read. Do as its message
  says. A file is tried again when it, its `_transformer.json` or the run's transformer or description has changed, or
  when *reprocess* names it; the log of `find_new_meter_files` names those that are still set aside.
- `raw_to_clean`, `clean_to_business`: the log ends with the job's message. Its whole log is in CloudWatch,
  `/aws-glue/jobs/error`, stream = id of the job run. A retry or a clear attaches to a job run that still works; stop
  that in Glue first if its script was wrong.
- `raw_to_clean` says that a file has changed or is gone since it was listed: trigger a new run.
- `publish_readings` says that a newer run has published: clear `clean_to_business` of this run.
- The alert *Readings contradict one another*: the run went on; docs/runbook.md says what to look at.

Otherwise ask the data platform's engineer on call, with the link of the alert.
"""

from airflow.sdk import Param, chain, dag, task
from airflow.timetables.trigger import CronTriggerTimetable
from metering import conflicts, file_descriptions, glue, ingestion, rejects
from metering.assets import READINGS
from metering.batches import BATCH, RUN
from metering.defaults import DAG_OPTIONS
from metering.deployment import CLEAN_BUCKET, GLUE_DATABASE, LANDING_BUCKET, LANDING_PREFIX
from metering.operators import CrawlOperator, JobRunOperator

PARAMS = {
    "max_rejected_share": Param(**rejects.ALLOWED_SHARE),
    "max_conflict_share": Param(**conflicts.ALLOWED_SHARE),
    "transformer": Param(
        None,
        type=["null", "string"],
        enum=[None, "london", "default"],
        section="Files",
        description="Which layout the files have: default is the one described below. Empty: the deployment's.",
    ),
    "reprocess": Param(
        [],
        type="array",
        items={"type": "string", "pattern": r"^[^/\s].*[^/\s]$"},
        section="Files",
        description="Keys of the landing bucket, one a line, to load again although they are known or set aside, e.g. "
        "after a transformer was mended. Upload a file anew if its values shall replace those already loaded.",
    ),
    "grain": Param(
        "month",
        type="string",
        enum=["month", "day"],
        section="Business zone",
        description="What a partition of the readings holds. The grain day suits fleets above a million meters.",
    ),
    **{name: Param(**asked) for name, asked in file_descriptions.PARAMS.items()},
}


@dag(
    schedule=CronTriggerTimetable("0 9 * * *", timezone="UTC"),
    params=PARAMS,
    tags=["readings"],
    doc_md=__doc__,
    **DAG_OPTIONS,
)
def ingest_meter_readings():
    @task(outlets=[READINGS])
    def record_ledger(batch, clean_bucket, outlet_events=None):
        outlet_events[READINGS].extra = ingestion.record_ledger(batch, clean_bucket)

    transformer = "{{ params.transformer or var.json.metering.landing_transformer }}"
    raw_to_clean_arguments = {
        "--batch": BATCH,
        "--manifest": f"s3://{CLEAN_BUCKET}/_manifests/{BATCH}.json",
        "--transformer": transformer,
    }
    listed = (BATCH, CLEAN_BUCKET, LANDING_BUCKET, LANDING_PREFIX, transformer)
    clean_to_business_arguments = {"--batch": BATCH, "--run": RUN, "--grain": "{{ params.grain }}"}

    chain(
        task.short_circuit(ingestion.find_new_meter_files)(*listed),
        CrawlOperator(task_id="crawl_landing", config={"Name": "crawl_landing"}, **glue.CRAWL),
        JobRunOperator(**glue.job("raw_to_clean", raw_to_clean_arguments)),
        task(ingestion.check_rejected_share, retries=0)(BATCH, CLEAN_BUCKET),
        CrawlOperator(task_id="crawl_clean", config={"Name": "crawl_clean"}, **glue.CRAWL),
        JobRunOperator(**glue.job("clean_to_business", clean_to_business_arguments)),
        task(ingestion.publish_readings)(BATCH, CLEAN_BUCKET, GLUE_DATABASE),
        record_ledger(BATCH, CLEAN_BUCKET),
    )


ingest_meter_readings()
