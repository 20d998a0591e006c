"""A later delivery for a fleet: some meters' values of some weeks anew, and rows that no reader can take.

    python -m sample_data.corrections --fleet folder --out another [--meters 3] [--days 45] [--malformed 20]

Every value in it differs from the one delivered before. The malformed rows are of the kinds of MALFORMED in turn, none
of them twice the same, strewn among the others.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from sample_data.__main__ import at_least_one
from sample_data.london_files import OFFICIAL, value_text

# What each is: no such day, a word for a number, no meter, a field missing, no time, a line that broke off.
MALFORMED = (
    "MAC{number:06d},Std,2013-02-30 00:30:00.0000000, 0.1 ",
    "MAC{number:06d},Std,2013-03-01 00:30:00.0000000, abc ",
    ",Std,2013-03-01 {hour:02d}:30:00.0000000, 0.{number} ",
    "MAC{number:06d},Std,2013-03-01 00:30:00.0000000",
    "MAC{number:06d},Std,yesterday at noon, 0.1 ",
    "MAC{number:06d},St",
)
FILE_NAME = "LCL-generated-corrections.csv"

Readings = dict[str, dict[str, float]]  # kWh by meter and time, as it stands in the file


class NoFleetError(Exception):
    """The folder holds no fleet that could be corrected."""


def corrections(fleet: Path, meters: int, days: int, malformed: int, seed: int) -> bytes:
    """The bytes of the correcting file, in the official layout. Raises NoFleetError."""
    rng = np.random.default_rng(seed)
    rows: list[str] = []
    for meter, readings in corrected(fleet, meters, days).items():
        for moment, kwh in readings.items():
            changed = round(kwh + int(rng.integers(1, 400)) / 1000, 3)
            rows.append(f"{meter},Std,{moment},{value_text(changed).decode()}")
    for number in range(malformed):
        text = MALFORMED[number % len(MALFORMED)].format(number=2 + number, hour=number % 24)
        rows.insert(int(rng.integers(0, len(rows) + 1)), text)
    return "".join(f"{row}\r\n" for row in [OFFICIAL.header, *rows]).encode()


def corrected(fleet: Path, meters: int, days: int) -> Readings:
    """What was delivered for the first `meters` meters in the `days` days that begin 30 days into the first one's."""
    delivered: Readings = {}
    for meter, moment, kwh in readings_of(fleet):
        delivered.setdefault(meter, {})[moment] = kwh
    if not delivered:
        raise NoFleetError(f"{fleet} holds no generated .csv or .csv.gz file; make some: python -m sample_data --help")
    chosen = sorted(delivered)[:meters]
    first = date.fromisoformat(min(delivered[chosen[0]])[:10]) + timedelta(days=30)
    begin, end = first.isoformat(), (first + timedelta(days=days)).isoformat()
    return {
        meter: {moment: kwh for moment, kwh in sorted(delivered[meter].items()) if begin <= moment < end}
        for meter in chosen
    }


def readings_of(fleet: Path) -> Iterator[tuple[str, str, float]]:
    """Meter, time and kWh of every reading of a fleet's files but the `Null` ones."""
    for path in sorted([*fleet.glob("*generated_*.csv*"), *fleet.glob("*generated-withAcorn_*.csv*")]):
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines()
        time_at = 1 if lines[0].startswith("LCLid,tstp") else 2
        for line in lines[1:]:
            fields = line.split(",")
            if fields[time_at + 1] != "Null":
                yield fields[0], fields[time_at], float(fields[time_at + 1])


def main(arguments: list[str] | None = None) -> int:
    words = argparse.ArgumentParser(
        prog="python -m sample_data.corrections",
        description="Write a later delivery for a generated fleet: corrected days and malformed rows.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    words.add_argument("--fleet", type=Path, required=True, help="folder of the fleet's files")
    words.add_argument("--out", type=Path, required=True, help="another folder, for the correcting file")
    words.add_argument("--meters", type=at_least_one, default=3, help="number of meters to correct")
    words.add_argument("--days", type=at_least_one, default=45, help="number of days to correct")
    words.add_argument("--malformed", type=int, default=20, help="number of malformed rows")
    words.add_argument("--seed", type=int, default=7)
    options = words.parse_args(arguments)
    try:
        data = corrections(options.fleet, options.meters, options.days, options.malformed, options.seed)
    except NoFleetError as error:
        words.error(str(error))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / FILE_NAME).write_bytes(data)
    rows = data.count(b"\n") - 1
    print(f"{FILE_NAME}: {rows:,} rows, {options.malformed} of them malformed", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
