"""What the handlers of resource types share: clients, names, and the description of the REST API."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.engines.postgres import Postgres
from local_aws.engines.seaweedfs import s3_client
from local_aws.infrastructure.templates import Stack
from local_aws.settings import Settings

_REFERENCE = re.compile(r"\{\{resolve:secretsmanager:(?P<id>.+?):SecretString:(?P<key>[^:}]*)[^}]*\}\}")


class Deployment:
    """One run over the templates against a running local stack."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.postgres = Postgres(settings)
        self.api: dict[str, Any] = {"functions": {}, "apis": {}}
        self.client = cache(self._client)

    def _client(self, service: str) -> Any:
        if service == "s3":
            return s3_client(self.settings)
        return boto3.session.Session().client(
            service,
            endpoint_url=self.settings.control_url,
            aws_access_key_id=self.settings.access_key,
            aws_secret_access_key=self.settings.secret_key,
            region_name=self.settings.region,
            config=Config(proxies={}, retries={"total_max_attempts": 1, "mode": "standard"}),
        )

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        region = self.settings.region if regional else ""
        return f"arn:{self.settings.partition}:{service}:{region}:{self.settings.account_id}:{resource}"

    def generated_name(self, stack: Stack, logical_id: str) -> str:
        """A name for a resource that has none, the same at every run: <stack>-<logical id>-<12 letters>."""
        digest = hashlib.sha256(f"{stack.name}/{logical_id}".encode()).hexdigest()
        return f"{stack.name}-{logical_id}-{digest[:12].upper()}"

    def with_secrets(self, value: Any) -> Any:
        """Replace the dynamic references {{resolve:secretsmanager:…}} in resolved properties."""
        if isinstance(value, dict):
            return {key: self.with_secrets(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.with_secrets(item) for item in value]
        if isinstance(value, str):
            return _REFERENCE.sub(lambda found: self._secret(found["id"], found["key"]), value)
        return value

    def _secret(self, secret_id: str, key: str) -> str:
        text = self.client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"]
        return str(json.loads(text)[key]) if key else text


def missing(error: ClientError, *codes: str) -> bool:
    """Whether an error says that the thing asked for does not exist; raises any other error again."""
    if error.response["Error"]["Code"] in codes:
        return True
    raise error
