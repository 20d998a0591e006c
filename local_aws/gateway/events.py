"""Events of payload format 2.0, as an HTTP API sends them to a Lambda function and to a Lambda authorizer.

Source: Amazon API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs" and "Control access to
HTTP APIs with AWS Lambda authorizers".
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from local_aws.gateway.matching import Match
from local_aws.gateway.routes import Api, Authorizer

_TEXT_TYPES = ("application/json", "application/javascript", "application/xml")


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came: raw_path and raw_query percent-encoded, headers in their order, received in UTC."""

    method: str
    raw_path: str
    raw_query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str
    protocol: str
    received: datetime
    request_id: str = field(default_factory=lambda: secrets.token_urlsafe(11)[:15] + "=")

    def header(self, name: str) -> str | None:
        """All values of a header, joined by a comma; None when it is absent."""
        values = [value for key, value in self.headers if key.lower() == name]
        return ",".join(values) if values else None


def function_event(
    request: HttpRequest, match: Match, api: Api, account_id: str, region: str, authorizer: dict[str, Any] | None
) -> dict[str, Any]:
    """The event of a proxy integration; `authorizer` is what goes to requestContext.authorizer."""
    event = _common(request, match, api, account_id, region)
    event = {"version": "2.0", "routeKey": match.route.route_key} | event
    if authorizer is not None:
        event["requestContext"]["authorizer"] = authorizer
    body, encoded = _body(request)
    if body is not None:
        event["body"] = body
    return event | {"isBase64Encoded": encoded}


def authorizer_event(
    request: HttpRequest, match: Match, api: Api, account_id: str, region: str, identity: list[str]
) -> dict[str, Any]:
    """The event of a REQUEST authorizer; it never holds the body."""
    head = {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": route_arn(request, api, account_id, region),
        "identitySource": identity or None,
        "routeKey": match.route.route_key,
    }
    return head | _common(request, match, api, account_id, region)


def route_arn(request: HttpRequest, api: Api, account_id: str, region: str) -> str:
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    where = f"{api.api_id}/{api.stage}/{request.method}{unquote(request.raw_path)}"
    return f"arn:{partition}:execute-api:{region}:{account_id}:{where}"


def identity_values(authorizer: Authorizer, request: HttpRequest, match: Match, api: Api) -> list[str] | None:
    """The values of the identity sources; None when one is absent or empty. Raises ValueError for an unknown source."""
    values = []
    for source in authorizer.identity_source:
        value = _identity_value(source, request, match, api)
        if not value:
            return None
        values.append(value)
    return values


def _identity_value(source: str, request: HttpRequest, match: Match, api: Api) -> str | None:
    if source.startswith("$request.header."):
        return request.header(source.removeprefix("$request.header.").lower())
    if source.startswith("$request.querystring."):
        return _joined_query(request).get(source.removeprefix("$request.querystring."))
    context = {
        "$context.routeKey": match.route.route_key,
        "$context.httpMethod": request.method,
        "$context.path": unquote(request.raw_path),
        "$context.stage": api.stage,
        "$context.identity.sourceIp": request.source_ip,
    }
    if source not in context:
        raise ValueError(f"the gateway does not know the identity source {source}")
    return context[source]


def _common(request: HttpRequest, match: Match, api: Api, account_id: str, region: str) -> dict[str, Any]:
    path = unquote(request.raw_path)
    host = request.header("host") or ""
    cookies = [cookie.strip() for cookie in (request.header("cookie") or "").split(";") if cookie.strip()]
    event: dict[str, Any] = {"rawPath": path, "rawQueryString": request.raw_query}
    if cookies:
        event["cookies"] = cookies
    event["headers"] = _headers(request)
    if request.raw_query:
        event["queryStringParameters"] = _joined_query(request)
    event["requestContext"] = {
        "accountId": account_id,
        "apiId": api.api_id,
        "domainName": host.partition(":")[0],
        "domainPrefix": host.partition(":")[0].partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": request.request_id,
        "routeKey": match.route.route_key,
        "stage": api.stage,
        "time": request.received.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(request.received.timestamp() * 1000),
    }
    if match.parameters:
        event["pathParameters"] = match.parameters
    return event


def _headers(request: HttpRequest) -> dict[str, str]:
    """Lower-case names, values of the same name joined by a comma; cookies have a place of their own."""
    joined: dict[str, str] = {}
    for name, value in request.headers:
        key = name.lower()
        if key != "cookie":
            joined[key] = f"{joined[key]},{value}" if key in joined else value
    joined.setdefault("content-length", str(len(request.body)))
    joined["x-forwarded-for"] = ", ".join(filter(None, [joined.get("x-forwarded-for"), request.source_ip]))
    joined["x-forwarded-proto"] = "http"
    joined["x-forwarded-port"] = joined.get("host", "").partition(":")[2] or "80"
    joined.setdefault("x-amzn-trace-id", f"Root=1-{int(request.received.timestamp()):08x}-{secrets.token_hex(12)}")
    return dict(sorted(joined.items()))


def _joined_query(request: HttpRequest) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in parse_qsl(request.raw_query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _body(request: HttpRequest) -> tuple[str | None, bool]:
    """The body as text, or in base64 where its type is not one of text."""
    if not request.body:
        return None, False
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in _TEXT_TYPES:
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True
