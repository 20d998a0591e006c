"""AWS::Athena::WorkGroup through the Athena API of the control plane."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_aws.infrastructure.deployment import Deployment, missing
from local_aws.infrastructure.templates import Resource, Stack


def workgroup(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    """The configuration is that of the template, also when the workgroup is there; queries and results stay."""
    athena = deployment.client("athena")
    name = properties["Name"]
    configuration = properties.get("WorkGroupConfiguration", {})
    described = {"Description": properties["Description"]} if "Description" in properties else {}
    try:
        athena.get_work_group(WorkGroup=name)
        athena.update_work_group(
            WorkGroup=name,
            ConfigurationUpdates=_updates(configuration),
            State=properties.get("State", "ENABLED"),
            **described,
        )
    except ClientError as error:
        if missing(error, "InvalidRequestException"):
            athena.create_work_group(Name=name, Configuration=configuration, **described)
    return Resource(name)


def _updates(configuration: dict[str, Any]) -> dict[str, Any]:
    """A whole configuration as UpdateWorkGroup takes it."""
    others = {name: value for name, value in configuration.items() if name != "ResultConfiguration"}
    return others | {"ResultConfigurationUpdates": configuration.get("ResultConfiguration", {})}
