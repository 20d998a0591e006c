"""A cluster and a database of its own, spoken to through the Redshift Data API of the control plane."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from psycopg import sql

if TYPE_CHECKING:
    from local_aws.engines.postgres import Postgres

CLUSTER = "test-cluster"
ROLE = "arn:aws:iam::123456789012:role/copy"
# Those that a test may have made.
SCHEMAS = """
SELECT nspname FROM pg_namespace
WHERE nspname NOT IN ('information_schema', 'redshift_functions') AND nspname NOT LIKE 'pg\\_%'
"""
ENDED = ("FINISHED", "FAILED", "ABORTED")


@dataclass(frozen=True)
class Warehouse:
    """`login` is what every request needs: cluster, database and user."""

    client: Any
    s3: Any
    login: dict[str, str]

    def start(self, *statements: str, **others: Any) -> str:
        """Send one statement, or several as a batch; returns the id."""
        if len(statements) == 1:
            return self.client.execute_statement(Sql=statements[0], **self.login, **others)["Id"]
        return self.client.batch_execute_statement(Sqls=list(statements), **self.login, **others)["Id"]

    def finish(self, statement_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            described = self.client.describe_statement(Id=statement_id)
            if described["Status"] in ENDED:
                return described
            time.sleep(0.02)
        raise TimeoutError(f"statement {statement_id} did not end")

    def run(self, *statements: str, **others: Any) -> dict[str, Any]:
        """Send, wait, and insist on success."""
        described = self.finish(self.start(*statements, **others))
        assert described["Status"] == "FINISHED", described.get("Error")
        return described

    def error(self, *statements: str, **others: Any) -> str:
        """The message of a statement that fails."""
        described = self.finish(self.start(*statements, **others))
        assert described["Status"] == "FAILED"
        return str(described["Error"])

    def rows(self, statement: str, parameters: dict[str, str] | None = None) -> list[tuple[Any, ...]]:
        given = [{"name": name, "value": value} for name, value in (parameters or {}).items()]
        described = self.run(statement, **({"Parameters": given} if given else {}))
        pages = self.client.get_paginator("get_statement_result").paginate(Id=described["Id"])
        return [tuple(value_of(field) for field in record) for page in pages for record in page["Records"]]

    def put(self, bucket: str, key: str, table: pa.Table) -> int:
        """Write a Parquet file; returns its bytes."""
        body = io.BytesIO()
        pq.write_table(table, body)
        self.s3.put_object(Bucket=bucket, Key=key, Body=body.getvalue())
        return len(body.getvalue())


def value_of(field: dict[str, Any]) -> Any:
    ((kind, value),) = field.items()
    return None if kind == "isNull" else value


@pytest.fixture(scope="session")
def cluster(aws: Callable[[str], Any]) -> str:
    aws("redshift").create_cluster(
        ClusterIdentifier=CLUSTER, NodeType="ra3.large", MasterUsername="metering", MasterUserPassword="Metering1"
    )
    return CLUSTER


@pytest.fixture(scope="session")
def database(postgres: Postgres) -> str:
    """A database of the session; its functions of Redshift are put in by the first statement."""
    name = f"test-{uuid.uuid4().hex[:10]}"
    postgres.ensure_database(name)
    return name


@pytest.fixture(scope="session")
def clients(aws: Callable[[str], Any]) -> tuple[Any, Any]:
    """Clients of redshift-data and s3: making one takes longer than most tests."""
    return aws("redshift-data"), aws("s3")


@pytest.fixture
def warehouse(clients: tuple[Any, Any], postgres: Postgres, cluster: str, database: str) -> Warehouse:
    """The database, emptied before the test."""
    with psycopg.connect(postgres.dsn(database), autocommit=True) as connection:
        schemas = connection.execute(SCHEMAS).fetchall()
        for (schema,) in schemas:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
        connection.execute("CREATE SCHEMA public")
    login = {"ClusterIdentifier": cluster, "Database": database, "DbUser": "postgres"}
    return Warehouse(*clients, login)
