"""Cross-origin requests: the answer to a preflight and the headers of every other answer."""

from __future__ import annotations

from local_aws.gateway.events import HttpRequest
from local_aws.gateway.responses import HttpAnswer
from local_aws.gateway.routes import Cors

PREFIX = "access-control-"


def is_preflight(request: HttpRequest) -> bool:
    asked = request.header("access-control-request-method")
    return request.method == "OPTIONS" and request.header("origin") is not None and asked is not None


def preflight_answer(cors: Cors, request: HttpRequest) -> HttpAnswer:
    """204; without CORS headers when the origin is not allowed, so that the browser refuses."""
    headers = _origin_headers(cors, request)
    if headers:
        if cors.allow_methods:
            headers.append((f"{PREFIX}allow-methods", ",".join(cors.allow_methods)))
        if cors.allow_headers:
            headers.append((f"{PREFIX}allow-headers", ",".join(cors.allow_headers)))
        if cors.max_age is not None:
            headers.append((f"{PREFIX}max-age", str(cors.max_age)))
    return HttpAnswer(204, tuple(headers))


def with_cors(cors: Cors | None, request: HttpRequest, answer: HttpAnswer) -> HttpAnswer:
    """The answer with the API's CORS headers; where the API has a configuration, those of the function are dropped."""
    if cors is None:
        return answer
    own = tuple(header for header in answer.headers if not header[0].startswith(PREFIX))
    added = _origin_headers(cors, request)
    if added and cors.expose_headers:
        added.append((f"{PREFIX}expose-headers", ",".join(cors.expose_headers)))
    return HttpAnswer(answer.status, (*own, *added), answer.body)


def _origin_headers(cors: Cors, request: HttpRequest) -> list[tuple[str, str]]:
    origin = request.header("origin")
    if origin is None or not any(_allows(allowed, origin) for allowed in cors.allow_origins):
        return []
    headers = [(f"{PREFIX}allow-origin", "*" if "*" in cors.allow_origins else origin)]
    if "*" not in cors.allow_origins:
        headers.append(("vary", "Origin"))
    if cors.allow_credentials:
        headers.append((f"{PREFIX}allow-credentials", "true"))
    return headers


def _allows(allowed: str, origin: str) -> bool:
    if allowed in ("*", origin):
        return True
    # "https://*" stands for every origin of a scheme.
    return allowed.endswith("://*") and origin.startswith(allowed.removesuffix("*"))
