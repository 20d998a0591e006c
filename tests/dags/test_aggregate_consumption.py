"""What aggregate_consumption asks of Glue, what it says to its consumers, and what its trigger form takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError, TaskDeferred
from metering import aggregation, clients, completeness, glue
from metering.assets import CONSUMPTION, READINGS

from tests.dags.aws_endpoint import AwsEndpoint
from tests.dags.task_run import BATCH, RUN_ID, rendered

FOUND = {
    "expected": 192,
    "received": 100,
    "rejected": 3,
    "meters": 2,
    "incomplete_meters": 2,
    "silent_meters": 0,
    "days": 2,
    "incomplete_days": 1,
    "worst_days": [{"date_str": "20130102", "expected": 96, "received": 4, "incomplete_meters": 2}],
}


@pytest.fixture
def dag(dags: dict[str, DAG]) -> DAG:
    return dags["aggregate_consumption"]


def events(*extras: dict[str, Any]) -> dict[Any, list[SimpleNamespace]]:
    """Events as the context of a run that they triggered holds them."""
    return {READINGS: [SimpleNamespace(extra=extra) for extra in extras]}


def test_the_steps_follow_one_another(dag: DAG) -> None:
    assert [task.task_id for task in dag.topological_sort()] == [
        "choose_dates",
        "aggregate_consumption",
        "check_completeness",
        "publish_consumption",
    ]


def test_without_dates_the_job_is_skipped_and_the_batches_are_announced_all_the_same(dag: DAG) -> None:
    assert dag.get_task("choose_dates").ignore_downstream_trigger_rules is False
    assert dag.get_task("choose_dates").downstream_task_ids == {"aggregate_consumption"}
    assert dag.get_task("publish_consumption").trigger_rule == "none_failed"


def test_the_job_is_started_with_the_union_of_the_dates(dag: DAG, aws: AwsEndpoint) -> None:
    aws.answers = {"GetJobRuns": {"JobRuns": []}, "GetJob": {"Job": {}}, "StartJobRun": {"JobRunId": "jr_1"}}
    chosen = ["20130101-20130131", "20131230-20131230"]
    task, run = rendered(dag, "aggregate_consumption", xcoms={"choose_dates": chosen}, try_number=2)

    with pytest.raises(TaskDeferred) as deferred:
        task.execute(run)

    assert aws.sent("StartJobRun") == [
        {
            "JobName": "aggregate_consumption",
            "Arguments": {
                "--run": f"{BATCH}-2",
                "--dates": "20130101-20130131,20131230-20131230",
                "--intervals_per_hour": "2",
                "--airflow_task_uuid": f"aggregate_consumption:aggregate_consumption:{RUN_ID}:-1",
            },
        }
    ]
    assert "JobRun.ErrorMessage" in deferred.value.trigger.original().status_queries


def test_the_dates_of_all_events_are_chosen(dag: DAG) -> None:
    task, run = rendered(dag, "choose_dates")
    run["triggering_asset_events"] = events(
        {"batch": "b", "run": "b-1", "dates": ["20130110-20130120", "20130301-20130301"]},
        {"batch": "a", "run": "a-1", "dates": ["20130121-20130131"]},
    )

    assert task.execute(run) == ["20130110-20130131", "20130301-20130301"]


def test_the_event_names_the_batches_the_run_and_the_dates(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    said = {"batches": ["a"], "run": f"{BATCH}-1", "dates": ["20130101-20130131"]}

    def publish_consumption(*arguments: Any) -> dict[str, Any]:
        given["arguments"] = arguments
        return said

    monkeypatch.setattr(aggregation, "publish_consumption", publish_consumption)
    task, run = rendered(dag, "publish_consumption", xcoms={"choose_dates": ["20130101-20130131"]})
    extra = {"batch": "a", "run": "a-1", "dates": ["20130101-20130131"]}
    run |= {
        "triggering_asset_events": events(extra),
        "outlet_events": {CONSUMPTION: SimpleNamespace(extra={})},
    }
    task.execute(run)

    assert given["arguments"] == ([extra], BATCH, "20130101-20130131", "the-clean", "metering")
    assert run["outlet_events"][CONSUMPTION].extra == said


def test_without_dates_there_is_no_value_to_read_and_the_event_names_the_batches(dag: DAG) -> None:
    task, run = rendered(dag, "publish_consumption", xcoms={})
    extra = {"batch": "a", "run": "a-1", "dates": []}
    run |= {
        "triggering_asset_events": events(extra),
        "outlet_events": {CONSUMPTION: SimpleNamespace(extra={})},
    }
    task.execute(run)

    assert run["outlet_events"][CONSUMPTION].extra == {"batches": ["a"], "run": None, "dates": []}


def test_completeness_is_checked_as_the_form_says(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(clients, "s3", lambda: None)
    monkeypatch.setattr(
        glue, "newest_summary", lambda s3, *named: (given.append(named), ({"completeness": FOUND}, None))[1]
    )
    chosen = {"min_completeness": 0.9, "on_incomplete": "fail"}
    task, run = rendered(dag, "check_completeness", params=chosen)

    with pytest.raises(completeness.IncompleteDaysError, match=r"100 of 192 expected readings have come \(52\.08 %"):
        task.execute(run)

    assert given == [("the-clean", BATCH, "aggregate_consumption")]


@pytest.mark.parametrize(
    ("name", "value"),
    [("min_completeness", 1.1), ("min_completeness", -0.1), ("min_completeness", "all"), ("on_incomplete", "ignore")],
)
def test_the_trigger_form_refuses_other_shares_and_consequences(dag: DAG, name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        dag.params.get_param(name).resolve(value)


@pytest.mark.parametrize("name", ["first_date", "last_date"])
@pytest.mark.parametrize("value", ["2013-02-30", "20130201", "yesterday", 20130201])
def test_the_trigger_form_refuses(dag: DAG, name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        dag.params.get_param(name).resolve(value)


@pytest.mark.parametrize("name", ["first_date", "last_date"])
@pytest.mark.parametrize("value", [None, "2013-02-28"])
def test_the_trigger_form_takes(dag: DAG, name: str, value: object) -> None:
    assert dag.params.get_param(name).resolve(value) == value
