"""An engine that starts is waited for while it works, however long that takes, and given up when it hangs or ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from local_aws import processes
from local_aws.engines.airflow import Airflow
from local_aws.engines.daemon import Daemon, EngineError
from local_aws.engines.progress import Part, StalledError, Wait, WaitReport, listed, wants_to_work
from local_aws.settings import REPOSITORY, Settings

# Each is a program; its argument is the file that it writes when it is ready.
WORKS_THEN_READY = """
import pathlib, sys, time
end = time.monotonic() + 2
while time.monotonic() < end:
    sum(range(10_000))
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
HANGS_WITH_HEARTBEATS = """
import time
print("the last words before it hangs", flush=True)
for beat in range(1, 10_000):
    time.sleep(0.25)
    if beat % 4 == 0:
        print("heartbeat", flush=True)
"""
WORKS_FOR_EVER = "while True: sum(range(10_000))"
ENDS = "print('no such table', flush=True); raise SystemExit(4)"


class Fake(Daemon):
    """A process that runs `program`; ready when its file exists."""

    name = "fake"
    stall_seconds: ClassVar[float] = 1.0
    longest_start_seconds: ClassVar[float] = 60.0
    program = ""

    @property
    def url(self) -> str:
        return "fake://"

    @property
    def answer(self) -> Path:
        return self.settings.home / "ready"

    def launch(self, die_with_parent: bool, report: WaitReport | None = None) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", self.program, self.answer]
        return processes.start(command, self.mark(), self.log_path, die_with_parent)

    def ready(self) -> bool:
        return self.answer.exists()


def fake(tmp_path: Path, program: str, longest: float = 60.0) -> Fake:
    kind = type("OneFake", (Fake,), {"program": program, "longest_start_seconds": longest})
    engine: Fake = kind(Settings(home=tmp_path))
    return engine


def test_a_start_that_works_is_waited_for_however_long_it_takes(tmp_path: Path) -> None:
    """It works for twice as long as an engine may stand still."""
    engine = fake(tmp_path, WORKS_THEN_READY)

    engine.start(die_with_parent=True)

    assert engine.state() == "running"
    engine.stop()


def test_a_start_that_hangs_is_given_up_although_its_log_grows(tmp_path: Path) -> None:
    engine = fake(tmp_path, HANGS_WITH_HEARTBEATS)

    with pytest.raises(EngineError) as raised:
        engine.start(die_with_parent=True)

    first, *log = str(raised.value).splitlines()
    assert first.startswith("fake is not ready: fake made no progress for 1 s (waited ")
    assert first.endswith(f"s in all). Try `make down`, then `make up`. The end of {engine.log_path}:")
    assert log[0] == "    the last words before it hangs"
    assert engine.process() is None


def test_a_start_that_works_for_ever_is_given_up_in_the_end(tmp_path: Path) -> None:
    engine = fake(tmp_path, WORKS_FOR_EVER, longest=2.0)

    with pytest.raises(EngineError, match="fake is not ready: fake still worked after 2 s, but never answered"):
        engine.start(die_with_parent=True)

    assert engine.process() is None


def test_a_start_that_ends_is_told_at_once_with_its_exit_code_and_its_log(tmp_path: Path) -> None:
    engine = fake(tmp_path, ENDS)

    with pytest.raises(EngineError) as raised:
        engine.start(die_with_parent=True)

    assert str(raised.value) == (
        f"fake ended with exit code 4 while starting. The end of {engine.log_path}:\n    no such table"
    )


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (ENDS, "`make tables` failed. The end of {log}:\n    no such table"),
        (HANGS_WITH_HEARTBEATS, "fake is not ready: make tables made no progress for 1 s"),
    ],
)
def test_a_command_before_a_start_is_waited_for_in_the_same_way(tmp_path: Path, program: str, message: str) -> None:
    engine = fake(tmp_path, "")
    command = processes.start([sys.executable, "-c", program], None, engine.log_path)

    with pytest.raises(EngineError) as raised:
        engine.run_to_end(command, "make tables", None)

    assert str(raised.value).startswith(message.format(log=engine.log_path))
    assert command.poll() is not None


