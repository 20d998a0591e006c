"""The dearest and the largest file: one in which no text repeats, and one of eight times the usual size."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.load import fleet, lake, loads
from benchmarks.load.ingest import BATCH
from sample_data.london_files import OFFICIAL

# Two sizes give what a further row costs.
SIZES = (1_000_000, 2_000_000)
ROWS = 8_000_000
SEED, METERS, YEAR_SECONDS = 11, 60, 365 * 24 * 3600
BEGIN = datetime(2013, 1, 1)  # noqa: DTZ001 (as in the files, which have no zone)
ROWS_AT_A_TIME = 100_000


def run(given: fleet.Sample, rows: int, folder: Path) -> dict[str, Any]:
    """The results; `rows` are those of the large file."""
    distinct = []
    for size in SIZES:
        with lake.opened(folder / f"distinct-{size}") as opened:
            write(opened.folder("landing") / lake.LANDING_PREFIX / "distinct.csv", size)
            distinct.append({"rows": size, "platform": loads.by_the_platform(opened, BATCH)})
    with lake.opened(folder / "large") as opened:
        landing = opened.folder("landing") / lake.LANDING_PREFIX
        written = fleet.write(given.households, landing, rows, file_rows=rows)
        large = {
            "rows": rows,
            "files": len(written),
            "bytes": sum(path.stat().st_size for path, _ in written),
            "platform": loads.by_the_platform(opened, BATCH),
        }
    return {"distinct": distinct, "large": large}


def write(path: Path, rows: int) -> None:
    """Writes a London file in which every time and every value is another one, in no order."""
    rng = np.random.default_rng(SEED)
    seconds = rng.permutation(rows) * (YEAR_SECONDS // rows)
    # Up to 10 kWh, in seven decimals as the official files have them.
    values = (rng.permutation(rows) + 1) * (10.0 / rows)
    meters = rng.integers(1, METERS + 1, rows)
    newline = OFFICIAL.newline.decode()
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(OFFICIAL.header + newline)
        for begin in range(0, rows, ROWS_AT_A_TIME):
            part = slice(begin, begin + ROWS_AT_A_TIME)
            chosen = zip(meters[part].tolist(), seconds[part].tolist(), values[part].tolist(), strict=True)
            file.writelines(
                f"MAC{meter:06d},Std,{BEGIN + timedelta(seconds=second)}.0000000, {value:.7f} {newline}"
                for meter, second, value in chosen
            )
