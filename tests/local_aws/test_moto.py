"""What moto serves must be the same after the control plane was killed. It runs in a process of its own here: moto's
memory is one for a whole process, and other tests use it too."""

from __future__ import annotations

import json
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import pytest

from local_aws import processes
from local_aws.control_plane import HEALTH
from local_aws.moto_services import KIND, is_read
from local_aws.ports import free_ports
from local_aws.settings import HOST, REPOSITORY, Settings
from local_aws.state import State

Client = Callable[[str], Any]

SERVER = """
from local_aws.control_plane import ControlPlane, serve
from local_aws.settings import Settings
from local_aws.state import State

settings = Settings.from_environment()
application = ControlPlane(settings, State(settings.home / "state.sqlite"), [])
application.start()
serve(application).serve_forever()
"""


@contextmanager
def running(home: Path, region: str = "eu-west-1") -> Iterator[Client]:
    """A control plane without own services on this folder; it is killed at the end."""
    settings = Settings(home=home, control_port=free_ports(1)[0], region=region)
    log = home / "control_plane.log"
    process = processes.start([sys.executable, "-c", SERVER], settings.environment(), log, cwd=REPOSITORY)

    def client(service: str) -> Any:
        session = boto3.session.Session(settings.access_key, settings.secret_key, region_name=region)
        return session.client(service, endpoint_url=settings.control_url)

    try:
        deadline = time.monotonic() + 30
        while not answers(settings.control_port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield client
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", HEALTH)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def kept_operations(home: Path) -> list[str]:
    state = State(home / "state.sqlite")
    try:
        return [call["operation"] for call in state.list(KIND)]
    finally:
        state.close()


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)


def test_everything_is_the_same_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        ssm, secrets, sns = client("ssm"), client("secretsmanager"), client("sns")
        ssm.put_parameter(Name="/airflow/variables/metering", Type="String", Value="v1")
        ssm.put_parameter(Name="/airflow/variables/metering", Type="String", Value="v2", Overwrite=True)
        ssm.put_parameter(Name="/gone", Type="String", Value="x")
        ssm.delete_parameter(Name="/gone")
        secret = secrets.create_secret(Name="metering/redshift", SecretString="one")
        version = secrets.put_secret_value(SecretId="metering/redshift", SecretString="two")["VersionId"]
        topic = sns.create_topic(Name="metering-alerts")["TopicArn"]
        subscription = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.org")
        role = client("iam").create_role(RoleName="jobs", AssumeRolePolicyDocument=TRUST)["Role"]
        key = client("kms").create_key(Description="zones")["KeyMetadata"]["KeyId"]
        client("dynamodb").create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client("dynamodb").put_item(TableName="t", Item={"id": {"S": "1"}})

    with running(tmp_path) as client:
        parameter = client("ssm").get_parameter(Name="/airflow/variables/metering")["Parameter"]
        assert (parameter["Value"], parameter["Version"]) == ("v2", 2)
        assert [found["Name"] for found in client("ssm").describe_parameters()["Parameters"]] == [
            "/airflow/variables/metering"
        ]
        known = client("secretsmanager").get_secret_value(SecretId=secret["ARN"])
        assert (known["SecretString"], known["VersionId"], known["ARN"]) == ("two", version, secret["ARN"])
        assert client("sns").list_subscriptions()["Subscriptions"][0]["TopicArn"] == topic
        assert client("sns").list_subscriptions()["Subscriptions"][0]["Endpoint"] == "a@example.org"
        assert subscription
        assert client("iam").get_role(RoleName="jobs")["Role"]["RoleId"] == role["RoleId"]
        assert client("kms").describe_key(KeyId=key)["KeyMetadata"]["Description"] == "zones"
        assert client("dynamodb").get_item(TableName="t", Key={"id": {"S": "1"}})["Item"] == {"id": {"S": "1"}}
        client("ssm").put_parameter(Name="/after", Type="String", Value="restart")

    with running(tmp_path) as client:
        assert client("ssm").get_parameter(Name="/after")["Parameter"]["Value"] == "restart"
        assert client("secretsmanager").get_secret_value(SecretId="metering/redshift")["SecretString"] == "two"


def test_reads_and_failed_calls_are_not_kept(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        ssm = client("ssm")
        ssm.put_parameter(Name="/a", Type="String", Value="1")
        ssm.get_parameter(Name="/a")
        ssm.describe_parameters()
        with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
            ssm.put_parameter(Name="/a", Type="String", Value="2")
        client("sts").get_caller_identity()
        client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/x", RoleSessionName="session")
        topic = client("sns").create_topic(Name="t")["TopicArn"]
        client("sns").publish(TopicArn=topic, Message="m")
    assert kept_operations(tmp_path) == ["PutParameter", "CreateTopic"]


def test_the_kept_calls_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client("secretsmanager").create_secret(Name="s", SecretString="hidden")
        files = sorted(tmp_path.glob("state.sqlite*"))
        assert [file.name for file in files] == ["state.sqlite", "state.sqlite-shm", "state.sqlite-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_the_account_is_that_of_the_settings(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        assert client("sts").get_caller_identity()["Account"] == "123456789012"


def test_arns_are_in_the_partition_of_the_region(tmp_path: Path) -> None:
    with running(tmp_path, "cn-north-1") as client:
        topic = client("sns").create_topic(Name="t")["TopicArn"]
        assert topic == "arn:aws-cn:sns:cn-north-1:123456789012:t"


@pytest.mark.parametrize(
    ("operation", "method", "expected"),
    [
        ("GetParameter", "POST", True),
        ("PutParameter", "POST", False),
        ("Getaway", "POST", False),
        ("Publish", "POST", True),
        ("PublishLayerVersion", "POST", False),
        ("GET /2015-03-31/functions", "GET", True),
        ("POST /2015-03-31/functions", "POST", False),
        ("POST /2015-03-31/functions/x/invocations", "POST", True),
    ],
)
def test_a_read_is_known_by_its_name(operation: str, method: str, expected: bool) -> None:
    assert is_read(operation, method) is expected
