"""Jobs of SageMaker by name, whatever their kind: how they are described, stopped and waited for.

A job does not end with the task that started it. So a task that tries again ends the jobs of its former tries first:
two of them would cost twice and write to the same place.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from metering.settings import SETTINGS

RUNNING = {"InProgress", "Stopping"}
COMPLETED = "Completed"
# SageMaker has no error of its own for a job that does not exist, but for a tuning job.
UNKNOWN_CODES = {"ValidationException", "ResourceNotFound"}

# A task gives up after max_wait_hours; the time limit of the job itself is the same.
OPTIONS: dict[str, Any] = {
    "retries": SETTINGS.job_retries,
    "deferrable": True,
    "check_interval": SETTINGS.job_poll_seconds,
    "max_attempts": SETTINGS.job_poll_attempts,
    "max_ingestion_time": SETTINGS.max_wait_hours * 3600,
    "execution_timeout": timedelta(minutes=30),  # of the calls themselves: time in deferral does not count
}

log = logging.getLogger(__name__)


class SageMakerJobError(RuntimeError):
    """A job failed, was stopped, or could not be followed; the message says why and where its log is."""


class StillRunningError(RuntimeError):
    """A job of a former try does not end although it was told to."""


@dataclass(frozen=True)
class JobKind:
    """How boto3 and SageMaker call a kind of job; `logs` is its CloudWatch log group."""

    operation: str
    name: str
    status: str
    logs: str


TRAINING = JobKind("training_job", "TrainingJobName", "TrainingJobStatus", "/aws/sagemaker/TrainingJobs")
TRANSFORM = JobKind("transform_job", "TransformJobName", "TransformJobStatus", "/aws/sagemaker/TransformJobs")
TUNING = JobKind(
    "hyper_parameter_tuning_job",
    "HyperParameterTuningJobName",
    "HyperParameterTuningJobStatus",
    "/aws/sagemaker/TrainingJobs",
)


@dataclass(frozen=True)
class Jobs:
    """`sagemaker` is a boto3 client."""

    sagemaker: Any
    kind: JobKind

    def find(self, name: str) -> dict[str, Any] | None:
        """The job's description; None when there is none of that name."""
        try:
            described: dict[str, Any] = self._call("describe", name)
        except self.sagemaker.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in UNKNOWN_CODES:
                return None
            raise
        return described

    def is_running(self, name: str) -> bool:
        found = self.find(name)
        return found is not None and found[self.kind.status] in RUNNING

    def stop(self, name: str) -> bool:
        """Tell a running job to stop; whether it ran. It may go on for minutes: a training job saves its model."""
        found = self.find(name)
        if found is None or found[self.kind.status] not in RUNNING:
            return False
        if found[self.kind.status] != "Stopping":
            try:
                self._call("stop", name)
            except self.sagemaker.exceptions.ClientError as error:
                # It has ended in between.
                if error.response["Error"]["Code"] not in UNKNOWN_CODES:
                    raise
        return True

    def end_all(
        self,
        names: Iterator[str],
        *,
        poll_seconds: float,
        attempts: int,
    ) -> list[str]:
        """Stop those that run and wait until none does; their names. Raises StillRunningError."""
        stopped = [name for name in names if self.stop(name)]
        for name in stopped:
            log.info("Stopping %s, which a former try has left running", name)
            self._wait_until_ended(name, poll_seconds, attempts)
        return stopped

    def failure(self, name: str) -> str:
        """Why a job did not complete, in SageMaker's words, and where its log is."""
        found = self.find(name)
        if found is None:
            return f"SageMaker knows no job {name}"
        reason = found.get("FailureReason", "SageMaker gives no reason").rstrip(".")
        return f"{name}: {found[self.kind.status]}: {reason}. Its log: CloudWatch {self.kind.logs}, streams {name}/…"

    def _wait_until_ended(self, name: str, poll_seconds: float, attempts: int) -> None:
        for _ in range(attempts):
            if not self.is_running(name):
                return
            time.sleep(poll_seconds)
        raise StillRunningError(f"{name} was told to stop, but still runs. Stop it in SageMaker, then clear this task.")

    def _call(self, verb: str, name: str) -> Any:
        return getattr(self.sagemaker, f"{verb}_{self.kind.operation}")(**{self.kind.name: name})
