"""A stand-in below botocore: requests are validated and written by botocore itself, answers are canned."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

Answer = dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]] | Exception


class AwsError(Exception):
    """What AWS answers instead of doing what it was asked to."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


class AwsEndpoint:
    """`answers` gives the answer of an operation, e.g. {"GetJob": {…}}: a document, a function of the request, or an
    error; `requests` keeps what was sent, in order.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []

    async def send_from_a_trigger(self, request: AWSPreparedRequest) -> AWSResponse:
        """The same for aiobotocore, with which triggers wait."""
        answer = self.send(request)
        return _AsyncResponse(answer.url, answer.status_code, answer.content)

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        body = json.loads(request.body)
        self.requests.append((operation, body))
        answer = self.answers[operation]
        try:
            if isinstance(answer, Exception):
                raise answer
            document = answer(body) if callable(answer) else answer
        except AwsError as error:
            refusal = {"__type": error.code, "message": error.message}
            return _Response(request.url, 400, json.dumps(refusal).encode())
        return _Response(request.url, 200, json.dumps(document).encode())

    def sent(self, operation: str) -> list[dict[str, Any]]:
        return [body for name, body in self.requests if name == operation]

    @property
    def operations(self) -> list[str]:
        """What was called, in order."""
        return [name for name, _ in self.requests]


class _Response(AWSResponse):
    def __init__(self, url: str, status: int, body: bytes) -> None:
        super().__init__(url, status, {"Content-Type": "application/x-amz-json-1.1"}, None)
        self._body = body

    @property
    def content(self) -> bytes:
        return self._body


class _AsyncResponse(_Response):
    """Its content is awaited."""

    @property
    def content(self) -> Coroutine[Any, Any, bytes]:
        return self._awaited()

    async def _awaited(self) -> bytes:
        return self._body