class Clock:
    """Time that passes only when somebody says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def idle(name: str) -> Part:
    """A part whose processes do nothing."""
    return Part(name, list, Path("/dev/null"))


def test_every_fifteen_seconds_it_says_for_what_it_waits(clock: Clock) -> None:
    said: list[tuple[float, str]] = []
    wait = Wait(lambda seconds, remark: said.append((seconds, remark)), stall_seconds=60)

    for second in range(50):
        clock.now = 1000.0 + second
        wait.go_on([idle("scheduler"), idle("triggerer")] if second < 20 else [idle("triggerer")])

    assert said == [
        (15.0, "waiting for scheduler and triggerer"),
        (30.0, "waiting for triggerer"),
        (45.0, "waiting for triggerer"),
    ]


def test_a_part_that_becomes_ready_is_progress_for_the_others(clock: Clock) -> None:
    wait = Wait(stall_seconds=60)
    for second in range(100):
        clock.now = 1000.0 + second
        wait.go_on([idle("scheduler"), idle("triggerer")] if second < 50 else [idle("triggerer")])

    clock.now = 1110.0
    with pytest.raises(StalledError, match=r"^triggerer made no progress for 60 s \(waited 110 s in all\)$"):
        wait.go_on([idle("triggerer")])


def test_a_process_that_works_wants_to_work_and_one_that_sleeps_does_not() -> None:
    working = subprocess.Popen([sys.executable, "-c", WORKS_FOR_EVER])
    sleeping = subprocess.Popen(["sleep", "60"])
    ended = subprocess.Popen(["true"])
    ended_process = psutil.Process(ended.pid)
    ended.wait()
    try:
        looks = [
            (wants_to_work(psutil.Process(working.pid)), wants_to_work(psutil.Process(sleeping.pid)))
            for _ in range(20)
            if not time.sleep(0.02)
        ]
    finally:
        for process in (working, sleeping):
            process.kill()
            process.wait()

    assert sum(works for works, _ in looks) > 10
    assert sum(sleeps for _, sleeps in looks) < 5
    assert not wants_to_work(ended_process)


def test_names_are_listed_as_in_a_sentence() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


class HalfReadyAirflow(Airflow):
    """Airflow whose API server says which parts are healthy; its components are programs of the test."""

    stall_seconds = 2.0
    healthy: ClassVar[set[str]] = set()

    def launch(self, die_with_parent: bool, report: WaitReport | None = None) -> subprocess.Popen[bytes]:
        self.settings.logs.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "local_aws.engines.airflow_components", self.folder / "airflow"]
        return processes.start(
            [*command, self.settings.logs],
            {**self.mark(), "PATH": "/usr/bin:/bin", "AIRFLOW__API__BASE_URL": "http://127.0.0.1:9"},
            self.log_path,
            die_with_parent,
            cwd=REPOSITORY,
        )

    def unhealthy(self) -> list[str]:
        return [
            part for part in ("metadatabase", "scheduler", "dag_processor", "triggerer") if part not in self.healthy
        ]


def half_ready(tmp_path: Path, script: str, *healthy: str) -> HalfReadyAirflow:
    kind = type("OneAirflow", (HalfReadyAirflow,), {"healthy": set(healthy)})
    engine: HalfReadyAirflow = kind(Settings(home=tmp_path))
    engine.folder.mkdir(parents=True)
    # The triggerer is a module that the interpreter beside Airflow's program runs.
    for name, options in (("airflow", 0), ("python", 2)):
        program = engine.folder / name
        program.write_text(f"#!/bin/sh\nshift {options}\necho log of $1\n{script}\n")
        program.chmod(0o755)
    return engine


def test_airflow_is_given_up_with_the_part_that_hangs_and_that_parts_log(tmp_path: Path) -> None:
    """The API server works all the time, for example because somebody looks at its pages: that counts for nothing."""
    script = '[ "$1" = api-server ] && while :; do :; done\nexec sleep 60'
    engine = half_ready(tmp_path, script, "metadatabase", "scheduler", "dag_processor")

    with pytest.raises(EngineError) as raised:
        engine.start(die_with_parent=True)

    first, log = str(raised.value).splitlines()
    assert first.startswith("airflow is not ready: triggerer made no progress for 2 s (waited ")
    assert first.endswith(f"The end of {tmp_path}/logs/airflow-triggerer.log:")
    assert log == "    log of triggerer"


def test_while_the_api_server_does_not_answer_it_is_what_airflow_waits_for(tmp_path: Path) -> None:
    engine = half_ready(tmp_path, "exec sleep 60")

    with pytest.raises(EngineError, match="airflow is not ready: api_server made no progress for 2 s") as raised:
        engine.start(die_with_parent=True)

    assert str(raised.value).endswith("airflow-api-server.log:\n    log of api-server")


def test_when_a_part_of_airflow_ends_its_own_log_is_shown(tmp_path: Path) -> None:
    engine = half_ready(tmp_path, '[ "$1" = dag-processor ] && exit 7\nexec sleep 60')

    with pytest.raises(EngineError) as raised:
        engine.start(die_with_parent=True)

    lines = str(raised.value).splitlines()
    assert lines[0] == (
        f"airflow ended with exit code 1 while starting. The end of {tmp_path}/logs/airflow-dag-processor.log:"
    )
    assert lines[1] == "    log of dag-processor"
    assert lines[-1] == "    ended by itself: dag-processor (exit code 7)"
