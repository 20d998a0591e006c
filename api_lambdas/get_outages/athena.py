"""One question to Athena: a statement with bound values, run within a deadline, its rows as typed values.

The same file lies in every function that asks Athena: a function is its folder and nothing else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

FIRST_POLL_SECONDS, LAST_POLL_SECONDS = 0.05, 0.5
CONVERSIONS = {
    "boolean": lambda text: text == "true",
    "bigint": int,
    "integer": int,
    "tinyint": int,
    "smallint": int,
    "double": float,
    "float": float,
    "real": float,
}

logger = logging.getLogger(__name__)


class AthenaUnavailableError(Exception):
    """Athena refused, failed or was too slow; the text is for the log, never for the caller."""


@dataclass(frozen=True)
class Athena:
    """The Glue database and the workgroup, which says where results go."""

    database: str
    workgroup: str

    def query(self, sql: str, values: Sequence[str], deadline: float) -> list[dict[str, Any]]:
        """The rows by column name; `values` are bound to the question marks of `sql` in their order.

        A value is Athena's literal: text in quotes that `text` makes, a number as it is. `deadline` is in seconds of
        time.monotonic(). Raises AthenaUnavailableError; what still runs by then is stopped.
        """
        try:
            return self._query(sql, values, deadline)
        except (BotoCoreError, ClientError) as error:
            raise AthenaUnavailableError(str(error)) from error

    def _query(self, sql: str, values: Sequence[str], deadline: float) -> list[dict[str, Any]]:
        started = client().start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self.database},
            WorkGroup=self.workgroup,
            **({"ExecutionParameters": list(values)} if values else {}),
        )
        execution = started["QueryExecutionId"]
        pause = FIRST_POLL_SECONDS
        while (status := _status(execution))["State"] != "SUCCEEDED":
            if status["State"] in ("FAILED", "CANCELLED"):
                raise AthenaUnavailableError(f"query {execution}: {status.get('StateChangeReason', status['State'])}")
            if time.monotonic() + pause > deadline:
                _stop(execution)
                raise AthenaUnavailableError(f"query {execution} took too long and was stopped")
            time.sleep(pause)
            pause = min(pause * 1.5, LAST_POLL_SECONDS)
        return _rows(execution)


def text(value: str) -> str:
    """A text as the literal that Athena binds."""
    return "'" + value.replace("'", "''") + "'"


def _status(execution: str) -> dict[str, Any]:
    return client().get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]


def _stop(execution: str) -> None:
    try:
        client().stop_query_execution(QueryExecutionId=execution)
    except (BotoCoreError, ClientError) as error:
        logger.warning("query %s could not be stopped: %s", execution, type(error).__name__)


def _rows(execution: str) -> list[dict[str, Any]]:
    """All pages; the first row of the first page is the header."""
    rows: list[dict[str, Any]] = []
    columns: list[dict[str, Any]] = []
    for page in client().get_paginator("get_query_results").paginate(QueryExecutionId=execution):
        found = page["ResultSet"]["Rows"]
        if not columns:
            columns, found = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"], found[1:]
        for row in found:
            fields = zip(columns, row["Data"], strict=True)
            rows.append({column["Name"]: _value(column["Type"], field) for column, field in fields})
    return rows


def _value(kind: str, field: dict[str, str]) -> Any:
    """Athena sends every value as text, and nothing for null."""
    written = field.get("VarCharValue")
    return None if written is None else CONVERSIONS.get(kind, str)(written)


@cache
def client() -> Any:
    patience = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.client("athena", config=patience)
