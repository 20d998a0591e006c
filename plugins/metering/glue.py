"""Glue jobs and crawlers: how tasks wait for them, and the summaries that jobs leave behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from metering import storage
from metering.settings import SETTINGS

SUMMARIES = "_summaries/"

# A task gives up after max_wait_hours; the timeout of the job itself (infra/glue.yaml) comes first.
# A retry or a clear attaches to the job run of the try before when that still runs, so that two never run at once.
# verbose would forward Spark's whole log instead of its error message, and take a stopped job for a success.
JOB: dict[str, Any] = {
    "retries": SETTINGS.job_retries,
    "deferrable": True,
    "waiter_delay": SETTINGS.job_poll_seconds,
    "waiter_max_attempts": SETTINGS.job_poll_attempts,
    "resume_glue_job_on_retry": True,
    "stop_job_run_on_kill": True,
    "verbose": False,
    "execution_timeout": timedelta(minutes=30),  # of the calls themselves: time in deferral does not count
}

# A crawler that runs already is waited for: a retry does not fail because of the try before.
CRAWL: dict[str, Any] = {
    "deferrable": True,
    "poll_interval": SETTINGS.crawl_poll_seconds,
    "fail_on_already_running": False,
}


def job(name: str, arguments: dict[str, str]) -> dict[str, Any]:
    """The arguments of a GlueJobOperator: job, task and script have one name."""
    return {"task_id": name, "job_name": name, "script_args": arguments, **JOB}


class NoSummaryError(LookupError):
    """A Glue job has left no summary: it never succeeded for this batch or run."""


def summary(s3: Any, clean_bucket: str, batch: str, job: str) -> tuple[dict[str, Any], datetime]:
    """What a job said of its work on a batch, and when (UTC). It is written last: its run is the one that succeeded."""
    return storage.read_dated_json(s3, clean_bucket, f"{SUMMARIES}{batch}/{job}.json")


def newest_summary(s3: Any, clean_bucket: str, batch: str, job: str) -> tuple[dict[str, Any], datetime]:
    """The same for a job that writes one summary a try, below the run `<batch>-<try>`."""
    tries = [
        item
        for item in storage.objects(s3, clean_bucket, f"{SUMMARIES}{batch}-")
        if item["Key"].endswith(f"/{job}.json")
    ]
    if not tries:
        raise NoSummaryError(f"{job} left no summary below s3://{clean_bucket}/{SUMMARIES}{batch}-. Clear its task.")
    newest = max(tries, key=lambda item: item["LastModified"])
    return storage.read_dated_json(s3, clean_bucket, newest["Key"])
