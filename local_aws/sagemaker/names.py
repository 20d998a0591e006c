"""Kinds of documents, ARNs, and the errors that SageMaker's operations share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local_aws.protocol import service_model
from local_aws.service import Request, Response, ServiceError
from local_aws.settings import Settings

TRAINING_JOB = "sagemaker-training-job"
TUNING_JOB = "sagemaker-tuning-job"
TRANSFORM_JOB = "sagemaker-transform-job"
MODEL = "sagemaker-model"
ENDPOINT_CONFIG = "sagemaker-endpoint-config"
ENDPOINT = "sagemaker-endpoint"
TAGS = "sagemaker-tags"

LONGEST_REASON = 1024
LOST = "InternalServerError: the job ended with the process that ran it: local_aws was stopped or died."


def arn(settings: Settings, resource: str, name: str) -> str:
    """e.g. resource training-job. SageMaker writes names in lower case there."""
    return f"arn:{settings.partition}:sagemaker:{settings.region}:{settings.account_id}:{resource}/{name.lower()}"


def kept(request: Request, describing: str) -> Response:
    """The members of a Create request that the Describe operation shows again."""
    shown = service_model("sagemaker").operation_model(describing).output_shape.members
    return {name: value for name, value in request.items() if name in shown}


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def in_use(message: str) -> ServiceError:
    return ServiceError("ResourceInUse", message)


def unserved(what: str) -> ServiceError:
    """A legal request that this stand-in cannot keep."""
    return ServiceError("ValidationException", f"local_aws does not serve {what}")


def refuse(request: Request, *members: str) -> None:
    """Raise ValidationException for members that would change the result and are not served."""
    for member in members:
        if request.get(member):
            raise unserved(member)


def reason(text: str) -> str:
    """A FailureReason of legal length."""
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"


def now() -> datetime:
    return datetime.now(UTC)


def seconds_between(begin: Any, end: Any) -> int:
    """Whole seconds, at least the one that SageMaker bills."""
    return max(1, round((end - begin).total_seconds()))
