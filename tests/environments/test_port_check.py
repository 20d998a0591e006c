"""What would stop the platform is said before anything is installed, by the standard library alone."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from environments.port_check import conflicts, variables
from local_aws.engines.pid_file import PidFile
from local_aws.ports import free_ports
from local_aws.settings import HOST, PORT_SETTINGS, PORT_USERS, REPOSITORY, Settings, variable
from local_aws.stack import Stack

LISTEN = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print(1, flush=True)"


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """A file `.env` with free ports for everything."""
    file = tmp_path / ".env"
    names = [variable(name) for name in PORT_SETTINGS]
    file.write_text("".join(f"{name}={port}\n" for name, port in zip(names, free_ports(len(names)), strict=True)))
    return file


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program holds: this one."""
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def listener() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that leads its session, as engines do, and the port that it holds."""
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, "-c", f"{LISTEN}; time.sleep(60)", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process, port
    process.send_signal(signal.SIGKILL)
    process.communicate()


def change(file: Path, name: str, text: str) -> None:
    file.write_text(f"{file.read_text()}{name}={text}\n")


def test_nothing_is_said_when_all_ports_are_free(env_file: Path) -> None:
    assert conflicts({}, env_file) == []


def test_a_taken_port_is_said_with_its_holder_and_the_variable_to_change(env_file: Path, taken: int) -> None:
    change(env_file, "LOCAL_AWS_AIRFLOW_PORT", str(taken))

    (sentence,) = conflicts({}, env_file)

    assert re.fullmatch(
        rf"port {taken}, which airflow needs, is taken by \S+ \(pid {os.getpid()}\)\. End that process, or choose "
        r"another port: write LOCAL_AWS_AIRFLOW_PORT=<port> into \.env",
        sentence,
    )


def test_a_file_that_is_not_utf_8_is_told(env_file: Path) -> None:
    env_file.write_bytes("# für S3\n".encode("cp1252"))

    assert conflicts({}, env_file) == [f"{env_file} is not UTF-8. Save it as UTF-8"]


def test_the_port_in_the_environment_wins_over_the_one_in_env(env_file: Path, taken: int) -> None:
    change(env_file, "LOCAL_AWS_AIRFLOW_PORT", str(taken))

    assert conflicts({"LOCAL_AWS_AIRFLOW_PORT": str(free_ports(1)[0])}, env_file) == []


def test_the_platforms_own_process_is_no_conflict(
    env_file: Path, listener: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    process, port = listener
    change(env_file, "LOCAL_AWS_AIRFLOW_PORT", str(port))
    change(env_file, "LOCAL_AWS_HOME", "data")
    assert len(conflicts({}, env_file)) == 1

    PidFile(tmp_path / "data" / "run" / "airflow.json").write(process.pid)

    assert conflicts({}, env_file) == []


def test_what_the_platform_left_behind_when_it_was_killed_is_no_conflict(env_file: Path, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    change(env_file, "LOCAL_AWS_AIRFLOW_PORT", str(port))
    change(env_file, "LOCAL_AWS_HOME", str(tmp_path / "data"))
    marks = {"LOCAL_AWS_HOME": str(tmp_path / "data"), "LOCAL_AWS_ENGINE": "airflow"}
    command = [sys.executable, "-c", f"{LISTEN}; time.sleep(60)", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **marks}) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = conflicts({}, env_file)
        process.kill()

    assert found == []


def test_a_misspelt_name_a_wrong_value_and_equal_ports_are_said_too(env_file: Path) -> None:
    env_file.write_text(env_file.read_text() + "LOCAL_AWS_S3_PROT=1\nLOCAL_AWS_API_PORT=eight\n")
    port = variables(env_file, {})["LOCAL_AWS_S3_PORT"][0]

    assert conflicts({"LOCAL_AWS_AIRFLOW_PORT": port}, env_file) == [
        "LOCAL_AWS_S3_PROT is not a setting (.env, line 6). Did you mean LOCAL_AWS_S3_PORT?",
        "LOCAL_AWS_API_PORT must be a port between 1 and 65535, not 'eight' (.env, line 7)",
        f"LOCAL_AWS_AIRFLOW_PORT and LOCAL_AWS_S3_PORT are the same port, {port}: "
        "give each one of its own in .env or in the environment",
    ]


def test_make_up_says_it_before_it_installs_anything_by_a_python_without_packages(taken: int, tmp_path: Path) -> None:
    bare = tmp_path / "bare-python"
    bare.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/commands"\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    environment = {**os.environ, **Settings(home=tmp_path).environment(), "LOCAL_AWS_API_PORT": str(taken)}

    answer = subprocess.run(
        ["make", "up", f"PYTHON={bare}"], cwd=REPOSITORY, env=environment, capture_output=True, text=True
    )

    assert answer.returncode == 2
    assert answer.stderr.startswith("Nothing was installed or started.\n")
    assert f"port {taken}, which control_plane needs, is taken by" in answer.stderr
    assert "write LOCAL_AWS_API_PORT=<port> into .env" in answer.stderr
    assert (tmp_path / "commands").read_text() == "-m environments.port_check\n"


@pytest.mark.parametrize(
    "line",
    [
        "A=1",
        "A = 1 ",
        "  export A=1",
        "A=1 # one",
        "A=1#2",
        "A= # nothing",
        "A=#1",
        "A=",
        "# A=1",
        "",
        "'A'=1",
        "A='1 # 2' # three",
        "A='it\\'s'",
        'A="1 # 2"',
        'A="say \\"a\\""',
        "A=${HOME}/x",
        "A=${NOBODY_SETS_THIS:-y}",
        "A=${NOBODY_SETS_THIS}",
        "A=1\nB=${A}2\nA=3",
        "A=two words",
        "A=1\r\nB=2",
        "\ufeffA=1",
        "A=a=b",
    ],
)
def test_env_is_read_as_by_python_dotenv(line: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(line.encode())

    read = {name: text for name, (text, _) in variables(file, os.environ).items()}

    assert read == dotenv_values(file)


@given(st.text(alphabet="AB= '#\"x$\t"))
def test_any_line_that_both_readers_read_means_the_same_to_both(line: str) -> None:
    """python-dotenv also reads values that go over several lines. The check leaves these out."""
    with tempfile.NamedTemporaryFile("w") as written:
        written.write(line)
        written.flush()
        read = {name: text for name, (text, _) in variables(Path(written.name), {}).items()}
        expected = dotenv_values(written.name)

    assert {name: read[name] for name in read if name in expected} == {
        name: expected[name] for name in read if name in expected
    }


def test_every_port_is_that_of_the_engine_which_listens_on_it() -> None:
    listening = {port: engine.name for engine in Stack(Settings()).engines for port in engine.port_settings}

    assert listening == PORT_USERS
    assert set(PORT_SETTINGS) == set(PORT_USERS)


def test_a_platform_whose_data_is_elsewhere_is_another_program(
    env_file: Path, listener: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    process, port = listener
    change(env_file, "LOCAL_AWS_AIRFLOW_PORT", str(port))
    change(env_file, "LOCAL_AWS_HOME", "data")

    PidFile(tmp_path / "elsewhere" / "run" / "airflow.json").write(process.pid)

    assert len(conflicts({}, env_file)) == 1
