"""Endpoints with the fake container: created, updated under load, failed, deleted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.sagemaker import requests
from tests.local_aws.sagemaker.conftest import Call, Plane
from tests.local_aws.service_model import answer_of

Create = Callable[..., str]


def invoked(runtime: Any, endpoint: str, record: str = '{"a": 1}') -> dict[str, Any]:
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType="application/jsonlines", Accept="application/jsonlines", Body=record
    )
    return json.loads(answer["Body"].read())


def update(sagemaker: Call, endpoint: str, config: str) -> dict[str, Any]:
    sagemaker("UpdateEndpoint", EndpointName=endpoint, EndpointConfigName=config)
    return requests.settled_endpoint(sagemaker, endpoint)


def test_a_new_endpoint_is_in_service_when_its_container_answers(sagemaker: Call, config: Create, runtime: Any) -> None:
    name, config_name = requests.new_name("endpoint"), config("blue", START_SECONDS="0.5")
    arn = sagemaker("CreateEndpoint", EndpointName=name, EndpointConfigName=config_name)["EndpointArn"]
    assert arn == f"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/{name}"
    described = sagemaker("DescribeEndpoint", EndpointName=name)
    assert described["EndpointStatus"] == "Creating"
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == config_name
    with pytest.raises(ClientError, match=f"Endpoint {name} of account 123456789012 not found") as caught:
        invoked(runtime, name)
    assert caught.value.response["Error"]["Code"] == "ValidationError"

    described = requests.settled_endpoint(sagemaker, name)
    assert described["EndpointStatus"] == "InService"
    assert "PendingDeploymentSummary" not in described
    [variant] = described["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentInstanceCount"]) == ("AllTraffic", 1)
    assert invoked(runtime, name)["model"] == {"label": "blue"}
    sagemaker("DeleteEndpoint", EndpointName=name)


def test_requests_sent_every_100_ms_during_an_update_all_succeed(
    sagemaker: Call, endpoint: Create, config: Create, runtime: Any
) -> None:
    name = endpoint("blue")
    answers: list[str] = []
    failures: list[Exception] = []
    done = threading.Event()

    def send(record: str) -> None:
        while not done.wait(0.1):
            try:
                answers.append(invoked(runtime, name, record)["model"]["label"])
            except ClientError as error:
                failures.append(error)

    # A slow request is under way when the old container is told to end.
    senders = [threading.Thread(target=send, args=(record,)) for record in ('{"a": 1}', '{"a": "slow"}')]
    for sender in senders:
        sender.start()
    requests.until(lambda: len(answers) >= 5)
    described = update(sagemaker, name, config("green", START_SECONDS="0.5"))
    count = len(answers)
    requests.until(lambda: len(answers) >= count + 15)
    done.set()
    for sender in senders:
        sender.join()

    assert failures == []
    assert described["EndpointStatus"] == "InService"
    assert set(answers[:5]) == {"blue"}
    assert set(answers[-5:]) == {"green"}


@pytest.mark.parametrize(
    ("environment", "why"),
    [({"DIE": "1"}, "ended with exit code 5"), ({"NEVER": "1"}, "did not answer /ping within 3 s")],
)
def test_an_update_that_does_not_start_leaves_the_old_container_serving(
    sagemaker: Call, endpoint: Create, config: Create, runtime: Any, environment: dict[str, str], why: str
) -> None:
    name = endpoint("blue")
    before = sagemaker("DescribeEndpoint", EndpointName=name)
    described = update(sagemaker, name, config("green", **environment))

    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == before["EndpointConfigName"]
    assert "did not pass the ping health check" in described["FailureReason"]
    assert why in described["FailureReason"]
    assert invoked(runtime, name)["model"] == {"label": "blue"}

    described = update(sagemaker, name, config("green"))
    assert "FailureReason" not in described
    assert invoked(runtime, name)["model"] == {"label": "green"}


def test_an_endpoint_that_never_started_is_failed_and_can_only_be_deleted(sagemaker: Call, config: Create) -> None:
    name = requests.new_name("endpoint")
    sagemaker("CreateEndpoint", EndpointName=name, EndpointConfigName=config(DIE="1"))
    described = requests.settled_endpoint(sagemaker, name)
    assert described["EndpointStatus"] == "Failed"
    assert f"/aws/sagemaker/Endpoints/{name}" in described["FailureReason"]
    with pytest.raises(ClientError, match="that is not InService"):
        sagemaker("UpdateEndpoint", EndpointName=name, EndpointConfigName=config())
    sagemaker("DeleteEndpoint", EndpointName=name)
    with pytest.raises(ClientError, match=f'Could not find endpoint "arn:aws:sagemaker:.*:endpoint/{name}"'):
        sagemaker("DescribeEndpoint", EndpointName=name)


def test_what_the_container_writes_is_in_the_endpoints_log_group(sagemaker: Call, config: Create, logs: Call) -> None:
    name = requests.new_name("endpoint")
    sagemaker("CreateEndpoint", EndpointName=name, EndpointConfigName=config(DIE="1"))
    requests.settled_endpoint(sagemaker, name)
    group = f"/aws/sagemaker/Endpoints/{name}"
    [stream] = logs("DescribeLogStreams", logGroupName=group, logStreamNamePrefix="AllTraffic/i-")["logStreams"]
    events = logs("GetLogEvents", logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert [event["message"] for event in events] == ["cannot load the model"]


def test_an_endpoint_is_not_changed_while_it_is_being_made(sagemaker: Call, config: Create) -> None:
    name, config_name = requests.new_name("endpoint"), config(START_SECONDS="1")
    sagemaker("CreateEndpoint", EndpointName=name, EndpointConfigName=config_name)
    for operation, more in (("UpdateEndpoint", {"EndpointConfigName": config_name}), ("DeleteEndpoint", {})):
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            sagemaker(operation, EndpointName=name, **more)
    with pytest.raises(ClientError, match="Cannot create already existing endpoint"):
        sagemaker("CreateEndpoint", EndpointName=name, EndpointConfigName=config_name)
    requests.settled_endpoint(sagemaker, name)
    sagemaker("DeleteEndpoint", EndpointName=name)


def test_an_endpoint_outlives_its_config_and_model_but_cannot_be_updated_without_them(
    sagemaker: Call, endpoint: Create, config: Create, runtime: Any
) -> None:
    name = endpoint("blue")
    old = sagemaker("DescribeEndpoint", EndpointName=name)["EndpointConfigName"]
    variant = sagemaker("DescribeEndpointConfig", EndpointConfigName=old)["ProductionVariants"][0]
    sagemaker("DeleteEndpointConfig", EndpointConfigName=old)
    sagemaker("DeleteModel", ModelName=variant["ModelName"])
    assert invoked(runtime, name)["model"] == {"label": "blue"}
    with pytest.raises(ClientError, match=f'Could not find endpoint configuration ".*/{old}"'):
        sagemaker("UpdateEndpoint", EndpointName=name, EndpointConfigName=config())


def test_endpoints_are_listed_with_their_status(sagemaker: Call, endpoint: Create) -> None:
    name = endpoint()
    found = sagemaker("ListEndpoints", NameContains=name, StatusEquals="InService")["Endpoints"]
    assert [entry["EndpointName"] for entry in found] == [name]
    assert sagemaker("ListEndpoints", NameContains=name, StatusEquals="Failed")["Endpoints"] == []


def test_headers_go_through_to_the_container_and_back(endpoint: Create, fake_plane: Plane) -> None:
    request = {"ContentType": "application/json", "Accept": "text/x", "CustomAttributes": "c", "Body": b"[1]\n[2]"}
    answer = answer_of(fake_plane.settings, "sagemaker-runtime", "InvokeEndpoint", EndpointName=endpoint(), **request)
    assert (answer["ContentType"], answer["CustomAttributes"]) == ("text/x", "c")
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    lines = [json.loads(line) for line in answer["Body"].splitlines()]
    assert [(line["got"], line["accept"]) for line in lines] == [([1], "text/x"), ([2], "text/x")]


@pytest.mark.parametrize(("record", "status", "kind"), [("refuse", 400, "client"), ("crash", 500, "server")])
def test_a_refusal_of_the_container_is_a_model_error_with_its_status_and_text(
    endpoint: Create, runtime: Any, record: str, status: int, kind: str
) -> None:
    name = endpoint()
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName=name, Body=record)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == status
    assert answer["OriginalMessage"] == f"the record says {record}"
    assert f"Received {kind} error ({status}) from primary" in answer["Error"]["Message"]
    assert f"log-group:/aws/sagemaker/Endpoints/{name}:log-stream:AllTraffic/" in answer["LogStreamArn"]


def test_a_container_that_dies_is_started_again_and_its_callers_wait_for_it(
    sagemaker: Call, endpoint: Create, runtime: Any
) -> None:
    name = endpoint("blue", START_SECONDS="0.5")
    with pytest.raises(runtime.exceptions.ServiceUnavailable):
        runtime.invoke_endpoint(EndpointName=name, Body="die")
    assert invoked(runtime, name)["model"] == {"label": "blue"}
    assert requests.settled_endpoint(sagemaker, name)["EndpointStatus"] == "InService"


def test_a_request_to_nobody_is_a_validation_error(runtime: Any) -> None:
    with pytest.raises(ClientError, match="Endpoint nobody of account 123456789012 not found") as caught:
        runtime.invoke_endpoint(EndpointName="nobody", Body="x")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_operation_of_the_runtime_that_is_not_served_answers_501(runtime: Any) -> None:
    with pytest.raises(ClientError, match="does not implement sagemaker-runtime:InvokeEndpointAsync") as caught:
        runtime.invoke_endpoint_async(EndpointName="nobody", InputLocation="s3://a/b")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
