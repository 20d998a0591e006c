"""AWS's JSON 1.x protocol, seen from the server, with botocore's models as the only description of the shapes.

Requests are validated like botocore's client does it; responses are serialised strictly: a member that the model does
not know, or of another type, is a defect of this package and raises OutputError. Services of the protocol rest-json
(sagemaker-runtime) are spoken to in rest_protocol.py.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.utils import parse_to_aware_datetime
from botocore.validate import ParamValidator

from local_aws import constraints
from local_aws.service import ServiceError

CONTENT_TYPE = "application/x-amz-json-"
# Services whose names, sizes and enums are held to the model's limits; the others check what matters by themselves.
_LIMITED = {"sagemaker"}


class OutputError(Exception):
    """An own operation returned something that the service's model does not know."""


@cache
def service_model(service_name: str) -> ServiceModel:
    """botocore's model of a service, by botocore's name for it."""
    return ServiceModel(Loader().load_service_model(service_name, "service-2"), service_name)


def operation_model(service_name: str, target: str) -> OperationModel:
    """The operation that the header X-Amz-Target names. Raises ServiceError UnknownOperationException."""
    model = service_model(service_name)
    prefix, _, name = target.rpartition(".")
    if prefix != model.metadata["targetPrefix"] or name not in model.operation_names:
        raise ServiceError("UnknownOperationException", f"{service_name} has no operation {target!r}", 400)
    return model.operation_model(name)


def parse(operation: OperationModel, body: bytes) -> dict[str, Any]:
    """The request's parameters, validated; blobs as bytes, timestamps as aware datetimes.

    Raises ServiceError SerializationException or ValidationException.
    """
    try:
        parameters = json.loads(body or b"{}")
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ServiceError("SerializationException", f"the request's body is no JSON: {error}") from None
    if operation.input_shape is None:
        return {}
    if not isinstance(parameters, dict):
        raise ServiceError("SerializationException", "the request's body is no JSON object")
    report = ParamValidator().validate(parameters, operation.input_shape)
    if report.has_errors():
        raise ServiceError("ValidationException", report.generate_report())
    parsed = _parse(operation.input_shape, parameters)
    if operation.service_model.service_name in _LIMITED:
        constraints.require(operation.input_shape, parsed)
    return parsed


def serialise(operation: OperationModel, response: Mapping[str, Any] | None) -> bytes:
    """The response as JSON. Raises OutputError."""
    if operation.output_shape is None:
        return b"{}"
    return json.dumps(_serialise(operation.output_shape, response or {}, operation.name)).encode()


def _parse(shape: Any, value: Any) -> Any:
    if value is None:
        return None
    match shape.type_name:
        case "structure":
            known = shape.members.items()
            return {name: _parse(member, value[name]) for name, member in known if value.get(name) is not None}
        case "list":
            return [_parse(shape.member, item) for item in value]
        case "map":
            return {key: _parse(shape.value, item) for key, item in value.items()}
        case "blob":
            return base64.b64decode(value)
        case "timestamp":
            return parse_to_aware_datetime(value)
    return value


def _serialise(shape: Any, value: Any, path: str) -> Any:
    match shape.type_name:
        case "structure":
            _require(isinstance(value, Mapping), path, shape, value)
            unknown = set(value) - set(shape.members)
            if unknown:
                raise OutputError(f"{path} has no member {', '.join(sorted(unknown))}")
            return {
                _wire_name(shape.members[name], name): _serialise(shape.members[name], item, f"{path}.{name}")
                for name, item in value.items()
                if item is not None
            }
        case "list":
            _require(isinstance(value, list | tuple), path, shape, value)
            return [_serialise(shape.member, item, f"{path}[{index}]") for index, item in enumerate(value)]
        case "map":
            _require(isinstance(value, Mapping), path, shape, value)
            return {key: _serialise(shape.value, item, f"{path}.{key}") for key, item in value.items()}
        case "blob":
            _require(isinstance(value, bytes), path, shape, value)
            return base64.b64encode(value).decode()
        case "timestamp":
            return _epoch(value, path, shape)
        case "boolean":
            _require(isinstance(value, bool), path, shape, value)
        case "integer" | "long":
            _require(isinstance(value, int) and not isinstance(value, bool), path, shape, value)
        case "float" | "double":
            _require(isinstance(value, int | float) and not isinstance(value, bool), path, shape, value)
        case "string":
            _require(isinstance(value, str), path, shape, value)
    return value


def _epoch(value: Any, path: str, shape: Shape) -> float:
    """Seconds since 1970 of a datetime (a naive one is UTC), an ISO text, or seconds themselves."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(aware.timestamp(), 3)
    _require(isinstance(value, int | float) and not isinstance(value, bool), path, shape, value)
    return value


def _wire_name(member: Shape, name: str) -> str:
    return member.serialization.get("name", name)


def _require(fits: bool, path: str, shape: Shape, value: object) -> None:
    if not fits:
        raise OutputError(f"{path} is a {shape.type_name} in the model, not {type(value).__name__}")
