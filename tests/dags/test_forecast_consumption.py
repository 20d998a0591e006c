"""What forecast_consumption asks of Glue and SageMaker, when it skips, and what its trigger form takes."""

from __future__ import annotations

import json
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import DownstreamTasksSkipped, ParamValidationError, TaskDeferred
from metering import current_model, forecasting
from metering.assets import FORECASTS

from tests.dags.aws_endpoint import AwsEndpoint, AwsError
from tests.dags.models import BATCHES, RECORD, WEATHER, XCOMS
from tests.dags.task_run import BATCH, RUN_ID, rendered

STEPS = [
    "choose_model",
    "prepare_forecast_batches",
    "list_batches",
    "transform_batch",
    "find_results",
    "store_forecasts",
    "crawl_forecast",
]


@pytest.fixture
def dag(dags: dict[str, DAG]) -> DAG:
    return dags["forecast_consumption"]


def started(dag: DAG, aws: AwsEndpoint, job: str, *, record: dict[str, Any] = RECORD, **params: Any) -> dict[str, str]:
    """The arguments with which a Glue job is started."""
    aws.answers = {"GetJobRuns": {"JobRuns": []}, "GetJob": {"Job": {}}, "StartJobRun": {"JobRunId": "jr_1"}}
    task, run = rendered(dag, job, params=params, xcoms={**XCOMS, "choose_model": record})
    with pytest.raises(TaskDeferred):
        task.execute(run)
    (request,) = aws.sent("StartJobRun")
    assert request["JobName"] == job
    return request["Arguments"]


def chosen(dag: DAG, aws: AwsEndpoint, parameters: dict[str, dict[str, Any]], **params: Any) -> Any:
    """What choose_model returns when these parameters are stored; the tasks it skips, as a list, when it skips."""

    def get_parameter(request: dict[str, Any]) -> dict[str, Any]:
        if request["Name"] not in parameters:
            raise AwsError("ParameterNotFound")
        return {"Parameter": {"Name": request["Name"], "Value": json.dumps(parameters[request["Name"]])}}

    aws.answers = {"GetParameter": get_parameter}
    task, run = rendered(dag, "choose_model", params=params)
    run["params"] = {**run["params"], **params}
    try:
        return task.execute(run)
    except DownstreamTasksSkipped as stop:
        return list(stop.tasks)


def test_the_steps_follow_one_another(dag: DAG) -> None:
    for step, following in pairwise(STEPS):
        assert dag.get_task(step).downstream_task_ids == {following}
    assert dag.get_task("crawl_forecast").downstream_task_ids == {"announce_forecasts", "check_batches"}
    assert len(dag.tasks) == len(STEPS) + 2


def test_it_runs_every_monday_and_after_a_load_or_a_new_model(dag: DAG) -> None:
    cron = dag.timetable.timetable.serialize()

    assert (cron["expression"], str(cron["timezone"])) == ("0 7 * * 1", "UTC")
    assert {asset.name for asset in dag.timetable.asset_condition.objects} == {"warehouse", "forecast_model"}


def test_without_a_model_everything_is_skipped(dag: DAG, aws: AwsEndpoint) -> None:
    assert sorted(chosen(dag, aws, {})) == sorted([*STEPS[1:], "announce_forecasts", "check_batches"])


def test_the_current_model_forecasts_unless_an_endpoint_is_named(dag: DAG, aws: AwsEndpoint) -> None:
    other = {**RECORD, "endpoint_name": "other", "model_name": "another"}
    stored = {"/metering/current-model": RECORD, "/metering/models/other": other}

    assert chosen(dag, aws, stored) == RECORD
    assert chosen(dag, aws, stored, ml_endpoint_name="other") == other
    with pytest.raises(current_model.NoModelError, match="The endpoint third has no model. Trigger train_forecast_mod"):
        chosen(dag, aws, stored, ml_endpoint_name="third")


def test_the_batches_are_prepared_for_the_model_that_was_chosen(dag: DAG, aws: AwsEndpoint) -> None:
    assert started(dag, aws, "prepare_forecast_batches") == {
        "--batch": BATCH,
        "--data_start": "auto",
        "--data_end": "auto",
        "--meter_start": "1",
        "--meter_end": "auto",
        "--batch_size": "25",
        "--prediction_length": "168",
        "--context_length": "168",
        "--scale": "0.001",
        "--intervals_per_hour": "2",
        "--with_weather": "false",
        "--weather": "null",
        "--airflow_task_uuid": f"forecast_consumption:prepare_forecast_batches:{RUN_ID}:-1",
    }


