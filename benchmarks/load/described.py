"""Files of one's own, read by a description: CSV with quotation marks, and Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from benchmarks.load import fleet, lake, loads
from benchmarks.load.fleet import Household
from benchmarks.load.ingest import BATCH

ROWS = 1_000_000
FILES = 2
# How a file looks that many systems in Europe write.
CSV = {
    "transformer": "default",
    "delimiter": ";",
    "meter_id_column": "Meter",
    "date_time_column": "Read at",
    "value_column": "Energy",
    "error_code_column": "Status",
    "decimal_mark": ",",
    "timestamp_pattern": "dd.MM.yyyy HH:mm:ss",
}
PARQUET = {
    "transformer": "default",
    "meter_id_column": "meter",
    "date_time_column": "read_at",
    "value_column": "energy",
    "error_code_column": "status",
}
DESCRIPTIONS = {"csv": CSV, "parquet": PARQUET}
Row = tuple[str, datetime, int]


def run(given: fleet.Sample, rows: int, folder: Path) -> dict[str, Any]:
    """The results of both formats."""
    found: dict[str, Any] = {"rows": rows, "formats": {}}
    for name, description in DESCRIPTIONS.items():
        with lake.opened(folder / name) as opened:
            landing = opened.folder("landing") / lake.LANDING_PREFIX
            (landing / "_transformer.json").write_text(json.dumps(description))
            written = write(given, landing, rows, name)
            loaded = loads.by_the_platform(opened, BATCH)
            size = sum(path.stat().st_size for path in written)
            found["formats"][name] = {"bytes": size, "platform": loaded}
    return found


def write(given: fleet.Sample, folder: Path, rows: int, file_format: str) -> list[Path]:
    """Writes the first `rows` rows of the replicated fleet as FILES files."""
    all_rows = [row for home in fleet.replicated(given.households, rows) for row in _rows(home)]
    paths = [folder / f"extract-{number}.{file_format}" for number in range(FILES)]
    for number, path in enumerate(paths):
        part = all_rows[rows * number // FILES : rows * (number + 1) // FILES]
        (_write_csv if file_format == "csv" else _write_parquet)(path, part)
    return paths


def _rows(home: Household) -> Iterator[Row]:
    """Meter, time and watt-hours, -1 for an error."""
    for time, watt_hours in zip(home.times, home.watt_hours.tolist(), strict=True):
        yield home.identity.meter_id, datetime.fromisoformat(time[:19].decode()), watt_hours


def _write_csv(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write('"Meter";"Read at";"Energy";"Status"\r\n')
        for meter, time, watt_hours in rows:
            value = "" if watt_hours < 0 else f"{watt_hours // 1000},{watt_hours % 1000:03d}"
            status = "E05" if watt_hours < 0 else "0"
            file.write(f'"{meter}";"{time:%d.%m.%Y %H:%M:%S}";"{value}";"{status}"\r\n')


def _write_parquet(path: Path, rows: list[Row]) -> None:
    meters, times, watt_hours = zip(*rows, strict=True)
    table = pa.table(
        {
            "meter": meters,
            "read_at": pa.array(times, pa.timestamp("us")),
            "energy": [None if value < 0 else value / 1000 for value in watt_hours],
            "status": ["E05" if value < 0 else "0" for value in watt_hours],
        }
    )
    parquet.write_table(table, path)
