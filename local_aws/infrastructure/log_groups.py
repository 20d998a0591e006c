"""AWS::Logs::LogGroup: a name and an ARN. The group appears with its first line and keeps all lines."""

from __future__ import annotations

from typing import Any

from local_aws.infrastructure.deployment import Deployment
from local_aws.infrastructure.templates import Resource, Stack


def log_group(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    name = properties.get("LogGroupName") or deployment.generated_name(stack, logical_id)
    return Resource(name, {"Arn": deployment.arn("logs", f"log-group:{name}:*")})
