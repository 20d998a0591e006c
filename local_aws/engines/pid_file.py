"""Which process is ours: its pid together with its start time, so that a recycled pid is never taken for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class PidFile:
    """A file {"pid", "created"}; created is the process's start time in seconds since 1970, UTC."""

    path: Path

    def write(self, pid: int) -> None:
        """Remember a process. Raises psutil.NoSuchProcess when it has ended already."""
        created = psutil.Process(pid).create_time()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps({"pid": pid, "created": created}))
        draft.replace(self.path)

    def pid(self) -> int | None:
        """The remembered pid unless another process has it now; its process may have ended."""
        try:
            entry = json.loads(self.path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        if psutil.pid_exists(entry["pid"]) and self.process() is None and not _is_zombie(entry["pid"]):
            return None
        return int(entry["pid"])

    def process(self) -> psutil.Process | None:
        """The remembered process while it lives."""
        try:
            entry = json.loads(self.path.read_text())
            process = psutil.Process(entry["pid"])
            same = abs(process.create_time() - entry["created"]) < 1
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, json.JSONDecodeError, psutil.NoSuchProcess):
            return None

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
