"""A Lambda function's result becomes an HTTP answer (response format 2.0, given or inferred)."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
TEXT = "text/plain;charset=UTF-8"


class MalformedResultError(Exception):
    """A function's result that API Gateway cannot make an answer of; the text is for the log."""


@dataclass(frozen=True)
class HttpAnswer:
    """What goes back to the caller; names of headers are lower case, one may be there several times (set-cookie)."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)


def gateway_answer(status: int, message: str) -> HttpAnswer:
    """One of the gateway's own answers, {"message": …}."""
    return HttpAnswer(
        status, (("content-type", JSON),), json.dumps({"message": message}, separators=(",", ":")).encode()
    )


def answer_of(result: Any) -> HttpAnswer:
    """The answer of a function's result (parsed JSON). Raises MalformedResultError."""
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else json.dumps(result)
        return HttpAnswer(200, (("content-type", JSON),), text.encode())
    try:
        status = int(result["statusCode"])
    except (TypeError, ValueError):
        raise MalformedResultError(f"statusCode {result['statusCode']!r} is no number") from None
    if not 100 <= status <= 599:
        raise MalformedResultError(f"statusCode {status} is none of HTTP")
    headers = _headers(result)
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", TEXT))
    return HttpAnswer(status, tuple(headers), _body(result))


def _headers(result: dict[str, Any]) -> list[tuple[str, str]]:
    given = result.get("headers") or {}
    if not isinstance(given, dict):
        raise MalformedResultError("headers is no object")
    headers = []
    for name, value in given.items():
        if not isinstance(value, str | int | float):
            raise MalformedResultError(f"the header {name} is neither text nor number")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if any(sign in f"{name}{text}" for sign in "\r\n"):
            raise MalformedResultError(f"the header {name!r} holds a line end")
        headers.append((str(name).lower(), text))
    for cookie in result.get("cookies") or []:
        headers.append(("set-cookie", str(cookie)))
    return headers


def _body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResultError(f"body is {type(body).__name__}, not text")
    if not result.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise MalformedResultError(f"body is no base64: {error}") from None
