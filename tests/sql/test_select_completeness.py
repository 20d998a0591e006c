"""include/sql/athena/select_completeness.sql on the table of the catalog: rows in, rows out."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.api_lambdas.lake import Lake

if TYPE_CHECKING:
    from local_aws.settings import Settings

STATEMENT = Path(__file__).resolve().parents[2] / "include" / "sql" / "athena" / "select_completeness.sql"

Select = Callable[..., list[tuple[str | None, ...]]]


def row(meter: str, date: str, received: int, **others: Any) -> dict[str, Any]:
    counts = {"expected": 48, "received": received, "estimated": 0, "rejected": 0, "duplicates": 0}
    return {"meter_id": meter, "date_str": date, **counts, **others}


@pytest.fixture(scope="module")
def lake(aws: Callable[[str], Any], settings: Settings) -> Lake:
    made = Lake(aws, settings)
    moment = datetime(2013, 1, 31, 12, 30, tzinfo=UTC)
    made.publish(
        "completeness",
        ["201301"],
        [
            row("M1", "20130131", 48),
            row("M2", "20130131", 24, estimated=1, rejected=2, duplicates=3, first_reading=moment, last_reading=moment),
            row("M1", "20130130", 0),
        ],
    )
    made.publish("completeness", ["201302"], [row("M1", "20130201", 47), row("M2", "20130201", 0)])
    return made


@pytest.fixture
def select(aws: Callable[[str], Any], lake: Lake) -> Select:
    def run(first: str, last: str, share: str) -> list[tuple[str | None, ...]]:
        athena = aws("athena")
        query = athena.start_query_execution(
            QueryString=STATEMENT.read_text(encoding="utf-8"),
            QueryExecutionContext={"Database": lake.name},
            WorkGroup=lake.name,
            # Athena takes parameters as literals of SQL.
            ExecutionParameters=[*(f"'{text}'" for text in (first[:6], last[:6], first, last)), share],
        )["QueryExecutionId"]
        deadline = time.monotonic() + 60
        while (found := athena.get_query_execution(QueryExecutionId=query)["QueryExecution"])["Status"]["State"] in (
            "QUEUED",
            "RUNNING",
        ):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert found["Status"]["State"] == "SUCCEEDED", found["Status"]["StateChangeReason"]
        rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
        return [tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in rows[1:]]

    return run


def test_days_with_a_gap_come_with_the_worst_first(select: Select) -> None:
    assert [found[:4] for found in select("20130131", "20130201", "1")] == [
        ("M2", "20130201", "48", "0"),
        ("M2", "20130131", "48", "24"),
        ("M1", "20130201", "48", "47"),
    ]


def test_a_share_leaves_out_the_days_that_reach_it(select: Select) -> None:
    assert [found[:2] for found in select("20130101", "20130228", "0.5")] == [("M1", "20130130"), ("M2", "20130201")]


def test_a_row_says_all_that_is_known(select: Select) -> None:
    assert select("20130131", "20130131", "1") == [
        ("M2", "20130131", "48", "24", "1", "2", "3", "2013-01-31 12:30:00.000", "2013-01-31 12:30:00.000")
    ]
