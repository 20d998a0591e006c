"""The steps of train_forecast_model one after another on the SageMaker of local_aws: what serves after each outcome."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger
from airflow.sdk import DAG
from airflow.sdk.exceptions import DownstreamTasksSkipped, TaskDeferred
from botocore.config import Config
from metering.endpoints import EndpointError
from metering.model_quality import ModelQualityError
from metering.sagemaker_jobs import SageMakerJobError
from metering.triggers import WaitFailedError

from tests.dags.conftest import DEPLOYMENT, REPOSITORY
from tests.dags.task_run import BATCH, rendered

ENDPOINT = "metering-forecast"
POLL_SECONDS = 0.1
BUCKETS = ("the-clean", "the-working")
# The loss of a model is num_cells / 100: with DeepAR's default, 40, it is better than last week, with 50 it is not.
BASELINE = {"seasonal_naive": {"mean_wQuantileLoss": 0.5}, "climatology": {"mean_wQuantileLoss": 0.45}}
TRAINING_SET = {
    "train": "s3://the-working/training/r/train/",
    "test": "s3://the-working/training/r/test/",
    "baseline": "s3://the-working/training/r/baseline.json",
    "data_start": "2013-06-01",
    "data_end": "2014-01-01",
    "weather": None,
}
STEPS = [
    "plan_training",
    "describe_tuning_job",
    "tune_hyperparameters",
    "describe_training_job",
    "train_model",
    "check_model_quality",
    "create_model",
    "deploy_model",
    "record_model",
    "retire_superseded_model",
]


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The local SageMaker, and a training set."""
    command = [REPOSITORY / ".venv-local" / "bin" / "python", "-m", "tests.dags.sagemaker_process"]
    home: Path = tmp_path_factory.mktemp("sagemaker")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AIRFLOW"))}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with (
        subprocess.Popen([*command, home], cwd=REPOSITORY, env=environment, **pipes) as process,
        pytest.MonkeyPatch.context() as patch,
    ):
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())
        for name, value in {
            "AWS_ENDPOINT_URL": urls["control"],
            "AWS_ENDPOINT_URL_S3": urls["s3"],
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local-secret",
        }.items():
            patch.setenv(name, value)
        s3 = client("s3")
        for bucket in BUCKETS:
            s3.create_bucket(Bucket=bucket)
        put = {
            f"_summaries/{BATCH}-1/prepare_training_set.json": TRAINING_SET,
            "training/r/baseline.json": BASELINE,
            "training/r/train/part-0.json": {"start": "2013-06-01 00:00:00", "target": [1, 2]},
            "training/r/test/part-0.json": {"start": "2013-06-01 00:00:00", "target": [1, 2, 3]},
        }
        for key, document in put.items():
            bucket = "the-clean" if key.startswith("_summaries") else "the-working"
            s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document))
        yield  # then its input is closed, which ends it


@cache
def client(service: str) -> Any:
    """Of the platform; there is one in a session."""
    return boto3.client(service, config=Config(retries={"total_max_attempts": 1, "mode": "standard"}))


class Training:
    """A run of the DAG. `params` is what the trigger form says; `xcoms` is what the tasks have returned."""

    def __init__(self, dag: DAG, **params: Any) -> None:
        self.dag, self.params, self.xcoms = dag, params, dict[str, Any]()

    def run(self, *, until: str = STEPS[-1]) -> Training:
        for step in STEPS[: STEPS.index(until) + 1]:
            if step == "tune_hyperparameters" and not self.params.get("tune"):
                continue
            self.step(step)
        return self

    def step(self, task_id: str, *, try_number: int = 1) -> None:
        """Run a task to its end, however often it waits."""
        task, context = self.rendered(task_id, try_number)
        call, arguments = task.execute, (context,)
        while True:
            try:
                returned = call(*arguments)
            except TaskDeferred as waiting:
                following = self.waited_for(waiting)
                task, context = self.rendered(task_id, try_number)
                call, arguments = task.resume_execution, (*following, context)
            except DownstreamTasksSkipped:
                return
            else:
                self.xcoms[task_id] = json.loads(json.dumps(returned))
                return

    def start(self, task_id: str) -> None:
        """Run a task up to its first wait, and leave it there."""
        task, context = self.rendered(task_id, 1)
        with pytest.raises(TaskDeferred):
            task.execute(context)

    def rendered(self, task_id: str, try_number: int) -> tuple[Any, dict[str, Any]]:
        xcoms = deepcopy(self.xcoms)  # a task is free to change what it was handed
        task, context = rendered(self.dag, task_id, params=self.params, xcoms=xcoms, try_number=try_number)
        if hasattr(task, "check_interval"):
            task.check_interval = POLL_SECONDS
        return task, context

    @staticmethod
    def waited_for(waiting: TaskDeferred) -> tuple[str, dict[str, Any]]:
        """What Airflow goes on with when the trigger has ended: a method and its arguments."""
        trigger = waiting.trigger
        original = trigger.original()
        assert isinstance(original, SageMakerTrigger)
        assert original.poke_interval == POLL_SECONDS

        async def first() -> dict[str, Any]:
            async for event in trigger.run():
                return event.payload
            raise AssertionError("a trigger without an event")

        try:
            event = asyncio.run(asyncio.wait_for(first(), timeout=60))
        except WaitFailedError:
            return "__fail__", {"error": "Trigger failure"}
        return waiting.method_name, {**(waiting.kwargs or {}), "event": event}


@pytest.fixture
def dag(dags: dict[str, DAG]) -> DAG:
    return dags["train_forecast_model"]


@pytest.fixture(scope="module")
def deployed(dags: dict[str, DAG], platform: None) -> str:
    """The first model; its name."""
    training = Training(dags["train_forecast_model"], model_name="first", min_improvement=0.1).run()
    return training.xcoms["record_model"]["model_name"]


def current_model() -> dict[str, Any]:
    return json.loads(client("ssm").get_parameter(Name="/metering/current-model")["Parameter"]["Value"])


def answering() -> dict[str, str]:
    """The hyperparameters of the model that answers."""
    runtime = client("sagemaker-runtime")
    return json.loads(runtime.invoke_endpoint(EndpointName=ENDPOINT, Body="{}")["Body"].read())


def jobs(name: str) -> dict[str, str]:
    found = client("sagemaker").list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    return {job["TrainingJobName"]: job["TrainingJobStatus"] for job in found}


def requires_the_model_of_before(deployed: str) -> None:
    assert current_model()["model_name"] == deployed
    endpoint = client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", deployed)
    assert answering()["num_cells"] == "40"


def test_the_first_model_serves_and_is_the_current_one(deployed: str) -> None:
    record = current_model()

    assert deployed == f"first-{BATCH}-1"
    assert record["metrics"] == {"test:mean_wQuantileLoss": 0.4, "test:RMSE": 250.0}
    assert record["baseline"] == {"seasonal_naive": 0.5, "climatology": 0.45}
    requires_the_model_of_before(deployed)


def test_a_training_that_is_refused_leaves_what_serves(dag: DAG, deployed: str) -> None:
    training = Training(dag, model_name="refused", dropout_rate=0.99).run(until="describe_training_job")

    with pytest.raises(SageMakerJobError, match="Failed: ClientError: dropout_rate 0.99 leaves nothing to learn from"):
        training.step("train_model")

    requires_the_model_of_before(deployed)


def test_a_model_that_is_no_better_than_last_week_leaves_what_serves(dag: DAG, deployed: str) -> None:
    training = Training(dag, model_name="worse", num_cells=50).run(until="train_model")

    # The deployment asks for an improvement of 2 %.
    with pytest.raises(ModelQualityError, match="The loss 0.5000 is not below 0.4900"):
        training.step("check_model_quality")

    requires_the_model_of_before(deployed)


def test_a_model_that_does_not_start_leaves_what_serves_and_is_not_recorded(dag: DAG, deployed: str) -> None:
    training = Training(dag, model_name="broken", num_cells=30, num_layers=8).run(until="create_model")

    with pytest.raises(EndpointError, match=rf"did not pass the ping health check.*It serves {deployed} as before"):
        training.step("deploy_model")
    with pytest.raises(EndpointError):
        training.step("record_model")

    requires_the_model_of_before(deployed)


def test_the_job_that_a_former_try_has_left_running_is_stopped_and_one_is_trained(dag: DAG, deployed: str) -> None:
    training = Training(dag, model_name="again", epochs=10_000).run(until="describe_training_job")
    training.start("train_model")
    assert jobs("again") == {f"again-{BATCH}-1": "InProgress"}

    training.params["epochs"] = 5
    for step in ("plan_training", "describe_training_job"):
        training.step(step)
    training.step("train_model", try_number=2)

    assert jobs("again") == {f"again-{BATCH}-1": "Stopped", f"again-{BATCH}-2": "Completed"}
    requires_the_model_of_before(deployed)


def test_a_tuned_model_is_trained_with_what_was_found_and_replaces_the_one_before(
    dag: DAG, platform: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_METERING", json.dumps({**DEPLOYMENT, "model_parameters": "/tuned"}))
    before = Training(dag, model_name="before", ml_endpoint_name="tuned").run().xcoms["record_model"]["model_name"]

    training = Training(dag, model_name="after", ml_endpoint_name="tuned", tune=True, tuning_jobs=3, force=True).run()

    best = training.xcoms["tune_hyperparameters"]["Tuning"]["BestTrainingJob"]
    found = best["TunedHyperParameters"]
    job = client("sagemaker").describe_training_job(TrainingJobName=f"after-{BATCH}-1")
    assert 30 <= int(found["num_cells"]) <= 120
    assert {name: job["HyperParameters"][name] for name in found} == found
    record = training.xcoms["record_model"]
    assert record["metrics"]["test:mean_wQuantileLoss"] == int(found["num_cells"]) / 100
    assert training.xcoms["retire_superseded_model"] == [before]
    assert client("sagemaker").list_models(NameContains="before")["Models"] == []
    assert client("sagemaker").list_endpoint_configs(NameContains="before")["EndpointConfigs"] == []
    endpoint = client("sagemaker").describe_endpoint(EndpointName="tuned")
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", f"after-{BATCH}-1")
