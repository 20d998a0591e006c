"""Lambda authorizer of the REST API: is the caller's `x-api-key` the key in the secret?

Answers {"isAuthorized": true|false} (payload format 2.0, simple response). Only the secret's current version counts, so
that a leaked key ends with its rotation. A rotated key works at once: a key that does not fit makes the secret be read
anew, at most every REREAD_SECONDS. The key is never logged.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

KEPT_SECONDS = 60.0
REREAD_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    api_key_secret_arn: str

    @classmethod
    @cache
    def from_environment(cls) -> Settings:
        return cls(api_key_secret_arn=os.environ["API_KEY_SECRET_ARN"])


class ApiKey:
    """The key of the secret {"api_key": …}, kept for KEPT_SECONDS."""

    def __init__(self, secret_arn: str) -> None:
        self.secret_arn = secret_arn
        self.key = b""
        self.read_at = float("-inf")

    def matches(self, presented: str) -> bool:
        if self.age() > KEPT_SECONDS:
            self.read()
        if self.equals(presented):
            return True
        if self.age() <= REREAD_SECONDS:
            return False
        self.read()
        return self.equals(presented)

    def equals(self, presented: str) -> bool:
        return bool(self.key) and hmac.compare_digest(presented.encode("utf-8"), self.key)

    def age(self) -> float:
        return time.monotonic() - self.read_at

    def read(self) -> None:
        secret = secrets_manager().get_secret_value(SecretId=self.secret_arn)
        self.key = json.loads(secret["SecretString"])["api_key"].encode("utf-8")
        self.read_at = time.monotonic()


def handler(event: dict[str, Any], context: Any) -> dict[str, bool]:
    """Answer API Gateway. An unreadable secret raises, and the caller gets the gateway's plain 500."""
    presented = (event.get("headers") or {}).get("x-api-key", "")
    authorized = bool(presented) and api_key().matches(presented)
    if not authorized:
        logger.warning("refused", extra={"route": event.get("routeKey")})
    return {"isAuthorized": authorized}


@cache
def api_key() -> ApiKey:
    return ApiKey(Settings.from_environment().api_key_secret_arn)


@cache
def secrets_manager() -> Any:
    patience = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.client("secretsmanager", config=patience)
