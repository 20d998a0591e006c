"""The process of one job run: runs the script as __main__, its last words kept for the run's ErrorMessage.

    driver.py <file for stderr> <file for the error message> <script> [argument …]

It is run by path in an interpreter of its own and imports nothing of local_aws.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import traceback
from pathlib import Path

LONGEST_MESSAGE = 8000


def main() -> int:
    stderr_path, error_path, script, *arguments = sys.argv[1:]
    # Spark inherits it, so that its log and the script's stderr go to one stream, stdout to another.
    os.dup2(os.open(stderr_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
    sys.argv = [script, *arguments]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as stopped:
        if stopped.code in (None, 0):
            return 0
        _leave(error_path, f"SystemExit: {stopped.code}")
        return 1
    except BaseException as error:  # noqa: BLE001 (whatever ends the script is the message of the run)
        _print_traceback(error)
        _leave(error_path, message(error))
        return 1
    return 0


def _leave(path: str, message: str) -> None:
    """Passes the message on as it is, NUL included. The API cannot carry a lone surrogate, though."""
    Path(path).write_text(message, encoding="utf-8", errors="replace")


def message(error: BaseException) -> str:
    """Type and text of the exception without Java's stack, and how Spark's JVM ended, if it did."""
    lines = [line for line in str(error).splitlines() if not line.lstrip().startswith(("at ", "... "))]
    text = "\n".join(line for line in lines if line.strip()).removesuffix("Driver stacktrace:").rstrip()
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{said[:LONGEST_MESSAGE]}{_end_of_the_jvm()}"


def _end_of_the_jvm() -> str:
    pyspark = sys.modules.get("pyspark")
    # local_aws/glue/spark.py sets it.
    if pyspark and (no_java := os.environ.get("SPARK_HAS_NO_JAVA")):
        return f"\n{no_java}"
    gateway = pyspark.SparkContext._gateway if pyspark else None
    process = getattr(gateway, "proc", None)
    if process is None:
        return ""
    try:
        code = process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return ""
    name = f" ({signal.Signals(-code).name})" if code < 0 else ""
    return f"\nSpark's JVM ended: Command failed with exit code {128 - code if code < 0 else code}{name}"


def _print_traceback(error: BaseException) -> None:
    """The script's own frames, as its author would see them."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>"):
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


if __name__ == "__main__":
    sys.exit(main())
