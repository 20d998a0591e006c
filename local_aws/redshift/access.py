"""Who may log in where: cluster, database and user of a request become a PostgreSQL login."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.engines.postgres import Postgres
from local_aws.service import Request, ServiceError
from local_aws.settings import Settings

ClientFactory = Callable[[str], Any]


@dataclass(frozen=True)
class Login:
    """A connection URL, and the user whose rights the session takes on after it is made (None: its own)."""

    url: str
    user: str | None = None


class Access:
    """Checks ClusterIdentifier, Database, DbUser and SecretArn of a request.

    Clusters are those that the control plane's Redshift API describes, secrets those of its Secrets Manager.
    """

    def __init__(self, settings: Settings, client: ClientFactory | None = None) -> None:
        self._settings = settings
        # Making a client takes far longer than a call.
        self._client = client or cache(lambda service: _client(settings, service))
        self._postgres = Postgres(settings)

    def login(self, request: Request, database: str) -> Login:
        """The login of a request. Raises ServiceError ValidationException for an unknown cluster or secret."""
        if "WorkgroupName" in request:
            raise _invalid("Redshift Serverless is not implemented by local_aws: use ClusterIdentifier")
        cluster = request.get("ClusterIdentifier")
        if not cluster:
            raise _invalid("ClusterIdentifier is missing")
        if ("SecretArn" in request) == ("DbUser" in request):
            raise _invalid("Exactly one of SecretArn and DbUser is needed to connect to a cluster")
        self._require_cluster(cluster)
        if "DbUser" in request:
            return Login(self._postgres.dsn(database), request["DbUser"])
        secret = self._secret(request["SecretArn"])
        return Login(self._postgres.url_for(secret["username"], secret["password"], database))

    def superuser_url(self, database: str) -> str:
        """For what the service itself sets up in a database."""
        return self._postgres.dsn(database)

    def _require_cluster(self, cluster: str) -> None:
        try:
            self._client("redshift").describe_clusters(ClusterIdentifier=cluster)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ClusterNotFound", "ClusterNotFoundFault"):
                raise
            raise _invalid("Redshift endpoint doesn't exist in this region.") from None

    def _secret(self, arn: str) -> dict[str, str]:
        try:
            text = self._client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        except ClientError as error:
            raise _invalid(error.response["Error"]["Message"]) from None
        try:
            secret = json.loads(text)
        except json.JSONDecodeError:
            secret = None
        if not isinstance(secret, dict) or not {"username", "password"} <= set(secret):
            raise _invalid("The secret must be JSON with username and password")
        return secret


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def _client(settings: Settings, service: str) -> Any:
    session: Any = boto3.session.Session()
    return session.client(
        service,
        endpoint_url=settings.control_url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        region_name=settings.region,
        config=Config(proxies={}, retries={"total_max_attempts": 1, "mode": "standard"}),
    )
