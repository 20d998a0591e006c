"""What detect_anomalies asks of Glue, when it skips, what it says to its consumers, and what its trigger form takes."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import DownstreamTasksSkipped, ParamValidationError, TaskDeferred
from metering import anomalies
from metering.assets import ANOMALIES, CONSUMPTION

from tests.dags.aws_endpoint import AwsEndpoint
from tests.dags.task_run import BATCH, RUN_ID, rendered


@pytest.fixture
def dag(dags: dict[str, DAG]) -> DAG:
    return dags["detect_anomalies"]


def started(dag: DAG, aws: AwsEndpoint, **params: Any) -> dict[str, str]:
    """The arguments with which the job is started."""
    aws.answers = {"GetJobRuns": {"JobRuns": []}, "GetJob": {"Job": {}}, "StartJobRun": {"JobRunId": "jr_1"}}
    task, run = rendered(dag, "detect_anomalies", params=params, try_number=2)
    with pytest.raises(TaskDeferred):
        task.execute(run)
    (request,) = aws.sent("StartJobRun")
    assert request["JobName"] == "detect_anomalies"
    return request["Arguments"]


def skipped(task: Any, run: dict[str, Any]) -> list[str]:
    """The tasks that a short circuit skips."""
    try:
        task.execute(run)
    except DownstreamTasksSkipped as stop:
        return sorted(stop.tasks)
    return []


def test_the_steps_follow_one_another(dag: DAG) -> None:
    steps = ["find_summed_days", "detect_anomalies", "find_judged_days", "publish_anomalies"]
    assert [task.task_id for task in dag.topological_sort()] == steps
    for step, following in pairwise(steps):
        assert dag.get_task(step).downstream_task_ids == {following}


def test_the_job_is_started_with_the_values_of_the_deployment(dag: DAG, aws: AwsEndpoint) -> None:
    assert started(dag, aws) == {
        "--run": f"{BATCH}-2",
        "--data_end": "auto",
        "--days": "365",
        "--country": "GB",
        "--intervals_per_hour": "2",
        "--with_weather": "false",
        "--level": "0.98",
        "--airflow_task_uuid": f"detect_anomalies:detect_anomalies:{RUN_ID}:-1",
    }


def test_the_operator_may_choose_days_country_and_level(dag: DAG, aws: AwsEndpoint) -> None:
    arguments = started(dag, aws, days=730, country="CN", level=0.9)

    assert [arguments[name] for name in ("--days", "--country", "--level")] == ["730", "CN", "0.9"]


@pytest.mark.parametrize(
    ("dates", "skips"),
    [(["20130101-20130101"], []), ([], ["detect_anomalies", "find_judged_days", "publish_anomalies"])],
)
def test_without_new_sums_the_rest_is_skipped(dag: DAG, dates: list[str], skips: list[str]) -> None:
    task, run = rendered(dag, "find_summed_days")
    extra = {"batches": ["a"], "run": "a-1", "dates": dates}
    run["triggering_asset_events"] = {CONSUMPTION: [SimpleNamespace(extra=extra)]}

    assert skipped(task, run) == skips


@pytest.mark.parametrize(("days", "skips"), [(["20130101-20130131"], []), ([], ["publish_anomalies"])])
def test_without_judged_days_nothing_is_published(
    dag: DAG, monkeypatch: pytest.MonkeyPatch, days: list[str], skips: list[str]
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(anomalies, "find_judged_days", lambda *arguments: given.append(arguments) or days)
    task, run = rendered(dag, "find_judged_days")

    assert skipped(task, run) == skips
    assert given == [(BATCH, "the-clean")]


def test_the_event_says_what_was_judged(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    said = {"run": f"{BATCH}-1", "days": ["20130101-20130131"], "high": 2, "low": 1}
    monkeypatch.setattr(anomalies, "publish_anomalies", lambda *arguments: given.append(arguments) or said)
    task, run = rendered(dag, "publish_anomalies")
    run["outlet_events"] = {ANOMALIES: SimpleNamespace(extra={})}

    task.execute(run)

    assert given == [(BATCH, "the-clean", "metering")]
    assert run["outlet_events"][ANOMALIES].extra == said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("days", 27),
        ("days", 1097),
        ("days", "365"),
        ("country", "XX"),
        ("country", "gb"),
        ("level", 0.49),
        ("level", 1),
        ("level", None),
    ],
)
def test_the_trigger_form_refuses(dag: DAG, name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        dag.params.get_param(name).resolve(value)


@pytest.mark.parametrize(
    ("name", "value"), [("days", 28), ("days", 1096), ("country", None), ("country", "DE"), ("level", 0.95)]
)
def test_the_trigger_form_takes(dag: DAG, name: str, value: object) -> None:
    assert dag.params.get_param(name).resolve(value) == value
