"""How a fleet compares to another, by what meters count: python -m sample_data.comparison --fleet folder --real folder

Reads London meter files in any layout, plain or gzipped. `Null` rows are left out, the last of equal times counts.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from sample_data.conditions import SLOTS, Floats

HALF_HOURS_A_YEAR = 365.25 * SLOTS
SHORTEST_HISTORY = 60 * SLOTS  # meters with fewer readings say nothing of a year

Series = dict[str, dict[int, float]]  # by meter: half hours since 1970 (UTC), kWh


class NoReadingsError(Exception):
    """The folder holds no meter file with enough readings."""


@dataclass(frozen=True)
class Portrait:
    """A fleet in numbers. Half-hour values of all meters together, kWh; `…_of_meters` are quantiles over meters."""

    mean: float
    p50: float
    p90: float
    p99: float
    zero_share: float
    hour_profile: tuple[float, ...]  # mean of each UTC hour, relative to the mean of all hours
    weekday_profile: tuple[float, ...]  # the same from Monday to Sunday
    winter_to_summer: float  # December to February against June to August; nan without both
    yearly_kwh_p50: float
    yearly_kwh_p90_to_p10: float
    lag_1: float  # autocorrelation after half an hour, median meter
    lag_48: float  # after a day
    skewness: float  # median meter


def portrait(folder: Path) -> Portrait:
    """The portrait of a folder's meter files. Raises NoReadingsError."""
    grids = [grid(values) for values in series_of(folder).values() if len(values) >= SHORTEST_HISTORY]
    if not grids:
        raise NoReadingsError(f"{folder} holds no London meter files of two months or more")
    values = np.concatenate([kwh for _, kwh in grids])
    slots = np.concatenate([first + np.arange(len(kwh)) for first, kwh in grids])
    known = ~np.isnan(values)
    values, slots = values[known], slots[known]
    days = slots // SLOTS
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    winter, summer = values[(month == 11) | (month <= 1)], values[(month >= 5) & (month <= 7)]
    yearly = np.array([np.nanmean(kwh) for _, kwh in grids]) * HALF_HOURS_A_YEAR
    varied = [kwh for _, kwh in grids if np.nanstd(kwh) > 0]
    return Portrait(
        mean=float(values.mean()),
        p50=float(np.quantile(values, 0.5)),
        p90=float(np.quantile(values, 0.9)),
        p99=float(np.quantile(values, 0.99)),
        zero_share=float((values == 0).mean()),
        hour_profile=profile(values, slots % SLOTS // 2, 24),
        weekday_profile=profile(values, (days + 3) % 7, 7),  # 1970 began on a Thursday
        winter_to_summer=float(winter.mean() / summer.mean()) if len(winter) and len(summer) else float("nan"),
        yearly_kwh_p50=float(np.quantile(yearly, 0.5)),
        yearly_kwh_p90_to_p10=float(np.quantile(yearly, 0.9) / np.quantile(yearly, 0.1)),
        lag_1=float(np.median([autocorrelation(kwh, 1) for kwh in varied])),
        lag_48=float(np.median([autocorrelation(kwh, SLOTS) for kwh in varied])),
        skewness=float(np.median([skewness(kwh) for kwh in varied])),
    )


def series_of(folder: Path) -> Series:
    found: Series = {}
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001 (the files' times are UTC without saying so)
    slot_of: dict[str, int] = {}
    for path in sorted([*folder.glob("*.csv"), *folder.glob("*.csv.gz")]):
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines()
        time_at = 1 if lines[0].startswith("LCLid,tstp") else 2
        for line in lines[1:]:
            fields = line.split(",")
            moment, kwh = fields[time_at], fields[time_at + 1]
            if kwh == "Null":
                continue
            slot = slot_of.get(moment)
            if slot is None:
                seconds = (datetime.fromisoformat(moment[:19]) - epoch).total_seconds()
                slot = slot_of.setdefault(moment, int(seconds // 1800))
            found.setdefault(fields[0], {})[slot] = float(kwh)
    return found


def grid(values: dict[int, float]) -> tuple[int, Floats]:
    """The first half hour, and kWh of it and all that follow, nan where there is none."""
    slots = np.fromiter(values, dtype=np.int64)
    first = int(slots.min())
    kwh = np.full(int(slots.max()) - first + 1, np.nan)
    kwh[slots - first] = np.fromiter(values.values(), dtype=np.float64)
    return first, kwh


def profile(values: Floats, place: np.ndarray, places: int) -> tuple[float, ...]:
    means = np.bincount(place, values, places) / np.bincount(place, minlength=places)
    return tuple((means / means.mean()).tolist())


def autocorrelation(kwh: Floats, lag: int) -> float:
    both = ~(np.isnan(kwh[lag:]) | np.isnan(kwh[:-lag]))
    return float(np.corrcoef(kwh[lag:][both], kwh[:-lag][both])[0, 1])


def skewness(kwh: Floats) -> float:
    known = kwh[~np.isnan(kwh)]
    return float((((known - known.mean()) / known.std()) ** 3).mean())


def main(arguments: list[str] | None = None) -> int:
    words = argparse.ArgumentParser(prog="python -m sample_data.comparison", description="Compare two fleets.")
    words.add_argument("--fleet", type=Path, required=True, help="folder of the one's meter files")
    words.add_argument("--real", type=Path, required=True, help="folder of the other's")
    options = words.parse_args(arguments)
    try:
        fleet, real = asdict(portrait(options.fleet)), asdict(portrait(options.real))
    except NoReadingsError as error:
        words.error(str(error))
    print(f"{'':<24}{'fleet':>9}{'real':>9}")
    for name, value in fleet.items():
        numbers = value if isinstance(value, tuple) else (value,)
        for place, (ours, theirs) in enumerate(zip(numbers, np.atleast_1d(real[name]), strict=True)):
            label = f"{name}[{place}]" if len(numbers) > 1 else name
            print(f"{label:<24}{ours:9.3f}{theirs:9.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
