"""The task that makes an endpoint serve a configuration, in whatever state it finds the endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred
from metering.endpoints import EndpointError

from tests.dags.aws_endpoint import AwsEndpoint, AwsError
from tests.dags.models import MODEL, XCOMS
from tests.dags.task_run import rendered

NAME, OLD = "metering-forecast", "consumption-20251201T020000-aaaaaa-1"
ARN = "arn:aws-cn:sagemaker:cn-north-1:123456789012:endpoint/metering-forecast"
NONE = AwsError("ValidationException", "Could not find endpoint")


@pytest.fixture
def task(dags: dict[str, DAG]) -> tuple[Any, dict[str, Any]]:
    return rendered(dags["train_forecast_model"], "deploy_model", xcoms=XCOMS)


def endpoint(status: str, config: str = OLD, reason: str | None = None) -> dict[str, Any]:
    failure = {"FailureReason": reason} if reason else {}
    return {
        "EndpointName": NAME,
        "EndpointArn": ARN,
        "EndpointConfigName": config,
        "EndpointStatus": status,
        "CreationTime": 1767340800,
        "LastModifiedTime": 1767340800,
        **failure,
    }


def waiting(aws: AwsEndpoint, task: tuple[Any, dict[str, Any]], found: Any) -> TaskDeferred:
    aws.answers |= {
        "DescribeEndpoint": found,
        "CreateEndpoint": {"EndpointArn": ARN},
        "UpdateEndpoint": {"EndpointArn": ARN},
        "DeleteEndpoint": {},
    }
    operator, run = task
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(run)
    return deferred.value


def changes(aws: AwsEndpoint) -> list[tuple[str, dict[str, Any]]]:
    """The requests that change something."""
    return [request for request in aws.requests if request[0] != "DescribeEndpoint"]


def test_an_endpoint_that_is_not_there_is_created(aws: AwsEndpoint, task: Any) -> None:
    deferred = waiting(aws, task, NONE)

    assert changes(aws) == [("CreateEndpoint", {"EndpointName": NAME, "EndpointConfigName": MODEL})]
    assert (deferred.method_name, deferred.trigger.original().job_name, deferred.trigger.original().job_type) == (
        "execute_complete",
        NAME,
        "endpoint",
    )


def test_an_endpoint_that_serves_another_model_is_updated(aws: AwsEndpoint, task: Any) -> None:
    waiting(aws, task, endpoint("InService"))

    assert changes(aws) == [("UpdateEndpoint", {"EndpointName": NAME, "EndpointConfigName": MODEL})]


def test_an_endpoint_that_serves_the_model_already_is_left_alone(aws: AwsEndpoint, task: Any) -> None:
    aws.answers = {"DescribeEndpoint": endpoint("InService", MODEL)}
    operator, run = task

    assert operator.execute(run) == MODEL
    assert changes(aws) == []


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack"])
def test_an_endpoint_that_is_changing_is_waited_for_and_looked_at_again(
    aws: AwsEndpoint, task: Any, status: str
) -> None:
    deferred = waiting(aws, task, endpoint(status))
    assert (deferred.method_name, deferred.trigger.original().job_type) == ("execute_again", "endpoint")
    assert changes(aws) == []

    aws.answers["DescribeEndpoint"] = endpoint("InService")
    operator, run = task
    with pytest.raises(TaskDeferred):
        operator.resume_execution("execute_again", {"event": {}}, run)
    assert [name for name, _ in changes(aws)] == ["UpdateEndpoint"]


def test_an_endpoint_that_failed_is_deleted_and_created(aws: AwsEndpoint, task: Any) -> None:
    def find(request: dict[str, Any]) -> dict[str, Any]:
        if aws.sent("DeleteEndpoint"):
            raise NONE
        return endpoint("Failed", reason="no capacity")

    waiting(aws, task, find)

    assert changes(aws) == [
        ("DeleteEndpoint", {"EndpointName": NAME}),
        ("CreateEndpoint", {"EndpointName": NAME, "EndpointConfigName": MODEL}),
    ]


def test_an_endpoint_that_serves_is_never_deleted(aws: AwsEndpoint, task: Any) -> None:
    for status in ("InService", "Updating", "OutOfService", "UpdateRollbackFailed"):
        waiting(aws, task, endpoint(status))

    assert "DeleteEndpoint" not in aws.operations


def test_the_wait_ends_well_when_the_new_configuration_is_in_service(aws: AwsEndpoint, task: Any) -> None:
    aws.answers = {"DescribeEndpoint": endpoint("InService", MODEL)}
    operator, run = task

    assert operator.resume_execution("execute_complete", {"event": {"status": "success"}}, run) == MODEL


def test_an_update_that_was_rolled_back_is_a_failure_though_the_endpoint_is_in_service(
    aws: AwsEndpoint, task: Any
) -> None:
    aws.answers = {"DescribeEndpoint": endpoint("InService", OLD, reason="the container did not answer /ping")}
    operator, run = task

    with pytest.raises(EndpointError) as failure:
        operator.resume_execution("execute_complete", {"event": {"status": "success"}}, run)

    assert str(failure.value).startswith(
        f"The endpoint {NAME} does not serve {MODEL}; its status is InService: the container did not answer /ping. "
        f"It serves {OLD} as before."
    )


@pytest.mark.parametrize("error", ["Trigger failure", "Trigger timeout"])
def test_an_endpoint_that_does_not_start_says_why(aws: AwsEndpoint, task: Any, error: str) -> None:
    aws.answers = {"DescribeEndpoint": endpoint("Failed", MODEL, reason="no capacity for ml.m5.xlarge")}
    operator, run = task

    with pytest.raises(EndpointError, match="its status is Failed: no capacity for ml.m5.xlarge"):
        operator.resume_execution("__fail__", {"error": error}, run)
