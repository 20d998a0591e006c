"""docs/openapi.json: the REST API as OpenAPI 3.1, from the routes of infra/api.yaml and the handlers behind them.

A handler module says what it takes (`Request`, a pydantic model), what it answers (`Answer`, a type), what its status
codes mean (`ANSWERS`), and in its docstring what it is for. A parameter that is not in a route's path is a query one.
Examples are the sample event beside the handler, event.json, and its answer, answer.json.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from cfnlint.decode import cfn_yaml
from pydantic import TypeAdapter

REPOSITORY = Path(__file__).resolve().parents[1]
INFRA = REPOSITORY / "infra"
LAMBDAS = REPOSITORY / "api_lambdas"
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
    resources = load("api.yaml")["Resources"]
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {"Error": ERROR}
    for route in of_type(resources, "AWS::ApiGatewayV2::Route"):
        method, path = route["RouteKey"].split(" ")
        paths.setdefault(path, {})[method.lower()] = operation(path, function_of(route, resources), schemas)
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
            "schemas": schemas,
        },
    }
    return json.dumps(page, indent=2, ensure_ascii=False) + "\n"


def load(template: str) -> dict[str, Any]:
    return cfn_yaml.load(str(INFRA / template))


def of_type(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in resources.values() if resource["Type"] == kind]


def function_of(route: dict[str, Any], resources: dict[str, Any]) -> Path:
    """The folder of the function that answers a route, followed from route to integration to function."""
    integration = resources[route["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")]
    uri = integration["Properties"]["IntegrationUri"]
    if "Ref" in uri:
        uri, resources = output_behind(uri["Ref"])
    function = resources[uri["Fn::GetAtt"][0]]
    return LAMBDAS / function["Properties"]["FunctionName"]["Fn::Sub"].removeprefix("${ProjectName}-")


def output_behind(parameter: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What main.yaml gives api.yaml for a parameter: an output of another template, and that template's resources."""
    stacks = load("main.yaml")["Resources"]
    stack, output = stacks["Api"]["Properties"]["Parameters"][parameter]["Fn::GetAtt"]
    template = load(Path(stacks[stack]["Properties"]["TemplateURL"]["Fn::Sub"][0]).name)
    return template["Outputs"][output.removeprefix("Outputs.")]["Value"], template["Resources"]


@contextmanager
def modules_beside(folder: Path) -> Iterator[None]:
    """Lambda finds the modules of a function in its folder."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def operation(path: str, folder: Path, schemas: dict[str, Any]) -> dict[str, Any]:
    with modules_beside(folder):
        handler = importlib.import_module(f"api_lambdas.{folder.name}.handler")
    summary, _, description = (handler.__doc__ or "").strip().partition("\n\n")
    event = json.loads((folder / "event.json").read_text(encoding="utf-8"))
    examples = event.get("pathParameters", {}) | event.get("queryStringParameters", {})
    return {
        "operationId": folder.name,
        "summary": summary.rstrip("."),
        "description": description.strip(),
        "parameters": parameters(path, handler.Request.model_json_schema(), examples),
        "responses": responses(
            handler.ANSWERS,
            answer_schema(handler, schemas),
            json.loads((folder / "answer.json").read_text(encoding="utf-8")),
        ),
    }


def parameters(path: str, schema: dict[str, Any], examples: dict[str, str]) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "path" if f"{{{name}}}" in path else "query",
            "required": name in required,
            "description": field.get("description", ""),
            "schema": parameter_schema(field),
        }
        | ({"example": examples[name]} if name in examples else {})
        for name, field in schema["properties"].items()
    ]


def parameter_schema(field: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is never null."""
    kept = {key: value for key, value in field.items() if key not in ("title", "description")}
    kinds = [kind for kind in kept.pop("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) > 1:
        raise ValueError(f"{field['title']}: a parameter has one type")
    if kept.get("default", "") is None:
        del kept["default"]
    return kept | (kinds[0] if kinds else {})


def answer_schema(handler: ModuleType, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of an answer; the models that it refers to are added to `schemas`."""
    schema = TypeAdapter(handler.Answer).json_schema(ref_template="#/components/schemas/{model}")
    for name, definition in schema.pop("$defs", {}).items():
        if schemas.setdefault(name, definition) != definition:
            raise ValueError(f"{handler.__name__}: another handler has a model {name} as well: name it otherwise")
    return schema


def responses(answers: dict[int, str], schema: dict[str, Any], example: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    error = {"schema": {"$ref": "#/components/schemas/Error"}}
    for status, meaning in answers.items():
        content = {"schema": schema, "example": example} if status == 200 else error
        found[str(status)] = {"description": meaning, "content": {"application/json": content}}
    if "503" in found:
        found["503"]["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    found |= {status: {"description": meaning} for status, meaning in OF_THE_GATEWAY.items()}
    return dict(sorted(found.items()))


if __name__ == "__main__":
    PAGE.write_text(generate(), encoding="utf-8")
