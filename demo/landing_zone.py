"""Meter files on disk, and their way into the landing zone."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

METER_FILE_PATTERNS = ("*.csv", "*.csv.gz")


class NoMeterFilesError(Exception):
    """The folder named by the user holds nothing to load."""


def meter_files(folder: Path) -> list[Path]:
    """The CSV files of a folder, plain or gzipped, in order of their names; NoMeterFilesError when there are none."""
    if not folder.is_dir():
        raise NoMeterFilesError(f"{folder} is not a folder. Name the folder that holds the meter files.")
    files = sorted(path for pattern in METER_FILE_PATTERNS for path in folder.glob(pattern))
    if not files:
        raise NoMeterFilesError(f"{folder} holds no .csv or .csv.gz file.")
    return files


def first_meter(file: Path) -> tuple[str, int]:
    """Meter id and year of a file's first row, in any of the London layouts (id first; time in column 2 or 3)."""
    open_file = gzip.open if file.suffix == ".gz" else open
    with open_file(file, "rt", encoding="utf-8") as text:
        rows = csv.reader(text)
        header = [name.strip() for name in next(rows)]
        row = next(rows)
    time_column = next(position for position, name in enumerate(header) if name in ("DateTime", "tstp"))
    return row[0], int(row[time_column][:4])


def upload(s3: Any, files: list[Path], bucket: str, prefix: str) -> None:
    """Put each file below `prefix` of the landing bucket under its own name."""
    for file in files:
        s3.upload_file(str(file), bucket, f"{prefix}{file.name}")
