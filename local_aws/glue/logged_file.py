"""A file that a process writes lines to, each of which becomes an event of a log stream."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from local_aws.glue.log_store import LogStore, now


class LoggedFile:
    """Open it before the process starts, pass on while it runs, and once more with `last` when it has ended."""

    def __init__(self, path: Path, logs: LogStore, group: str, stream: str) -> None:
        self._path = path
        self._logs = logs
        self._group = group
        self._name = stream
        self._file: IO[bytes] | None = None
        self._stream = 0
        self._rest = b""

    def open(self) -> None:
        self._stream = self._logs.open_stream(self._group, self._name)
        self._path.touch(mode=0o600)
        self._file = self._path.open("rb")

    def redirect(self, stream: str) -> None:
        """What is written from now on goes to another stream of the group."""
        self.pass_on()
        self._stream = self._logs.open_stream(self._group, stream)

    def pass_on(self, last: bool = False) -> None:
        """Read what was added; a line without its end waits until it has one or is the last."""
        if self._file is None:
            return
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        if last:
            self._file.close()
            self._file = None
            lines += [self._rest] if self._rest else []
        time = now()
        # The service knows no event without a character.
        self._logs.put(self._stream, [(time, line.decode(errors="replace") or " ") for line in lines])
