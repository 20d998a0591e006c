"""What load_redshift sends to Redshift, and what its trigger form takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError, TaskDeferred
from metering import warehouse
from metering.assets import CONSUMPTION

from tests.dags.aws_endpoint import AwsEndpoint
from tests.dags.conftest import DEPLOYMENT
from tests.dags.task_run import BATCH, rendered

EXTRA = {"batches": ["a"], "run": "a-1", "dates": ["20130101-20130131"]}
COPY_DAILY = f"""\
COPY daily_copied
FROM 's3://the-business/_manifests/{BATCH}/daily.json'
IAM_ROLE 'arn:aws-cn:iam::123456789012:role/copy'
FORMAT AS PARQUET
MANIFEST"""

COPY_BATCHES = f"""\
COPY batches_copied
FROM 's3://the-business/_manifests/{BATCH}/batches.csv'
IAM_ROLE 'arn:aws-cn:iam::123456789012:role/copy'
FORMAT AS CSV"""


@pytest.fixture
def dag(dags: dict[str, DAG]) -> DAG:
    return dags["load_redshift"]


def sent(dag: DAG, task_id: str, aws: AwsEndpoint, planned: list[Any] | None = None) -> dict[str, Any]:
    """The request of a transaction, which is still running when the task looks for the first time.

    `planned` takes what was planned before it, if it plans: the arguments of that, and what had been sent until then.
    """
    aws.answers = {
        "BatchExecuteStatement": {"Id": "9c6dbba9-0c3a-4f4c-8f0e-9a0f3b1f7a11"},
        "DescribeStatement": {"Id": "9c6dbba9-0c3a-4f4c-8f0e-9a0f3b1f7a11", "Status": "STARTED"},
    }
    task, run = rendered(dag, task_id)
    run["triggering_asset_events"] = {CONSUMPTION: [SimpleNamespace(extra=EXTRA)]}
    if task_id == "merge_consumption":
        assert task.plan is warehouse.plan_sums
        calls = [] if planned is None else planned
        task.plan = lambda *arguments: calls.append((arguments, aws.operations))
    with pytest.raises(TaskDeferred):
        task.execute(run)
    (request,) = aws.sent("BatchExecuteStatement")
    return request


def code(statement: str) -> str:
    """A statement without its comments."""
    return "\n".join(line for line in statement.splitlines() if not line.startswith("--"))


@pytest.mark.parametrize("task_id", ["merge_readings", "merge_consumption"])
def test_a_merge_is_one_transaction_of_whole_statements(dag: DAG, aws: AwsEndpoint, task_id: str) -> None:
    request = sent(dag, task_id, aws)

    statements = request.pop("Sqls")
    assert request.pop("ClientToken")
    assert request == {
        "ClusterIdentifier": "redshift-cluster-1",
        "Database": "meter-data",
        "SecretArn": DEPLOYMENT["redshift_secret_arn"],
        "WithEvent": False,
    }
    assert code(statements[0]) == "LOCK TABLE load_turn"
    assert not [statement for statement in statements if ".sql" in statement or "{{" in statement]


def test_the_readings_are_copied_from_the_manifest_of_the_run(dag: DAG, aws: AwsEndpoint) -> None:
    statements = [code(statement) for statement in sent(dag, "merge_readings", aws)["Sqls"]]

    assert [statement.split("\n")[0] for statement in statements] == [
        "LOCK TABLE load_turn",
        "CREATE TEMP TABLE daily_copied (",
        "COPY daily_copied",
        "CREATE TEMP TABLE batches_copied (",
        "COPY batches_copied",
        "CREATE TEMP TABLE daily_staged AS",
        "DELETE FROM daily_staged",
        "MERGE INTO daily",
    ]
    assert statements[2] == COPY_DAILY
    assert statements[4] == COPY_BATCHES


def test_the_sums_of_all_grains_are_merged_together(dag: DAG, aws: AwsEndpoint) -> None:
    statements = [code(statement) for statement in sent(dag, "merge_consumption", aws)["Sqls"]]

    tables = ["aggregated_daily", "aggregated_weekly", "aggregated_monthly"]
    assert [line for line in (text.split("\n")[0] for text in statements) if line.startswith(("COPY", "MERGE"))] == [
        line for table in tables for line in (f"COPY {table}_copied", f"MERGE INTO {table}")
    ]


def test_the_sums_are_planned_anew_in_every_try_of_their_merge(dag: DAG, aws: AwsEndpoint) -> None:
    planned: list[Any] = []

    sent(dag, "merge_consumption", aws, planned)

    params = {"batches": [], "first_date": None, "last_date": None}
    assert planned == [(([EXTRA], params, BATCH, "the-business", "metering"), [])]


def test_only_merges_with_something_to_do_run_and_the_end_waits_for_both(dag: DAG) -> None:
    assert dag.get_task("plan_load").downstream_task_ids == {"merge_readings", "merge_consumption"}
    assert dag.get_task("announce_warehouse").upstream_task_ids == {"merge_readings", "merge_consumption"}
    assert dag.get_task("announce_warehouse").trigger_rule == "none_failed_min_one_success"


def test_the_plan_gets_the_events_and_the_names_of_the_deployment(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def plan_load(*arguments: Any) -> list[str]:
        given.extend(arguments)
        return []

    monkeypatch.setattr(warehouse, "plan_load", plan_load)
    task, run = rendered(dag, "plan_load")
    run["triggering_asset_events"] = {CONSUMPTION: [SimpleNamespace(extra=EXTRA)]}
    task.python_callable(*task.op_args, params=run["params"], triggering_asset_events=run["triggering_asset_events"])

    params = {"batches": [], "first_date": None, "last_date": None}
    assert given == [[EXTRA], params, BATCH, "the-clean", "the-business", "metering"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batches", ["20260102T090000-3fa2c1'; DROP TABLE daily; --"]),
        ("batches", ["../quarantine"]),
        ("batches", "20260102T090000-3fa2c1"),
        ("first_date", "2013-13-01"),
        ("last_date", "today"),
    ],
)
def test_the_trigger_form_refuses(dag: DAG, name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        dag.params.get_param(name).resolve(value)


@pytest.mark.parametrize(
    ("name", "value"), [("batches", []), ("batches", ["20260102T090000-3fa2c1"]), ("first_date", "2013-01-01")]
)
def test_the_trigger_form_takes(dag: DAG, name: str, value: object) -> None:
    assert dag.params.get_param(name).resolve(value) == value
