"""`python -m local_aws`, as a person runs it, on free ports and a folder of its own. Without Airflow: the end-to-end
tests start that."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import psutil
import pytest

from local_aws import machine
from local_aws.engines.pid_file import PidFile
from local_aws.ports import free_ports
from local_aws.settings import HOST, REPOSITORY, Settings

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    control, s3, postgres, api, airflow = free_ports(5)
    return Settings(
        home=tmp_path_factory.mktemp("cli"),
        control_port=control,
        s3_port=s3,
        postgres_port=postgres,
        api_port=api,
        airflow_port=airflow,
    )


def run(settings: Settings, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **settings.environment(), "COLUMNS": "200", **variables}
    command = [sys.executable, "-m", "local_aws", *arguments]
    return subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=180)


def pid(settings: Settings, engine: str) -> int:
    process = PidFile(settings.home / "run" / f"{engine}.json").process()
    assert process is not None, f"{engine} does not run"
    return process.pid


@pytest.fixture(scope="module")
def stack(own: Settings) -> Iterator[Settings]:
    started = run(own, "up", "--without", "airflow")
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield own
    finally:
        stopped = run(own, "down")
        assert stopped.returncode == 0, stopped.stdout + stopped.stderr


@pytest.mark.slow
def test_status_shows_what_runs_and_exits_with_3_when_something_is_down(stack: Settings) -> None:
    answer = run(stack, "status")
    assert answer.returncode == 3
    for engine in ("postgres", "seaweedfs", "control_plane"):
        assert re.search(rf"{engine} +running +{pid(stack, engine)} +\S+:\d+ +\d+ MB", answer.stdout), answer.stdout
    assert re.search(rf"rest api +running +http://127.0.0.1:{stack.api_port}", answer.stdout)
    assert re.search(r"airflow +down", answer.stdout)


@pytest.mark.slow
def test_up_twice_leaves_the_running_engines_alone(stack: Settings) -> None:
    before = {engine: pid(stack, engine) for engine in ("postgres", "seaweedfs", "control_plane")}
    answer = run(stack, "up", "--without", "airflow")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("runs already") == 3
    assert {engine: pid(stack, engine) for engine in before} == before


@pytest.mark.slow
def test_up_repairs_a_killed_control_plane_and_the_state_is_still_there(stack: Settings) -> None:
    session = boto3.session.Session(stack.access_key, stack.secret_key, region_name=stack.region)
    ssm = session.client("ssm", endpoint_url=stack.control_url)
    ssm.put_parameter(Name="/kept", Type="String", Value="over a kill")
    killed = pid(stack, "control_plane")
    os.kill(killed, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(killed)] if psutil.pid_exists(killed) else [], timeout=10)
    assert re.search(r"control_plane +down", run(stack, "status").stdout)

    answer = run(stack, "up", "--without", "airflow")

    assert answer.returncode == 0, answer.stderr
    assert pid(stack, "control_plane") != killed
    assert ssm.get_parameter(Name="/kept")["Parameter"]["Value"] == "over a kill"


@pytest.mark.slow
def test_logs_prints_the_end_of_a_log(stack: Settings) -> None:
    answer = run(stack, "logs", "control_plane")
    assert answer.returncode == 0
    assert "local_aws.control_plane" in answer.stdout
    missing = run(stack, "logs", "nonsense")
    assert missing.returncode == 1
    assert "there is no log of nonsense" in missing.stderr


@pytest.mark.slow
def test_everything_listens_on_the_loopback_address_only(stack: Settings) -> None:
    ours = set()
    for engine in ("postgres", "seaweedfs", "control_plane"):
        leader = psutil.Process(pid(stack, engine))
        ours |= {leader.pid, *(child.pid for child in leader.children(recursive=True))}
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.pid in ours
    }
    assert listening == {HOST}


@pytest.mark.slow
def test_down_ends_every_process_of_the_stack_and_only_those(stack: Settings) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    leaders = [psutil.Process(pid(stack, engine)) for engine in ("postgres", "seaweedfs", "control_plane")]
    running = [process for leader in leaders for process in (leader, *leader.children(recursive=True))]
    try:
        answer = run(stack, "down")
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.count("stopped") == 3
        assert [process for process in running if process.is_running() and process.status() != "zombie"] == []
        assert bystander.poll() is None
        assert "nothing was running" in run(stack, "down").stdout
    finally:
        bystander.kill()
        bystander.wait()


def test_a_taken_port_is_named_before_anything_starts(own: Settings, tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = str(other.getsockname()[1])
        answer = run(own, "up", "--without", "airflow", LOCAL_AWS_HOME=str(tmp_path), LOCAL_AWS_API_PORT=port)
    assert answer.returncode == 1
    assert f"port {port}, which control_plane needs, is taken by python" in answer.stderr
    assert "write LOCAL_AWS_API_PORT=<port> into .env" in answer.stderr
    assert sorted(file.name for file in (tmp_path / "run").iterdir()) == ["lock"]


def test_a_setting_that_makes_no_sense_is_named(own: Settings) -> None:
    answer = run(own, "status", LOCAL_AWS_S3_PORT="eight")
    assert answer.returncode == 1
    assert "LOCAL_AWS_S3_PORT must be a port between 1 and 65535, not 'eight' (environment)" in answer.stderr


@pytest.mark.parametrize("module", [["local_aws", "status"], ["local_aws", "down"], ["demo"], ["demo.api_key"]])
def test_every_command_reads_env_and_names_what_is_wrong_in_it(
    own: Settings, tmp_path: Path, module: list[str]
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("LOCAL_AWS_S3_PROT=9000\n")
    environment = {**os.environ, **own.environment(), "LOCAL_AWS_ENV_FILE": str(env_file)}
    answer = subprocess.run(
        [sys.executable, "-m", *module], env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 1
    assert "LOCAL_AWS_S3_PROT is not a setting (.env, line 1). Did you mean LOCAL_AWS_S3_PORT?" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_status_looks_where_env_says(own: Settings, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("LOCAL_AWS_AIRFLOW_PORT=8099\n")
    environment = {name: text for name, text in os.environ.items() if not name.startswith("LOCAL_AWS_")}
    environment |= {"LOCAL_AWS_ENV_FILE": str(env_file), "LOCAL_AWS_HOME": str(tmp_path), "COLUMNS": "200"}
    answer = subprocess.run(
        [sys.executable, "-m", "local_aws", "status"], env=environment, cwd=REPOSITORY, capture_output=True, text=True
    )
    assert answer.returncode == 3
    assert re.search(r"airflow +down +http://127.0.0.1:8099", answer.stdout)


def test_the_api_key_of_a_platform_that_does_not_run_says_what_to_do(own: Settings) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "demo.api_key"],
        env={**os.environ, **own.environment(), "LOCAL_AWS_CONTROL_PORT": str(free_ports(1)[0])},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 1
    assert answer.stderr == "The platform does not run. Start it: make up\n"


def test_help_explains_commands_and_settings(own: Settings) -> None:
    answer = run(own, "--help")
    assert answer.returncode == 0
    for word in ("up", "down", "status", "logs", "LOCAL_AWS_HOME", ".env", *own.environment()):
        assert word in answer.stdout or word == "LOCAL_AWS_REPOSITORY"
    assert re.search(r"LOCAL_AWS_S3_PORT +port of S3 \(8333\)", answer.stdout)
    assert "--without" in run(own, "up", "--help").stdout


def test_short_disk_and_memory_are_said_with_figures(tmp_path: Path) -> None:
    with pytest.raises(machine.MachineError, match=r"only [\d.]+ GB of disk are free .* LOCAL_AWS_HOME"):
        machine.require_disk(tmp_path / "not" / "there" / "yet", gigabytes=10**9)
    with pytest.raises(machine.MachineError, match=r"only [\d.]+ GB of memory are free, 1000000000 GB are needed"):
        machine.require_memory(gigabytes=10**9)


def test_a_missing_environment_of_airflow_says_which_target_makes_it(tmp_path: Path) -> None:
    with pytest.raises(machine.MachineError, match="run `make set-up`"):
        machine.require_airflow(Settings(repository=tmp_path))


def test_a_missing_environment_of_the_glue_jobs_says_which_target_makes_it(tmp_path: Path) -> None:
    with pytest.raises(machine.MachineError, match="run `make set-up`"):
        machine.require_glue(Settings(repository=tmp_path))
