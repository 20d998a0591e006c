"""What train_forecast_model asks of Glue and SageMaker, when it skips, and what its trigger form takes."""

from __future__ import annotations

import inspect
import json
from copy import deepcopy
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import DownstreamTasksSkipped, ParamValidationError, TaskDeferred
from metering import training
from metering.assets import FORECAST_MODEL
from metering.training_form import FORM

from tests.dags.aws_endpoint import AwsEndpoint
from tests.dags.conftest import DEPLOYMENT
from tests.dags.models import MODEL, PLAN, XCOMS
from tests.dags.task_run import BATCH, RUN_ID, rendered

STEPS = [
    "plan_training",
    "prepare_training_set",
    "describe_tuning_job",
    "tune_hyperparameters",
    "describe_training_job",
    "train_model",
    "check_model_quality",
    "create_model",
    "deploy_model",
    "record_model",
]


@pytest.fixture
def dag(dags: dict[str, DAG]) -> DAG:
    return dags["train_forecast_model"]


def arguments(dag: DAG, task_id: str) -> list[Any]:
    """What a Python task is called with; texts that are JSON as what they mean."""
    task, _ = rendered(dag, task_id, xcoms=XCOMS)
    return [json.loads(value) if value.startswith(("{", "null")) else value for value in task.op_args]


def test_the_steps_follow_one_another(dag: DAG) -> None:
    for step, following in pairwise(STEPS):
        assert dag.get_task(step).downstream_task_ids == {following}
    assert dag.get_task("record_model").downstream_task_ids == {"retire_superseded_model", "announce_model"}
    assert len(dag.tasks) == len(STEPS) + 2


def test_nothing_that_serves_is_touched_before_the_gate_and_the_record_is_written_after_the_endpoint_serves() -> None:
    gate = STEPS.index("check_model_quality")

    assert {"create_model", "deploy_model", "record_model"} == set(STEPS[gate + 1 :])
    assert STEPS.index("record_model") > STEPS.index("deploy_model")


def test_it_runs_when_a_month_begins_and_after_a_load(dag: DAG) -> None:
    cron = dag.timetable.timetable.serialize()

    assert (cron["expression"], str(cron["timezone"])) == ("0 2 1 * *", "UTC")
    assert [asset.name for asset in dag.timetable.asset_condition.objects] == ["warehouse"]


def test_the_plan_is_made_of_the_form_and_the_deployment(dag: DAG) -> None:
    task, _ = rendered(dag, "plan_training")

    assert [json.loads(value) for value in task.op_args] == [DEPLOYMENT]
    assert task.python_callable is training.plan_training
    # Airflow fills parameters of these names from the context.
    assert list(inspect.signature(training.plan_training).parameters) == ["deployment", "params", "dag_run"]


