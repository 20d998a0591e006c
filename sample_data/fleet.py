"""A fleet: its households, and what goes wrong on the way from their meters to the files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import add
from pathlib import Path

import numpy as np

from sample_data.conditions import SLOTS, Conditions, conditions
from sample_data.households import Household, household, watt_hours
from sample_data.london_files import (
    MAIN_FUSE_WH,
    Identity,
    MeterFiles,
    Texts,
    remove_generated,
    stamp,
    stamps,
    value_texts,
)

ACORN_LETTERS = "AACCDDEEEEEEEEEEEEFFGHHHHHHIJJJKKKLLLLMNNOPPPQQQQQQU"
ACORN_GROUPS = {"ABCDE": "Affluent", "FGHIJ": "Comfortable", "KLMNOPQ": "Adversity", "U": "ACORN-U"}
LATE_SHARE = 0.1
GAPS_A_YEAR, SINGLE_GAP_SHARE = 2.1, 0.85
DUPLICATE_EVERY_DAYS = 31


@dataclass(frozen=True)
class Fleet:
    """The options of a fleet; a meter's readings depend on seed, start, days and its place, not on `meters`."""

    meters: int
    days: int
    seed: int
    start: date

    def write(self, folder: Path, rows_each: int, compress: bool = False) -> Iterator[tuple[Path, int]]:
        """Write the files into `folder`, yielding each (path, rows) when it is done. At least three are written."""
        folder.mkdir(parents=True, exist_ok=True)
        remove_generated(folder)
        files = MeterFiles(folder, max(1, min(rows_each, self.meters * self.days * SLOTS // 3)), compress)
        rng = self.rng()
        around = conditions(self.start, self.days, rng)
        offset = rng.random(4)
        event = datetime.combine(self.start, time(12, 37)) + timedelta(days=int(rng.integers(0, self.days)))
        times, values = stamps(self.start, self.days), value_texts()
        for number in range(self.meters):
            own = self.rng(number)
            home = household(number, offset, own)
            rows = rows_of(home, around, times, values, event, own)
            yield from files.add(identity(number, home, own), rows)
        yield from files.finish()

    def rng(self, *place: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence([self.seed, *place]))


def meter_id(number: int) -> str:
    """Meter ids ascend with holes, as in London."""
    return f"MAC{2 + number * 8 // 5:06d}"


def identity(number: int, home: Household, rng: np.random.Generator) -> Identity:
    letter = ACORN_LETTERS[int(rng.integers(len(ACORN_LETTERS)))]
    return Identity(
        meter_id=meter_id(number),
        tariff="ToU" if home.time_of_use else "Std",
        acorn=f"ACORN-{letter}",
        acorn_grouped=next(group for letters, group in ACORN_GROUPS.items() if letter in letters),
    )


def rows_of(
    home: Household, around: Conditions, times: Texts, values: Texts, event: datetime, rng: np.random.Generator
) -> list[bytes]:
    """The rows (`stamp,value`) of one meter in the order of time, with its gaps, duplicates and its `Null`.

    On the day of `event` all meters report an error instead of a value, each within a minute of it, off the grid.
    """
    counted = np.minimum(watt_hours(home, around, rng), MAIN_FUSE_WH)
    slots = np.flatnonzero(delivered(around.days, rng))
    midnights = slots % SLOTS == 0
    days = slots // SLOTS
    repeated = midnights & (days % DUPLICATE_EVERY_DAYS == int(rng.integers(DUPLICATE_EVERY_DAYS))) & (days > 0)
    slots = np.repeat(slots, np.where(repeated, 2, 1))
    rows = list(map(add, times[slots].tolist(), values[counted[slots]].tolist()))
    moment = event + timedelta(seconds=int(rng.integers(1, 60)))
    slot = (moment - datetime.combine(around.start, time())) // timedelta(minutes=30)
    if len(slots) and slots[0] <= slot:
        rows.insert(int(np.searchsorted(slots, slot, side="right")), stamp(moment) + b"Null")
    return rows


def delivered(days: int, rng: np.random.Generator) -> np.ndarray:
    """Which half hours reached the files, shape (days × SLOTS,): late joiners, and gaps of one slot or of hours."""
    there = np.ones(days * SLOTS, dtype=bool)
    there[0] = False  # the first file of a meter begins at 00:30
    if rng.random() < LATE_SHARE:
        there[: int(rng.integers(0, max(1, days * SLOTS // 3)))] = False
    for _ in range(int(rng.poisson(GAPS_A_YEAR * days / 365.25))):
        length = 1 if rng.random() < SINGLE_GAP_SHARE else int(rng.geometric(0.15)) + 1
        first = int(rng.integers(0, days * SLOTS))
        there[first : first + length] = False
    return there
