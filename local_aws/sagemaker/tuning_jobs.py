"""Hyperparameter tuning jobs: training jobs of the same data with other hyperparameters, see search.py."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable

from local_aws.sagemaker import tuning_progress
from local_aws.sagemaker.backend import Backend
from local_aws.sagemaker.job_queue import Interrupt, JobQueue
from local_aws.sagemaker.listing import listed
from local_aws.sagemaker.names import LOST, TUNING_JOB, in_use, invalid, kept, now, reason
from local_aws.sagemaker.search import Search
from local_aws.sagemaker.search_space import ranges
from local_aws.sagemaker.tags import set_tags
from local_aws.sagemaker.training_document import ACTIVE
from local_aws.sagemaker.training_jobs import TrainingJobs
from local_aws.sagemaker.tuning_request import most_jobs, require_served, training_request
from local_aws.service import Request, Response, Service, ServiceError
from local_aws.state import Document

AT_ONCE = 4
POLL_SECONDS = 0.2


class TuningJobs(Service):
    """Create-, Describe-, List-, StopHyperParameterTuningJob, ListTrainingJobsForHyperParameterTuningJob.

    A document: {"tuning": what Describe shows, "tuned": the tuned hyperparameters by the training job's name}. Its
    training jobs stand in the queue of all, so that MaxParallelTrainingJobs says how many are asked for at a time.
    """

    service_name = "sagemaker"

    def __init__(self, backend: Backend, training: TrainingJobs) -> None:
        self._backend = backend
        self._state = backend.state
        self._training = training
        self._queue = JobQueue("tuning", self._execute, self._defect, at_once=AT_ONCE)
        self._log = logging.getLogger("local_aws.sagemaker.tuning")

    def on_start(self) -> None:
        for name, document in self._state.items(TUNING_JOB):
            if document["tuning"]["HyperParameterTuningJobStatus"] in ACTIVE:
                self._end(name, "Failed", LOST)
        self._queue.start()

    def on_stop(self) -> None:
        self._queue.close()

    def create_hyper_parameter_tuning_job(self, request: Request) -> Response:
        require_served(request, self._backend.container)
        name = request["HyperParameterTuningJobName"]
        arn = self._backend.arn("hyper-parameter-tuning-job", name)
        at = now()
        tuning = kept(request, "DescribeHyperParameterTuningJob") | {
            "HyperParameterTuningJobArn": arn,
            "HyperParameterTuningJobStatus": "InProgress",
            "CreationTime": at,
            "LastModifiedTime": at,
        }
        objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        tuning["TrainingJobDefinition"] = request["TrainingJobDefinition"] | {"TuningObjective": objective}
        with self._state.transaction():
            if self._state.get(TUNING_JOB, name):
                raise in_use(
                    "Amazon SageMaker hyperparameter tuning job names must be unique within an AWS account and region,"
                    f" and a tuning job with this name already exists ({arn})"
                )
            self._state.put(TUNING_JOB, name, {"tuning": tuning, "tuned": {}})
            set_tags(self._state, arn, request.get("Tags"))
        self._queue.put(name)
        return {"HyperParameterTuningJobArn": arn}

    def describe_hyper_parameter_tuning_job(self, request: Request) -> Response:
        document = self._existing(request["HyperParameterTuningJobName"])
        summaries = self._summaries(document)
        shown = document["tuning"] | tuning_progress.counters(summaries)
        best = tuning_progress.best(summaries, _objective(document["tuning"]))
        return shown | ({"BestTrainingJob": best} if best else {})

    def list_hyper_parameter_tuning_jobs(self, request: Request) -> Response:
        summaries = [self._summary(document) for document in self._state.list(TUNING_JOB)]
        return listed(
            summaries,
            request,
            "HyperParameterTuningJobSummaries",
            "HyperParameterTuningJobName",
            status="HyperParameterTuningJobStatus",
            order="Name Ascending",
        )

    def list_training_jobs_for_hyper_parameter_tuning_job(self, request: Request) -> Response:
        summaries = self._summaries(self._existing(request["HyperParameterTuningJobName"]))
        if request.get("SortBy") == "FinalObjectiveMetricValue":
            judged = [shown for shown in summaries if shown["ObjectiveStatus"] == "Succeeded"]
            judged.sort(key=lambda shown: tuning_progress.value_of(shown) or 0.0)
            # What is sorted here already keeps its order under a number of its own.
            summaries = [shown | {"place": number} for number, shown in enumerate(judged)]
            request = request | {"SortBy": "place"}
        answer = listed(
            summaries,
            request,
            "TrainingJobSummaries",
            "TrainingJobName",
            status="TrainingJobStatus",
            order="Name Ascending",
        )
        for shown in answer["TrainingJobSummaries"]:
            shown.pop("place", None)
        return answer

    def stop_hyper_parameter_tuning_job(self, request: Request) -> Response:
        name = request["HyperParameterTuningJobName"]
        status = self._existing(name)["tuning"]["HyperParameterTuningJobStatus"]
        if status not in ACTIVE:
            raise invalid(f"The request was rejected because the tuning job is in status {status}.")
        self._change(name, lambda document: document["tuning"].update(HyperParameterTuningJobStatus="Stopping"))
        self._queue.stop(name)
        return {}

    def _execute(self, name: str, interrupt: Interrupt) -> None:
        tuning = self._existing(name)["tuning"]
        config = tuning["HyperParameterTuningJobConfig"]
        limits = config["ResourceLimits"]
        space = ranges(config["ParameterRanges"])
        search = Search(config["Strategy"], space, f"{config.get('RandomSeed', name)}")
        sign = 1 if _objective(tuning)["Type"] == "Minimize" else -1
        deadline = time.monotonic() + limits.get("MaxRuntimeInSeconds", float("inf"))
        most, told, exhausted = most_jobs(config, space), set(), False
        while True:
            if interrupt.closing:
                self._end(name, "Failed", LOST)
                return
            summaries = self._summaries(self._existing(name))
            for shown in summaries:
                if shown["ObjectiveStatus"] == "Succeeded" and shown["TrainingJobName"] not in told:
                    told.add(shown["TrainingJobName"])
                    search.tell(shown["TunedHyperParameters"], sign * (tuning_progress.value_of(shown) or 0.0))
            active = [shown for shown in summaries if shown["TrainingJobStatus"] in ACTIVE]
            over = interrupt.stopped or time.monotonic() > deadline
            if over:
                self._stop_all(active)
            elif not exhausted and len(summaries) < most and len(active) < limits["MaxParallelTrainingJobs"]:
                exhausted = not self._start_next(name, tuning, search, len(summaries) + 1)
                continue
            if not active:
                break
            time.sleep(POLL_SECONDS)
        if over:
            self._end(name, "Stopped")
        elif any(shown["ObjectiveStatus"] == "Succeeded" for shown in summaries):
            self._end(name, "Completed")
        else:
            reasons = {shown.get("FailureReason", "no objective metric") for shown in summaries}
            self._end(name, "Failed", f"All training jobs failed: {'; '.join(sorted(reasons))}")

    def _start_next(self, name: str, tuning: Document, search: Search, number: int) -> bool:
        """Submit the next training job; False when all combinations are tried."""
        tuned = search.next()
        if tuned is None:
            return False
        digest = hashlib.sha256(f"{tuning['HyperParameterTuningJobArn']} {number}".encode()).hexdigest()[:8]
        job_name = f"{name}-{number:03d}-{digest}"
        self._training.submit(
            training_request(tuning["TrainingJobDefinition"], job_name, tuned), tuning["HyperParameterTuningJobArn"]
        )
        self._change(name, lambda document: document["tuned"].update({job_name: tuned}))
        return True

    def _stop_all(self, active: list[Document]) -> None:
        for shown in active:
            self._training.stop(shown["TrainingJobName"])

    def _summaries(self, document: Document) -> list[Document]:
        objective = _objective(document["tuning"])
        return [
            tuning_progress.summary(self._training.job(job_name), tuned, objective)
            for job_name, tuned in document["tuned"].items()
        ]

    def _summary(self, document: Document) -> Document:
        tuning = document["tuning"]
        config = tuning["HyperParameterTuningJobConfig"]
        members = (
            "HyperParameterTuningJobName",
            "HyperParameterTuningJobArn",
            "HyperParameterTuningJobStatus",
            "CreationTime",
            "HyperParameterTuningEndTime",
            "LastModifiedTime",
        )
        return {
            **{name: tuning[name] for name in members if name in tuning},
            "Strategy": config["Strategy"],
            "ResourceLimits": config["ResourceLimits"],
            **tuning_progress.counters(self._summaries(document)),
        }

    def _existing(self, name: str) -> Document:
        document = self._state.get(TUNING_JOB, name)
        if document is None:
            arn = self._backend.arn("hyper-parameter-tuning-job", name)
            raise ServiceError("ResourceNotFound", f"Amazon SageMaker can't find a tuning job with ARN {arn}.")
        return document

    def _end(self, name: str, status: str, failure: str | None = None) -> None:
        def change(document: Document) -> None:
            at = now()
            ended = {"HyperParameterTuningJobStatus": status, "HyperParameterTuningEndTime": at, "LastModifiedTime": at}
            document["tuning"] |= ended | ({"FailureReason": reason(failure)} if failure else {})

        self._change(name, change)
        self._log.info("%s %s %s", name, status, failure or "")

    def _defect(self, name: str, error: Exception) -> None:
        self._end(name, "Failed", f"InternalServerError: local_aws failed: {type(error).__name__}: {error}")

    def _change(self, name: str, change: Callable[[Document], None]) -> None:
        def apply(document: Document | None) -> Document | None:
            if document is not None:
                change(document)
            return document

        self._state.update(TUNING_JOB, name, apply)


def _objective(tuning: Document) -> Document:
    return tuning["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
