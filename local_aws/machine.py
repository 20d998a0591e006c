"""What the machine must offer before the stack starts: disk, memory, the environments."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil

from local_aws.settings import Settings

GIGABYTE = 1024**3
FREE_DISK_GB = 2
FREE_MEMORY_GB = 3


class MachineError(Exception):
    """The machine lacks something; the message says what, and what to do."""


def require(settings: Settings, *, airflow: bool) -> None:
    """Raise MachineError for the first thing that is missing."""
    require_disk(settings.home)
    require_memory()
    require_glue(settings)
    if airflow:
        require_airflow(settings)


def require_disk(home: Path, gigabytes: float = FREE_DISK_GB) -> None:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free / GIGABYTE
    if free < gigabytes:
        raise MachineError(
            f"only {free:.1f} GB of disk are free at {home}, {gigabytes} GB are needed: free some,"
            " or put the data elsewhere with LOCAL_AWS_HOME=<folder>"
        )


def require_memory(gigabytes: float = FREE_MEMORY_GB) -> None:
    free = psutil.virtual_memory().available / GIGABYTE
    if free < gigabytes:
        raise MachineError(f"only {free:.1f} GB of memory are free, {gigabytes} GB are needed: close other programs")


def require_glue(settings: Settings) -> None:
    if not settings.glue_python.exists():
        raise MachineError(f"the Glue jobs' environment {settings.glue_environment} is missing: run `make set-up`")


def require_airflow(settings: Settings) -> None:
    program = settings.airflow_environment / "bin" / "airflow"
    if not program.exists():
        raise MachineError(f"Airflow's environment {settings.airflow_environment} is missing: run `make set-up`")