def test_the_operator_may_choose_meters_and_days(dag: DAG, aws: AwsEndpoint) -> None:
    chosen_ones = {"meter_start": 3, "meter_end": 77, "batch_size": 10}
    days = {"data_start": "2013-01-01", "data_end": "2013-06-01"}

    arguments = started(dag, aws, "prepare_forecast_batches", **chosen_ones, **days)

    assert {name: arguments[f"--{name}"] for name in (*chosen_ones, *days)} == {
        "meter_start": "3",
        "meter_end": "77",
        "batch_size": "10",
        **days,
    }


def test_the_batches_get_the_weather_as_the_model_was_trained_with_it(dag: DAG, aws: AwsEndpoint) -> None:
    arguments = started(dag, aws, "prepare_forecast_batches", record={**RECORD, "weather": WEATHER})

    assert json.loads(arguments["--weather"]) == WEATHER


def test_what_was_transformed_is_stored_in_the_unit_of_the_model(dag: DAG, aws: AwsEndpoint) -> None:
    assert started(dag, aws, "store_forecasts") == {
        "--batch": BATCH,
        "--model_name": RECORD["model_name"],
        "--scale": "0.001",
        "--quantiles": "0.1,0.5,0.9",
        "--prediction_length": "168",
        "--airflow_task_uuid": f"forecast_consumption:store_forecasts:{RUN_ID}:-1",
    }


def test_a_transform_job_is_started_for_each_batch(dag: DAG) -> None:
    task, _ = rendered(dag, "transform_batch", xcoms=XCOMS, map_index=0)

    assert dag.get_task("transform_batch").is_mapped
    assert task.batch == BATCHES[0]


def test_batches_that_failed_do_not_keep_the_others_from_being_stored(dag: DAG) -> None:
    rules = {task.task_id: task.trigger_rule.value for task in dag.tasks}

    assert {name for name, rule in rules.items() if rule != "all_success"} == {"find_results"}
    assert rules["find_results"] == "all_done"
    assert dag.get_task("check_batches").retries == 0


def test_the_partition_of_the_run_is_found_by_the_crawler_which_is_never_changed(dag: DAG, aws: AwsEndpoint) -> None:
    aws.answers = {"GetCrawler": {"Crawler": {"Name": "crawl_forecast"}}, "StartCrawler": {}}
    task, run = rendered(dag, "crawl_forecast")

    with pytest.raises(TaskDeferred) as deferred:
        task.execute(run)

    assert aws.sent("StartCrawler") == [{"Name": "crawl_forecast"}]
    assert set(aws.operations) == {"GetCrawler", "StartCrawler"}
    assert deferred.value.trigger.original().waiter_args == {"Name": "crawl_forecast"}


def test_the_event_says_what_was_stored(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    said = {"batch": BATCH, "batches": [1], "rows": 168, "meters": 1, "first": "a", "last": "b"}
    monkeypatch.setattr(forecasting, "announce_forecasts", lambda *arguments: given.append(arguments) or said)
    task, run = rendered(dag, "announce_forecasts")
    run["outlet_events"] = {FORECASTS: SimpleNamespace(extra={})}

    task.execute(run)

    assert given == [(BATCH, "the-clean")]
    assert run["outlet_events"][FORECASTS].extra == said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("meter_start", 0),
        ("meter_start", None),
        ("meter_end", 0),
        ("batch_size", 0),
        ("batch_size", 100_001),
        ("data_start", "01.06.2013"),
        ("ml_endpoint_name", "under_score"),
        ("ml_endpoint_name", "a" * 64),
        ("transform_instance_type", "c5.large"),
    ],
)
def test_the_trigger_form_refuses(dag: DAG, name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        dag.params.get_param(name).resolve(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("meter_end", None), ("meter_end", 1), ("batch_size", 1), ("data_end", "2014-01-01"), ("ml_endpoint_name", "a-b")],
)
def test_the_trigger_form_takes(dag: DAG, name: str, value: object) -> None:
    assert dag.params.get_param(name).resolve(value) == value
