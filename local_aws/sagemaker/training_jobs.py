"""Training jobs: each is a process; one at once, the others wait as Pending."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable

import psutil

from local_aws import processes
from local_aws.sagemaker import training_document
from local_aws.sagemaker.backend import Backend
from local_aws.sagemaker.job_queue import Interrupt, JobQueue
from local_aws.sagemaker.listing import listed
from local_aws.sagemaker.names import LOST, TRAINING_JOB, in_use, invalid, refuse
from local_aws.sagemaker.tags import set_tags
from local_aws.sagemaker.training_document import ACTIVE
from local_aws.sagemaker.training_request import require_served
from local_aws.sagemaker.training_run import TrainingError, TrainingRun, folders
from local_aws.service import Request, Response, Service
from local_aws.state import Document

POLL_SECONDS = 0.2


class TrainingJobs(Service):
    """CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs, StopTrainingJob.

    Instance types and counts, volumes and networks are kept, not obeyed: one process of this machine does the work.
    """

    service_name = "sagemaker"

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._state = backend.state
        self._queue = JobQueue("training", self._execute, self._defect)
        self._log = logging.getLogger("local_aws.sagemaker.training")

    def on_start(self) -> None:
        """Jobs of a former process are over: their processes are ended, and they are Failed."""
        for name, document in self._state.items(TRAINING_JOB):
            if document["job"]["TrainingJobStatus"] in ACTIVE:
                _end_orphan(document.get("process"))
                self._end(name, "Failed", "Failed", LOST)
        shutil.rmtree(folders(self._backend.home), ignore_errors=True)
        self._queue.start()

    def on_stop(self) -> None:
        self._queue.close()

    def create_training_job(self, request: Request) -> Response:
        return {"TrainingJobArn": self.submit(request)}

    def submit(self, request: Request, tuning_arn: str | None = None) -> str:
        """Check a job, put it into the queue; returns its ARN."""
        require_served(request)
        name = request["TrainingJobName"]
        arn = self._backend.arn("training-job", name)
        with self._state.transaction():
            if self._state.get(TRAINING_JOB, name):
                raise in_use(
                    "Training job names must be unique within an AWS account and region, and a training job with this"
                    f" name already exists ({arn})"
                )
            document = training_document.new_document(request, arn, waits=self._queue.busy, tuning_arn=tuning_arn)
            self._state.put(TRAINING_JOB, name, document)
            set_tags(self._state, arn, request.get("Tags"))
        self._queue.put(name)
        return arn

    def describe_training_job(self, request: Request) -> Response:
        return self.job(request["TrainingJobName"])

    def job(self, name: str) -> Document:
        """What DescribeTrainingJob shows. Raises ValidationException, the service's error for an unknown job."""
        document = self._state.get(TRAINING_JOB, name)
        if document is None:
            raise invalid("Requested resource not found.")
        return document["job"]

    def list_training_jobs(self, request: Request) -> Response:
        refuse(request, "WarmPoolStatusEquals", "TrainingPlanArnEquals")
        summaries = [training_document.summary(document["job"]) for document in self._state.list(TRAINING_JOB)]
        return listed(
            summaries,
            request,
            "TrainingJobSummaries",
            "TrainingJobName",
            status="TrainingJobStatus",
            order="CreationTime Ascending",
        )

    def stop_training_job(self, request: Request) -> Response:
        name = request["TrainingJobName"]
        status = self.job(name)["TrainingJobStatus"]
        if status not in ACTIVE:
            raise invalid(f"The request was rejected because the training job is in status {status}.")
        self.stop(name)
        return {}

    def stop(self, name: str) -> None:
        """A job that waits ends at once; one that runs gets the signal and ends when its container has."""

        def change(document: Document) -> None:
            if document["job"]["TrainingJobStatus"] != "InProgress":
                return
            if document["begun"]:
                document["job"]["TrainingJobStatus"] = "Stopping"
                training_document.move(document["job"], "Stopping")
            else:
                training_document.end(document["job"], "Stopped", "Stopped", None, [])

        self._change(name, change)
        self._queue.stop(name)

    def _execute(self, name: str, interrupt: Interrupt) -> None:
        began: list[Document] = []

        def take_up(document: Document) -> None:
            if document["job"]["TrainingJobStatus"] == "InProgress":
                document["begun"] = True
                training_document.move(document["job"], "Downloading")
                document["job"]["TrainingStartTime"] = document["job"]["LastModifiedTime"]
                began.append(document["job"])

        self._change(name, take_up)
        if not began:
            return
        run = TrainingRun(self._backend, began[0])
        try:
            run.prepare()
            status, secondary = self._train(name, run, interrupt)
            if secondary == "Failed":
                self._end(name, status, secondary, LOST)
                return
            if run.has_model():
                self._move(name, "Uploading")
                run.upload()
            elif status == "Completed":
                raise TrainingError("AlgorithmError: the container ended well and left no model")
            self._end(name, status, secondary, None, run.final_metrics())
        except TrainingError as error:
            self._end(name, "Failed", "Failed", str(error), run.final_metrics())
        finally:
            run.close()

    def _train(self, name: str, run: TrainingRun, interrupt: Interrupt) -> tuple[str, str]:
        """TrainingJobStatus and SecondaryStatus at the end. Raises TrainingError."""
        if interrupt.stopped:
            return "Stopped", "Stopped"
        pid = run.start()
        self._set_process(name, pid)
        self._move(name, "Training")
        deadline = time.monotonic() + self.job(name)["StoppingCondition"]["MaxRuntimeInSeconds"]
        while not run.wait(POLL_SECONDS):
            if interrupt:
                run.stop()
                return ("Failed", "Failed") if interrupt.closing else ("Stopped", "Stopped")
            if time.monotonic() > deadline:
                run.stop()
                return "Stopped", "MaxRuntimeExceeded"
        run.require_success()
        return "Completed", "Completed"

    def _move(self, name: str, secondary: str) -> None:
        self._change(name, lambda document: training_document.move(document["job"], secondary))

    def _set_process(self, name: str, pid: int) -> None:
        process = {"pid": pid, "created": psutil.Process(pid).create_time()}
        self._change(name, lambda document: document.update(process=process))

    def _end(
        self, name: str, status: str, secondary: str, failure: str | None, metrics: list[Document] | None = None
    ) -> None:
        def change(document: Document) -> None:
            training_document.end(document["job"], status, secondary, failure, metrics or [])
            document.pop("process", None)

        self._change(name, change)
        self._log.info("%s %s %s", name, secondary, failure or "")

    def _defect(self, name: str, error: Exception) -> None:
        self._end(name, "Failed", "Failed", f"InternalServerError: local_aws failed: {type(error).__name__}: {error}")

    def _change(self, name: str, change: Callable[[Document], None]) -> None:
        def apply(document: Document | None) -> Document | None:
            if document is not None:
                change(document)
            return document

        self._state.update(TRAINING_JOB, name, apply)


def _end_orphan(process: Document | None) -> None:
    """End a training that outlived its server. It is known by its time of creation, for numbers are given anew."""
    if process is None:
        return
    try:
        alive = psutil.Process(process["pid"]).create_time() == process["created"]
    except psutil.NoSuchProcess:
        return
    if alive:
        processes.stop(process["pid"])
