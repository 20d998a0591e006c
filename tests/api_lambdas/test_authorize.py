"""The authorizer: who has the key comes in, the key is kept for a while, and it is never told."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from api_lambdas.authorize import handler as lambda_function
from tests.api_lambdas.conftest import LAMBDAS, Context

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:metering/api-key"


class Clock:
    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    hands = Clock()
    monkeypatch.setattr(lambda_function.time, "monotonic", lambda: hands.now)
    return hands


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Stubber]:
    caches = (lambda_function.api_key, lambda_function.Settings.from_environment)
    for cache in caches:
        cache.cache_clear()
    monkeypatch.setenv("API_KEY_SECRET_ARN", SECRET)
    client = boto3.client("secretsmanager", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    monkeypatch.setattr(lambda_function, "secrets_manager", lambda: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
    for cache in caches:
        cache.cache_clear()


def expect_read(secrets: Stubber, key: str) -> None:
    answer = {"ARN": SECRET, "Name": "metering/api-key", "SecretString": json.dumps({"api_key": key})}
    secrets.add_response("get_secret_value", answer, {"SecretId": SECRET})


def sample() -> dict[str, Any]:
    return json.loads((LAMBDAS / "authorize" / "event.json").read_text())


def authorized(key: str | None) -> bool:
    event = sample()
    del event["headers"]["x-api-key"]
    if key is not None:
        event["headers"]["x-api-key"] = key
    return lambda_function.handler(event, Context())["isAuthorized"]


def test_the_sample_caller_comes_in(secrets: Stubber) -> None:
    expect_read(secrets, "key-of-a-caller")

    assert lambda_function.handler(sample(), Context()) == {"isAuthorized": True}


@pytest.mark.parametrize("key", ["another", "key-of-a-calle", "key-of-a-caller ", "KEY-OF-A-CALLER", "schlüssel"])
def test_another_key_is_refused(secrets: Stubber, key: str) -> None:
    expect_read(secrets, "key-of-a-caller")

    assert authorized(key) is False


@pytest.mark.parametrize("key", [None, ""])
def test_no_key_is_refused_without_a_look_at_the_secret(secrets: Stubber, key: str | None) -> None:
    assert authorized(key) is False


def test_an_empty_secret_lets_nobody_in(secrets: Stubber) -> None:
    expect_read(secrets, "")

    assert authorized("anything") is False


def test_the_secret_is_read_once_a_minute(secrets: Stubber, clock: Clock) -> None:
    expect_read(secrets, "old")
    assert [authorized("old") for _ in range(5)] == [True] * 5

    clock.now += 61
    expect_read(secrets, "new")
    assert authorized("old") is False


def test_a_rotated_key_works_at_once(secrets: Stubber, clock: Clock) -> None:
    expect_read(secrets, "old")
    assert authorized("old")

    clock.now += 6
    expect_read(secrets, "new")
    assert authorized("new")


def test_wrong_keys_cannot_make_it_read_the_secret_all_the_time(secrets: Stubber, clock: Clock) -> None:
    expect_read(secrets, "key")

    assert [authorized(f"guess {number}") for number in range(50)] == [False] * 50


def test_a_secret_that_cannot_be_read_lets_nobody_in(secrets: Stubber) -> None:
    secrets.add_client_error("get_secret_value", "AccessDeniedException")

    with pytest.raises(ClientError, match="AccessDenied"):
        authorized("key-of-a-caller")


def test_neither_key_is_logged(secrets: Stubber, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger=lambda_function.__name__)
    expect_read(secrets, "the-real-one")

    assert authorized("a-guess") is False
    assert [record.getMessage() for record in caplog.records] == ["refused"]
    assert not [word for word in ("the-real-one", "a-guess", "MAC001595") if word in str(vars(caplog.records[0]))]
