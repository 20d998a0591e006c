"""London-shaped meter files of any size: the sample's households again and again under new meter ids.

Copy 0 is the sample as it is. In every other copy each positive value is moved by up to SHIFT_WH watt-hours, so that
no two meters are alike and Parquet finds no more repetition than real meters have; zeros, gaps, duplicates and errors
stay. The same options give the same bytes. Files hold up to FILE_ROWS rows as in the official download, its two
layouts in turn: with Acorn columns and without.
"""

from __future__ import annotations

import csv
import gzip
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from operator import add
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from local_aws.environment import shared_data
from sample_data.fleet import Fleet
from sample_data.london_files import MAIN_FUSE_WH, OFFICIAL, WITH_ACORN, Identity, Layout, MeterFiles, value_texts

SHARED_DATA = shared_data()
SAMPLE = Path("london") / "LCL-withAcorn-60-households-2013.csv.gz"
GENERATED = Fleet(meters=60, days=365, seed=7, start=date(2013, 1, 1))
SEED, SHIFT_WH = 5, 10
FILE_ROWS = 1_000_000
LAYOUTS = (OFFICIAL, WITH_ACORN)
HIGHEST_ID = 900_000


@dataclass(frozen=True)
class Household:
    """Its rows in their order: times as they stand in a file with the comma behind, watt-hours, -1 for an error."""

    identity: Identity
    times: list[bytes]
    watt_hours: NDArray[np.int64]

    def only(self, wanted: NDArray[np.bool_]) -> Household:
        """The household with these of its rows."""
        return Household(self.identity, [self.times[at] for at in np.flatnonzero(wanted)], self.watt_hours[wanted])

    def is_on(self, day: date) -> NDArray[np.bool_]:
        """Which rows are of this date."""
        begin = day.isoformat().encode()
        return np.fromiter((time.startswith(begin) for time in self.times), dtype=bool, count=len(self.times))


@dataclass(frozen=True)
class Sample:
    """The households that are repeated, and where they come from."""

    source: str
    households: list[Household]


class TwoLayouts(MeterFiles):
    """Meter files in the two layouts of the official download in turn."""

    @property
    def _layout(self) -> Layout:
        return LAYOUTS[len(self.written) % len(LAYOUTS)]


def sample(path: Path = SHARED_DATA / SAMPLE) -> Sample:
    """The London households, or a generated fleet where they are missing."""
    if path.exists():
        return Sample(f"London households, {path.name}", _read([path]))
    with tempfile.TemporaryDirectory() as folder:
        files = [file for file, _ in GENERATED.write(Path(folder), FILE_ROWS)]
        return Sample("generated fleet (sample_data): the London households were not found", _read(files))


def write(
    given: list[Household],
    folder: Path,
    rows: int,
    *,
    without: date | None = None,
    only: date | None = None,
    file_rows: int | None = None,
) -> list[tuple[Path, int]]:
    """Write the first `rows` rows of the replicated fleet into `folder`; path and rows of each file.

    `without` leaves out a date, `only` leaves out all others: a fleet without its last day and that day are the two
    deliveries of the same meters. Both count `rows` with that day. A file has up to `file_rows` rows; if that is not
    given, FILE_ROWS or fewer, so that there are at least two files, one of each layout.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = TwoLayouts(folder, file_rows or min(FILE_ROWS, max(1, rows // len(LAYOUTS))))
    texts = [*value_texts().tolist(), b"Null"]
    for home in replicated(given, rows):
        chosen = home
        if without or only:
            is_on = home.is_on(without or only)  # type: ignore[arg-type]
            chosen = home.only(is_on if only else ~is_on)
        lines = list(map(add, chosen.times, (texts[value] for value in chosen.watt_hours.tolist())))
        list(files.add(chosen.identity, lines))
    list(files.finish())
    return files.written


def replicated(given: list[Household], rows: int) -> Iterator[Household]:
    """Copies of the households, one after the other, until there are so many rows; the last is cut short."""
    number, left = 0, rows
    while left > 0:
        home = given[number % len(given)]
        copied = copy(home, number // len(given), number) if number >= len(given) else home
        if len(copied.times) > left:
            copied = Household(copied.identity, copied.times[:left], copied.watt_hours[:left])
        left -= len(copied.times)
        number += 1
        yield copied


def copy(home: Household, of_round: int, number: int) -> Household:
    """The household under another id, its values a little changed."""
    rng = np.random.default_rng(np.random.SeedSequence([SEED, number]))
    shift = rng.integers(-SHIFT_WH, SHIFT_WH + 1, len(home.watt_hours))
    moved = np.clip(home.watt_hours + shift, 1, MAIN_FUSE_WH)
    values = np.where(home.watt_hours > 0, moved, home.watt_hours)
    digits = int(home.identity.meter_id[3:]) + of_round * 6000
    if digits > HIGHEST_ID:
        raise ValueError(f"meter ids end at MAC{HIGHEST_ID}: fewer rows, please")
    identity = Identity(f"MAC{digits:06d}", *list(vars(home.identity).values())[1:])
    return Household(identity, home.times, values)


def _read(files: list[Path]) -> list[Household]:
    """The households of files in any of the London layouts; a household in two files is one."""
    identities: dict[str, Identity] = {}
    times: dict[str, list[bytes]] = {}
    values: dict[str, list[int]] = {}
    known: dict[str, bytes] = {}
    for file in files:
        opened = gzip.open if file.suffix == ".gz" else open
        with opened(file, "rt", encoding="utf-8", newline="") as text:
            rows = csv.reader(text)
            width = len(next(rows))
            for row in rows:
                meter_id, stamp, value = (row[0], row[1], row[2]) if width == 3 else (row[0], row[2], row[3])
                if meter_id not in times:
                    tariff = row[1] if width > 3 else "Std"
                    identities[meter_id] = Identity(meter_id, tariff, *(row[4:6] if width == 6 else ("ACORN-U",) * 2))
                    times[meter_id], values[meter_id] = [], []
                # A time stands in the files of all meters: it is kept once.
                times[meter_id].append(known.setdefault(stamp, f"{stamp},".encode()))
                number = value.strip()
                values[meter_id].append(-1 if number == "Null" else round(float(number) * 1000))
    return [Household(identities[name], times[name], np.array(values[name])) for name in times]
