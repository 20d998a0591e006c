"""Cross-origin requests, as the API's configuration answers them."""

from __future__ import annotations

import pytest

from tests.local_aws.gateway.conftest import Gateway

PREFLIGHT = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}


@pytest.fixture(autouse=True)
def routes(gateway: Gateway) -> None:
    code = 'def handler(event, context):\n    return {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://own"}}\n'
    gateway.route("GET /", gateway.function("answer", code))
    gateway.cors = {
        "AllowOrigins": "https://app.example,https://other.example",
        "AllowMethods": ["GET", "OPTIONS"],
        "AllowHeaders": ["x-api-key"],
        "MaxAge": 3600,
    }


def test_a_preflight_is_answered_without_a_route_or_a_function(gateway: Gateway) -> None:
    answer = gateway.deploy().options("/", headers=PREFLIGHT)

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-methods"] == "GET,OPTIONS"
    assert answer.headers["access-control-allow-headers"] == "x-api-key"
    assert answer.headers["access-control-max-age"] == "3600"


def test_a_preflight_of_another_origin_gets_no_permission(gateway: Gateway) -> None:
    answer = gateway.deploy().options("/", headers=PREFLIGHT | {"Origin": "https://evil.example"})

    assert answer.status_code == 204
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]


def test_the_apis_headers_replace_those_of_the_function(gateway: Gateway) -> None:
    client = gateway.deploy()

    allowed = client.get("/", headers={"Origin": "https://other.example"})
    unasked = client.get("/")

    assert allowed.headers.getlist("access-control-allow-origin") == ["https://other.example"]
    assert "access-control-allow-origin" not in unasked.headers


def test_the_gateways_own_errors_carry_the_headers_too(gateway: Gateway) -> None:
    answer = gateway.deploy().get("/nothing", headers={"Origin": "https://app.example"})

    assert answer.status_code == 404
    assert answer.headers["access-control-allow-origin"] == "https://app.example"


def test_every_origin_is_allowed_by_a_star(gateway: Gateway) -> None:
    gateway.cors = {"AllowOrigins": ["*"]}

    assert gateway.deploy().get("/", headers={"Origin": "https://x"}).headers["access-control-allow-origin"] == "*"


def test_without_configuration_an_options_request_finds_no_route(gateway: Gateway) -> None:
    gateway.cors = {}

    assert gateway.deploy().options("/", headers=PREFLIGHT).status_code == 404
