"""An HTTP API as a WSGI application: route, authorizer, function, answer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Response
from werkzeug.wsgi import get_input_stream

from local_aws.gateway.authorizers import Authorizers, ForbiddenError, UnauthorizedError
from local_aws.gateway.cors import is_preflight, preflight_answer, with_cors
from local_aws.gateway.events import HttpRequest, function_event
from local_aws.gateway.lambda_pool import LambdaPool
from local_aws.gateway.lambda_process import FunctionError, FunctionTimeoutError
from local_aws.gateway.matching import Match, match
from local_aws.gateway.responses import HttpAnswer, MalformedResultError, answer_of, gateway_answer
from local_aws.gateway.routes import Api, DescriptionError, read_api
from local_aws.gateway.signatures import is_signed
from local_aws.settings import Settings

LARGEST_REQUEST_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class _Served:
    """An API as it was described at a moment (mtime of the description in ns)."""

    api: Api
    authorizers: Authorizers
    described: int


class HttpApi:
    """Serves the API described in a file; a description that changes is taken up with the next request."""

    def __init__(self, settings: Settings, description: Path, lambda_folder: Path) -> None:
        self._settings = settings
        self._description = description
        self._lambda_folder = lambda_folder
        self._pool = LambdaPool(settings)
        self._lock = threading.Lock()
        self._served: _Served | None = None
        self._log = logging.getLogger("local_aws.gateway")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        began = time.monotonic()
        request = _request(environ)
        route_key, answer = self.answer(request)
        milliseconds = (time.monotonic() - began) * 1000
        # The route, not the path or the query: they name a household's meter.
        self._log.info("%s %d %.0f ms %s", route_key, answer.status, milliseconds, request.request_id)
        headers = [*answer.headers, ("apigw-requestid", request.request_id)]
        return Response(answer.body, answer.status, headers)(environ, start_response)

    def answer(self, request: HttpRequest) -> tuple[str, HttpAnswer]:
        """(route key or "-", answer) of a request."""
        try:
            served = self._current()
        except DescriptionError as error:
            self._log.error("%s cannot be served: %s", self._description, error)
            return "-", gateway_answer(500, "Internal Server Error")
        if served is None:
            return "-", gateway_answer(404, "Not Found")
        api = served.api
        if api.cors is not None and is_preflight(request):
            return "-", preflight_answer(api.cors, request)
        found = match(api.routes, request.method, self._without_stage(api, request))
        if found is None:
            return "-", with_cors(api.cors, request, gateway_answer(404, "Not Found"))
        return found.route.route_key, with_cors(api.cors, request, self._routed(served, request, found))

    def stop(self) -> None:
        """End the functions' processes."""
        self._pool.stop()

    def _routed(self, served: _Served, request: HttpRequest, found: Match) -> HttpAnswer:
        if len(request.body) > LARGEST_REQUEST_BYTES:
            return gateway_answer(413, "Request Entity Too Large")
        route, settings = found.route, self._settings
        try:
            context = None
            if route.authorization == "AWS_IAM":
                if not is_signed(request, settings):
                    return gateway_answer(403, "Forbidden")
            elif route.authorizer is not None:
                context = served.authorizers.authorize(route.authorizer, request, found)
            event = function_event(request, found, served.api, settings.account_id, settings.region, context)
            result = self._pool.call(served.api.functions[route.function], event, route.timeout_ms / 1000)
            return answer_of(result)
        except UnauthorizedError:
            return gateway_answer(401, "Unauthorized")
        except ForbiddenError:
            return gateway_answer(403, "Forbidden")
        except FunctionTimeoutError:
            return gateway_answer(503, "Service Unavailable")
        except FunctionError:
            return gateway_answer(500, "Internal Server Error")
        except MalformedResultError as error:
            self._log.error("%s: %s", route.route_key, error)
            return gateway_answer(500, "Internal Server Error")

    def _current(self) -> _Served | None:
        """The API as described now; None while nothing is deployed. Raises DescriptionError."""
        try:
            described = self._description.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        with self._lock:
            if self._served is None or self._served.described != described:
                api = read_api(self._description, self._lambda_folder)
                self._served = _Served(api, Authorizers(api, self._pool, self._settings), described)
            return self._served

    @staticmethod
    def _without_stage(api: Api, request: HttpRequest) -> str:
        """The path that routes are compared with: without the stage, unless that is $default."""
        if api.stage == "$default":
            return request.raw_path
        prefix = f"/{api.stage}"
        return request.raw_path.removeprefix(prefix) if request.raw_path.startswith(f"{prefix}/") else ""


def _request(environ: dict[str, Any]) -> HttpRequest:
    raw = environ.get("RAW_URI") or quote(environ["PATH_INFO"])
    path, _, query = raw.partition("?")
    headers = [
        (key.removeprefix("HTTP_").replace("_", "-").lower(), value)
        for key, value in environ.items()
        if key.startswith("HTTP_")
    ]
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers.append((key.replace("_", "-").lower(), environ[key]))
    # One byte more than allowed is enough to refuse it.
    body = get_input_stream(environ).read(LARGEST_REQUEST_BYTES + 1)
    return HttpRequest(
        method=environ["REQUEST_METHOD"],
        raw_path=path or "/",
        raw_query=query,
        headers=tuple(headers),
        body=body,
        source_ip=environ.get("REMOTE_ADDR", ""),
        protocol=environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
        received=datetime.now(UTC),
    )
