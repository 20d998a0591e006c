"""AWS::Lambda::Function and AWS::ApiGatewayV2::*: collected into the description that the local gateway serves.

`Deployment.api` becomes

    {"functions": {<function name>: {"name", "folder", "handler", "timeout", "memory", "environment": {…}}},
     "apis": {<api id>: {"name", "cors": {…}, "stage", "routes": [
         {"route_key", "function", "timeout_ms", "payload_format", "authorization", "authorizer": None or
             {"name", "function", "identity_source": […], "ttl_seconds", "simple_responses"}}]}}}

`folder` is the function's folder below api_lambdas/, `function` a key of "functions", "authorization" one of NONE,
CUSTOM, AWS_IAM.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from local_aws.infrastructure.deployment import Deployment
from local_aws.infrastructure.templates import Resource, Stack, TemplateError

_FUNCTION = re.compile(r":function:([A-Za-z0-9_-]+)")


def function(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    """The code is the folder that the deploy step would zip: api_lambdas/<name> for …/api_lambdas/<name>.zip."""
    name = properties.get("FunctionName") or deployment.generated_name(stack, logical_id)
    folder = PurePosixPath(properties["Code"]["S3Key"]).stem
    if not (deployment.settings.repository / "api_lambdas" / folder).is_dir():
        raise TemplateError(f"{stack.path.name}, {logical_id}: there is no folder api_lambdas/{folder}")
    arn = deployment.arn("lambda", f"function:{name}")
    deployment.api["functions"][name] = {
        "name": name,
        "folder": folder,
        "handler": properties["Handler"],
        "timeout": int(properties.get("Timeout", 3)),
        "memory": int(properties.get("MemorySize", 128)),
        "environment": {
            key: str(value) for key, value in properties.get("Environment", {}).get("Variables", {}).items()
        },
    }
    return Resource(name, {"Arn": arn})


def api(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    api_id = properties["Name"]
    cors = properties.get("CorsConfiguration", {})
    deployment.api["apis"][api_id] = {"name": properties["Name"], "cors": cors, "stage": "$default", "routes": []}
    return Resource(api_id, {"ApiId": api_id, "ApiEndpoint": deployment.settings.api_url})


def authorizer(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    if properties["AuthorizerType"] != "REQUEST":
        raise TemplateError(f"{logical_id}: local_aws knows Lambda (REQUEST) authorizers only")
    description = {
        "name": properties["Name"],
        "function": _function_name(properties["AuthorizerUri"]),
        "identity_source": properties.get("IdentitySource", []),
        "ttl_seconds": int(properties.get("AuthorizerResultTtlInSeconds", 0)),
        "simple_responses": bool(properties.get("EnableSimpleResponses", False)),
    }
    return Resource(logical_id, {"AuthorizerId": logical_id, "local": description})


def integration(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    if properties["IntegrationType"] != "AWS_PROXY":
        raise TemplateError(f"{logical_id}: local_aws knows integrations of the type AWS_PROXY only")
    description = {
        "function": _function_name(properties["IntegrationUri"]),
        "timeout_ms": int(properties.get("TimeoutInMillis", 30000)),
        "payload_format": properties["PayloadFormatVersion"],
    }
    return Resource(logical_id, {"IntegrationId": logical_id, "local": description})


def route(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    target = stack[properties["Target"].rpartition("/")[2]]
    authorizer_id = properties.get("AuthorizerId")
    deployment.api["apis"][properties["ApiId"]]["routes"].append(
        {
            "route_key": properties["RouteKey"],
            **target.attributes["local"],
            "authorization": properties.get("AuthorizationType", "NONE"),
            "authorizer": stack[authorizer_id].attributes["local"] if authorizer_id else None,
        }
    )
    return Resource(logical_id)


def stage(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    deployment.api["apis"][properties["ApiId"]]["stage"] = properties["StageName"]
    return Resource(properties["StageName"])


def _function_name(arn: str) -> str:
    found = _FUNCTION.search(arn)
    if found is None:
        raise TemplateError(f"{arn} names no Lambda function")
    return found[1]
