"""An HTTP API of small functions, each a folder with a handler.py, served by the real gateway and real processes."""

from __future__ import annotations

import dataclasses
import json
import os
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from local_aws.gateway.http_api import HttpApi
from local_aws.settings import Settings

ECHO = """
import json

def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""


class Gateway:
    """Write functions and routes, deploy, and ask."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.lambdas = folder / "api_lambdas"
        self.file = folder / "rest_api.json"
        self.functions: dict[str, Any] = {}
        self.routes: list[dict[str, Any]] = []
        self.cors: dict[str, Any] = {}
        self.application = HttpApi(settings, self.file, self.lambdas)
        self.client = Client(self.application, use_cookies=False)

    def function(self, name: str, code: str = ECHO, timeout: int = 5, **environment: str) -> str:
        folder = self.lambdas / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "handler.py").write_text(textwrap.dedent(code))
        self.functions[name] = {
            "name": name,
            "folder": name,
            "handler": "handler.handler",
            "timeout": timeout,
            "memory": 128,
            "environment": environment,
        }
        return name

    def route(self, key: str, function: str, **others: Any) -> None:
        defaults = {"timeout_ms": 30000, "payload_format": "2.0", "authorization": "NONE", "authorizer": None}
        self.routes.append(defaults | {"route_key": key, "function": function} | others)

    def deploy(self, stage: str = "$default") -> Client:
        api = {"name": "metering", "cors": self.cors, "stage": stage, "routes": self.routes}
        before = self.file.stat().st_mtime_ns if self.file.exists() else 0
        self.file.write_text(json.dumps({"functions": self.functions, "apis": {"metering": api}}))
        # Two writes within one tick of the file system's clock would look the same.
        after = max(self.file.stat().st_mtime_ns, before + 1)
        os.utime(self.file, ns=(after, after))
        return self.client

    def log(self, function: str) -> str:
        return (self.settings.logs / f"lambda-{function}.log").read_text()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    settings = dataclasses.replace(Settings(), home=tmp_path / "home")
    made = Gateway(settings, tmp_path)
    yield made
    made.application.stop()


@pytest.fixture
def echo(gateway: Gateway) -> Callable[..., dict[str, Any]]:
    """Ask the API and get the event that its function got."""

    def ask(*arguments: Any, **options: Any) -> dict[str, Any]:
        answer = gateway.deploy().open(*arguments, **options)
        assert answer.status_code == 200, answer.text
        return answer.json

    return ask
