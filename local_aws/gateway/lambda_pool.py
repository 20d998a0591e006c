"""The processes of all functions: as many of each as events come at once, up to a limit; anew when code changes."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

from local_aws.gateway.lambda_process import Code, FunctionError, FunctionTimeoutError, LambdaProcess
from local_aws.gateway.routes import Function
from local_aws.settings import Settings

MOST_PROCESSES = 4


class LambdaPool:
    """Calls functions; keeps their processes warm."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._idle: dict[str, list[LambdaProcess]] = {}
        self._busy: dict[str, list[LambdaProcess]] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._log = logging.getLogger("local_aws.gateway")

    def log_path(self, function: Function) -> Path:
        """Where the function's output goes."""
        return self._settings.logs / f"lambda-{function.name}.log"

    def call(self, function: Function, event: dict[str, Any], timeout: float) -> Any:
        """The function's result. Raises FunctionError or FunctionTimeoutError, which are logged here."""
        began = time.monotonic()
        timeout = min(timeout, function.timeout)
        try:
            process = self._take(function, began + timeout)
            healthy = False
            try:
                result = process.call(event, timeout)
                healthy = True
            except FunctionError:
                # A handler that raised leaves its process as it was; one that ended does not.
                healthy = process.alive()
                raise
            finally:
                self._give_back(process, healthy)
        except (FunctionError, FunctionTimeoutError) as error:
            elapsed = time.monotonic() - began
            self._write(function, f"{type(error).__name__} after {elapsed:.2f} s: {error}")
            raise
        return result

    def stop(self) -> None:
        """End all processes."""
        with self._changed:
            self._stopped = True
            ended = [process for group in (self._idle, self._busy) for held in group.values() for process in held]
            self._idle.clear()
        for process in ended:
            process.stop()

    def _take(self, function: Function, deadline: float) -> LambdaProcess:
        outdated: list[LambdaProcess] = []
        with self._changed:
            idle = self._idle.setdefault(function.name, [])
            busy = self._busy.setdefault(function.name, [])
            while not idle and len(busy) >= MOST_PROCESSES:
                if not self._changed.wait(deadline - time.monotonic()):
                    raise FunctionTimeoutError(f"all {MOST_PROCESSES} processes are busy")
            if self._stopped:
                raise FunctionError("the gateway is being stopped")
            code = Code.of(function.folder)
            process = None
            while idle and process is None:
                candidate = idle.pop()
                if candidate.code == code and candidate.function == function and candidate.alive():
                    process = candidate
                else:
                    outdated.append(candidate)
            new = process is None
            process = process or LambdaProcess(function, self._settings, self.log_path(function))
            busy.append(process)
        for old in outdated:
            old.stop()
        if new:
            try:
                process.start()
            except BaseException:
                self._give_back(process, healthy=False)
                raise
        return process

    def _give_back(self, process: LambdaProcess, healthy: bool) -> None:
        with self._changed:
            self._busy[process.function.name].remove(process)
            if healthy and not self._stopped:
                self._idle[process.function.name].append(process)
            self._changed.notify()
        if not healthy:
            process.stop()

    def _write(self, function: Function, text: str) -> None:
        path = self.log_path(function)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as log:
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")
        self._log.error("function %s: %s; see %s", function.name, text, path)
