"""The SQL files are found in the repository and in the package for MWAA."""

from __future__ import annotations

from pathlib import Path

import pytest
from metering import paths

REPOSITORY = Path(__file__).resolve().parents[2]


def test_in_the_repository_they_lie_beside_the_dags() -> None:
    assert paths.SQL == REPOSITORY / "include" / "sql"


def test_on_mwaa_they_lie_below_the_dags(tmp_path: Path) -> None:
    packaged = tmp_path / "dags" / "include" / "sql"
    packaged.mkdir(parents=True)

    assert paths.sql_folder(tmp_path) == packaged


def test_a_package_without_them_is_no_silent_failure(tmp_path: Path) -> None:
    with pytest.raises(paths.MissingSqlError, match="Build the package for MWAA anew"):
        paths.sql_folder(tmp_path)


@pytest.mark.parametrize(("folder", "pattern"), [("plugins", "**/*.py"), ("dags", "include/**")])
def test_airflow_does_not_execute_what_is_no_dag(folder: str, pattern: str) -> None:
    assert pattern in (REPOSITORY / folder / ".airflowignore").read_text(encoding="utf-8").splitlines()
