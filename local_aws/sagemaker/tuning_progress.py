"""What a tuning job has reached, read from its training jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from local_aws.sagemaker.training_document import ACTIVE
from local_aws.state import Document


def objective_of(job: Document, metric_name: str) -> float | None:
    """The objective's value; None for a training job that has not given it."""
    if job["TrainingJobStatus"] != "Completed":
        return None
    values = [entry["Value"] for entry in job.get("FinalMetricDataList", []) if entry["MetricName"] == metric_name]
    return values[0] if values else None


def summary(job: Document, tuned: dict[str, str], objective: Document) -> Document:
    """A HyperParameterTrainingJobSummary."""
    members = (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingStartTime",
        "TrainingEndTime",
        "TrainingJobStatus",
        "FailureReason",
    )
    shown: dict[str, Any] = {name: job[name] for name in members if name in job}
    shown["TunedHyperParameters"] = tuned
    value = objective_of(job, objective["MetricName"])
    if value is not None:
        shown["FinalHyperParameterTuningJobObjectiveMetric"] = objective | {"Value": value}
        shown["ObjectiveStatus"] = "Succeeded"
    else:
        shown["ObjectiveStatus"] = "Pending" if job["TrainingJobStatus"] in ACTIVE else "Failed"
    return shown


def value_of(shown: Document) -> float | None:
    """The objective's value of a summary."""
    return shown.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value")


def best(summaries: Sequence[Document], objective: Document) -> Document | None:
    judged = [shown for shown in summaries if shown["ObjectiveStatus"] == "Succeeded"]
    if not judged:
        return None
    sign = 1 if objective["Type"] == "Minimize" else -1
    return min(judged, key=lambda shown: sign * (value_of(shown) or 0.0))


def counters(summaries: Sequence[Document]) -> Document:
    """TrainingJobStatusCounters and ObjectiveStatusCounters."""
    states = Counter(shown["TrainingJobStatus"] for shown in summaries)
    objectives = Counter(shown["ObjectiveStatus"] for shown in summaries)
    return {
        "TrainingJobStatusCounters": {
            "Completed": states["Completed"],
            "InProgress": states["InProgress"] + states["Stopping"],
            "RetryableError": 0,
            "NonRetryableError": states["Failed"],
            "Stopped": states["Stopped"],
        },
        "ObjectiveStatusCounters": {name: objectives[name] for name in ("Succeeded", "Pending", "Failed")},
    }
