"""The templates as CloudFormation would resolve them, in a Region of each partition, without making anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_aws.infrastructure.templates import Resource, Stack

INFRA = Path(__file__).resolve().parents[2] / "infra"
ACCOUNT = "123456789012"
PASSWORD = "Sentinel-0f-the-tests"
PARAMETERS = {
    "MasterUsername": "warehouse_owner",
    "MasterUserPassword": PASSWORD,
    "AvailabilityZones": "zone-a,zone-b",
    "QSS3BucketName": "artefacts",
}
NAMES = ("BucketName", "FunctionName", "LogGroupName", "ClusterIdentifier", "TopicName", "Name")


class Placeholder(Resource):
    """A resource that has any attribute. What looks like an ARN of its partition is one."""

    def get_cfn_attribute(self, name: str) -> str:
        return self.attributes["arn"] if name.endswith("Arn") else f"{self.physical_resource_id}.{name}"


@dataclass(frozen=True)
class Made:
    """A resource whose conditions hold, with its properties resolved."""

    template: str
    logical_id: str
    kind: str
    properties: dict[str, Any]


class Deployment:
    """All resources and outputs of main.yaml and the stacks it nests."""

    def __init__(self, region: str, **parameters: str) -> None:
        self.region = region
        self.partition = "aws-cn" if region.startswith("cn-") else "aws"
        self.resources: list[Made] = []
        stack = Stack("metering", INFRA / "main.yaml", PARAMETERS | parameters, region, ACCOUNT, self._make)
        stack.make_all()
        self.outputs = stack.outputs()

    def of(self, kind: str) -> list[Made]:
        return [resource for resource in self.resources if resource.kind == kind]

    def named(self, logical_id: str) -> dict[str, Any]:
        (found,) = [resource for resource in self.resources if resource.logical_id == logical_id]
        return found.properties

    def _make(self, stack: Stack, logical_id: str, kind: str, properties: dict[str, Any]) -> Resource:
        self.resources.append(Made(stack.path.name, logical_id, kind, properties))
        inner = properties.get("TableInput", properties.get("DatabaseInput", properties))
        name = next((str(inner[key]) for key in NAMES if key in inner), logical_id)
        service = kind.split("::")[1].lower()
        arn = f"arn:{self.partition}:{service}:{self.region}:{ACCOUNT}:{name}"
        refers_by_arn = kind in ("AWS::SNS::Topic", "AWS::SecretsManager::Secret")
        return Placeholder(arn if refers_by_arn else name, {"arn": arn})


@pytest.fixture(scope="session", params=["eu-west-1", "cn-north-1"])
def deployment(request: pytest.FixtureRequest) -> Deployment:
    return Deployment(request.param)


@pytest.fixture(scope="session")
def deploy() -> type[Deployment]:
    """Resolve the templates with other parameters: deploy("eu-west-1", NoOfMeters="50001-and-more")."""
    return Deployment


def texts(value: Any) -> list[str]:
    """Every string anywhere inside."""
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (str(key), *texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []
