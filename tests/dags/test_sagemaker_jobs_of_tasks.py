"""Tasks that start jobs of SageMaker and wait for them: names, former tries, failures, kills."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred
from botocore.exceptions import ClientError, EndpointConnectionError
from metering import sagemaker_jobs, training_requests
from metering.sagemaker_jobs import SageMakerJobError
from metering.training_plan import TrainingPlan

from tests.dags.aws_endpoint import AwsEndpoint, AwsError
from tests.dags.models import BATCHES, HYPERPARAMETERS, PLAN, RECORD, WEATHER, XCOMS
from tests.dags.task_run import BATCH, rendered

ROLE = "arn:aws-cn:iam::123456789012:role/sagemaker"
TRAINING_SET = {"train": "s3://the-working/training/r-1/train/", "test": "s3://the-working/training/r-1/test/"}
UNKNOWN = AwsError("ValidationException", "Requested resource not found.")
ARN = "arn:aws-cn:sagemaker:cn-north-1:123456789012:job/name"
JOB = f"consumption-{BATCH}"


class Sagemaker(AwsEndpoint):
    """Jobs by name, with their states. A job that is told to stop is Stopping when next looked at, then Stopped."""

    kinds = (("TrainingJob", "TrainingJob"), ("TransformJob", "TransformJob"), *[("HyperParameterTuningJob",) * 2])

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        for kind, _ in self.kinds:
            self.answers |= {
                f"Create{kind}": lambda request, kind=kind: self._create(request, kind),
                f"Describe{kind}": lambda request, kind=kind: self._describe(request, kind),
                f"Stop{kind}": lambda request, kind=kind: self._stop(request, kind),
            }

    def _create(self, request: dict[str, Any], kind: str) -> dict[str, Any]:
        self.states[request[f"{kind}Name"]] = "InProgress"
        return {f"{kind}Arn": ARN}

    def _describe(self, request: dict[str, Any], kind: str) -> dict[str, Any]:
        name = request[f"{kind}Name"]
        if name not in self.states:
            raise UNKNOWN
        state = self.states[name]
        if state == "Stopping":
            self.states[name] = "Stopped"
        reason = {"FailureReason": self.reasons[name]} if name in self.reasons else {}
        return {f"{kind}Name": name, f"{kind}Status": state, **reason}

    def _stop(self, request: dict[str, Any], kind: str) -> dict[str, Any]:
        self.states[request[f"{kind}Name"]] = "Stopping"
        return {}


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Sagemaker:
    endpoint = Sagemaker()
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", endpoint.send)
    monkeypatch.setattr(SageMakerHook, "check_s3_url", lambda self, url: True)
    monkeypatch.setattr(sagemaker_jobs.time, "sleep", lambda seconds: None)
    return endpoint


def training_task(dags: dict[str, DAG], *, try_number: int = 1) -> tuple[Any, dict[str, Any]]:
    plan = TrainingPlan(**PLAN)
    job = training_requests.training_job(
        plan, plan.hyperparameters, batch=BATCH, role_arn=ROLE, training_set=TRAINING_SET, working_bucket="the-working"
    )
    xcoms = {**XCOMS, "describe_training_job": job}
    return rendered(dags["train_forecast_model"], "train_model", xcoms=xcoms, try_number=try_number)


def tuning_task(dags: dict[str, DAG]) -> tuple[Any, dict[str, Any]]:
    job = training_requests.tuning_job(
        TrainingPlan(**PLAN), batch=BATCH, role_arn=ROLE, training_set=TRAINING_SET, working_bucket="the-working"
    )
    xcoms = {**XCOMS, "describe_tuning_job": job}
    return rendered(dags["train_forecast_model"], "tune_hyperparameters", xcoms=xcoms)


def transform_task(
    dags: dict[str, DAG], *, record: dict[str, Any] = RECORD, try_number: int = 1, **params: Any
) -> tuple[Any, dict[str, Any]]:
    """The task of the second batch."""
    xcoms = {**XCOMS, "choose_model": record}
    return rendered(
        dags["forecast_consumption"],
        "transform_batch",
        params=params,
        xcoms=xcoms,
        try_number=try_number,
        map_index=1,
    )


def started(task: Any, run: dict[str, Any]) -> TaskDeferred:
    """How the task waits."""
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(run)
    return deferred.value


def resume(task: Any, run: dict[str, Any], error: str) -> Any:
    """Airflow's last call of a task whose trigger has failed or timed out."""
    return task.resume_execution(next_method="__fail__", next_kwargs={"error": error}, context=run)


def test_the_training_job_is_what_was_planned_and_named_by_its_try(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    started(*training_task(dags))

    assert sagemaker.sent("CreateTrainingJob") == [
        {
            "TrainingJobName": f"{JOB}-1",
            "HyperParameters": HYPERPARAMETERS,
            "AlgorithmSpecification": {
                "TrainingImage": "390948362332.dkr.ecr.cn-north-1.amazonaws.com.cn/forecasting-deepar:1",
                "TrainingInputMode": "File",
            },
            "RoleArn": ROLE,
            "InputDataConfig": [
                {
                    "ChannelName": channel,
                    "ContentType": "json",
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": f"s3://the-working/training/r-1/{channel}/",
                            "S3DataDistributionType": "FullyReplicated",
                        }
                    },
                }
                for channel in ("train", "test")
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://the-working/models/"},
            "ResourceConfig": {"InstanceType": "ml.c5.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 43200},
        }
    ]


def test_the_wait_for_a_training_job_is_as_long_as_its_time_limit(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    deferred = started(*training_task(dags))

    trigger = deferred.trigger.original()
    assert (trigger.job_name, trigger.poke_interval, trigger.max_attempts) == (f"{JOB}-1", 60, 720)
    assert deferred.timeout.total_seconds() == 43200


def test_the_provider_does_not_shorten_the_wait_for_a_tuning_job(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    trigger = started(*tuning_task(dags)).trigger.original()

    assert (trigger.job_name, trigger.poke_interval, trigger.max_attempts) == (f"tune-{BATCH}-1", 60, 720)


def test_the_tuning_job_looks_for_the_least_loss_and_keeps_the_rest(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    started(*tuning_task(dags))

    (request,) = sagemaker.sent("CreateHyperParameterTuningJob")
    assert request["HyperParameterTuningJobName"] == f"tune-{BATCH}-1"
    assert len(request["HyperParameterTuningJobName"]) <= 32
    config, definition = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    assert config["HyperParameterTuningJobObjective"] == {
        "Type": "Minimize",
        "MetricName": "test:mean_wQuantileLoss",
    }
    assert config["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 10, "MaxParallelTrainingJobs": 2}
    ranges = config["ParameterRanges"]
    searched = {item["Name"] for kind in ranges.values() for item in kind}
    assert searched == {"num_cells", "num_layers", "mini_batch_size", "learning_rate", "dropout_rate"}
    assert definition["StaticHyperParameters"] == {
        name: text for name, text in HYPERPARAMETERS.items() if name not in searched
    }
    assert definition["OutputDataConfig"] == {"S3OutputPath": "s3://the-working/tuning/"}
    assert [channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in definition["InputDataConfig"]] == [
        TRAINING_SET["train"],
        TRAINING_SET["test"],
    ]


def test_a_transform_job_reads_its_batch_and_keys_each_answer_by_its_meter(
    dags: dict[str, DAG], sagemaker: Sagemaker
) -> None:
    started(*transform_task(dags, transform_instance_type="ml.m5.large"))

    assert sagemaker.sent("CreateTransformJob") == [
        {
            "TransformJobName": f"forecast-{BATCH}-0002-1",
            "ModelName": RECORD["model_name"],
            "BatchStrategy": "SingleRecord",
            "Environment": {
                "DEEPAR_INFERENCE_CONFIG": '{"num_samples": 100, "output_types": ["quantiles"], '
                '"quantiles": ["0.1", "0.5", "0.9"]}'
            },
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": BATCHES[1]["uri"]}},
                "ContentType": "application/jsonlines",
                "SplitType": "Line",
            },
            "TransformOutput": {
                "S3OutputPath": f"s3://the-working/forecast/{BATCH}/transformed/",
                "Accept": "application/jsonlines",
                "AssembleWith": "Line",
            },
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            "DataProcessing": {
                "InputFilter": "$['start','target']",
                "JoinSource": "Input",
                "OutputFilter": "$['meter_id','forecast_start','SageMakerOutput']",
            },
        }
    ]


def test_a_model_with_weather_gets_the_weather(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    started(*transform_task(dags, record={**RECORD, "weather": WEATHER}))

    (request,) = sagemaker.sent("CreateTransformJob")
    assert request["DataProcessing"]["InputFilter"] == "$['start','target','dynamic_feat']"


def test_a_batch_is_known_by_its_number_in_the_grid(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    task, run = transform_task(dags)

    assert task.render_template(task.map_index_template, run) == "0002"


@pytest.mark.parametrize("state", ["InProgress", "Stopping"])
def test_a_retry_ends_the_jobs_of_former_tries_before_it_starts_its_own(
    dags: dict[str, DAG], sagemaker: Sagemaker, state: str
) -> None:
    sagemaker.states = {f"{JOB}-1": "Failed", f"{JOB}-2": state}

    started(*training_task(dags, try_number=4))

    assert sagemaker.states == {f"{JOB}-1": "Failed", f"{JOB}-2": "Stopped", f"{JOB}-4": "InProgress"}
    assert len(sagemaker.sent("StopTrainingJob")) == (state == "InProgress")
    looked_at = [body["TrainingJobName"] for body in sagemaker.sent("DescribeTrainingJob")]
    before_creation = sagemaker.operations.index("CreateTrainingJob")
    assert sagemaker.operations[:before_creation].count("DescribeTrainingJob") >= 5
    assert {f"{JOB}-1", f"{JOB}-2", f"{JOB}-3"} <= set(looked_at)


def test_a_transform_job_ends_those_of_its_own_batch_only(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    other, own = f"forecast-{BATCH}-0001-1", f"forecast-{BATCH}-0002-1"
    sagemaker.states = {other: "InProgress", own: "InProgress"}

    started(*transform_task(dags, try_number=2))

    assert sagemaker.states == {
        other: "InProgress",
        own: "Stopped",
        f"forecast-{BATCH}-0002-2": "InProgress",
    }


def test_a_job_that_does_not_stop_is_said_and_no_second_one_starts(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    sagemaker.states = {f"{JOB}-1": "InProgress"}
    sagemaker.answers["StopTrainingJob"] = {}
    task, run = training_task(dags, try_number=2)

    with pytest.raises(sagemaker_jobs.StillRunningError, match=f"{JOB}-1 was told to stop, but still runs"):
        task.execute(run)

    assert sagemaker.sent("CreateTrainingJob") == []


def test_a_job_that_fails_says_why_and_where_its_log_is(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    task, run = training_task(dags, try_number=2)
    sagemaker.states = {f"{JOB}-2": "Failed"}
    sagemaker.reasons = {f"{JOB}-2": "ClientError: learning_rate must be positive"}

    with pytest.raises(SageMakerJobError) as failure:
        resume(task, run, "Trigger failure")

    assert str(failure.value) == (
        f"{JOB}-2: Failed: ClientError: learning_rate must be positive. Its log: CloudWatch "
        f"/aws/sagemaker/TrainingJobs, streams {JOB}-2/…"
    )
    assert sagemaker.sent("StopTrainingJob") == []


def test_a_wait_that_times_out_stops_the_job(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    task, run = transform_task(dags)
    name = f"forecast-{BATCH}-0002-1"
    sagemaker.states = {name: "InProgress"}

    with pytest.raises(SageMakerJobError, match="Trigger timeout while the job ran; it was told to stop"):
        resume(task, run, "Trigger timeout")

    assert sagemaker.sent("StopTransformJob") == [{"TransformJobName": name}]


def test_a_job_that_has_completed_although_nobody_could_look_is_a_success(
    dags: dict[str, DAG], sagemaker: Sagemaker
) -> None:
    task, run = training_task(dags)
    sagemaker.states = {f"{JOB}-1": "Completed"}

    result = resume(task, run, "Trigger failure")

    assert result["Training"]["TrainingJobName"] == f"{JOB}-1"


def test_a_lost_connection_is_said_and_left_to_the_next_try(
    dags: dict[str, DAG], sagemaker: Sagemaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://sagemaker")

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", refuse)
    task, run = training_task(dags)

    with pytest.raises(SageMakerJobError, match=f"{JOB}-1 could not be followed .*The next try ends it"):
        resume(task, run, "Trigger failure")


def test_an_ordinary_error_after_the_wait_is_not_taken_for_a_failed_wait(
    dags: dict[str, DAG], sagemaker: Sagemaker
) -> None:
    task, run = training_task(dags)

    with pytest.raises(Exception, match="Error while running job"):
        task.resume_execution("execute_complete", {"event": {"status": "error"}}, run)

    assert sagemaker.requests == []


@pytest.mark.parametrize(("state", "stops"), [("InProgress", 1), ("Completed", 0)])
def test_a_killed_task_stops_its_job(dags: dict[str, DAG], sagemaker: Sagemaker, state: str, stops: int) -> None:
    task, run = training_task(dags)
    started(task, run)
    sagemaker.states = {f"{JOB}-1": state}

    task.on_kill()

    assert len(sagemaker.sent("StopTrainingJob")) == stops


def test_a_task_that_is_killed_before_it_has_a_job_stops_nothing(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    task, _ = transform_task(dags)

    task.on_kill()

    assert sagemaker.requests == []


def test_a_transform_job_for_which_there_is_no_room_is_tried_again_later(
    dags: dict[str, DAG], sagemaker: Sagemaker
) -> None:
    create = sagemaker.answers["CreateTransformJob"]
    sagemaker.answers["CreateTransformJob"] = AwsError("ResourceLimitExceeded", "at most 4 instances")
    deferred = started(*transform_task(dags))
    assert (deferred.method_name, deferred.kwargs) == ("execute_again", {"waits": 1})

    sagemaker.answers["CreateTransformJob"] = create
    task, run = transform_task(dags)
    with pytest.raises(TaskDeferred) as again:
        task.resume_execution("execute_again", {"waits": 1, "event": None}, run)

    assert again.value.trigger.original().job_name == f"forecast-{BATCH}-0002-1"


def test_a_transform_job_does_not_wait_for_room_for_ever(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    sagemaker.answers["CreateTransformJob"] = AwsError("ResourceLimitExceeded", "at most 0 instances")
    task, run = transform_task(dags)

    # 12 hours are 144 waits of 5 minutes.
    with pytest.raises(TaskDeferred):
        task.execute_again(run, waits=144)
    task, run = transform_task(dags)
    with pytest.raises(ClientError, match="at most 0 instances"):
        task.execute_again(run, waits=145)


def test_what_a_transform_job_hands_on_does_not_ask_for_its_model(dags: dict[str, DAG], sagemaker: Sagemaker) -> None:
    task, run = transform_task(dags)
    name = f"forecast-{BATCH}-0002-1"
    event = {"status": "success", "message": "Job completed.", "job_name": name}

    assert task.resume_execution("execute_complete", {"event": event}, run) == {"Transform": {"TransformJobName": name}}
    assert sagemaker.requests == []
