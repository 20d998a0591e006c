"""Lambda authorizers of an HTTP API: who may call a route, asked of a function and kept for a while."""

from __future__ import annotations

import fnmatch
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from local_aws.gateway.events import HttpRequest, authorizer_event, identity_values, route_arn
from local_aws.gateway.lambda_pool import LambdaPool
from local_aws.gateway.lambda_process import FunctionError, FunctionTimeoutError
from local_aws.gateway.matching import Match
from local_aws.gateway.responses import MalformedResultError
from local_aws.gateway.routes import Api, Authorizer
from local_aws.settings import Settings

# API Gateway gives an authorizer 10 seconds.
SECONDS = 10


class UnauthorizedError(Exception):
    """An identity source is missing: 401."""


class ForbiddenError(Exception):
    """The authorizer said no: 403."""


@dataclass
class _Kept:
    """Results by what they were asked for, until a moment of time.monotonic()."""

    results: dict[tuple[str, ...], tuple[float, Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: tuple[str, ...]) -> Any:
        with self.lock:
            until, result = self.results.get(key, (0.0, None))
            return result if time.monotonic() < until else None

    def put(self, key: tuple[str, ...], result: Any, seconds: int) -> None:
        with self.lock:
            now = time.monotonic()
            self.results = {key: item for key, item in self.results.items() if item[0] > now}
            self.results[key] = (now + seconds, result)


class Authorizers:
    """Asks authorizers' functions; one object per description of the API, so that a new one begins afresh."""

    def __init__(self, api: Api, pool: LambdaPool, settings: Settings) -> None:
        self._api = api
        self._pool = pool
        self._settings = settings
        self._kept = _Kept()

    def authorize(self, authorizer: Authorizer, request: HttpRequest, match: Match) -> dict[str, Any]:
        """The context for the function's event.

        Raises UnauthorizedError, ForbiddenError, and FunctionError or MalformedResultError when the authorizer itself
        fails.
        """
        identity = identity_values(authorizer, request, match, self._api)
        if identity is None:
            raise UnauthorizedError
        key = (authorizer.name, *identity)
        result = self._kept.get(key) if authorizer.ttl_seconds else None
        if result is None:
            result = self._ask(authorizer, request, match, identity)
            if authorizer.ttl_seconds:
                self._kept.put(key, result, authorizer.ttl_seconds)
        if not self._allowed(authorizer, result, request):
            raise ForbiddenError
        context = result.get("context") or {}
        return {"lambda": context}

    def _ask(self, authorizer: Authorizer, request: HttpRequest, match: Match, identity: list[str]) -> Any:
        settings = self._settings
        event = authorizer_event(request, match, self._api, settings.account_id, settings.region, identity)
        try:
            result = self._pool.call(self._api.functions[authorizer.function], event, SECONDS)
        except FunctionTimeoutError as error:
            # The caller of the API sees an authorizer's failure as the API's own.
            raise FunctionError(str(error)) from None
        if not isinstance(result, dict):
            raise MalformedResultError(f"the authorizer {authorizer.name} answered {type(result).__name__}, no object")
        return result

    def _allowed(self, authorizer: Authorizer, result: dict[str, Any], request: HttpRequest) -> bool:
        if authorizer.simple_responses:
            if not isinstance(result.get("isAuthorized"), bool):
                raise MalformedResultError(f"the authorizer {authorizer.name} answered without isAuthorized")
            return bool(result["isAuthorized"])
        arn = route_arn(request, self._api, self._settings.account_id, self._settings.region)
        effects = [
            statement["Effect"]
            for statement in result.get("policyDocument", {}).get("Statement", [])
            for resource in _listed(statement["Resource"])
            if fnmatch.fnmatchcase(arn, resource)
        ]
        return "Allow" in effects and "Deny" not in effects


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
