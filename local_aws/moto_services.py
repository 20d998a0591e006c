"""The AWS services that need no engine (SSM, Secrets Manager, SNS, STS, IAM, KMS, …): moto, in this process.

moto keeps everything in memory. To survive a restart, each successful call that changes something is kept in the state
with the seed of moto's random numbers at that moment; at the start the calls are made again in the same order with the
same seeds, so that ids, ARNs and generated secrets come out the same. Only dates of creation are those of the restart.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from local_aws.settings import Settings
from local_aws.state import State

KIND = "moto call"

# moto answers these as if work were done, or an engine of this stack serves them elsewhere: never through moto.
NOT_BY_MOTO = {
    "athena",
    "batch",
    "elasticmapreduce",
    "emr-containers",
    "emr-serverless",
    "glue",
    "logs",
    "redshift-data",
    "s3",
    "s3express",
    "sagemaker",
    "states",
}

_READS = re.compile(
    r"(Get|List|Describe|BatchGet|Head|Lookup|Search|Scan|Query|Select|Simulate|Validate|Test|Check|Filter)[A-Z]|"
    r"(Query|Scan|Publish|PublishBatch|Decrypt|Encrypt|ReEncrypt|Sign|Verify|ReceiveMessage|PutEvents)$|"
    r"(AssumeRole|GenerateDataKey|GenerateRandom|GenerateMac|VerifyMac|TransactGet|BatchIsAuthorized)"
)

Start = Callable[..., Any]


class MotoServices:
    """A WSGI application of all services that moto serves, for one account, with a memory."""

    def __init__(self, settings: Settings, state: State) -> None:
        # moto reads these when it is imported.
        os.environ["MOTO_ACCOUNT_ID"] = settings.account_id
        os.environ["MOTO_ALLOW_NONEXISTENT_REGION"] = "true"
        os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
        from moto.moto_api._internal import mock_random
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self._random = mock_random
        self._application = DomainDispatcherApplication(create_backend_app)
        self._state = state
        self._lock = threading.RLock()
        self._next = 0
        self._log = logging.getLogger("local_aws.moto")

    def replay(self) -> int:
        """Make all kept calls again; returns their number. A call that fails now is logged and passed over."""
        with self._lock:
            calls = self._state.items(KIND)
            for key, call in calls:
                self._random.seed(call["seed"])
                status, _, _ = self._call(_environ(call))
                if status >= 400:
                    self._log.error("the kept call %s (%s) failed with status %s", key, call["operation"], status)
                self._next = int(key) + 1
            return len(calls)

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        operation = operation_name(environ, body)
        with self._lock:
            seed = f"{KIND} {self._next}"
            self._random.seed(seed)
            status, headers, answer = self._call(environ)
            if status < 400 and not is_read(operation, environ["REQUEST_METHOD"]):
                self._state.put(KIND, f"{self._next:09d}", _kept(environ, body, operation, seed))
                self._next += 1
        start_response(f"{status} {'OK' if status < 400 else 'Error'}", headers)
        return [answer]

    def _call(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            answer["status"], answer["headers"] = int(status.split()[0]), headers

        try:
            chunks = self._application(environ, start_response)
            body = b"".join(chunks)
            if hasattr(chunks, "close"):
                chunks.close()
        except NotImplementedError as error:
            return _not_implemented(str(error))
        return answer["status"], answer["headers"], body


def operation_name(environ: dict[str, Any], body: bytes) -> str:
    """The operation by its header or form field; for services with paths method and path."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return target.rpartition(".")[2]
    form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    fields = parse_qs(body.decode(errors="replace") if form else environ.get("QUERY_STRING", ""))
    return fields["Action"][0] if "Action" in fields else f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"


def is_read(operation: str, method: str) -> bool:
    """Whether a call leaves everything as it is, or leaves nothing that is needed after a restart."""
    if " " in operation:
        return method in ("GET", "HEAD", "OPTIONS") or operation.endswith("/invocations")
    return bool(_READS.match(operation))


def _kept(environ: dict[str, Any], body: bytes, operation: str, seed: str) -> dict[str, Any]:
    wanted = {name: value for name, value in environ.items() if isinstance(value, str) and _is_kept(name)}
    return {"operation": operation, "seed": seed, "environ": wanted, "body": base64.b64encode(body).decode()}


def _is_kept(name: str) -> bool:
    request = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "REQUEST_URI", "RAW_URI", "SCRIPT_NAME")
    return name in request or name.startswith(("HTTP_X_AMZ_", "SERVER_")) or name in ("HTTP_AUTHORIZATION", "HTTP_HOST")


def _environ(call: dict[str, Any]) -> dict[str, Any]:
    body = base64.b64decode(call["body"])
    return {
        **call["environ"],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _not_implemented(message: str) -> tuple[int, list[tuple[str, str]], bytes]:
    body = json.dumps({"__type": "NotImplemented", "message": f"moto: {message}"}).encode()
    headers = [("Content-Type", "application/json"), ("x-amzn-errortype", "NotImplemented")]
    return 501, headers, body
