"""What the raw files add up to, in a few lines of plain Python that share nothing with the pipeline."""

from __future__ import annotations

import csv
import gzip
import io
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

Readings = dict[tuple[str, datetime], float]
Sums = dict[tuple[str, ...], float]

TIME_COLUMNS = ("DateTime", "tstp")


def rows_of(file: Path) -> Iterable[list[str]]:
    """The data rows of a London file: meter id, time and value as they stand, the header left out."""
    data = file.read_bytes()
    text = (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8")
    rows = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(rows)]
    time_at = next(position for position, name in enumerate(header) if name in TIME_COLUMNS)
    for row in rows:
        yield [row[0], row[time_at], row[time_at + 1].strip()] if len(row) > time_at + 1 else row


def count_rows(files: list[Path]) -> int:
    return sum(1 for file in files for _ in rows_of(file))


def read(files: list[Path], readings: Readings | None = None) -> tuple[Readings, set[tuple[str, str]], int]:
    """Readings by meter and time (a later file wins), the (meter, time) of every Null, and the number of bad rows."""
    readings = {} if readings is None else dict(readings)
    nulls: set[tuple[str, str]] = set()
    bad = 0
    for file in files:
        for row in rows_of(file):
            try:
                meter, when, value = row
                if value == "Null":
                    nulls.add((meter, when[:19]))
                    continue
                moment, kwh = datetime.fromisoformat(when[:19]), float(value)
                if not meter.strip() or not 0 <= kwh < 1e6:
                    raise ValueError
            except ValueError:
                bad += 1
                continue
            readings[(meter, moment)] = kwh
    return readings, nulls, bad


def daily(readings: Readings) -> Sums:
    return _sums(readings, lambda day: (day.strftime("%Y%m%d"),))


def weekly(readings: Readings) -> Sums:
    return _sums(readings, lambda day: tuple(str(part) for part in day.isocalendar()[:2]))


def monthly(readings: Readings) -> Sums:
    return _sums(readings, lambda day: (str(day.year), str(day.month)))


def _sums(readings: Readings, period) -> Sums:
    sums: Sums = defaultdict(float)
    for (meter, moment), kwh in readings.items():
        sums[(meter, *period(date(moment.year, moment.month, moment.day)))] += kwh
    return dict(sums)
