"""Extracts of another system in five formats, loaded by the trigger form: the same sums as from CSV."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from demo.cascade import wait_for_first_runs
from tests.end_to_end.conftest import CASCADE_SECONDS, LOAD, Platform
from tests.glue.extracts import write

pytestmark = pytest.mark.slow

FORMATS = ["csv", "json", "parquet", "orc", "avro"]
ANSWERS = {
    "transformer": "default",
    "delimiter": ";",
    "meter_id_column": "Serial",
    "date_time_column": "ReadAt",
    "value_column": "Energy",
    "timestamp_pattern": "dd.MM.yyyy HH:mm",
    "time_zone": "Europe/London",
    "unit": "Wh",
}


def local_day_of_50_half_hours(meter: str) -> dict[str, list[str]]:
    """27 October 2013 in London, one kWh in each half hour but two in the first."""
    hours = [0, 1, 1, *range(2, 24)]
    clocks = ["00:00", "00:30", "01:00", "01:30", "01:00", "01:30"]
    clocks += [f"{hour:02}:{minute:02}" for hour in hours[3:] for minute in (0, 30)]
    return {
        "Serial": [meter] * 50,
        "ReadAt": [f"27.10.2013 {clock}" for clock in clocks],
        "Energy": ["2000", *["1000"] * 49],
    }


def avro_of_texts(columns: dict[str, list[str]]) -> bytes:
    """An Avro file of one block, as the specification of Avro writes texts."""

    def number(value: int) -> bytes:
        rest, found = value << 1, bytearray()
        while rest > 0x7F:
            found.append(rest & 0x7F | 0x80)
            rest >>= 7
        return bytes([*found, rest])

    def text(value: bytes) -> bytes:
        return number(len(value)) + value

    def joined(parts: Iterable[bytes]) -> bytes:
        return b"".join(parts)

    fields = [{"name": name, "type": "string"} for name in columns]
    schema = json.dumps({"type": "record", "name": "Reading", "fields": fields}).encode()
    rows = list(zip(*columns.values(), strict=True))
    block = joined(text(cell.encode()) for row in rows for cell in row)
    header = b"Obj\x01" + number(1) + text(b"avro.schema") + text(schema) + number(0)
    mark = bytes(range(16))
    return header + mark + number(len(rows)) + number(len(block)) + block + mark


def test_each_format_loaded_by_the_trigger_form_gives_the_sums_of_csv(platform: Platform, tmp_path: Path) -> None:
    wait_for_first_runs(platform.airflow)
    for name in FORMATS:
        table = local_day_of_50_half_hours(f"OWN-{name}")
        path = tmp_path / f"own.{name}"
        if name == "avro":
            path.write_bytes(avro_of_texts(table))
        else:
            write(name, path, table)
        key = f"{platform.deployment['landing_prefix']}own/{path.name}"
        body = io.BytesIO(path.read_bytes())
        platform.aws("s3").upload_fileobj(body, platform.deployment["landing_bucket"], key)

    run = platform.airflow.trigger("ingest_meter_readings", ANSWERS)
    platform.airflow.cascade([run], LOAD, CASCADE_SECONDS)

    for name in FORMATS:
        meter = f"OWN-{name}"
        assert platform.api.get(f"/consumption/daily/2013/{meter}").json() == [
            [meter, "20131026", 3.0],
            [meter, "20131027", 48.0],
        ]
        assert [row[-1] for row in platform.api.get(f"/consumption/monthly/2013/{meter}").json()] == [51.0]
