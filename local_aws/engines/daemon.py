"""An engine as a daemon: started once, found again by its pid file, ready when it answers, stopped as a whole."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import psutil

from local_aws import ports, processes
from local_aws.engines.pid_file import PidFile
from local_aws.engines.progress import LONGEST_SECONDS, STALL_SECONDS, Part, StalledError, Wait, WaitReport
from local_aws.settings import ENGINE_VARIABLE, HOME_VARIABLE, Settings, variable

LOG_LINES = 15
PAUSE_SECONDS = 0.1
AGAIN = "Try `make down`, then `make up`."


class EngineError(Exception):
    """An engine cannot start or stop; the message says why and what to do."""


class Daemon(ABC):
    """One engine of the stack. `port_settings` names the fields of Settings with the ports it listens on."""

    name: ClassVar[str]
    port_settings: ClassVar[tuple[str, ...]] = ()
    stall_seconds: ClassVar[float] = STALL_SECONDS
    longest_start_seconds: ClassVar[float] = LONGEST_SECONDS
    stop_timeout: ClassVar[float] = 15
    stop_signal: ClassVar[int] = signal.SIGTERM

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.pid_file = PidFile(settings.home / "run" / f"{self.name}.json")
        self.log_path: Path = settings.logs / f"{self.name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it answers."""

    @abstractmethod
    def launch(self, die_with_parent: bool, report: WaitReport | None = None) -> subprocess.Popen[bytes]:
        """Prepare its folder and start its process. Raises EngineError. `report` hears what takes long."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers as it should, now."""

    def unready_parts(self) -> list[Part]:
        """What is waited for; nothing once it is ready."""
        return [] if self.ready() else [Part(self.name, self.working_processes, self.log_path)]

    def working_processes(self) -> list[psutil.Process]:
        """The processes whose work shows that it makes progress."""
        return self.members()

    def prepare(self) -> None:  # noqa: B027 (most engines have nothing to do here)
        """What is to be done once it is ready."""

    def process(self) -> psutil.Process | None:
        """Its process while that lives."""
        return self.pid_file.process()

    def state(self) -> str:
        """running, starting (it lives but does not answer), or down."""
        if self.process() is None:
            return "down"
        return "running" if self.ready() else "starting"

    def memory(self) -> int:
        """Bytes held by its processes that they share with nobody else (USS), or resident where that is not known."""
        return sum(memory_of(member) for member in self.members())

    def members(self) -> list[psutil.Process]:
        """All its living processes: those of its session, and those that left it but carry its mark."""
        pid = self.pid_file.pid()
        found = {process.pid: process for process in (processes.session(pid) if pid else [])}
        for process in psutil.process_iter():
            if process.pid not in found and self._is_marked(process):
                found[process.pid] = process
        return list(found.values())

    def mark(self) -> dict[str, str]:
        """Variables by which its processes are known; `launch` puts them into their environment."""
        return {HOME_VARIABLE: str(self.settings.home), ENGINE_VARIABLE: self.name}

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            environment = process.environ()
        except (psutil.AccessDenied, psutil.NoSuchProcess, OSError):
            return False
        return all(environment.get(name) == value for name, value in self.mark().items())

    def start(self, die_with_parent: bool = False, report: WaitReport | None = None) -> None:
        """Start it if it does not run, and return when it is ready. Raises EngineError.

        It waits as long as its parts make progress (see progress.py), and says to `report` for what.
        """
        started = None
        if self.process() is None:
            self.stop()  # what a killed predecessor left behind
            self.require_free_ports()
            started = self._child = self.launch(die_with_parent, report)
            with contextlib.suppress(psutil.NoSuchProcess):
                self.pid_file.write(started.pid)
        try:
            self._wait_until_ready(started, report)
            self.prepare()
        except EngineError:
            if started is not None:
                self.stop()
            raise

    def stop(self) -> bool:
        """Stop all its processes and wait for their end; False when none ran. Raises EngineError if one survives."""
        ran = bool(self.members())
        processes.end(self.members, self.stop_timeout, self.stop_signal)
        if self._child is not None and self._child.poll() is None and self.process() is None:
            self._child.wait()
        left = self.members()
        if left:
            raise EngineError(f"{self.name} did not end: pid {', '.join(str(member.pid) for member in left)} is left")
        self.pid_file.forget()
        return ran

    def require_free_ports(self) -> None:
        """Raise EngineError naming port, holder and variable if another process listens on a port of this engine."""
        for setting in self.port_settings:
            port = getattr(self.settings, setting)
            if not ports.is_free(port):
                raise EngineError(ports.taken(port, self.name, variable(setting)))

    def log_tail(self, lines: int = LOG_LINES) -> str:
        """The last lines of its log, indented."""
        return tail_of(self.log_path, lines)

    def logs_of_end(self) -> list[Path]:
        """The logs that say why it ended."""
        return [self.log_path]

    def run_to_end(self, process: subprocess.Popen[bytes], words: str, report: WaitReport | None) -> None:
        """Wait for a command that logs where this engine does. Raises EngineError if it fails or stalls."""
        wait = Wait(report, self.stall_seconds, self.longest_start_seconds)
        part = Part(words, lambda: [*processes.session(process.pid), *self.working_processes()], self.log_path)
        while process.poll() is None:
            try:
                wait.go_on([part])
            except StalledError as error:
                processes.stop(process)
                raise EngineError(f"{self.name} is not ready: {error}. {AGAIN} {ends_of([self.log_path])}") from None
            time.sleep(PAUSE_SECONDS)
        if process.returncode != 0:
            raise EngineError(f"`{words}` failed. {ends_of([self.log_path])}")

    def _wait_until_ready(self, started: subprocess.Popen[bytes] | None, report: WaitReport | None) -> None:
        wait = Wait(report, self.stall_seconds, self.longest_start_seconds)
        while parts := self.unready_parts():
            if started is not None and started.poll() is not None:
                raise EngineError(
                    f"{self.name} ended with exit code {started.returncode} while starting."
                    f" {ends_of(self.logs_of_end())}"
                )
            if started is None and self.process() is None:
                raise EngineError(f"{self.name} ended. {ends_of(self.logs_of_end())}")
            try:
                wait.go_on(parts)
            except StalledError as error:
                logs = list(dict.fromkeys(part.log for part in parts))
                raise EngineError(f"{self.name} is not ready: {error}. {AGAIN} {ends_of(logs)}") from None
            time.sleep(PAUSE_SECONDS)


def ends_of(logs: Sequence[Path]) -> str:
    """The last lines of log files, each under its path."""
    return "\n".join(f"The end of {log}:\n{tail_of(log)}" for log in logs)


def tail_of(log: Path, lines: int = LOG_LINES) -> str:
    """The last lines of a log file, indented; nothing if it does not exist."""
    if not log.exists():
        return ""
    text = log.read_text(errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in text[-lines:])


def memory_of(process: psutil.Process) -> int:
    """Bytes that the process shares with nobody else, or resident where that is not known; 0 when it has ended."""
    try:
        return process.memory_full_info().uss
    except psutil.AccessDenied:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0
