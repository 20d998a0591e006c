"""What callers get for what a function returns."""

from __future__ import annotations

import pytest

from tests.local_aws.gateway.conftest import Gateway


def returning(gateway: Gateway, expression: str) -> None:
    gateway.route("ANY /", gateway.function("answer", f"def handler(event, context):\n    return {expression}\n"))


def test_status_headers_cookies_and_body_are_those_of_the_function(gateway: Gateway) -> None:
    returning(
        gateway,
        '{"statusCode": 404, "headers": {"Retry-After": 10, "Content-Type": "text/csv"},'
        ' "cookies": ["a=1", "b=2"], "body": "é"}',
    )

    answer = gateway.deploy().get("/")

    assert answer.status_code == 404
    assert answer.headers["retry-after"] == "10"
    assert answer.headers["content-type"] == "text/csv"
    assert answer.headers.getlist("set-cookie") == ["a=1", "b=2"]
    assert answer.data == "é".encode()
    assert answer.headers["apigw-requestid"]


@pytest.mark.parametrize(
    ("expression", "body"), [('{"rows": [1]}', b'{"rows": [1]}'), ('"text"', b"text"), ("[1, 2]", b"[1, 2]")]
)
def test_a_result_without_status_is_the_body_of_a_json_answer(gateway: Gateway, expression: str, body: bytes) -> None:
    returning(gateway, expression)

    answer = gateway.deploy().get("/")

    assert (answer.status_code, answer.headers["content-type"], answer.data) == (200, "application/json", body)


def test_a_base64_body_is_decoded(gateway: Gateway) -> None:
    returning(gateway, '{"statusCode": 200, "isBase64Encoded": True, "body": "AP8="}')

    assert gateway.deploy().get("/").data == b"\x00\xff"


@pytest.mark.parametrize(
    "expression",
    ['{"statusCode": "many"}', '{"statusCode": 200, "body": {"a": 1}}', '{"statusCode": 200, "body": object()}'],
)
def test_a_result_that_is_no_answer_is_an_internal_error(gateway: Gateway, expression: str) -> None:
    returning(gateway, expression)

    answer = gateway.deploy().get("/")

    assert (answer.status_code, answer.json) == (500, {"message": "Internal Server Error"})


def test_a_result_above_six_megabytes_is_an_internal_error(gateway: Gateway) -> None:
    returning(gateway, '{"statusCode": 200, "body": "x" * int(event["queryStringParameters"]["size"])}')
    client = gateway.deploy()

    assert client.get("/?size=6291456").status_code == 500
    assert "maximum allowed payload size" in gateway.log("answer")
    assert client.get("/?size=6000000").status_code == 200


def test_a_request_above_ten_megabytes_is_refused(gateway: Gateway) -> None:
    returning(gateway, '{"statusCode": 200}')

    answer = gateway.deploy().post("/", data=b"x" * (10 * 1024 * 1024 + 1))

    assert (answer.status_code, answer.json) == (413, {"message": "Request Entity Too Large"})


def test_a_path_without_route_is_not_found(gateway: Gateway) -> None:
    returning(gateway, "{}")

    answer = gateway.deploy().get("/nothing")

    assert (answer.status_code, answer.json) == (404, {"message": "Not Found"})
