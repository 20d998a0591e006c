"""Where the SQL files lie: beside dags/ in the repository, below dags/ on MWAA, which ships dags/ and plugins/ only."""

from __future__ import annotations

from pathlib import Path


class MissingSqlError(FileNotFoundError):
    """Neither layout holds the SQL files: the package was built without them."""


def sql_folder(root: Path) -> Path:
    """The folder of the SQL files below `root`, the parent of dags/ and plugins/.

    A missing template is no import error: Airflow would send the file's name as the statement. So this raises.
    """
    candidates = (root / "dags" / "include" / "sql", root / "include" / "sql")
    for folder in candidates:
        if folder.is_dir():
            return folder
    looked = " and ".join(str(folder) for folder in candidates)
    raise MissingSqlError(
        f"No SQL files in {looked}. Build the package for MWAA anew: it copies include/sql to dags/include."
    )


SQL = sql_folder(Path(__file__).resolve().parents[2])
