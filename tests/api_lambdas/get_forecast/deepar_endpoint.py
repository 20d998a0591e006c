"""A DeepAR endpoint that is asked over HTTP as SageMaker's runtime is; its forecasts can be worked out by hand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local_aws.sagemaker.deepar.frequency import Frequency
from local_aws.sagemaker.deepar.series import Series

Question = dict[str, Any]


class DeepArEndpoint:
    """Hour h of the quantile q is 1000 q + h, in the model's unit; `questions` are (endpoint, body) as they came.

    `failure` is (status, SageMaker's error type, message) instead, `seconds` how long it takes, `body` other words.
    """

    def __init__(self, hours: int) -> None:
        self.hours = hours
        self.questions: list[tuple[str, Question]] = []
        self.failure: tuple[int, str, str] | None = None
        self.seconds = 0.0
        self.body: bytes | None = None

    @property
    def question(self) -> Question:
        """The only instance that was ever asked for."""
        ((_, body),) = self.questions
        (instance,) = body["instances"]
        return instance

    def quantiles(self, names: list[str]) -> dict[str, list[float]]:
        return {name: [1000 * float(name) + hour for hour in range(self.hours)] for name in names}

    def answer(self, name: str, body: Question) -> bytes:
        # The engine's own reader: a question that it refuses must not pass here.
        for instance in body["instances"]:
            series = Series.read(instance, Frequency.parse("1H"))
            if series.dynamic is not None:
                assert series.dynamic.shape[1] == len(series) + self.hours
        self.questions.append((name, body))
        time.sleep(self.seconds)
        if self.body is not None:
            return self.body
        assert body["configuration"]["output_types"] == ["quantiles"]
        return json.dumps({"predictions": [{"quantiles": self.quantiles(body["configuration"]["quantiles"])}]}).encode()


@contextmanager
def serving(endpoint: DeepArEndpoint) -> Iterator[str]:
    """The URL at which it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            _, kind, name, action = self.path.split("/")
            assert (kind, action, self.headers["Content-Type"]) == ("endpoints", "invocations", "application/json")
            answer = endpoint.answer(name, body)
            self.send_response(endpoint.failure[0] if endpoint.failure else 200)
            if endpoint.failure:
                _, error_type, message = endpoint.failure
                self.send_header("x-amzn-ErrorType", error_type)
                answer = json.dumps({"message": message, "OriginalStatusCode": 400}).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
