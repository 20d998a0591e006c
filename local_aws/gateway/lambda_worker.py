"""The process of one Lambda function: imports the handler once, then answers events one after another.

Run as a script by the gateway, in an environment made from scratch; argv: the Unix socket to connect to. Messages are
JSON, one a line: first {"ready": true} or {"error": …}; then for each {"id", "event", "deadline" (seconds since 1970)}
one of {"result": …} and {"error": {"errorMessage", "errorType", "stackTrace"}}. It imports nothing of local_aws, and
what the function prints or logs goes to standard output.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, Any

_PLAIN = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class Context:
    """What a handler gets beside the event."""

    function_version = "$LATEST"
    identity = None
    client_context = None

    def __init__(self, request_id: str, deadline: float) -> None:
        self.aws_request_id = request_id
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = os.environ["_FUNCTION_ARN"]
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return max(int((self._deadline - time.time()) * 1000), 0)


class JsonLines(logging.Formatter):
    """Log records as Lambda writes them with LogFormat JSON: one object a line, with the fields of `extra`."""

    request_id = ""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": self.request_id,
        }
        entry |= {name: value for name, value in record.__dict__.items() if name not in _PLAIN}
        if record.exc_info and record.exc_info[0]:
            entry |= _error(record.exc_info[1])
        return json.dumps(entry, default=str)


def main() -> None:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.connect(sys.argv[1])
    sys.argv = [sys.argv[0]]
    lines = channel.makefile("rw", encoding="utf-8")
    formatter = JsonLines()
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[output])
    try:
        module, _, name = os.environ["_HANDLER"].rpartition(".")
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
    except BaseException as error:  # noqa: BLE001 (a module may end in any way; the caller must see how)
        _report(error)
        _send(lines, {"error": _error(error)})
        sys.exit(1)
    _send(lines, {"ready": True})
    for line in lines:
        request = json.loads(line)
        formatter.request_id = request["id"]
        _send(lines, _answer(handler, request))


def _answer(handler: Callable[[Any, Context], Any], request: dict[str, Any]) -> dict[str, Any]:
    try:
        result = handler(request["event"], Context(request["id"], request["deadline"]))
    except Exception as error:  # noqa: BLE001 (the edge of the function: the caller must see what it raised)
        _report(error)
        return {"error": _error(error)}
    try:
        json.dumps(result, default=_number)
    except (TypeError, ValueError) as error:
        _report(error)
        return {"error": _error(error) | {"errorType": "Runtime.MarshalError"}}
    return {"result": result}


def _send(lines: IO[str], message: dict[str, Any]) -> None:
    sys.stdout.flush()
    lines.write(json.dumps(message, default=_number) + "\n")
    lines.flush()


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _report(error: BaseException) -> None:
    logging.getLogger("runtime").error("the function failed", exc_info=error)


def _error(error: BaseException | None) -> dict[str, Any]:
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_exception(error)[:-1] if error else [],
    }


if __name__ == "__main__":
    main()
