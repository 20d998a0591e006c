"""The event that a function gets, field by field as in API Gateway's description of payload format 2.0."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.local_aws.gateway.conftest import Gateway

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def routes(gateway: Gateway) -> None:
    gateway.route("GET /consumption/{aggregation}/{year}/{meter_id}", gateway.function("echo"))
    gateway.route("ANY /files/{name}", "echo")


def test_an_event_of_a_get_request_has_path_query_and_headers(echo: Ask) -> None:
    event = echo(
        "/consumption/daily/2013/MAC%3A000%202?day=1&day=2&name=a%20b&empty=",
        headers=[("X-Thing", "one"), ("User-Agent", "curl/8.5.0"), ("Cookie", "a=1; b=2")],
        base_url="http://api.example:8088",
    )

    assert event["version"] == "2.0"
    assert event["routeKey"] == "GET /consumption/{aggregation}/{year}/{meter_id}"
    assert event["rawPath"] == "/consumption/daily/2013/MAC:000 2"
    assert event["rawQueryString"] == "day=1&day=2&name=a%20b&empty="
    assert event["queryStringParameters"] == {"day": "1,2", "name": "a b", "empty": ""}
    assert event["pathParameters"] == {"aggregation": "daily", "year": "2013", "meter_id": "MAC:000 2"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["headers"]["x-thing"] == "one"
    assert event["headers"]["host"] == "api.example:8088"
    assert event["headers"]["x-forwarded-port"] == "8088"
    assert "cookie" not in event["headers"]
    assert "body" not in event
    assert event["isBase64Encoded"] is False


def test_the_request_context_says_who_asked_what_and_when(echo: Ask) -> None:
    context = echo(
        "/files/a",
        headers={"User-Agent": "curl/8.5.0"},
        base_url="http://api.example",
        environ_base={"REMOTE_ADDR": "127.0.0.1"},
    )["requestContext"]

    assert context["http"] == {
        "method": "GET",
        "path": "/files/a",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "curl/8.5.0",
    }
    assert (context["apiId"], context["stage"], context["accountId"]) == ("metering", "$default", "123456789012")
    assert (context["domainName"], context["domainPrefix"]) == ("api.example", "api")
    assert context["routeKey"] == "ANY /files/{name}"
    assert context["time"].endswith(" +0000")
    assert isinstance(context["timeEpoch"], int)
    assert "authorizer" not in context


def test_a_request_without_query_has_no_query_parameters(echo: Ask) -> None:
    event = echo("/files/a")

    assert event["rawQueryString"] == ""
    assert "queryStringParameters" not in event
    assert "cookies" not in event


@pytest.mark.parametrize("kind", ["application/json", "text/csv; charset=utf-8"])
def test_a_text_body_comes_as_text(echo: Ask, kind: str) -> None:
    event = echo("/files/a", method="POST", data='{"é": 1}'.encode(), content_type=kind)

    assert (event["body"], event["isBase64Encoded"]) == ('{"é": 1}', False)


def test_any_other_body_comes_in_base64(echo: Ask) -> None:
    event = echo("/files/a", method="POST", data=b"\x00\xff", content_type="application/octet-stream")

    assert (event["body"], event["isBase64Encoded"]) == (base64.b64encode(b"\x00\xff").decode(), True)


def test_a_stage_with_a_name_is_the_first_part_of_the_path(gateway: Gateway) -> None:
    client = gateway.deploy(stage="v1")

    assert client.get("/files/a").status_code == 404
    assert client.get("/v1/files/a").json["rawPath"] == "/v1/files/a"
