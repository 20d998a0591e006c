"""Who may call: Lambda authorizers with their cache, and requests signed for IAM."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.local_aws.gateway.conftest import ECHO, Gateway

# Counts its calls in a file, so that a test sees whether it was asked.
BY_KEY = """
import os
from pathlib import Path

def handler(event, context):
    with Path(os.environ["CALLS"]).open("a") as calls:
        calls.write(event["identitySource"][0] + "\\n")
    key = event["headers"]["x-api-key"]
    if key == "broken":
        raise RuntimeError("the authorizer is broken")
    return {"isAuthorized": key == "right", "context": {"caller": "somebody"}}
"""


@pytest.fixture
def calls(gateway: Gateway, tmp_path: Any) -> Any:
    return tmp_path / "calls"


def protect(gateway: Gateway, calls: Any, ttl: int = 0, simple: bool = True, code: str = BY_KEY) -> None:
    authorizer = {
        "name": "api-key",
        "function": gateway.function("authorize", code, CALLS=str(calls)),
        "identity_source": ["$request.header.x-api-key"],
        "ttl_seconds": ttl,
        "simple_responses": simple,
    }
    gateway.function("echo", ECHO)
    for key in ("GET /meters/{meter_id}", "GET /other"):
        gateway.route(key, "echo", authorization="CUSTOM", authorizer=authorizer)


def test_a_request_without_its_identity_source_is_unauthorized(gateway: Gateway, calls: Any) -> None:
    protect(gateway, calls)

    answer = gateway.deploy().get("/meters/1")

    assert (answer.status_code, answer.json) == (401, {"message": "Unauthorized"})
    assert not calls.exists()


def test_a_refused_request_is_forbidden(gateway: Gateway, calls: Any) -> None:
    protect(gateway, calls)

    answer = gateway.deploy().get("/meters/1", headers={"X-Api-Key": "wrong"})

    assert (answer.status_code, answer.json) == (403, {"message": "Forbidden"})


def test_an_accepted_request_carries_the_authorizers_context(gateway: Gateway, calls: Any) -> None:
    protect(gateway, calls)

    answer = gateway.deploy().get("/meters/1", headers={"X-Api-Key": "right"})

    assert answer.status_code == 200
    assert answer.json["requestContext"]["authorizer"] == {"lambda": {"caller": "somebody"}}


def test_a_broken_authorizer_is_an_internal_error(gateway: Gateway, calls: Any) -> None:
    protect(gateway, calls)

    answer = gateway.deploy().get("/meters/1", headers={"X-Api-Key": "broken"})

    assert (answer.status_code, answer.json) == (500, {"message": "Internal Server Error"})
    assert "the authorizer is broken" in gateway.log("authorize")


def test_results_are_kept_per_identity_for_all_routes(gateway: Gateway, calls: Any) -> None:
    protect(gateway, calls, ttl=60)
    client = gateway.deploy()

    for path, key in (("/meters/1", "right"), ("/other", "right"), ("/meters/2", "wrong"), ("/meters/3", "wrong")):
        assert client.get(path, headers={"X-Api-Key": key}).status_code == (200 if key == "right" else 403)

    assert calls.read_text() == "right\nwrong\n"


def test_results_are_not_kept_without_a_time_to_live(gateway: Gateway, calls: Any) -> None:
    protect(gateway, calls, ttl=0)
    client = gateway.deploy()

    for _ in range(2):
        client.get("/other", headers={"X-Api-Key": "right"})

    assert calls.read_text() == "right\nright\n"


def test_the_authorizers_event_names_route_and_identity(gateway: Gateway, calls: Any) -> None:
    code = """
    import json

    def handler(event, context):
        return {"isAuthorized": True, "context": {"event": json.dumps(event)}}
    """
    protect(gateway, calls, code=code)

    answer = gateway.deploy().get("/meters/MAC1?a=1", headers={"X-Api-Key": "right"})

    event = json.loads(answer.json["requestContext"]["authorizer"]["lambda"]["event"])
    assert (event["version"], event["type"]) == ("2.0", "REQUEST")
    assert event["identitySource"] == ["right"]
    assert event["routeArn"] == "arn:aws:execute-api:eu-west-1:123456789012:metering/$default/GET/meters/MAC1"
    assert event["routeKey"] == "GET /meters/{meter_id}"
    assert event["pathParameters"] == {"meter_id": "MAC1"}
    assert event["queryStringParameters"] == {"a": "1"}
    assert "body" not in event


@pytest.mark.parametrize(("effect", "status"), [("Allow", 200), ("Deny", 403)])
def test_a_policy_answers_for_an_authorizer_without_simple_responses(
    gateway: Gateway, calls: Any, effect: str, status: int
) -> None:
    code = f"""
    def handler(event, context):
        statement = {{"Action": "execute-api:Invoke", "Effect": "{effect}", "Resource": "*/GET/meters/*"}}
        return {{"principalId": "somebody", "policyDocument": {{"Version": "2012-10-17", "Statement": [statement]}}}}
    """
    protect(gateway, calls, simple=False, code=code)
    client = gateway.deploy()

    assert client.get("/meters/1", headers={"X-Api-Key": "k"}).status_code == status
    assert client.get("/other", headers={"X-Api-Key": "k"}).status_code == 403


def signed_headers(gateway: Gateway, url: str, secret: str) -> dict[str, str]:
    request = AWSRequest("GET", url, headers={"Host": "localhost"})
    SigV4Auth(Credentials(gateway.settings.access_key, secret), "execute-api", "eu-west-1").add_auth(request)
    return dict(request.headers.items())


def test_iam_takes_a_request_signed_with_the_stacks_key_and_no_other(gateway: Gateway) -> None:
    gateway.route("GET /meters/{meter_id}", gateway.function("echo"), authorization="AWS_IAM")
    client = gateway.deploy()
    url = "http://localhost/meters/MAC1?b=2&a=1"

    right = signed_headers(gateway, url, gateway.settings.secret_key)
    wrong = signed_headers(gateway, url, "another-secret")

    assert client.get("/meters/MAC1?b=2&a=1", headers=right).status_code == 200
    assert client.get("/meters/MAC2?b=2&a=1", headers=right).status_code == 403
    assert client.get("/meters/MAC1?b=2&a=1", headers=wrong).status_code == 403
    assert client.get("/meters/MAC1?b=2&a=1").json == {"message": "Forbidden"}
