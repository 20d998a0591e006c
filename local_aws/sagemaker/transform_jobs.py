"""Transform jobs: one at once, the others wait; see transform_run.py for what one does."""

from __future__ import annotations

import logging
from collections.abc import Callable

from local_aws.sagemaker.backend import Backend
from local_aws.sagemaker.job_queue import Interrupt, JobQueue
from local_aws.sagemaker.listing import listed
from local_aws.sagemaker.model_store import ModelStore
from local_aws.sagemaker.models import existing_model
from local_aws.sagemaker.names import LOST, TRANSFORM_JOB, in_use, invalid, kept, now, reason, refuse, unserved
from local_aws.sagemaker.records import RecordRules
from local_aws.sagemaker.tags import set_tags
from local_aws.sagemaker.transform_run import InterruptedRunError, TransformError, TransformRun
from local_aws.sagemaker.warm_server import WarmServer
from local_aws.service import Request, Response, Service
from local_aws.state import Document

ACTIVE = ("InProgress", "Stopping")


class TransformJobs(Service):
    """CreateTransformJob, DescribeTransformJob, ListTransformJobs, StopTransformJob.

    Instance types and counts and MaxConcurrentTransforms are kept, not obeyed: one request is under way at a time.
    """

    service_name = "sagemaker"

    def __init__(self, backend: Backend, models: ModelStore, start_seconds: float, idle_seconds: float = 60) -> None:
        """`idle_seconds`: how long the process of the last job waits for another one of the same model."""
        self._backend = backend
        self._state = backend.state
        self._models = models
        self._server = WarmServer(backend, start_seconds)
        self._queue = JobQueue(
            "transform", self._execute, self._defect, idle=self._server.close, idle_seconds=idle_seconds
        )
        self._log = logging.getLogger("local_aws.sagemaker.transform")

    def on_start(self) -> None:
        for name, job in self._state.items(TRANSFORM_JOB):
            if job["TransformJobStatus"] in ACTIVE:
                self._end(name, "Failed", LOST)
        self._queue.start()

    def on_stop(self) -> None:
        self._queue.close()

    def create_transform_job(self, request: Request) -> Response:
        name = request["TransformJobName"]
        arn = self._backend.arn("transform-job", name)
        _require_served(request)
        existing_model(self._backend, request["ModelName"])
        document = kept(request, "DescribeTransformJob") | {
            "TransformJobArn": arn,
            "TransformJobStatus": "InProgress",
            "CreationTime": now(),
        }
        with self._state.transaction():
            if self._state.get(TRANSFORM_JOB, name):
                raise in_use(
                    "Job name must be unique within an AWS account and region, and a job with this name already exists"
                    f" ({arn})"
                )
            self._state.put(TRANSFORM_JOB, name, document)
            set_tags(self._state, arn, request.get("Tags"))
        self._queue.put(name)
        return {"TransformJobArn": arn}

    def describe_transform_job(self, request: Request) -> Response:
        return self._existing(request["TransformJobName"])

    def list_transform_jobs(self, request: Request) -> Response:
        return listed(
            [_summary(job) for job in self._state.list(TRANSFORM_JOB)],
            request,
            "TransformJobSummaries",
            "TransformJobName",
            status="TransformJobStatus",
            order="CreationTime Descending",
        )

    def stop_transform_job(self, request: Request) -> Response:
        name = request["TransformJobName"]
        status = self._existing(name)["TransformJobStatus"]
        if status not in ACTIVE:
            raise invalid(f"The request was rejected because the transform job is in status {status}.")

        def change(job: Document) -> None:
            if job["TransformJobStatus"] == "InProgress":
                job["TransformJobStatus"] = "Stopping" if "TransformStartTime" in job else "Stopped"

        self._change(name, change)
        self._queue.stop(name)
        return {}

    def _existing(self, name: str) -> Document:
        job = self._state.get(TRANSFORM_JOB, name)
        if job is None:
            raise invalid(f"Could not find requested job with name: {name}")
        return job

    def _execute(self, name: str, interrupt: Interrupt) -> None:
        def take_up(job: Document) -> None:
            if job["TransformJobStatus"] == "InProgress":
                job["TransformStartTime"] = now()

        self._change(name, take_up)
        job = self._existing(name)
        if job["TransformJobStatus"] == "Stopped":
            return
        try:
            TransformRun(self._backend, self._models, self._server, job, interrupt).run()
        except TransformError as error:
            self._end(name, "Failed", str(error))
        except InterruptedRunError:
            if interrupt.stopped:
                self._end(name, "Stopped")
            else:
                self._end(name, "Failed", LOST)
        else:
            self._end(name, "Completed")

    def _end(self, name: str, status: str, failure: str | None = None) -> None:
        def change(job: Document) -> None:
            job["TransformJobStatus"] = status
            job["TransformEndTime"] = now()
            if failure:
                job["FailureReason"] = reason(failure)

        self._change(name, change)
        self._log.info("%s %s %s", name, status, failure or "")

    def _defect(self, name: str, error: Exception) -> None:
        self._end(name, "Failed", f"InternalServerError: local_aws failed: {type(error).__name__}: {error}")

    def _change(self, name: str, change: Callable[[Document], None]) -> None:
        def apply(job: Document | None) -> Document | None:
            if job is not None:
                change(job)
            return job

        self._state.update(TRANSFORM_JOB, name, apply)


def _require_served(request: Request) -> None:
    """Raises ValidationException."""
    refuse(request, "DataCaptureConfig")
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise unserved(f"S3DataType {source['S3DataType']}")
    RecordRules(request)


def _summary(job: Document) -> Document:
    members = (
        "TransformJobName",
        "TransformJobArn",
        "CreationTime",
        "TransformEndTime",
        "TransformJobStatus",
        "FailureReason",
    )
    shown = {name: job[name] for name in members if name in job}
    return shown | {"LastModifiedTime": job.get("TransformEndTime", job["CreationTime"])}
