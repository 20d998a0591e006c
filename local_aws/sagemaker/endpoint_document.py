"""The document of an endpoint: what DescribeEndpoint shows, what it serves and what it shall serve next.

{"endpoint": the answer of DescribeEndpoint, "serving": a deployment or None, "next": a deployment or None}; a
deployment is a copy of what an endpoint config and its model said when it was asked for: {"config", "variant",
"container"}. So an endpoint outlives both, as in SageMaker.
"""

from __future__ import annotations

from typing import Any

from local_aws.sagemaker.backend import Backend
from local_aws.sagemaker.endpoint_configs import existing_config
from local_aws.sagemaker.models import container_of, existing_model
from local_aws.sagemaker.names import now, reason
from local_aws.state import Document


def deployment(backend: Backend, config_name: str) -> Document:
    """Raises ValidationException when the config or its model does not exist."""
    config = existing_config(backend, config_name)
    variant = config["ProductionVariants"][0]
    container = container_of(existing_model(backend, variant["ModelName"]))
    return {"config": config_name, "variant": variant, "container": container}


def new_document(name: str, arn: str, first: Document) -> Document:
    at = now()
    endpoint = {
        "EndpointName": name,
        "EndpointArn": arn,
        "EndpointConfigName": first["config"],
        "EndpointStatus": "Creating",
        "CreationTime": at,
        "LastModifiedTime": at,
    }
    document = {"endpoint": endpoint, "serving": None, "next": first}
    _show_pending(document)
    return document


def begin_update(document: Document, following: Document) -> None:
    """EndpointConfigName stays that of the deployment that serves until the new one does."""
    document["next"] = following
    set_status(document, "Updating", None)
    _show_pending(document)


def succeed(document: Document) -> None:
    """The next deployment serves now."""
    document["serving"], document["next"] = document["next"], None
    serving = document["serving"]
    document["endpoint"]["EndpointConfigName"] = serving["config"]
    document["endpoint"]["ProductionVariants"] = [_variant_summary(serving)]
    document["endpoint"].pop("PendingDeploymentSummary", None)
    set_status(document, "InService", None)


def fail(document: Document, why: str) -> None:
    """A new endpoint is Failed. One that served before goes on: InService, with the former config and the reason."""
    document["next"] = None
    document["endpoint"].pop("PendingDeploymentSummary", None)
    set_status(document, "InService" if document["serving"] else "Failed", why)


def set_status(document: Document, status: str, why: str | None) -> None:
    """Also takes away the reason of an earlier failure."""
    endpoint = document["endpoint"]
    endpoint["EndpointStatus"] = status
    endpoint["LastModifiedTime"] = now()
    endpoint.pop("FailureReason", None)
    if why:
        endpoint["FailureReason"] = reason(why)


def _show_pending(document: Document) -> None:
    following = document["next"]
    document["endpoint"]["PendingDeploymentSummary"] = {
        "EndpointConfigName": following["config"],
        "ProductionVariants": [_variant_summary(following)],
        "StartTime": now(),
    }


def _variant_summary(given: Document) -> Document:
    variant, image = given["variant"], given["container"]["Image"]
    weight = float(variant["InitialVariantWeight"])
    shown: dict[str, Any] = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": now()}],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    }
    if "ServerlessConfig" in variant:
        return shown | {"CurrentServerlessConfig": variant["ServerlessConfig"]}
    count = variant["InitialInstanceCount"]
    return shown | {"CurrentInstanceCount": count, "DesiredInstanceCount": count}
