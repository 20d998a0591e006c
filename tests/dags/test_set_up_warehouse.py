"""What set_up_warehouse sends to Redshift."""

from __future__ import annotations

import re

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred

from tests.dags.aws_endpoint import AwsEndpoint
from tests.dags.task_run import rendered

ID = "9c6dbba9-0c3a-4f4c-8f0e-9a0f3b1f7a11"


def test_the_tables_are_made_in_one_transaction_if_they_are_missing(dags: dict[str, DAG], aws: AwsEndpoint) -> None:
    aws.answers = {"BatchExecuteStatement": {"Id": ID}, "DescribeStatement": {"Id": ID, "Status": "SUBMITTED"}}
    task, run = rendered(dags["set_up_warehouse"], "create_tables")

    with pytest.raises(TaskDeferred) as deferred:
        task.execute(run)

    (request,) = aws.sent("BatchExecuteStatement")
    made = [re.findall(r"^CREATE TABLE IF NOT EXISTS (\w+) \($", sql, re.MULTILINE) for sql in request["Sqls"]]
    *tables, privileges = made
    assert [name for (name,) in tables] == [
        "load_turn",
        "daily",
        "aggregated_daily",
        "aggregated_weekly",
        "aggregated_monthly",
        "geo_data",
        "cis_data",
    ]
    assert privileges == []
    assert request["Sqls"][-1].endswith("REVOKE ALL ON TABLE cis_data FROM public")
    assert (deferred.value.trigger.original().statement_id, deferred.value.trigger.original().poll_interval) == (ID, 10)


def test_it_runs_once_by_itself(dags: dict[str, DAG]) -> None:
    assert type(dags["set_up_warehouse"].timetable).__name__ == "OnceTimetable"
