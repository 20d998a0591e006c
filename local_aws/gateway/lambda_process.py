"""The gateway's side of a Lambda function's process: started, spoken to through a Unix socket, killed when too slow."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws import processes
from local_aws.gateway.routes import Function
from local_aws.settings import Settings

WORKER = Path(__file__).with_name("lambda_worker.py")
# Lambda gives a function's import 10 seconds of its own.
INIT_SECONDS = 10
# The largest answer of a synchronous invocation.
LARGEST_RESULT_BYTES = 6 * 1024 * 1024


class FunctionError(Exception):
    """The function raised, ended or answered too much; the text is for the log, never for the caller."""


class FunctionTimeoutError(Exception):
    """The function did not answer in time; its process is gone."""


@dataclass(frozen=True)
class Code:
    """What a folder held at a moment: enough to see that a file changed."""

    files: tuple[tuple[str, int, int], ...]

    @classmethod
    def of(cls, folder: Path) -> Code:
        files = []
        for path in sorted(folder.rglob("*")):
            if "__pycache__" not in path.parts and path.is_file():
                status = path.stat()
                files.append((str(path), status.st_mtime_ns, status.st_size))
        return cls(tuple(files))


class LambdaProcess:
    """One process of a function, good for one event at a time."""

    def __init__(self, function: Function, settings: Settings, log_path: Path) -> None:
        self.function = function
        self.code = Code.of(function.folder)
        self._settings = settings
        self._log_path = log_path
        # Not below the home: the path of a Unix socket may have 107 bytes at most.
        self._folder = Path(tempfile.mkdtemp(prefix="lambda-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._received = bytearray()

    def start(self) -> None:
        """Start the process and wait until the handler is imported. Raises FunctionError."""
        path = self._folder / "socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(path))
            listener.listen(1)
            command = [sys.executable, "-P", "-u", str(WORKER), str(path)]
            environment = _environment(self.function, self._settings)
            self._process = processes.start(command, environment, self._log_path, cwd=self.function.folder)
            self._channel = self._accept(listener)
        message = self._receive(time.monotonic() + INIT_SECONDS)
        if "error" in message:
            raise FunctionError(f"importing {self.function.handler} failed: {_summary(message['error'])}")

    def call(self, event: dict[str, Any], timeout: float) -> Any:
        """The handler's result for an event. Raises FunctionError, or FunctionTimeoutError after `timeout` seconds."""
        if self._channel is None:
            raise FunctionError("the process was not started")
        request = {"id": str(uuid.uuid4()), "event": event, "deadline": time.time() + timeout}
        deadline = time.monotonic() + timeout
        try:
            self._channel.settimeout(timeout)
            self._channel.sendall(json.dumps(request).encode() + b"\n")
        except OSError:
            raise FunctionError(self._end()) from None
        message = self._receive(deadline)
        if "error" in message:
            raise FunctionError(_summary(message["error"]))
        return message["result"]

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Kill the process and all it started; remove the socket."""
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            processes.stop(self._process, first=signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self, listener: socket.socket) -> socket.socket:
        deadline = time.monotonic() + INIT_SECONDS
        listener.settimeout(0.1)
        while True:
            with contextlib.suppress(TimeoutError):
                return listener.accept()[0]
            if not self.alive():
                raise FunctionError(self._end())
            if time.monotonic() > deadline:
                raise FunctionTimeoutError(f"its process did not start within {INIT_SECONDS} s")

    def _receive(self, deadline: float) -> dict[str, Any]:
        """One message. Raises FunctionTimeoutError, or FunctionError when the process ended or said too much."""
        if self._channel is None:
            raise FunctionError("the process was not started")
        while b"\n" not in self._received[-65536:]:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise FunctionTimeoutError("Task timed out")
            self._channel.settimeout(remaining)
            try:
                chunk = self._channel.recv(65536)
            except TimeoutError:
                raise FunctionTimeoutError("Task timed out") from None
            except OSError:
                chunk = b""
            if not chunk:
                raise FunctionError(self._end())
            self._received += chunk
        message, self._received = bytes(self._received), bytearray()
        if len(message) > LARGEST_RESULT_BYTES:
            raise FunctionError(
                f"Response payload size exceeded maximum allowed payload size ({LARGEST_RESULT_BYTES} bytes)."
            )
        parsed: dict[str, Any] = json.loads(message)
        return parsed

    def _end(self) -> str:
        """How the process ended, as Lambda says it."""
        if self._process is None:
            return "Runtime exited"
        code = self._process.wait(timeout=5)
        if code < 0:
            return f"Runtime exited with error: signal: {signal.Signals(-code).name}"
        return f"Runtime exited with error: exit status {code}"


def _summary(error: dict[str, Any]) -> str:
    return f"{error['errorType']}: {error['errorMessage']}"


def _environment(function: Function, settings: Settings) -> dict[str, str]:
    """Nothing of this process's environment but what the function finds on AWS, and where AWS is here."""
    arn = f"arn:{settings.partition}:lambda:{settings.region}:{settings.account_id}:function:{function.name}"
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": str(function.folder),
        # The folder stays as it is in the repository; and a cache would hide an edit of the same length and second.
        "PYTHONDONTWRITEBYTECODE": "1",
        **settings.aws_environment(),
        **function.environment,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{uuid.uuid4().hex}",
        "LAMBDA_TASK_ROOT": str(function.folder),
        "_HANDLER": function.handler,
        "_FUNCTION_ARN": arn,
    }
