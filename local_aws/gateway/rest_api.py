"""The gateway's HTTP server, which lives as long as the control plane."""

from __future__ import annotations

import threading
from pathlib import Path

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local_aws.gateway.http_api import HttpApi
from local_aws.infrastructure.deploy import rest_api_file
from local_aws.service import Service
from local_aws.settings import HOST, Settings


class RestApi(Service):
    """Listens on the API port from on_start to on_stop. It has no operation of the AWS API: templates make routes."""

    service_name = "apigatewayv2"

    def __init__(self, settings: Settings, lambda_folder: Path | None = None) -> None:
        self._settings = settings
        folder = lambda_folder or settings.repository / "api_lambdas"
        self._application = HttpApi(settings, rest_api_file(settings), folder)
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def on_start(self) -> None:
        """Raises OSError when the port is taken."""
        self._server = make_server(
            HOST, self._settings.api_port, self._application, threaded=True, request_handler=_Handler
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="rest api", daemon=True)
        self._thread.start()

    def on_stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._application.stop()


class _Handler(WSGIRequestHandler):
    """The application writes its own log, which names no path and no query."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return
