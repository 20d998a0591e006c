"""Meter files on disk, and their way into the landing zone."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
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


@dataclass(frozen=True)
class FirstMeter:
    """The meter of a file's first rows. `year` is the one it has the most rows of."""

    meter_id: str
    first_year: int
    year: int
    last_year: int


def first_meter(file: Path) -> FirstMeter:
    """Read in any of the London layouts (id first; time in column 2 or 3; a meter's rows stand together)."""
    open_file = gzip.open if file.suffix == ".gz" else open
    with open_file(file, "rt", encoding="utf-8") as text:
        rows = csv.reader(text)
        header = [name.strip() for name in next(rows)]
        time_column = next(position for position, name in enumerate(header) if name in ("DateTime", "tstp"))
        meter_id, of_meter = next(groupby(rows, key=lambda row: row[0]))
        years = Counter(int(row[time_column][:4]) for row in of_meter)
    return FirstMeter(meter_id, min(years), max(years, key=lambda year: years[year]), max(years))


def upload(s3: Any, files: list[Path], bucket: str, prefix: str) -> None:
    """Put each file below `prefix` of the landing bucket under its own name."""
    for file in files:
        s3.upload_file(str(file), bucket, f"{prefix}{file.name}")
