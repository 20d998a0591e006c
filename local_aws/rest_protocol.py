"""AWS's REST-JSON protocol, seen from the server, as far as an operation's body is a blob or nothing.

The operation is found by method and path; members of the request stand in path, headers and body. Enough for
sagemaker-runtime's InvokeEndpoint; an operation with another kind of body raises NotImplementedError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.model import OperationModel
from werkzeug.datastructures import Headers

from local_aws import constraints
from local_aws.protocol import OutputError, service_model
from local_aws.service import ServiceError


@dataclass(frozen=True)
class Answer:
    """What goes over HTTP: the raw body and the headers that the members became."""

    body: bytes
    headers: dict[str, str]


def speaks_rest(service_name: str) -> bool:
    return service_model(service_name).metadata["protocol"] == "rest-json"


def operation_model(service_name: str, method: str, path: str) -> OperationModel:
    """The operation of a method and path. Raises ServiceError UnknownOperationException."""
    for name, pattern, verb in _routes(service_name):
        if verb == method and pattern.fullmatch(path):
            return service_model(service_name).operation_model(name)
    raise ServiceError("UnknownOperationException", f"{service_name} has no operation {method} {path}", 404)


def parse(operation: OperationModel, path: str, headers: Headers, body: bytes) -> dict[str, Any]:
    """The request's members. Raises ServiceError ValidationError."""
    shape = operation.input_shape
    labels = _pattern(operation.http["requestUri"]).fullmatch(path)
    parameters: dict[str, Any] = {}
    for name, member in shape.members.items():
        location, wire_name = member.serialization.get("location"), member.serialization.get("name", name)
        if location == "uri" and labels:
            parameters[name] = unquote(labels[wire_name])
        elif location == "header" and wire_name in headers:
            parameters[name] = headers[wire_name]
        elif location is None and name != shape.serialization.get("payload"):
            raise NotImplementedError(f"{operation.name}.{name} stands in a JSON body")
    if "payload" in shape.serialization:
        parameters[shape.serialization["payload"]] = body
    try:
        constraints.require(shape, parameters)
    except ServiceError as error:
        raise ServiceError("ValidationError", error.message) from None
    return parameters


def serialise(operation: OperationModel, response: Mapping[str, Any]) -> Answer:
    """The response's blob and headers. Raises OutputError."""
    shape = operation.output_shape
    payload = shape.serialization.get("payload")
    headers: dict[str, str] = {}
    for name, value in response.items():
        if name not in shape.members:
            raise OutputError(f"{operation.name} has no member {name}")
        if name == payload and isinstance(value, bytes):
            continue
        if name == payload or not isinstance(value, str):
            raise OutputError(f"{operation.name}.{name} cannot be {type(value).__name__}")
        headers[shape.members[name].serialization["name"]] = value
    return Answer(response.get(payload, b""), headers)


@cache
def _routes(service_name: str) -> list[tuple[str, re.Pattern[str], str]]:
    model = service_model(service_name)
    routes = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        routes.append((name, _pattern(http["requestUri"]), http["method"]))
    return routes


@cache
def _pattern(uri: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", uri))
