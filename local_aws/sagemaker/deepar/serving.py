"""`serve`: an endpoint's HTTP server, GET /ping and POST /invocations on 127.0.0.1."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from local_aws.sagemaker.deepar import requests
from local_aws.sagemaker.deepar.errors import BadRequestError
from local_aws.sagemaker.deepar.model import Model

HOST = "127.0.0.1"


class Endpoint:
    """A WSGI application that answers for one model, one request at a time."""

    def __init__(self, model: Model) -> None:
        self._model = model
        # torch's generator of random numbers is one for the whole process.
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        if (request.method, request.path) == ("GET", "/ping"):
            return Response(status=200)
        if (request.method, request.path) != ("POST", "/invocations"):
            return Response(f"{request.method} {request.path} is not served", status=404)
        try:
            with self._lock:
                kind, text = requests.answer(
                    self._model, request.headers.get("Content-Type", ""), request.get_data(), os.environ
                )
        except BadRequestError as error:
            return Response(str(error), status=400)
        except ArithmeticError as error:
            return Response(str(error), status=500)
        return Response(text, content_type=kind)


class _Handler(WSGIRequestHandler):
    """Logs nothing: a request holds a household's consumption, its path says nothing."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


def serve(folder: Path, port: int) -> None:
    """Serve the model of the folder until the process is ended."""
    model = Model.load(folder / "model")
    server = make_server(HOST, port, Endpoint(model), threaded=True, request_handler=_Handler)
    print(f"the model is served on {HOST}:{port}", flush=True)
    server.serve_forever()
