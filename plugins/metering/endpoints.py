"""Models, endpoint configurations and endpoints of SageMaker. `sagemaker` is a boto3 client.

A model and its endpoint configuration have the name of the training job that made the model (model_names), so that
making them again is finding them. An endpoint goes on serving its old configuration until the new one is in service.
"""

from __future__ import annotations

import logging
from typing import Any

VARIANT = "consumption"
IN_SERVICE, FAILED, DELETING = "InService", "Failed", "Deleting"
# Nothing can be asked of an endpoint until it has left these.
CHANGING = {"Creating", "Updating", "SystemUpdating", "RollingBack"}
CREATE, UPDATE, REPLACE, WAIT, NOTHING = "create", "update", "replace", "wait", "nothing"

log = logging.getLogger(__name__)


class EndpointError(RuntimeError):
    """An endpoint does not serve what it was told to serve; the message says what it serves and why."""


def create_model(sagemaker: Any, *, name: str, image: str, artefact: str, role_arn: str) -> None:
    """The model and nothing else; found when it is there already."""
    container = {"Image": image, "ModelDataUrl": artefact}
    if _describe(sagemaker, "describe_model", ModelName=name) is None:
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role_arn, PrimaryContainer=container)


def create_endpoint_config(sagemaker: Any, *, name: str, instance_type: str, instance_count: int) -> None:
    """One variant, of the model of the same name; found when it is there already."""
    variant = {
        "VariantName": VARIANT,
        "ModelName": name,
        "InstanceType": instance_type,
        "InitialInstanceCount": instance_count,
    }
    if _describe(sagemaker, "describe_endpoint_config", EndpointConfigName=name) is None:
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])


def next_step(sagemaker: Any, endpoint_name: str, config_name: str) -> str:
    """What is to be done so that the endpoint serves the configuration: create, update, replace, wait or nothing."""
    endpoint = _describe(sagemaker, "describe_endpoint", EndpointName=endpoint_name)
    if endpoint is None:
        return CREATE
    status = endpoint["EndpointStatus"]
    if status in (FAILED, DELETING):
        return REPLACE
    if status in CHANGING:
        return WAIT
    serves = status == IN_SERVICE and endpoint["EndpointConfigName"] == config_name
    return NOTHING if serves else UPDATE


def delete_failed(sagemaker: Any, endpoint_name: str, *, poll_seconds: int, attempts: int) -> None:
    """Take an endpoint away that serves nothing and takes no update, and wait until it is gone."""
    endpoint = _describe(sagemaker, "describe_endpoint", EndpointName=endpoint_name)
    if endpoint and endpoint["EndpointStatus"] != DELETING:
        log.info("Deleting %s, which has failed: %s", endpoint_name, endpoint.get("FailureReason", "no reason given"))
        sagemaker.delete_endpoint(EndpointName=endpoint_name)
    waiter = sagemaker.get_waiter("endpoint_deleted")
    waiter.wait(EndpointName=endpoint_name, WaiterConfig={"Delay": poll_seconds, "MaxAttempts": attempts})


def require_in_service(sagemaker: Any, endpoint_name: str, config_name: str) -> None:
    """Raise EndpointError unless the endpoint serves the configuration.

    An update that fails is rolled back: the endpoint is in service again, with the configuration of before.
    """
    endpoint = _describe(sagemaker, "describe_endpoint", EndpointName=endpoint_name)
    if endpoint is None:
        raise EndpointError(f"The endpoint {endpoint_name} is gone: somebody has deleted it. Clear this task.")
    status, serves = endpoint["EndpointStatus"], endpoint["EndpointConfigName"]
    if status == IN_SERVICE and serves == config_name:
        return
    reason = endpoint.get("FailureReason", "SageMaker gives no reason")
    kept = f"It serves {serves} as before. " if status == IN_SERVICE else ""
    raise EndpointError(
        f"The endpoint {endpoint_name} does not serve {config_name}; its status is {status}: {reason}. {kept}The "
        f"current model stays the one of before. Its log: CloudWatch /aws/sagemaker/Endpoints/{endpoint_name}"
    )


def retire(sagemaker: Any, name: str) -> None:
    """Delete a superseded endpoint configuration and its model, as far as they are still there."""
    if _describe(sagemaker, "describe_endpoint_config", EndpointConfigName=name) is not None:
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    if _describe(sagemaker, "describe_model", ModelName=name) is not None:
        sagemaker.delete_model(ModelName=name)
    log.info("Retired model and endpoint configuration %s", name)


def _describe(sagemaker: Any, operation: str, **name: str) -> dict[str, Any] | None:
    """None when there is nothing of that name, for which SageMaker has no error of its own."""
    try:
        described: dict[str, Any] = getattr(sagemaker, operation)(**name)
    except sagemaker.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "ValidationException":
            return None
        raise
    return described
