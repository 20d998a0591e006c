"""A stand-in below botocore: requests are validated and written by botocore itself, answers are canned."""

from __future__ import annotations

import json
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse


class AwsEndpoint:
    """`answers` gives the answer of an operation, e.g. {"GetJob": {…}}; `requests` keeps what was sent, in order."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        self.requests.append((operation, json.loads(request.body)))
        return _Response(request.url, json.dumps(self.answers[operation]).encode())

    def sent(self, operation: str) -> list[dict[str, Any]]:
        return [body for name, body in self.requests if name == operation]


class _Response(AWSResponse):
    def __init__(self, url: str, body: bytes) -> None:
        super().__init__(url, 200, {"Content-Type": "application/x-amz-json-1.1"}, None)
        self._body = body

    @property
    def content(self) -> bytes:
        return self._body
