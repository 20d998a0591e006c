from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from local_aws import processes
from local_aws.engines.pid_file import PidFile
from local_aws.settings import REPOSITORY


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_output_goes_to_the_log_and_the_environment_is_the_given_one(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "child.log"
    process = processes.start(["sh", "-c", "echo $WORD; echo err >&2"], {"WORD": "hello", "PATH": os.defpath}, log)
    assert process.wait(10) == 0
    assert log.read_text() == "hello\nerr\n"


def test_a_missing_program_is_an_error_at_once() -> None:
    with pytest.raises(FileNotFoundError, match="no program such-a-thing"):
        processes.start(["such-a-thing"])


def test_a_child_outlives_the_thread_that_asked_for_it() -> None:
    started: list[subprocess.Popen[bytes]] = []
    thread = threading.Thread(target=lambda: started.append(processes.start(["sleep", "60"])))
    thread.start()
    thread.join()
    time.sleep(0.3)  # time for a wrongly set signal to arrive
    assert started[0].poll() is None
    processes.stop(started[0])
    assert started[0].returncode == -signal.SIGTERM


@pytest.mark.parametrize(("bound", "survives"), [(True, False), (False, True)])
def test_a_child_dies_with_its_killed_parent_only_if_asked_to(tmp_path: Path, bound: bool, survives: bool) -> None:
    script = f"""
import sys, time
sys.path.insert(0, {str(REPOSITORY)!r})
from local_aws import processes
child = processes.start(["sleep", "60"], die_with_parent={bound})
print(child.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    wait_for(lambda: lives(child) and psutil.Process(child).name() == "sleep")
    parent.kill()
    parent.wait()
    parent.stdout.close()
    if survives:
        time.sleep(0.5)
        assert lives(child)
        os.kill(child, signal.SIGKILL)
    else:
        wait_for(lambda: not lives(child))


def test_stop_ends_the_whole_session_even_if_its_leader_has_ended(tmp_path: Path) -> None:
    log = tmp_path / "pid"
    process = processes.start(["sh", "-c", "sleep 60 & echo $!; exit 0"], log_path=log)
    process.wait(10)
    grandchild = int(log.read_text())
    assert lives(grandchild)
    processes.stop(process)
    assert not lives(grandchild)


def test_stop_kills_what_does_not_listen() -> None:
    process = processes.start(
        [sys.executable, "-c", "import signal, time; signal.signal(15, lambda *_: 0)\nwhile True: time.sleep(1)"]
    )
    wait_for(lambda: "signal.signal" in " ".join(psutil.Process(process.pid).cmdline()))
    time.sleep(0.3)  # until it has set its handler
    processes.stop(process, timeout=0.5)
    assert process.returncode == -signal.SIGKILL


def test_a_process_is_found_again_by_its_pid_file(tmp_path: Path) -> None:
    file = PidFile(tmp_path / "run" / "x.json")
    assert file.process() is None
    process = processes.start(["sleep", "60"])
    file.write(process.pid)
    found = file.process()
    assert found is not None
    assert found.pid == process.pid
    processes.stop(process)
    assert file.process() is None


def test_a_recycled_pid_is_not_taken_for_ours(tmp_path: Path) -> None:
    file = PidFile(tmp_path / "x.json")
    file.path.write_text(f'{{"pid": {os.getpid()}, "created": 1000.0}}')
    assert file.process() is None
    assert file.pid() is None


def test_a_broken_pid_file_names_no_process(tmp_path: Path) -> None:
    file = PidFile(tmp_path / "x.json")
    file.path.write_text("{")
    assert file.process() is None
    assert file.pid() is None
