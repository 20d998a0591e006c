"""Which Python `make` and `.ci/run` take, on machines with other Pythons than this one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from local_aws.settings import REPOSITORY


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine without Python: its programs are in bin/, its pyenv is in home/.pyenv, and `make` prints its words."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "sed", "true"):
        (programs / name).symlink_to(str(shutil.which(name)))
    program(programs / "make", 'echo make "$@"')
    checkout = tmp_path / "checkout"
    (checkout / ".ci").mkdir(parents=True)
    shutil.copy(REPOSITORY / ".ci" / "run", checkout / ".ci" / "run")
    shutil.copy(REPOSITORY / "Makefile", checkout / "Makefile")
    return tmp_path


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def python(path: Path, version: str) -> Path:
    """A program that answers, as Python of this version would, the one question that is asked here."""
    accepted = f"*{version}* | *'(3, 11)'*" if version in ("3.11", "3.12") else f"*{version}*"
    return program(path, f'case "$2" in {accepted}) exit 0;; *) exit 1;; esac')


def shim(path: Path) -> Path:
    """What pyenv puts into the path for a version that is installed but not selected."""
    return program(path, 'echo "pyenv: ${0##*/}: command not found" >&2; exit 127')


def ci(machine: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(machine / "bin"), "HOME": str(machine / "home"), **variables}
    return subprocess.run([machine / "checkout" / ".ci" / "run"], env=environment, capture_output=True, text=True)


def taken(answer: subprocess.CompletedProcess[str]) -> list[str]:
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()[1:]


def test_ci_takes_3_12_before_3_11(machine: Path) -> None:
    python(machine / "bin" / "python3.11", "3.11")
    python(machine / "bin" / "python3.12", "3.12")

    assert taken(ci(machine)) == ["make check PYTHON=python3.12", "make test PYTHON=python3.12"]


def test_ci_takes_the_3_12_of_pyenv_where_its_shim_does_not_run(machine: Path) -> None:
    shim(machine / "bin" / "python3.12")
    python(machine / "bin" / "python3.11", "3.11")
    found = python(machine / "home" / ".pyenv" / "versions" / "3.12.1" / "bin" / "python3.12", "3.12")

    assert taken(ci(machine)) == [f"make check PYTHON={found}", f"make test PYTHON={found}"]


def test_ci_finds_pyenv_where_its_variable_says(machine: Path) -> None:
    found = python(machine / "opt" / "versions" / "3.12.9" / "bin" / "python3.12", "3.12")

    assert taken(ci(machine, PYENV_ROOT=str(machine / "opt")))[0] == f"make check PYTHON={found}"


def test_ci_takes_3_11_where_there_is_no_3_12(machine: Path) -> None:
    shim(machine / "bin" / "python3.12")
    python(machine / "bin" / "python3", "3.11")

    assert taken(ci(machine))[0] == "make check PYTHON=python3"


def test_ci_says_what_is_missing(machine: Path) -> None:
    python(machine / "bin" / "python3", "3.9")

    answer = ci(machine)

    assert answer.returncode == 1
    assert answer.stderr == "Python 3.12 or 3.11 was not found. Install one of them, then run .ci/run again.\n"


def test_ci_stops_when_the_check_fails(machine: Path) -> None:
    python(machine / "bin" / "python3.12", "3.12")
    program(machine / "bin" / "make", 'echo make "$@"; [ "$1" = test ]')

    answer = ci(machine)

    assert answer.returncode == 1
    assert "make test" not in answer.stdout


def make_takes(machine: Path, *words: str) -> str:
    command = [str(shutil.which("make")), "-s", "--eval", "show: ; @echo $(PYTHON)", "show", *words]
    environment = {"PATH": str(machine / "bin")}
    return subprocess.run(
        command, cwd=machine / "checkout", env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_make_takes_the_first_python_that_fits(machine: Path) -> None:
    python(machine / "bin" / "python3", "3.9")
    python(machine / "bin" / "python3.11", "3.11")

    assert make_takes(machine) == "python3.11"
    assert make_takes(machine, "PYTHON=python3.12") == "python3.12"


def test_make_keeps_the_python_that_made_the_environment(machine: Path) -> None:
    python(machine / "bin" / "python3", "3.11")
    other = python(machine / "opt" / "python3.12", "3.12")
    (machine / "checkout" / ".venv-local").mkdir()
    (machine / "checkout" / ".venv-local" / "pyvenv.cfg").write_text(f"version = 3.12.1\nexecutable = {other}\n")

    assert make_takes(machine) == str(other)

    other.unlink()

    assert make_takes(machine) == "python3"
