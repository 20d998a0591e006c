"""Hourly consumption of London households, or of a made-up fleet where their file is not at hand.

The London households are those of 2013 of Low Carbon London (UK Power Networks, CC BY 4.0).
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

INTERVALS_AN_HOUR, HOURS_A_DAY, DAYS_A_WEEK = 2, 24, 7
MADE_UP: dict[str, int] = {"meters": 60, "days": 365, "seed": 7}
MADE_UP_START = date(2013, 1, 1)


@dataclass(frozen=True)
class Households:
    """kwh: (meters, hours) from `first` (UTC) on; NaN where an hour does not have all its half hours."""

    meters: tuple[str, ...]
    first: datetime
    kwh: NDArray[np.float64]

    def part(self, begin: int, end: int) -> Households:
        """The hours from number `begin` to before number `end`."""
        first = self.first + pd.Timedelta(hours=begin).to_pytimedelta()
        return Households(self.meters, first, self.kwh[:, begin:end])

    def hour_of_week(self, begin: int, end: int) -> NDArray[np.int64]:
        """Of the hours of these numbers, which may lie beyond the last."""
        offset = self.first.weekday() * HOURS_A_DAY + self.first.hour
        return (np.arange(begin, end) + offset) % (DAYS_A_WEEK * HOURS_A_DAY)


def read(files: Sequence[Path]) -> Households:
    """London meter files of any of their layouts. Raises ValueError when they hold no reading."""
    rows = pd.concat([_rows(file) for file in files])
    # A time given twice with two values counts once, with the larger.
    half_hours = rows.groupby(["meter", "time"])["value"].max().reset_index()
    half_hours["hour"] = pd.to_datetime(half_hours["time"].str[:19]).dt.floor("h")
    hours = half_hours.groupby(["meter", "hour"])["value"].agg(["sum", "count"])
    known = hours.loc[hours["count"] >= INTERVALS_AN_HOUR, "sum"].unstack("hour")
    if known.empty:
        raise ValueError(f"no hour is known in {', '.join(file.name for file in files)}")
    days = pd.date_range(known.columns.min().floor("D"), known.columns.max().floor("D"))
    known = known.reindex(columns=pd.date_range(days[0], periods=len(days) * HOURS_A_DAY, freq="h"))
    return Households(tuple(known.index), days[0].to_pydatetime().replace(tzinfo=UTC), known.to_numpy(dtype=float))


def newest_complete_day(given: Households) -> int:
    """Its number from 0: half of the meters or more of the seven days before have all its hours.

    Raises ValueError when no day is complete.
    """
    known = np.isfinite(given.kwh).reshape(len(given.meters), -1, HOURS_A_DAY)
    for day in reversed(range(known.shape[1])):
        is_present = known[:, max(0, day - DAYS_A_WEEK) : day].any(axis=(1, 2))
        if is_present.any() and known[is_present, day].all(axis=1).mean() >= 0.5:
            return day
    raise ValueError("no day is complete")


def made_up() -> Households:
    """The fleet that the demo loads."""
    from sample_data.fleet import Fleet

    fleet = Fleet(**MADE_UP, start=MADE_UP_START)
    with tempfile.TemporaryDirectory() as folder:
        return read([file for file, _ in fleet.write(Path(folder), 250_000)])


def identity(file: Path | None) -> dict[str, Any]:
    """What says which data it was: a file's name and digest, or how the fleet was made up."""
    if file is None:
        return {"name": "made-up fleet", "sample_data": {**MADE_UP, "start": MADE_UP_START.isoformat()}}
    return {"name": "London households", "file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def _rows(file: Path) -> pd.DataFrame:
    """meter, time and value (kWh), without the rows that hold no number."""
    rows = pd.read_csv(file, skipinitialspace=True, dtype=str)
    value = next(name for name in rows.columns if "kwh" in name.lower())
    time = next(name for name in rows.columns if name in ("DateTime", "tstp"))
    rows = rows[["LCLid", time, value]].set_axis(["meter", "time", "value"], axis=1)
    rows["value"] = pd.to_numeric(rows["value"], errors="coerce")
    return rows.dropna()
