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
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_up, "VERSION", "3.12")
    folder = made_by("3.11.7", tmp_path / ".venv")

    set_up.forget_other_python(folder)

    assert not folder.exists()
    assert capsys.readouterr().out == "setting up: .venv was made by Python 3.11; Python 3.12 makes it again\n"


def test_an_environment_whose_python_was_uninstalled_is_removed_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_up, "VERSION", "3.12")
    folder = made_by("3.12.1", tmp_path / ".venv", interpreter="/opt/uninstalled/bin/python3.12")

    set_up.forget_other_python(folder)

    assert not folder.exists()
    said = capsys.readouterr().out
    assert said == "setting up: .venv was made by a Python 3.12 that no longer exists; Python 3.12 makes it again\n"


def test_an_environment_of_the_same_python_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_up, "VERSION", "3.12")
    folder = made_by("3.12.1", tmp_path / ".venv")

    set_up.forget_other_python(folder)
    set_up.forget_other_python(tmp_path / "not-made-yet")

    assert folder.exists()


def test_all_steps_of_an_environment_run_again_for_another_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The installations are recorded instead of made: pip and uv would need minutes."""
    steps: list[str] = []
    for folder in ("LOCAL", "AIRFLOW", "TOOLS", "JARS"):
        monkeypatch.setattr(set_up, folder, tmp_path / f".{folder.lower()}")
        (tmp_path / f".{folder.lower()}").mkdir()
    for action in ("install_uv", "install_airflow", "install_torch", "install_local", "fetch_jars", "archive_classes"):
        monkeypatch.setattr(set_up, action, partial(steps.append, action))
    monkeypatch.setattr(set_up, "check_machine", lambda: None)
    monkeypatch.setattr(set_up.sys, "argv", ["set_up.py"])

    for version in ("3.11", "3.11", "3.12"):
        monkeypatch.setattr(set_up, "VERSION", version)
        assert set_up.main() == 0
        steps.append(f"end of {version}")

    assert steps == [
        *("install_uv", "install_airflow", "install_torch", "install_local", "fetch_jars", "archive_classes"),
        "end of 3.11",
        "end of 3.11",
        # Jars are files of Java.
        *("install_uv", "install_airflow", "install_torch", "install_local", "archive_classes"),
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


def test_every_direct_dependency_is_pinned_and_resolved() -> None:
    lines = (set_up.ENVIRONMENTS / "local.in").read_text().splitlines()
    direct = [line.split("#")[0].strip() for line in lines if line.strip() and not line.startswith("#")]
    resolved = (set_up.ENVIRONMENTS / "local.txt").read_text()

    for requirement in direct:
        name, _, version = requirement.partition("==")
        assert version, f"{name} has no version in environments/local.in"
        pin = f"{name.split('[')[0]}=={version}"
        assert pin in resolved, f"{pin} is not in environments/local.txt: make lock"
