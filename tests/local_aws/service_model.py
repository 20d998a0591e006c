"""Does an answer of the control plane conform to botocore's model of the service?

    from tests.local_aws.service_model import call

    response = call(settings, "glue", "GetTable", DatabaseName="metering", Name="daily")

`call` sends the request as boto3 would, reads the raw HTTP answer, checks every key and type of it against the model
(unknown keys, wrong types and missing required members fail the test), checks that botocore's own parser gives it back
whole, and returns what boto3 would return. An error of the service is raised as botocore's ClientError.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from http.client import HTTPConnection
from typing import Any

import boto3
from botocore.exceptions import ClientError
from botocore.model import OperationModel, Shape
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

from local_aws.settings import HOST, Settings

JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "list": list,
    "map": dict,
    "string": str,
    "blob": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
}


def call(settings: Settings, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
    """Call one operation of a service that speaks JSON 1.x; see the module. `answer_of` does it for REST-JSON."""
    client = client_of(settings, service)
    model = client.meta.service_model.operation_model(operation)
    status, headers, body = _send(client, settings, model, parameters)
    parser = create_parser(model.service_model.metadata["protocol"])
    parsed = parser.parse({"status_code": status, "headers": headers, "body": body}, model.output_shape)
    if status >= 300:
        error = json.loads(body)
        assert {"__type", "message"} <= set(error), f"{operation}: an error needs __type and message, got {error}"
        raise ClientError(parsed, operation)
    if model.output_shape is not None:
        document = json.loads(body)
        problems = list(differences(model.output_shape, document, operation))
        assert not problems, "the answer differs from botocore's model:\n" + "\n".join(problems)
        report = ParamValidator().validate(
            {name: value for name, value in parsed.items() if name != "ResponseMetadata"}, model.output_shape
        )
        assert not report.has_errors(), report.generate_report()
    return parsed


def answer_of(settings: Settings, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
    """Call one operation of a service that speaks REST-JSON and answers with a blob: its body and headers checked."""
    client = client_of(settings, service)
    model = client.meta.service_model.operation_model(operation)
    status, headers, body = _send(client, settings, model, parameters)
    assert status == 200, body
    shape = model.output_shape
    expected = {
        member.serialization["name"].lower(): name
        for name, member in shape.members.items()
        if member.serialization.get("location") == "header"
    }
    own = {name for name in headers if name.startswith("x-amzn-") and name != "x-amzn-requestid"}
    assert own <= set(expected), f"{operation}: the headers {own - set(expected)} are unknown"
    found = {expected[name]: value for name, value in headers.items() if name in expected}
    return found | {shape.serialization["payload"]: body}


@cache
def client_of(settings: Settings, service: str) -> Any:
    """One client a service: loading a service's model takes longer than most calls."""
    return boto3.session.Session().client(
        service,
        endpoint_url=settings.control_url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        region_name=settings.region,
    )


def _send(client: Any, settings: Settings, model: OperationModel, parameters: dict) -> tuple[int, dict, bytes]:
    """Serialise and sign with botocore, send with http.client, so that nothing is interpreted on the way."""
    context = {"client_region": settings.region, "client_config": client.meta.config, "has_streaming_input": False}
    request = client._convert_to_request_dict(parameters, model, settings.control_url, context)
    prepared = client._endpoint.create_request(request, model)
    connection = HTTPConnection(HOST, settings.control_port, timeout=120)
    try:
        path = prepared.url.removeprefix(settings.control_url)
        connection.request(prepared.method, path, body=prepared.body, headers=dict(prepared.headers.items()))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def differences(shape: Any, value: Any, path: str) -> Iterator[str]:
    """Where a JSON document differs from a shape of the model, one text each."""
    expected = JSON_TYPES[shape.type_name]
    if not isinstance(value, expected) or (isinstance(value, bool) and shape.type_name != "boolean"):
        yield f"{path}: {type(value).__name__} instead of {shape.type_name}"
        return
    if shape.type_name == "structure":
        names = {_wire_name(member, name): member for name, member in shape.members.items()}
        for key, item in value.items():
            if key not in names:
                yield f"{path}: {key} is unknown"
            else:
                yield from differences(names[key], item, f"{path}.{key}")
        for name in shape.required_members:
            if _wire_name(shape.members[name], name) not in value:
                yield f"{path}: {name} is required"
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from differences(shape.member, item, f"{path}[{index}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from differences(shape.value, item, f"{path}.{key}")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is none of {', '.join(shape.enum)}"


def _wire_name(member: Shape, name: str) -> str:
    return member.serialization.get("name", name)
