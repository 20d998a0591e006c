"""Set-up passes over what is done, repeats what broke, and says what to do."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest

from environments import set_up


def test_a_step_runs_once_for_the_same_inputs_and_again_for_others(tmp_path: Path) -> None:
    calls: list[str] = []
    stamp = tmp_path / ".set-up"

    set_up.step("engines", stamp, ["pyspark==3.5.4"], lambda: calls.append("first"))
    set_up.step("engines", stamp, ["pyspark==3.5.4"], lambda: calls.append("same inputs"))
    set_up.step("engines", stamp, ["pyspark==3.5.5"], lambda: calls.append("other inputs"))

    assert calls == ["first", "other inputs"]


def test_a_step_that_failed_is_run_again(tmp_path: Path) -> None:
    stamp = tmp_path / ".set-up"

    def broken_download() -> None:
        raise set_up.SetUpError("no network")

    with pytest.raises(set_up.SetUpError):
        set_up.step("engines", stamp, ["x"], broken_download)
    calls: list[str] = []
    set_up.step("engines", stamp, ["x"], lambda: calls.append("again"))

    assert calls == ["again"]


def made_by(version: str, folder: Path, interpreter: str = sys.executable) -> Path:
    """What `python -m venv` writes about itself into an environment."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(interpreter)
    (folder / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\nexecutable = /usr/bin/python\n")
    return folder


def test_an_environment_of_another_python_is_removed_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made_by("3.11.7", tmp_path / ".venv")

    set_up.forget_other_python(folder, "3.12")

    assert not folder.exists()
    assert capsys.readouterr().out == "setting up: .venv was made by Python 3.11; Python 3.12 makes it again\n"


def test_an_environment_whose_python_was_uninstalled_is_removed_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made_by("3.12.1", tmp_path / ".venv", interpreter="/opt/uninstalled/bin/python3.12")

    set_up.forget_other_python(folder, "3.12")

    assert not folder.exists()
    said = capsys.readouterr().out
    assert said == "setting up: .venv was made by a Python 3.12 that no longer exists; Python 3.12 makes it again\n"


def test_an_environment_of_the_same_python_is_kept(tmp_path: Path) -> None:
    folder = made_by("3.12.1", tmp_path / ".venv")

    set_up.forget_other_python(folder, "3.12")
    set_up.forget_other_python(tmp_path / "not-made-yet", "3.12")

    assert folder.exists()


def test_all_steps_of_an_environment_run_again_for_another_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The installations are recorded instead of made: pip and uv would need minutes."""
    steps: list[str] = []
    for folder in ("LOCAL", "AIRFLOW", "GLUE", "TOOLS", "WHEELS"):
        monkeypatch.setattr(set_up, folder, tmp_path / f".{folder.lower()}")
        (tmp_path / f".{folder.lower()}").mkdir()
    for action in ("install_uv", "install_airflow", "install_torch", "install_local", "fetch_wheels"):
        monkeypatch.setattr(set_up, action, partial(steps.append, action))
    monkeypatch.setattr(set_up, "install_glue", lambda chosen: steps.append(f"install_glue {chosen.version}"))
    # A machine without a Python 3.11 but the one that sets up, if it is one.
    monkeypatch.setattr(set_up, "python_for_glue", lambda: set_up.PythonForGlue(sys.executable, set_up.VERSION))
    monkeypatch.setattr(set_up, "check_machine", lambda: None)
    monkeypatch.setattr(set_up.sys, "argv", ["set_up.py"])

    for version in ("3.11", "3.11", "3.12"):
        monkeypatch.setattr(set_up, "VERSION", version)
        assert set_up.main() == 0
        steps.append(f"end of {version}")

    assert steps == [
        *("install_uv", "install_airflow", "install_torch", "install_local"),
        *("install_glue 3.11", "fetch_wheels"),
        "end of 3.11",
        "end of 3.11",
        # Jars are files of Java, and the wheels are for Glue's own Python.
        *("install_uv", "install_airflow", "install_torch", "install_local", "install_glue 3.12"),
        "end of 3.12",
    ]


def test_a_failed_command_says_what_to_do() -> None:
    with pytest.raises(set_up.SetUpError, match="run the same make target again"):
        set_up.run(["python3", "-c", "raise SystemExit(1)"])


def test_an_old_python_is_refused_with_the_version_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_up.sys, "version_info", (3, 9, 1))

    with pytest.raises(set_up.SetUpError, match="Python 3.11 or 3.12 is needed"):
        set_up.check_machine()


def test_too_little_disk_is_said_before_anything_is_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(set_up, "LOCAL", tmp_path)
    monkeypatch.setattr(set_up, "FREE_DISK_GB", 10**9)

    with pytest.raises(set_up.SetUpError, match="disk"):
        set_up.check_machine()


def test_the_constraint_that_exists_on_mwaa_only_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    requirements = (
        '--constraint "/usr/local/airflow/dags/constraints.txt"\n# why\n\napache-airflow-providers-amazon==9.25.0\n'
    )
    (tmp_path / "requirements.txt").write_text(requirements)
    monkeypatch.setattr(set_up, "ROOT", tmp_path)

    assert set_up.mwaa_requirements() == ["apache-airflow-providers-amazon==9.25.0"]


@pytest.mark.parametrize("environment", ["local", "glue"])
def test_every_direct_dependency_is_pinned_and_resolved(environment: str) -> None:
    lines = (set_up.ENVIRONMENTS / f"{environment}.in").read_text().splitlines()
    direct = [line.split("#")[0].strip() for line in lines if line.strip() and not line.startswith("#")]
    resolved = (set_up.ENVIRONMENTS / f"{environment}.txt").read_text()

    for requirement in direct:
        name, _, version = requirement.partition("==")
        assert version, f"{name} has no version in environments/{environment}.in"
        pin = f"{name.split('[')[0]}=={version}"
        assert pin in resolved, f"{pin} is not in environments/{environment}.txt: make lock"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the only programs in the path. pyenv has nothing, and the set-up runs on Python 3.12."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setattr(set_up, "VERSION", "3.12")
    return folder


def program(path: Path, code: int) -> str:
    """A Python that is asked whether it is a complete Python 3.11, and ends with this code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


def test_glue_jobs_run_on_the_python_of_glue_where_the_machine_has_it(programs: Path) -> None:
    found = program(programs / "python3.11", 0)

    assert set_up.python_for_glue() == set_up.PythonForGlue(found, "3.11")


def test_the_python_of_glue_is_found_in_pyenv_where_its_shim_does_not_run(programs: Path) -> None:
    program(programs / "python3.11", 127)
    found = program(programs.parent / "pyenv" / "versions" / "3.11.7" / "bin" / "python3.11", 0)

    assert set_up.python_for_glue() == set_up.PythonForGlue(found, "3.11")


def test_glue_jobs_run_on_the_python_that_sets_up_where_there_is_no_other(programs: Path) -> None:
    program(programs / "python3.11", 1)

    assert set_up.python_for_glue() == set_up.PythonForGlue(sys.executable, "3.12")


def test_an_environment_of_uv_says_its_version(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nimplementation = CPython\nversion_info = 3.11.7\n")

    assert set_up.version_of(tmp_path) == "3.11"


def test_what_glue_lacks_is_pinned_under_its_heading() -> None:
    assert [pin.partition("==")[0] for pin in set_up.bring_along()] == ["fastavro"]


def test_the_jobs_run_on_the_libraries_of_glue() -> None:
    """Of Glue 5.0, which infra/glue.yaml names."""
    pins = (set_up.ENVIRONMENTS / "glue.txt").read_text().splitlines()

    assert {
        *("numpy==1.26.4", "pandas==2.2.2", "pyarrow==17.0.0", "boto3==1.34.131", "botocore==1.34.131"),
        "pyspark==3.5.4",
    } <= set(pins)
