"""The control plane's dispatch, validation and errors, over HTTP, with a small service of the test's own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.control_plane import HEALTH, ControlPlane, operations, serve
from local_aws.ports import free_ports
from local_aws.service import Service, ServiceError
from local_aws.settings import HOST, Settings
from local_aws.state import State
from tests.local_aws.service_model import call


class Databases(Service):
    """Two operations of Glue, one of them with every kind of answer."""

    service_name = "glue"

    def __init__(self) -> None:
        self.events: list[str] = []
        self.seen: list[dict[str, Any]] = []

    def on_start(self) -> None:
        self.events.append("start")

    def on_stop(self) -> None:
        self.events.append("stop")

    def get_database(self, request: dict[str, Any]) -> dict[str, Any]:
        self.seen.append(request)
        match request["Name"]:
            case "missing":
                raise ServiceError("EntityNotFoundException", "Database missing not found.")
            case "unknown member":
                return {"Base": {}}
            case "wrong type":
                return {"Database": {"Name": 3}}
            case "defect":
                raise KeyError("boom")
        return {"Database": {"Name": request["Name"], "CreateTime": datetime(2026, 1, 1, tzinfo=UTC)}}


class Tables(Service):
    service_name = "glue"

    def get_tables(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"TableList": []}


@pytest.fixture
def own() -> Databases:
    return Databases()


@pytest.fixture
def plane(tmp_path: Path, own: Databases) -> Iterator[Settings]:
    settings = Settings(home=tmp_path, control_port=free_ports(1)[0])
    state = State(tmp_path / "state.sqlite")
    application = ControlPlane(settings, state, [own, Tables()])
    server = serve(application)
    application.start()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield settings
    server.shutdown()
    thread.join()
    server.server_close()
    application.stop()
    state.close()


def client(settings: Settings, service: str) -> Any:
    return boto3.session.Session().client(
        service,
        endpoint_url=settings.control_url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        region_name=settings.region,
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
    )


def http(settings: Settings, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, Any]:
    connection = HTTPConnection(HOST, settings.control_port, timeout=10)
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    document = json.loads(answer.read())
    connection.close()
    return answer.status, document


def test_an_operation_gets_its_parameters_and_its_answer_conforms_to_the_model(plane: Settings, own: Databases) -> None:
    answer = call(plane, "glue", "GetDatabase", Name="metering")

    assert answer["Database"] == {"Name": "metering", "CreateTime": datetime(2026, 1, 1, tzinfo=UTC)}
    assert own.seen == [{"Name": "metering"}]


def test_several_classes_serve_one_service(plane: Settings) -> None:
    assert call(plane, "glue", "GetTables", DatabaseName="metering")["TableList"] == []


def test_two_classes_with_the_same_operation_are_refused() -> None:
    with pytest.raises(ValueError, match="glue:GetDatabase is implemented twice"):
        operations([Databases(), Databases()])


def test_an_error_of_the_service_reaches_the_client_with_code_message_and_status(plane: Settings) -> None:
    with pytest.raises(ClientError) as caught:
        call(plane, "glue", "GetDatabase", Name="missing")

    assert caught.value.response["Error"]["Code"] == "EntityNotFoundException"
    assert caught.value.response["Error"]["Message"] == "Database missing not found."
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_boto3_raises_the_modelled_exception_class(plane: Settings) -> None:
    glue = client(plane, "glue")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_database(Name="missing")


def test_an_operation_that_nobody_implements_answers_501_with_its_name(plane: Settings) -> None:
    with pytest.raises(ClientError, match="local_aws does not implement glue:CreateDevEndpoint") as caught:
        client(plane, "glue").create_dev_endpoint(EndpointName="x", RoleArn="arn:aws:iam::123456789012:role/x")

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert caught.value.response["Error"]["Code"] == "NotImplemented"


def test_a_service_whose_work_moto_would_only_pretend_answers_501(plane: Settings) -> None:
    with pytest.raises(ClientError, match="does not implement sagemaker:ListTrainingJobs") as caught:
        client(plane, "sagemaker").list_training_jobs()

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_an_operation_that_moto_lacks_answers_501_with_its_name(plane: Settings) -> None:
    with pytest.raises(ClientError, match="get_ops_summary") as caught:
        client(plane, "ssm").get_ops_summary()

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_parameters_that_the_model_does_not_allow_are_a_validation_exception(plane: Settings) -> None:
    headers = {"X-Amz-Target": "AWSGlue.GetDatabase"}
    status, answer = http(plane, "POST", "/", headers, b'{"Nam": "x"}')
    assert status == 400
    assert answer["__type"] == "ValidationException"
    assert 'Missing required parameter in input: "Name"' in answer["message"]

    status, answer = http(plane, "POST", "/", headers, b'{"Name": 3}')
    assert (status, answer["__type"]) == (400, "ValidationException")


def test_a_body_that_is_no_json_is_a_serialization_exception(plane: Settings) -> None:
    for body in (b"{", b"[]", b"\xff"):
        status, answer = http(plane, "POST", "/", {"X-Amz-Target": "AWSGlue.GetDatabase"}, body)
        assert (status, answer["__type"]) == (400, "SerializationException")


def test_an_unknown_operation_is_refused(plane: Settings) -> None:
    status, answer = http(plane, "POST", "/", {"X-Amz-Target": "AWSGlue.Nonsense"}, b"{}")
    assert (status, answer["__type"]) == (400, "UnknownOperationException")


def test_a_request_that_names_no_service_is_refused(plane: Settings) -> None:
    status, answer = http(plane, "GET", "/", {})
    assert (status, answer["__type"]) == (400, "MissingAuthenticationToken")


def test_s3_calls_are_sent_to_the_s3_engine(plane: Settings) -> None:
    scope = "AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    status, answer = http(plane, "GET", "/", {"Authorization": scope})
    assert status == 501
    assert answer["message"] == f"S3 answers at {plane.s3_url}: set AWS_ENDPOINT_URL_S3"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unknown member", "OutputError: GetDatabase has no member Base"),
        ("wrong type", "OutputError: GetDatabase.Database.Name is a string in the model, not int"),
        ("defect", "KeyError: 'boom'"),
    ],
)
def test_a_defect_of_a_service_is_an_internal_failure_that_says_what_happened(
    plane: Settings, name: str, message: str
) -> None:
    with pytest.raises(ClientError, match="InternalFailure") as caught:
        call(plane, "glue", "GetDatabase", Name=name)

    assert caught.value.response["Error"]["Message"] == f"local_aws failed: {message}"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_health_names_the_own_services(plane: Settings) -> None:
    status, answer = http(plane, "GET", HEALTH, {})
    assert status == 200
    assert answer["status"] == "running"
    assert answer["services"] == ["glue"]


def test_services_are_started_and_stopped_once(tmp_path: Path, own: Databases) -> None:
    state = State(tmp_path / "other.sqlite")
    application = ControlPlane(Settings(home=tmp_path), state, [own])
    application.start()
    application.stop()
    state.close()
    assert own.events == ["start", "stop"]
