"""AWS::Redshift::Cluster: its database in PostgreSQL, its master user as the owner, its entry in the Redshift API."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_aws.infrastructure.deployment import Deployment, missing
from local_aws.infrastructure.templates import Resource, Stack
from local_aws.settings import HOST


def cluster(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    """Tables and rows stay; the master user gets the password of the template."""
    given = deployment.with_secrets(properties)
    user, database = given["MasterUsername"], given.get("DBName", "dev")
    deployment.postgres.ensure_role(user, given["MasterUserPassword"])
    deployment.postgres.ensure_database(database, owner=user)
    name = given.get("ClusterIdentifier") or deployment.generated_name(stack, logical_id).lower()
    redshift = deployment.client("redshift")
    try:
        redshift.describe_clusters(ClusterIdentifier=name)
    except ClientError as error:
        missing(error, "ClusterNotFound", "ClusterNotFoundFault")
        # The password stays out: it is PostgreSQL's, and the control plane keeps what it is told.
        redshift.create_cluster(
            ClusterIdentifier=name,
            NodeType=given["NodeType"],
            ClusterType=given["ClusterType"],
            DBName=database,
            MasterUsername=user,
            Port=deployment.settings.postgres_port,
        )
    attributes = {
        "Id": name,
        "Endpoint.Address": HOST,
        "Endpoint.Port": str(deployment.settings.postgres_port),
    }
    return Resource(name, attributes)
