"""One process that serves a model: its start, its requests, its end."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import urllib3

from local_aws import processes
from local_aws.glue.log_store import LogStore
from local_aws.glue.logged_file import LoggedFile
from local_aws.ports import free_ports
from local_aws.sagemaker.container import Container
from local_aws.settings import HOST

_POLL_SECONDS = 0.1


class NotServingError(Exception):
    """The process ended, does not answer, or was not ready in time; the message says which."""


class TooSlowError(NotServingError):
    """A request was not answered in its time."""


@dataclass(frozen=True)
class Reply:
    """What the container answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class ServeProcess:
    """Start it, wait until it is ready, send requests from any thread, drain it and stop it."""

    def __init__(
        self,
        container: Container,
        folder: Path,
        environment: Mapping[str, str],
        logs: LogStore,
        group: str,
        stream: str,
    ) -> None:
        """`folder` holds the unpacked model; the log goes to a stream of the log group."""
        self._container = container
        self._folder = folder
        self._environment = environment
        self.log_stream = stream
        self._logs = logs
        self._group = group
        self._process: subprocess.Popen[bytes] | None = None
        self._follower: threading.Thread | None = None
        self._requests = 0
        self._none_left = threading.Condition()
        self._log_lock = threading.Lock()

    def start(self) -> None:
        port = free_ports(1)[0]
        # The model's folder may be shared; what this process writes is its own.
        self._scratch = tempfile.TemporaryDirectory(prefix="serve-", ignore_cleanup_errors=True)
        log_path = Path(self._scratch.name) / "log"
        self._log = LoggedFile(log_path, self._logs, self._group, self.log_stream)
        self._log.open()
        self._process = self._container.serve(self._folder, port, self._environment, log_path)
        self._pool = urllib3.HTTPConnectionPool(HOST, port, maxsize=8, retries=False)
        self._follower = threading.Thread(target=self._follow, name=f"serve-{port}", daemon=True)
        self._follower.start()

    def wait_ready(self, seconds: float, interrupted: Callable[[], bool]) -> None:
        """Return when /ping answers 200. Raises NotServingError."""
        deadline = time.monotonic() + seconds
        while not self._pings():
            if not self.alive:
                raise NotServingError(
                    f"the container ended with exit code {self._exit_code()} before it answered /ping"
                )
            if time.monotonic() > deadline:
                raise NotServingError(f"the container did not answer /ping within {seconds:.0f} s")
            if interrupted():
                raise NotServingError("the start was interrupted")
            time.sleep(_POLL_SECONDS)

    def log_to(self, stream: str) -> None:
        """Write to another stream of the log group from now on."""
        with self._log_lock:
            self._log.redirect(stream)
        self.log_stream = stream

    def flush_log(self) -> None:
        """Pass on what was written up to now."""
        with self._log_lock:
            self._log.pass_on()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ends(self, within: float) -> bool:
        """Whether the process ends within these seconds."""
        if self._process is None:
            return True
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        return True

    def take(self) -> None:
        """Keep `drain` waiting until it is given back."""
        with self._none_left:
            self._requests += 1

    def give_back(self) -> None:
        with self._none_left:
            self._requests -= 1
            self._none_left.notify_all()

    def invoke(self, body: bytes, headers: Mapping[str, str], seconds: float) -> Reply:
        """Raises NotServingError when there is no answer in time."""
        try:
            answer = self._pool.request("POST", "/invocations", body=body, headers=dict(headers), timeout=seconds)
        except urllib3.exceptions.TimeoutError as error:
            raise TooSlowError(f"the container did not answer within {seconds:.0f} s") from error
        except urllib3.exceptions.HTTPError as error:
            raise NotServingError(f"the container gave no answer: {error}") from error
        return Reply(answer.status, answer.data, answer.headers)

    def drain(self, seconds: float) -> None:
        """Wait until the requests under way are answered."""
        with self._none_left:
            self._none_left.wait_for(lambda: self._requests == 0, timeout=seconds)

    def stop(self) -> None:
        """End the process if it lives, and pass on its last lines."""
        if self._process is None:
            return
        processes.stop(self._process, timeout=5)
        if self._follower is not None:
            self._follower.join(timeout=10)
        self._pool.close()
        self._scratch.cleanup()

    def _pings(self) -> bool:
        # Only while it lives: afterwards its port may be another's.
        if not self.alive:
            return False
        try:
            return self._pool.request("GET", "/ping", timeout=2).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def _follow(self) -> None:
        assert self._process is not None, "start first"  # noqa: S101
        while True:
            try:
                self._process.wait(0.5)
            except subprocess.TimeoutExpired:
                self.flush_log()
                continue
            with self._log_lock:
                self._log.pass_on(last=True)
            return

    def _exit_code(self) -> int | None:
        return self._process.returncode if self._process else None
