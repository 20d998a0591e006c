"""The document of a training job: what DescribeTrainingJob shows, and how its status moves.

{"job": the answer of DescribeTrainingJob, "begun": whether a process took it up, "process": {"pid", "created"} while it
has one}. TrainingJobStatus is the coarse state, SecondaryStatus the fine one with a history.
"""

from __future__ import annotations

from typing import Any

from local_aws.sagemaker.names import kept, now, reason, seconds_between
from local_aws.sagemaker.storage import joined
from local_aws.service import Request
from local_aws.state import Document

ACTIVE = ("InProgress", "Stopping")
DEFAULT_RUNTIME_SECONDS = 86_400

_MESSAGES = {
    "Pending": "Training job waiting for capacity",
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Stopping": "Stopping the training job",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


def new_document(request: Request, arn: str, *, waits: bool, tuning_arn: str | None) -> Document:
    """`waits`: another job is running, so that this one is Pending first."""
    began = now()
    job: dict[str, Any] = {
        **kept(request, "DescribeTrainingJob"),
        "TrainingJobArn": arn,
        "TrainingJobStatus": "InProgress",
        # The location is known from the start; whether an object lies there is known at the end.
        "ModelArtifacts": {"S3ModelArtifacts": artefact(request)},
        "StoppingCondition": {
            "MaxRuntimeInSeconds": DEFAULT_RUNTIME_SECONDS,
            **request.get("StoppingCondition", {}),
        },
        "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
        "EnableInterContainerTrafficEncryption": request.get("EnableInterContainerTrafficEncryption", False),
        "EnableManagedSpotTraining": request.get("EnableManagedSpotTraining", False),
        "CreationTime": began,
        "SecondaryStatusTransitions": [],
    }
    if tuning_arn:
        job["TuningJobArn"] = tuning_arn
    move(job, "Pending" if waits else "Starting")
    return {"job": job, "begun": False}


def artefact(request: Request) -> str:
    """Where the model goes."""
    return joined(request["OutputDataConfig"]["S3OutputPath"], request["TrainingJobName"], "output", "model.tar.gz")


def move(job: Document, secondary: str, message: str | None = None) -> None:
    """Enter the next secondary status, which ends the one before."""
    at = now()
    transitions = job["SecondaryStatusTransitions"]
    if transitions and "EndTime" not in transitions[-1]:
        transitions[-1]["EndTime"] = at
    transitions.append({"Status": secondary, "StartTime": at, "StatusMessage": message or _MESSAGES[secondary]})
    job["SecondaryStatus"] = secondary
    job["LastModifiedTime"] = at


def end(job: Document, status: str, secondary: str, failure: str | None, metrics: list[Document]) -> None:
    """The last move; failure is FailureReason's text."""
    move(job, secondary, f"{_MESSAGES[secondary]}: {failure}"[:1024] if failure else None)
    ended = job["LastModifiedTime"]
    job["SecondaryStatusTransitions"][-1]["EndTime"] = ended
    job["TrainingJobStatus"] = status
    if failure:
        job["FailureReason"] = reason(failure)
    if metrics:
        job["FinalMetricDataList"] = metrics
    if "TrainingStartTime" in job:
        job["TrainingEndTime"] = ended
        job["TrainingTimeInSeconds"] = seconds_between(job["TrainingStartTime"], ended)
        job["BillableTimeInSeconds"] = job["TrainingTimeInSeconds"]


def summary(job: Document) -> Document:
    members = (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "TrainingJobStatus",
        "SecondaryStatus",
    )
    return {name: job[name] for name in members if name in job}
