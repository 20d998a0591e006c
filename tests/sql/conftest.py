"""The warehouse's SQL on the engine that stands in for Redshift, spoken to as the DAGs do: lists of statements."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from metering import warehouse

SQL = Path(__file__).resolve().parents[2] / "include" / "sql"
CLUSTER = "sql-tests"
USER = "postgres"
ENDED = {"FINISHED", "FAILED", "ABORTED"}
BATCH = "20260102T090000-3fa2c1"


class StatementFailedError(AssertionError):
    """The warehouse refused a statement; the message is its own."""


@dataclass(frozen=True)
class Warehouse:
    """A database with the tables of set_up_warehouse. `bucket` is where manifests and files lie."""

    redshift_data: Any
    s3: Any
    database: str
    bucket: str

    def run(self, *statements: str) -> None:
        """Run the statements as one transaction; StatementFailedError when one is refused."""
        self.finish(self.submit(*statements))

    def submit(self, *statements: str) -> str:
        """Start the statements as one transaction; the id to ask for them."""
        answer = self.redshift_data.batch_execute_statement(
            ClusterIdentifier=CLUSTER, Database=self.database, DbUser=USER, Sqls=list(statements)
        )
        return str(answer["Id"])

    def status(self, statement_id: str) -> str:
        return str(self.redshift_data.describe_statement(Id=statement_id)["Status"])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        answer = self.redshift_data.execute_statement(
            ClusterIdentifier=CLUSTER, Database=self.database, DbUser=USER, Sql=query
        )
        self.finish(answer["Id"])
        result = self.redshift_data.get_statement_result(Id=answer["Id"])
        return [tuple(_value(field) for field in record) for record in result["Records"]]

    def statement(self, file: str) -> str:
        """A statement as the operator sends it."""
        deployment = {
            "business_bucket": self.bucket,
            "landing_bucket": self.bucket,
            "redshift_copy_role_arn": "arn:aws:iam::123456789012:role/copy",
        }
        template = jinja2.Template((SQL / file).read_text(encoding="utf-8"), undefined=jinja2.StrictUndefined)
        return template.render(
            var={"json": {"metering": deployment}}, dag_run=SimpleNamespace(), batch_of=lambda dag_run: BATCH
        )

    def load(self, task_id: str, copied: dict[str, str]) -> None:
        """Run a merge of load_redshift; `copied` gives, by table, the statement that stands for its COPY."""
        self.run(*self.statements(task_id, copied))

    def statements(self, task_id: str, copied: dict[str, str]) -> list[str]:
        return [
            copied[Path(file).stem.removeprefix("copy_")] if "/copy_" in file else self.statement(file)
            for file in warehouse.MERGES[task_id]
        ]

    def copy(self, task_id: str, files: dict[str, list[str]], batches: str = "") -> None:
        """Run a merge of load_redshift on Parquet files of the bucket: by table, their keys. `batches` are the lines of
        the file of that name.
        """
        self.s3.put_object(Bucket=self.bucket, Key=f"_manifests/{BATCH}/batches.csv", Body=batches.encode())
        for table, keys in files.items():
            entries = [
                {
                    "url": f"s3://{self.bucket}/{key}",
                    "mandatory": True,
                    "meta": {"content_length": self.s3.head_object(Bucket=self.bucket, Key=key)["ContentLength"]},
                }
                for key in keys
            ]
            manifest = json.dumps({"entries": entries}).encode()
            self.s3.put_object(Bucket=self.bucket, Key=f"_manifests/{BATCH}/{table}.json", Body=manifest)
        self.run(*(self.statement(file) for file in warehouse.MERGES[task_id]))

    def finish(self, statement_id: str) -> None:
        """Wait until the statements have ended; StatementFailedError when one was refused."""
        deadline = time.monotonic() + 60
        while self.status(statement_id) not in ENDED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"statement {statement_id} did not end")
            time.sleep(0.02)
        described = self.redshift_data.describe_statement(Id=statement_id)
        if described["Status"] != "FINISHED":
            raise StatementFailedError(described.get("Error", described["Status"]))


def _value(field: dict[str, Any]) -> Any:
    ((kind, value),) = field.items()
    return None if kind == "isNull" else value


@pytest.fixture(scope="session")
def redshift_data(aws: Callable[[str], Any]) -> Any:
    aws("redshift").create_cluster(
        ClusterIdentifier=CLUSTER,
        NodeType="ra3.large",
        MasterUsername="metering",
        MasterUserPassword="Metering1",
        DBName="meter-data",
    )
    return aws("redshift-data")


@pytest.fixture
def tables(redshift_data: Any, aws: Callable[[str], Any], bucket: str) -> Warehouse:
    """Empty tables, as set_up_warehouse makes them."""
    made = Warehouse(redshift_data, aws("s3"), "meter-data", bucket)
    names = ("load_turn", "daily", *warehouse.AGGREGATES, warehouse.CUSTOMERS_TABLE, warehouse.PLACES_TABLE)
    made.run(*(f"DROP TABLE IF EXISTS {table}" for table in names))
    made.run(*(made.statement(file) for file in warehouse.CREATE_TABLES))
    return made
