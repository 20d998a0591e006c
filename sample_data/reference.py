"""Reference data for a fleet: hourly weather, where its meters are, and who is supplied at them (invented people).

    python -m sample_data.reference --meters 60 --days 365 --seed 7 --out folder

Give the options of the fleet: the weather is the one that its homes felt, and of the year before. The folders are those
that load_reference_data looks for below reference/ in the landing bucket:

    folder/weather/weather_hourly.csv        header and quirks of Dark Sky's export, see weather.py
    folder/geodata/meter-geo-data.csv        meter_id,lat,long without a header; one meter in thirty is missing
    folder/cisdata/cis-data.csv              eight columns separated by semicolons, without a header

The people are nobody: names of no family, streets of no town, phone numbers that Ofcom keeps for drama, postcodes of
the unused area ZZ.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import numpy as np

from sample_data import weather
from sample_data.__main__ import add_fleet_options
from sample_data.conditions import conditions
from sample_data.fleet import Fleet, meter_id

DAYS_BEFORE = 366  # so that every hour of the year is known once before the fleet begins
CENTRE, SPREAD_DEGREES = (51.5074, -0.1278), (0.055, 0.095)  # Charing Cross; most homes within 10 km
WITHOUT_PLACE_EVERY = 30
GIVEN_NAMES = (
    "Ada",
    "Alan",
    "Edith",
    "Grace",
    "Hedy",
    "Ivan",
    "Jocelyn",
    "Lise",
    "Mary",
    "Nikola",
    "Rosalind",
    "Sofia",
)
FAMILY_NAMES = ("Ampere-Example", "Coulomb-Sample", "Farad-Specimen", "Joule-Example", "Kelvin-Sample", "Watt-Specimen")
STREETS = ("Example Street", "Sample Lane", "Specimen Road", "Placeholder Mews")

# Places of random streams beside those of the households, which count from 0.
_WEATHER, _YEAR_BEFORE, _METER = 1_000_000_001, 1_000_000_002, 1_000_000_003


def write(fleet: Fleet, folder: Path) -> list[Path]:
    """Write the three files; a meter's position and customer depend on the seed and its place, not on `meters`."""
    written = []
    for name, content in (
        ("weather/weather_hourly.csv", weather_file(fleet)),
        ("geodata/meter-geo-data.csv", positions_file(fleet)),
        ("cisdata/cis-data.csv", customers_file(fleet)),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written


def weather_file(fleet: Fleet) -> bytes:
    begin = fleet.start - timedelta(days=DAYS_BEFORE)
    before = conditions(begin, DAYS_BEFORE, fleet.rng(_YEAR_BEFORE))
    during = conditions(fleet.start, fleet.days, fleet.rng())  # the draws of the fleet itself
    celsius = np.concatenate([before.celsius, during.celsius])
    return weather.HEADER.encode() + b"\n" + b"".join(weather.rows(begin, celsius, fleet.rng(_WEATHER)))


def positions_file(fleet: Fleet) -> bytes:
    lines = []
    for number in range(fleet.meters):
        if number % WITHOUT_PLACE_EVERY == WITHOUT_PLACE_EVERY // 4:
            continue
        north, east = fleet.rng(number, _METER).normal(CENTRE, SPREAD_DEGREES)
        lines.append(f"{meter_id(number)},{north:.6f},{east:.6f}\r\n")
    return "".join(lines).encode()


def customers_file(fleet: Fleet) -> bytes:
    lines = []
    for number in range(fleet.meters):
        rng = fleet.rng(number, _METER, 1)
        customer = uuid.UUID(bytes=rng.bytes(16), version=4)
        name = f"{rng.choice(GIVEN_NAMES)} {rng.choice(FAMILY_NAMES)}"
        street = f"{rng.integers(1, 200)} {rng.choice(STREETS)}"
        postcode = f"ZZ{rng.integers(1, 100)} {rng.integers(1, 10)}ZZ"
        phone = f"020 7946 {rng.integers(0, 1000):04d}"
        lines.append(f"{customer};{name};{postcode};London;England;{street};{phone};{meter_id(number)}\n")
    return "".join(lines).encode()


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    fleet = Fleet(options.meters, options.days, options.seed, options.start)
    for path in write(fleet, options.out):
        print(f"{path.relative_to(options.out)!s:<36}{path.stat().st_size:>12,} bytes", file=sys.stderr)
    return 0


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(
        prog="python -m sample_data.reference",
        description="Write weather, geography and invented customers of a made-up fleet. Same options, same bytes.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add_fleet_options(words)
    return words


if __name__ == "__main__":
    sys.exit(main())
