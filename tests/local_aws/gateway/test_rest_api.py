"""The gateway as the control plane runs it: on the API port, over HTTP."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import httpx
import pytest

from local_aws.gateway.rest_api import RestApi
from local_aws.gateway.routes import DescriptionError, api_of
from local_aws.ports import free_ports
from local_aws.settings import Settings
from tests.local_aws.gateway.conftest import Gateway


def test_the_api_answers_on_its_port_and_logs_no_path(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = dataclasses.replace(Settings(), home=tmp_path, api_port=free_ports(1)[0])
    api = RestApi(settings, tmp_path / "api_lambdas")
    caplog.set_level(logging.INFO)
    api.on_start()
    try:
        before = httpx.get(f"{settings.api_url}/meters/MAC1", trust_env=False)
        written = Gateway(settings, tmp_path)
        written.route("GET /meters/{meter_id}", written.function("echo"))
        written.deploy()
        url = f"{settings.api_url}/meters/MAC%2F1?day=20130101"
        after = httpx.get(url, headers=[("X-Thing", "one"), ("X-Thing", "two")], trust_env=False)
    finally:
        api.on_stop()

    assert before.status_code == 404
    assert after.json()["pathParameters"] == {"meter_id": "MAC/1"}
    assert after.json()["headers"]["x-thing"] == "one,two"
    logged = [record.getMessage() for record in caplog.records if record.name == "local_aws.gateway"]
    assert any(line.startswith("GET /meters/{meter_id} 200 ") for line in logged)
    assert not any("MAC" in line or "20130101" in line for line in logged)


def description(gateway: Gateway, **route: object) -> dict:
    gateway.function("echo")
    gateway.route("GET /", **({"function": "echo"} | route))
    return {"functions": gateway.functions, "apis": {"metering": {"stage": "$default", "routes": gateway.routes}}}


def test_a_description_with_another_payload_format_is_refused(gateway: Gateway) -> None:
    with pytest.raises(DescriptionError, match="payload format 2.0 only"):
        api_of(description(gateway, payload_format="1.0"), gateway.lambdas)


def test_a_description_with_an_unknown_function_is_refused(gateway: Gateway) -> None:
    with pytest.raises(DescriptionError, match="no function nobody"):
        api_of(description(gateway, function="nobody"), gateway.lambdas)


def test_a_description_that_cannot_be_served_answers_internal_errors(gateway: Gateway) -> None:
    gateway.route("GET /", gateway.function("echo"), payload_format="1.0")

    assert gateway.deploy().get("/").json == {"message": "Internal Server Error"}
