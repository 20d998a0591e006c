"""What the gateway serves: read from what local_aws/infrastructure/rest_api.py says of the templates."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PAYLOAD_FORMAT = "2.0"
AUTHORIZATIONS = ("NONE", "CUSTOM", "AWS_IAM")


class DescriptionError(Exception):
    """The description holds something that the gateway cannot serve; the text names it."""


@dataclass(frozen=True)
class Function:
    """A Lambda function. `folder` is its code's, `timeout` in seconds, `memory` in MB, `handler` module.function."""

    name: str
    folder: Path
    handler: str
    timeout: int
    memory: int
    environment: dict[str, str]


@dataclass(frozen=True)
class Authorizer:
    """A Lambda authorizer; `identity_source` like $request.header.x-api-key, results are kept ttl_seconds."""

    name: str
    function: str
    identity_source: tuple[str, ...]
    ttl_seconds: int
    simple_responses: bool


@dataclass(frozen=True)
class Route:
    """A route key, e.g. "GET /consumption/{meter_id}", and the function that answers it within timeout_ms."""

    route_key: str
    function: str
    timeout_ms: int
    authorization: str = "NONE"
    authorizer: Authorizer | None = None


@dataclass(frozen=True)
class Cors:
    """CorsConfiguration of an API; max_age in seconds."""

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: int | None = None


@dataclass(frozen=True)
class Api:
    """One HTTP API: its id, stage, routes, and the functions that they and their authorizers name."""

    api_id: str
    stage: str
    cors: Cors | None
    routes: tuple[Route, ...]
    functions: dict[str, Function] = field(default_factory=dict)


def read_api(path: Path, lambda_folder: Path) -> Api:
    """The API in a description file; the functions' folders lie below lambda_folder. Raises DescriptionError."""
    return api_of(json.loads(path.read_text()), lambda_folder)


def api_of(description: dict[str, Any], lambda_folder: Path) -> Api:
    """The API in a description. Raises DescriptionError unless it is exactly one that can be served."""
    if len(description["apis"]) != 1:
        names = ", ".join(description["apis"]) or "none"
        raise DescriptionError(f"the gateway serves one HTTP API, the templates have: {names}")
    functions = {name: _function(given, lambda_folder) for name, given in description["functions"].items()}
    (api_id, given), *_ = description["apis"].items()
    routes = tuple(_route(route, functions) for route in given["routes"])
    keys = [route.route_key for route in routes]
    if len(set(keys)) != len(keys):
        raise DescriptionError(f"a route key is there twice: {', '.join(sorted(keys))}")
    cors = _cors(given["cors"]) if given.get("cors") else None
    return Api(api_id, given["stage"], cors, routes, functions)


def _function(given: dict[str, Any], lambda_folder: Path) -> Function:
    return Function(
        name=given["name"],
        folder=lambda_folder / given["folder"],
        handler=given["handler"],
        timeout=given["timeout"],
        memory=given["memory"],
        environment=given["environment"],
    )


def _route(given: dict[str, Any], functions: dict[str, Function]) -> Route:
    key = given["route_key"]
    if given["payload_format"] != PAYLOAD_FORMAT:
        raise DescriptionError(f"{key}: the gateway knows payload format {PAYLOAD_FORMAT} only")
    if given["authorization"] not in AUTHORIZATIONS:
        raise DescriptionError(f"{key}: the gateway does not know the authorization {given['authorization']}")
    authorizer = _authorizer(given["authorizer"]) if given.get("authorizer") else None
    if (given["authorization"] == "CUSTOM") != (authorizer is not None):
        raise DescriptionError(f"{key}: the authorization CUSTOM and an authorizer go together")
    for name in [given["function"], *([authorizer.function] if authorizer else [])]:
        if name not in functions:
            raise DescriptionError(f"{key}: there is no function {name}")
    return Route(key, given["function"], given["timeout_ms"], given["authorization"], authorizer)


def _authorizer(given: dict[str, Any]) -> Authorizer:
    if given["ttl_seconds"] and not given["identity_source"]:
        raise DescriptionError(f"authorizer {given['name']}: results can only be kept by an identity source")
    return Authorizer(
        name=given["name"],
        function=given["function"],
        identity_source=tuple(given["identity_source"]),
        ttl_seconds=given["ttl_seconds"],
        simple_responses=given["simple_responses"],
    )


def _cors(given: dict[str, Any]) -> Cors:
    return Cors(
        allow_origins=_texts(given.get("AllowOrigins")),
        allow_methods=_texts(given.get("AllowMethods")),
        allow_headers=_texts(given.get("AllowHeaders")),
        expose_headers=_texts(given.get("ExposeHeaders")),
        allow_credentials=bool(given.get("AllowCredentials", False)),
        max_age=int(given["MaxAge"]) if "MaxAge" in given else None,
    )


def _texts(given: Any) -> tuple[str, ...]:
    """A list, or the comma-joined text that a CommaDelimitedList parameter holds."""
    if given is None:
        return ()
    items = given.split(",") if isinstance(given, str) else given
    return tuple(str(item).strip() for item in items if str(item).strip())
