"""Write a made-up fleet of smart meters as London meter files: python -m sample_data --help"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date
from pathlib import Path

from sample_data.fleet import Fleet


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    fleet = Fleet(options.meters, options.days, options.seed, options.start)
    begun, total, files = time.monotonic(), 0, 0
    for path, rows in fleet.write(options.out, options.rows_per_file, options.gzip):
        total, files = total + rows, files + 1
        print(f"{path.name:<36}{rows:>10,} rows", file=sys.stderr, flush=True)
    took = time.monotonic() - begun
    print(
        f"{options.meters} meters, {total:,} rows in {files} files below {options.out} ({took:.1f} s)", file=sys.stderr
    )
    return 0


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(
        prog="python -m sample_data",
        description="Write a made-up fleet of smart meters as London meter files. Same options, same bytes.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add_fleet_options(words)
    words.add_argument(
        "--rows-per-file", type=at_least_one, default=250_000, help="fewer where that gave under three files"
    )
    words.add_argument("--gzip", action="store_true", help="compress the files (.csv.gz)")
    return words


def add_fleet_options(words: argparse.ArgumentParser) -> None:
    """What says which fleet it is, and where its files go."""
    words.add_argument("--out", type=Path, required=True, help="folder; generated files in it are replaced")
    words.add_argument("--meters", type=at_least_one, default=60, help="number of households")
    words.add_argument("--days", type=at_least_one, default=365, help="length of their history")
    words.add_argument("--start", type=date.fromisoformat, default=date(2013, 1, 1), help="first day, yyyy-mm-dd (UTC)")
    words.add_argument("--seed", type=int, default=7, help="another seed, another fleet (not negative)")


def at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
