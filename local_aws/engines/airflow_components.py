"""Runs Airflow's components side by side, as `airflow standalone` does, in less memory and on 127.0.0.1 only.

    python -m local_aws.engines.airflow_components <airflow program> <log folder>

The servers that hand out log files to other machines are left out: here every component reads the same folder, and
those servers would listen on all addresses. If one component ends, the others are ended too, so that nothing half
alive stays behind. Ends on SIGTERM.

The scheduler starts when the API server answers: a task that it starts earlier cannot report and is failed by Airflow.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

SCHEDULER, TRIGGERER = "scheduler", "triggerer"
COMPONENTS = {
    "api-server": ["api-server"],
    "dag-processor": ["dag-processor"],
    TRIGGERER: ["triggerer", "--skip-serve-logs"],
    SCHEDULER: ["scheduler", "--skip-serve-logs"],
}
STOP_SECONDS = 10


def run(program: str, logs: Path) -> int:
    """Start all components and wait; the exit code is 0 after a signal and 1 when a component ended by itself."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    signalled: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: signalled.append(received))
    for name in COMPONENTS:
        if name != SCHEDULER:
            running[name] = _start(program, name, logs)
    ended: list[str] = []
    while not signalled and not ended:
        if SCHEDULER not in running and _api_server_answers():
            running[SCHEDULER] = _start(program, SCHEDULER, logs)
        time.sleep(0.2)
        ended = [f"{name} (exit code {process.returncode})" for name, process in running.items() if _has_ended(process)]
    if ended:
        print(f"ended by itself: {', '.join(ended)}", flush=True)
    for process in running.values():
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in running.values():
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
    return 1 if ended else 0


def _start(program: str, name: str, logs: Path) -> subprocess.Popen[bytes]:
    with (logs / f"airflow-{name}.log").open("ab") as log:
        return subprocess.Popen([*_command(program, name), *COMPONENTS[name]], stdout=log, stderr=subprocess.STDOUT)


def _command(program: str, name: str) -> list[str]:
    """The triggerer is Airflow's with a change, see local_aws/airflow_path/local_aws_triggerer.py."""
    return [str(Path(program).with_name("python")), "-m", "local_aws_triggerer"] if name == TRIGGERER else [program]


def _api_server_answers() -> bool:
    try:
        with build_opener(ProxyHandler({})).open(f"{os.environ['AIRFLOW__API__BASE_URL']}/api/v2/version", timeout=5):
            return True
    except (URLError, OSError):
        return False


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], Path(sys.argv[2])))
