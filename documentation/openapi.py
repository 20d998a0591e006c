"""docs/openapi.json: the REST API as OpenAPI 3.1, from the routes of infra/api.yaml and the handlers behind them.

A handler module says what it takes (`Request`, a pydantic model), what it answers (`Answer`, a type), what its status
codes mean (`ANSWERS`), and in its docstring what it is for. A parameter that is not in a route's path is a query one.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

from cfnlint.decode import cfn_yaml
from pydantic import TypeAdapter

REPOSITORY = Path(__file__).resolve().parents[1]
TEMPLATE = REPOSITORY / "infra" / "api.yaml"
PAGE = REPOSITORY / "docs" / "openapi.json"

OF_THE_GATEWAY = {
    "401": "No x-api-key header",
    "403": "The key is not the one",
    "429": "Too many requests",
    "500": "An error that nobody foresaw",
}
ERROR = {
    "type": "object",
    "properties": {
        "message": {"type": "string"},
        "parameter": {"type": "string", "description": "Name of the parameter that is wrong"},
    },
    "required": ["message"],
}


def generate() -> str:
    """The text of the page."""
    resources = cfn_yaml.load(str(TEMPLATE))["Resources"]
    paths: dict[str, Any] = {}
    for route in of_type(resources, "AWS::ApiGatewayV2::Route"):
        method, path = route["RouteKey"].split(" ")
        paths.setdefault(path, {})[method.lower()] = operation(path, handler_of(route, resources))
    (api,) = of_type(resources, "AWS::ApiGatewayV2::Api")
    (authorizer,) = of_type(resources, "AWS::ApiGatewayV2::Authorizer")
    (source,) = authorizer["IdentitySource"]
    header = source.removeprefix("$request.header.")
    page = {
        "openapi": "3.1.0",
        "info": {"title": "Smart-meter analytics", "version": "1", "description": api["Description"]},
        "security": [{"api_key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"api_key": {"type": "apiKey", "in": "header", "name": header}},
            "schemas": {"Error": ERROR},
        },
    }
    return json.dumps(page, indent=2, ensure_ascii=False) + "\n"


def of_type(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in resources.values() if resource["Type"] == kind]


def handler_of(route: dict[str, Any], resources: dict[str, Any]) -> ModuleType:
    """The module of the function that answers a route, followed from route to integration to function."""
    integration = resources[route["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")]
    function = resources[integration["Properties"]["IntegrationUri"]["Fn::GetAtt"][0]]
    folder = function["Properties"]["FunctionName"]["Fn::Sub"].removeprefix("${ProjectName}-")
    return importlib.import_module(f"api_lambdas.{folder}.handler")


def operation(path: str, handler: ModuleType) -> dict[str, Any]:
    summary, _, description = (handler.__doc__ or "").strip().partition("\n\n")
    return {
        "operationId": handler.__name__.split(".")[-2],
        "summary": summary.rstrip("."),
        "description": description.strip(),
        "parameters": parameters(path, handler.Request.model_json_schema()),
        "responses": responses(handler.ANSWERS, TypeAdapter(handler.Answer).json_schema()),
    }


def parameters(path: str, schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "path" if f"{{{name}}}" in path else "query",
            "required": name in required,
            "description": field.get("description", ""),
            "schema": {key: value for key, value in field.items() if key not in ("title", "description")},
        }
        for name, field in schema["properties"].items()
    ]


def responses(answers: dict[int, str], rows: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, meaning in answers.items():
        schema = rows if status == 200 else {"$ref": "#/components/schemas/Error"}
        found[str(status)] = {"description": meaning, "content": {"application/json": {"schema": schema}}}
    if "503" in found:
        found["503"]["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    found |= {status: {"description": meaning} for status, meaning in OF_THE_GATEWAY.items()}
    return dict(sorted(found.items()))


if __name__ == "__main__":
    PAGE.write_text(generate(), encoding="utf-8")