def test_without_a_plan_everything_is_skipped(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    task, run = rendered(dag, "plan_training")
    monkeypatch.setattr(task, "python_callable", lambda *_, **__: None)

    with pytest.raises(DownstreamTasksSkipped) as skipped:
        task.execute(run)

    assert set(skipped.value.tasks) == {task.task_id for task in dag.tasks} - {"plan_training"}


def test_without_tuning_only_the_tuning_job_is_skipped(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    task, run = rendered(dag, "describe_tuning_job", xcoms=XCOMS)
    monkeypatch.setattr(task, "python_callable", lambda *_, **__: None)

    with pytest.raises(DownstreamTasksSkipped) as skipped:
        task.execute(run)

    assert list(skipped.value.tasks) == ["tune_hyperparameters"]
    assert dag.get_task("describe_training_job").trigger_rule == "none_failed"
    assert {dag.get_task(step).trigger_rule for step in STEPS if step != "describe_training_job"} == {"all_success"}


def test_the_training_set_is_prepared_as_planned(dag: DAG, aws: AwsEndpoint) -> None:
    aws.answers = {"GetJobRuns": {"JobRuns": []}, "GetJob": {"Job": {}}, "StartJobRun": {"JobRunId": "jr_1"}}
    planned = {**PLAN, "data_end": "2014-01-01", "scale": 1.0, "test_quantiles": [0.05, 0.5]}
    task, run = rendered(dag, "prepare_training_set", xcoms={"plan_training": planned}, try_number=2)

    with pytest.raises(TaskDeferred):
        task.execute(run)

    (request,) = aws.sent("StartJobRun")
    assert request == {
        "JobName": "prepare_training_set",
        "Arguments": {
            "--run": f"{BATCH}-2",
            "--data_start": "auto",
            "--data_end": "2014-01-01",
            "--training_samples": "50",
            "--prediction_length": "168",
            "--context_length": "168",
            "--test_windows": "3",
            "--quantiles": "0.05,0.5",
            "--scale": "1.0",
            "--intervals_per_hour": "2",
            "--with_weather": "false",
            "--airflow_task_uuid": f"train_forecast_model:prepare_training_set:{RUN_ID}:-1",
        },
    }


def test_each_step_gets_the_plan_and_what_the_steps_before_say(dag: DAG) -> None:
    role, buckets = DEPLOYMENT["sagemaker_role_arn"], ["the-clean", "the-working"]

    assert arguments(dag, "describe_tuning_job") == [PLAN, BATCH, role, *buckets]
    assert arguments(dag, "describe_training_job") == [PLAN, None, BATCH, role, *buckets]
    assert arguments(dag, "check_model_quality") == [PLAN, MODEL, DEPLOYMENT, "the-clean", BATCH]
    assert arguments(dag, "create_model") == [PLAN, MODEL, role]
    assert arguments(dag, "record_model") == [PLAN, MODEL, DEPLOYMENT, "the-clean", BATCH]
    assert arguments(dag, "retire_superseded_model") == [PLAN, DEPLOYMENT]


@pytest.mark.parametrize(
    "task_id",
    ["describe_tuning_job", "describe_training_job", "check_model_quality", "create_model", "record_model"],
)
def test_a_step_takes_as_many_arguments_as_it_gets(dag: DAG, task_id: str) -> None:
    wanted = inspect.signature(getattr(training, task_id)).parameters

    assert len(wanted) == len(dag.get_task(task_id).op_args)


def test_the_jobs_are_those_that_were_described(dag: DAG) -> None:
    tuning, _ = rendered(dag, "tune_hyperparameters", xcoms=XCOMS)
    trained, _ = rendered(dag, "train_model", xcoms=XCOMS)

    assert tuning.config == {"HyperParameterTuningJobName": f"tune-{BATCH}"}
    assert trained.config == {"TrainingJobName": f"consumption-{BATCH}"}
    assert (trained.print_log, trained.action_if_job_exists) == (False, "fail")


def test_the_endpoint_is_told_to_serve_the_configuration_of_the_training_job(dag: DAG) -> None:
    task, _ = rendered(dag, "deploy_model", xcoms=XCOMS)

    assert task.config == {"EndpointName": "metering-forecast", "EndpointConfigName": MODEL}


def test_the_event_names_the_model_and_its_endpoint(dag: DAG) -> None:
    task, run = rendered(dag, "announce_model", xcoms=XCOMS)
    run["outlet_events"] = {FORECAST_MODEL: SimpleNamespace(extra={})}

    task.execute(run)

    assert run["outlet_events"][FORECAST_MODEL].extra == {
        "model_name": MODEL,
        "endpoint_name": "metering-forecast",
    }


def test_the_form_has_its_sections_in_one_piece_each(dag: DAG) -> None:
    sections = [dag.params.get_param(name).schema["section"] for name in dag.params]

    assert list(dict.fromkeys(sections)) == ["Data", "Quality", "Deployment", "Training", "Hyperparameters"]
    changes = [section for section, following in pairwise(sections) if section != following]
    assert len(changes) == 4
    assert list(dag.params) == list(FORM)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("training_samples", 0),
        ("data_start", "2013-02-30"),
        ("data_end", "auto"),
        ("forecast_period", 0),
        ("forecast_period", 17),
        ("test_windows", 0),
        ("min_improvement", 1),
        ("min_improvement", -0.1),
        ("model_name", "two--hyphens"),
        ("model_name", "a" * 31),
        ("model_name", None),
        ("ml_endpoint_name", "under_score"),
        ("training_instance_type", "c5.2xlarge"),
        ("endpoint_instance_type", "ml.m5.xlarge; rm"),
        ("endpoint_instance_count", 0),
        ("tuning_jobs", 501),
        ("context_length", 0),
        ("epochs", 0),
        ("epochs", 1.5),
        ("learning_rate", 0),
        ("likelihood", "poisson"),
        ("dropout_rate", 1),
        ("cardinality", "[2, 0]"),
        ("cardinality", "many"),
        ("num_dynamic_feat", "-1"),
        ("num_eval_samples", 0),
        ("test_quantiles", [0.5, 1]),
        ("test_quantiles", 0.5),
    ],
)
def test_the_trigger_form_refuses(dag: DAG, name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        deepcopy(dag.params.get_param(name)).resolve(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("training_samples", None),
        ("training_samples", 5567),
        ("data_start", "2013-06-01"),
        ("forecast_period", 16),
        ("min_improvement", 0),
        ("min_improvement", 0.9),
        ("model_name", "a" * 30),
        ("ml_endpoint_name", None),
        ("ml_endpoint_name", "challenger-2"),
        ("training_instance_type", "ml.p4d.24xlarge"),
        ("epochs", 1),
        ("learning_rate", 0.0005),
        ("likelihood", None),
        ("likelihood", "student-T"),
        ("cardinality", "[2, 3]"),
        ("num_dynamic_feat", "3"),
        ("test_quantiles", [0.05, 0.95]),
    ],
)
def test_the_trigger_form_takes(dag: DAG, name: str, value: object) -> None:
    assert deepcopy(dag.params.get_param(name)).resolve(value) == value


def test_the_defaults_are_those_of_the_specification(dag: DAG) -> None:
    given = {name: dag.params.get_param(name).value for name in dag.params}

    assert (given["forecast_period"], given["training_instance_type"], given["endpoint_instance_type"]) == (
        7,
        "ml.c5.2xlarge",
        "ml.m5.xlarge",
    )
    assert (given["data_start"], given["data_end"], given["force"], given["tune"]) == (None, None, False, False)
