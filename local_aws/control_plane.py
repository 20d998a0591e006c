"""The control plane: one HTTP server on 127.0.0.1 that answers for every AWS service but S3.

A request's service is the one in the credential scope of its Authorization header, or else that of its X-Amz-Target.
Own services (local_aws/services.py) are called here; all others go to moto. An operation that nobody implements
answers 501 with its name.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import threading
import time
import uuid
from collections.abc import Iterable
from typing import Any

from botocore import xform_name
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from local_aws import protocol, rest_protocol
from local_aws.moto_services import NOT_BY_MOTO, MotoServices
from local_aws.service import Operation, Service, ServiceError
from local_aws.settings import HOST, Settings
from local_aws.state import State

HEALTH = "/_local_aws/health"

# The credential scope names the signing name, which is not always botocore's name of the service.
_BY_TARGET_PREFIX = {
    "AWSGlue": "glue",
    "AmazonAthena": "athena",
    "Logs_20140328": "logs",
    "RedshiftData": "redshift-data",
    "SageMaker": "sagemaker",
}
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]*/([^/]+)/aws4_request")


class ControlPlane:
    """A WSGI application: finds service and operation, calls, answers."""

    def __init__(self, settings: Settings, state: State, services: list[Service]) -> None:
        self.settings = settings
        self.services = services
        self._moto = MotoServices(settings, state)
        self._operations = operations(services)
        self._names = {service.service_name for service in services}
        self._log = logging.getLogger("local_aws.control_plane")

    def start(self) -> None:
        """Bring back what a former process knew, then let the services take up their work."""
        began = time.monotonic()
        count = self._moto.replay()
        self._log.info("made %d kept calls again in %.2f s", count, time.monotonic() - began)
        for service in self.services:
            service.on_start()

    def stop(self) -> None:
        for service in reversed(self.services):
            service.on_stop()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        if request.path == HEALTH:
            return self._health()(environ, start_response)
        service = service_of(request)
        if service in self._names:
            return self._own(service, request)(environ, start_response)
        if service is None or service in NOT_BY_MOTO:
            return self._unserved(service, request)(environ, start_response)
        return self._moto(environ, start_response)

    def _health(self) -> Response:
        body = {"status": "running", "pid": os.getpid(), "services": sorted(self._names)}
        return Response(json.dumps(body), content_type="application/json")

    def _unserved(self, service: str | None, request: Request) -> Response:
        if service is None:
            return _error(400, "MissingAuthenticationToken", "the request names no service: it is not signed")
        if service == "s3":
            return _error(501, "NotImplemented", f"S3 answers at {self.settings.s3_url}: set AWS_ENDPOINT_URL_S3")
        name = request.headers.get("X-Amz-Target", f"{request.method} {request.path}").rpartition(".")[2]
        return _error(501, "NotImplemented", f"local_aws does not implement {service}:{name}")

    def _own(self, service: str, request: Request) -> Response:
        began = time.monotonic()
        target = request.headers.get("X-Amz-Target") or f"{request.method} {request.path}"
        response = self._call(service, request, target)
        milliseconds = (time.monotonic() - began) * 1000
        self._log.info("%s %s %d %.0f ms", service, target.rpartition(".")[2], response.status_code, milliseconds)
        return response

    def _call(self, service: str, request: Request, target: str) -> Response:
        try:
            if rest_protocol.speaks_rest(service):
                return self._rest_answer(service, request)
            return self._json_answer(service, target, request.get_data())
        except ServiceError as error:
            return _error(error.status, error.code, error.message, error.members)
        except Exception as error:  # noqa: BLE001 (the edge of the process: whatever it is, the caller must see it)
            self._log.exception("%s %s failed", service, target)
            return _error(500, "InternalFailure", f"local_aws failed: {type(error).__name__}: {error}")

    def _json_answer(self, service: str, target: str, body: bytes) -> Response:
        model = protocol.operation_model(service, target)
        operation = self._operation(service, model.name)
        answer = protocol.serialise(model, operation(protocol.parse(model, body)))
        version = model.service_model.metadata.get("jsonVersion", "1.1")
        return _answer(200, answer, f"{protocol.CONTENT_TYPE}{version}")

    def _rest_answer(self, service: str, request: Request) -> Response:
        model = rest_protocol.operation_model(service, request.method, request.path)
        operation = self._operation(service, model.name)
        parameters = rest_protocol.parse(model, request.path, request.headers, request.get_data())
        answer = rest_protocol.serialise(model, operation(parameters))
        headers = dict(answer.headers)
        return _answer(200, answer.body, headers.pop("Content-Type", "application/octet-stream"), headers)

    def _operation(self, service: str, name: str) -> Operation:
        """Raises ServiceError NotImplemented."""
        operation = self._operations.get((service, name))
        if operation is None:
            raise ServiceError("NotImplemented", f"local_aws does not implement {service}:{name}", 501)
        return operation


def service_of(request: Request) -> str | None:
    """botocore's name of the service, or the signing name for services that are not ours."""
    prefix = request.headers.get("X-Amz-Target", "").partition(".")[0]
    if prefix in _BY_TARGET_PREFIX:
        return _BY_TARGET_PREFIX[prefix]
    scope = _SCOPE.search(request.headers.get("Authorization", ""))
    if scope is None:
        return None
    if scope[1] == "sagemaker" and request.path.startswith("/endpoints/"):
        return "sagemaker-runtime"
    return scope[1]


def operations(services: list[Service]) -> dict[tuple[str, str], Operation]:
    """All implemented operations by service and name. Raises ValueError if two classes implement the same."""
    found: dict[tuple[str, str], Operation] = {}
    for service in services:
        for name in protocol.service_model(service.service_name).operation_names:
            method = getattr(service, xform_name(name), None)
            if method is None:
                continue
            if (service.service_name, name) in found:
                raise ValueError(f"{service.service_name}:{name} is implemented twice")
            found[service.service_name, name] = method
    return found


class _Handler(WSGIRequestHandler):
    """Keeps connections open; the application writes its own log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


def serve(application: ControlPlane) -> BaseWSGIServer:
    """A threaded server on the control port, listening but not yet serving. Raises OSError when the port is taken."""
    return make_server(HOST, application.settings.control_port, application, threaded=True, request_handler=_Handler)


def main() -> None:
    """Run the control plane in the foreground until SIGTERM or SIGINT."""
    from local_aws.services import build_services

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = Settings.from_environment()
    state = State(settings.home / "state.sqlite")
    application = ControlPlane(settings, state, build_services(settings, state))
    server = serve(application)
    application.start()
    thread = threading.Thread(target=server.serve_forever, name="server", daemon=True)
    thread.start()
    logging.getLogger("local_aws.control_plane").info("listening on %s", settings.control_url)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
    server.shutdown()
    application.stop()
    state.close()


def _answer(status: int, body: bytes, content_type: str, headers: dict[str, str] | None = None) -> Response:
    given = {"x-amzn-RequestId": str(uuid.uuid4()), **(headers or {})}
    return Response(body, status=status, content_type=content_type, headers=given)


def _error(status: int, code: str, message: str, members: dict[str, Any] | None = None) -> Response:
    body = json.dumps({"__type": code, "message": message, "Message": message, **(members or {})}, default=str)
    return _answer(status, body.encode(), f"{protocol.CONTENT_TYPE}1.1", {"x-amzn-errortype": code})


if __name__ == "__main__":
    main()
