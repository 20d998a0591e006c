"""Files and descriptions that would fill the memory, hang or kill a job, all in one delivery with a good file."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from meter_data.lake import store as lake_store

from tests.glue.deliveries import clean
from tests.glue.field_files import DAY_KWH, POINT, REPOSITORY, ROWS, archive, rows

MEGABYTE = 1024 * 1024
MOST_MEMORY = 1024 * MEGABYTE
DELIVERED_AT = "2024-12-01T12:00:00Z"
GOOD = rows("GOOD")


def bomb(begin: bytes = b"") -> bytes:
    """One GB of line ends behind `begin`, in a gzip file of 1 MB and 64 members."""
    return (gzip.compress(begin) if begin else b"") + gzip.compress(b"\n" * 16 * MEGABYTE) * 64


def json_line(start: str, kwh: str) -> bytes:
    return f'{{"Point":"M","Start":"2024-03-04T{start}","kWh":{kwh}}}\n'.encode()


# A part of the reason why the file is set aside.
SET_ASIDE: dict[str, tuple[bytes, str]] = {
    "line.csv": (b"x" * 10 * MEGABYTE, "does not end within 65,536 bytes: it is no header"),
    "late_line.csv": (GOOD + b"x" * 10 * MEGABYTE, "is longer than 1,048,576 bytes"),
    "columns.csv": (b"Point,Start,kWh" + b",c" * 1_000_000, "does not end within 65,536 bytes: it is no header"),
    "bomb.csv.gz": (bomb(), "begins with a line without names of columns"),
    "late_bomb.csv.gz": (bomb(GOOD), "unpacks to more than 500 times its bytes"),
    "bomb_in_gzip.csv.gz": (gzip.compress(bomb()), "it is a gzip file with another gzip file. Unpack it"),
    "utf_16.csv": (GOOD.decode().encode("utf-16"), "it is text in UTF-16. Save it as UTF-8"),
    "zip.csv": (archive("a.csv", GOOD), "it is a ZIP archive. Unpack it"),
    "truncated.csv.gz": (gzip.compress(GOOD)[:-60], "is a damaged gzip file: it ends too early"),
    "truncated_at_once.csv.gz": (gzip.compress(GOOD)[:12], "is a damaged gzip file: it ends too early"),
    "nul.csv": (b"\0" * MEGABYTE, "it is binary data of an unknown kind"),
    "line.jsonl": (json_line("00:00", "1") + b'{"Point":"' + b"x" * 10 * MEGABYTE, "is longer than 1,048,576 bytes"),
}
# How many rows of the file are good, and the reasons of the others.
REJECTED: dict[str, tuple[bytes, int, dict[str, int]]] = {
    "empty.csv.gz": (gzip.compress(b""), 0, {}),
    "rows_of_a_million.csv": (GOOD + (b"," * 1_000_000 + b"\n") * 5, ROWS, {"wrong_field_count": 5}),
    "rows_with_nul.csv": (
        GOOD + b"N\0,2024-03-04 00:00,1\nN,2024-03\0-04 00:00,1\nN,2024-03-04 00:00,\0\n" + b"\0" * 500_000,
        ROWS,
        {"invalid_meter_id": 1, "malformed_timestamp": 1, "not_a_number": 1, "wrong_field_count": 1},
    ),
    "line_ends.csv": (GOOD + b"\n" * 500_000, ROWS, {"empty_line": 500_000}),
    "deep.jsonl": (json_line("00:00", "1") + b"[" * 200_000 + b"\n", 1, {"malformed_json": 1}),
    "digits.jsonl": (json_line("00:00", "1") + json_line("00:30", "9" * 5000), 1, {"malformed_json": 1}),
}
# What the _transformer.json beside a good file holds, and a part of the reason why that file is set aside.
DESCRIPTIONS: dict[str, tuple[str, str]] = {
    "zone": (json.dumps({"time_zone": "Europe/Atlantis"}), "time_zone must be a name such as Europe/London"),
    "zone_of_a_file": (json.dumps({"time_zone": "/etc/passwd"}), "time_zone must be a name such as Europe/London"),
    "zone_with_nul": (json.dumps({"time_zone": "UTC\0"}), "time_zone must be a name such as Europe/London"),
    "deep": ("[" * 200_000, "describes meter files, but cannot be read: "),
    "large": (json.dumps({"time_zone": "A" * 2 * MEGABYTE}), "cannot be read: it is larger than 1,048,576 bytes"),
    "half_a_sign": ('{"delimiter": "\\ud800"}', "describes meter files, but cannot be read: "),
    "digits": ('{"largest_kwh": ' + "9" * 400 + "}", "largest_kwh must be a number above 0"),
    "brackets": (json.dumps({"timestamp_pattern": "[" * 4000}), "timestamp_pattern must be of at most 200 signs"),
}


def test_each_is_named_the_good_file_loads_and_memory_stays_small(tmp_path: Path) -> None:
    """In a process of its own, so that its memory can be told."""
    command = [sys.executable, "-m", "tests.glue.test_hostile_files", str(tmp_path)]
    paths = ":".join(str(REPOSITORY / part) for part in (".", "include/glue"))
    ran = subprocess.run(command, cwd=REPOSITORY, env={"PYTHONPATH": paths}, capture_output=True, text=True, check=True)

    found = json.loads(ran.stdout)
    files = {file["uri"].removeprefix("s3://landing/readings/"): file for file in found["summary"]["files"]}
    assert found["good_kwh"] == DAY_KWH
    assert {name: files[name]["good"] for name in SET_ASIDE} == dict.fromkeys(SET_ASIDE, 0)
    for name, (_, reason) in SET_ASIDE.items():
        assert f"/{name}" in files[name]["set_aside"]["reason"]
        assert reason in files[name]["set_aside"]["reason"]
    for name, (_, good, rejected) in REJECTED.items():
        assert (files[name]["set_aside"], files[name]["good"]) == (None, good), name
        assert files[name]["rejected_by_reason"] == rejected
    for name, (_, reason) in DESCRIPTIONS.items():
        assert f"{name}/_transformer.json" in files[f"{name}/a.csv"]["set_aside"]["reason"]
        assert reason in files[f"{name}/a.csv"]["set_aside"]["reason"]
    assert found["peak_memory"] < MOST_MEMORY


def test_a_file_that_goes_over_the_disk_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"a.csv": GOOD + b"bad\n" * 100}
    by_memory = clean(tmp_path / "memory", files, "default", delivered_at=DELIVERED_AT, **said())
    monkeypatch.setattr(lake_store, "_BYTES_IN_MEMORY", 100)

    by_disk = clean(tmp_path / "disk", files, "default", delivered_at=DELIVERED_AT, **said())

    assert by_disk.readings().equals(by_memory.readings())
    assert by_disk.readings().num_rows == ROWS
    assert by_disk.rejects().equals(by_memory.rejects())
    assert by_disk.rejects().num_rows == 100


def said() -> dict[str, Any]:
    return {name: value for name, value in POINT.items() if name != "transformer"}


def main(folder: Path) -> None:
    files = {"good.csv": GOOD, **{name: content for name, (content, *_) in {**SET_ASIDE, **REJECTED}.items()}}
    files |= {f"{name}/a.csv": GOOD for name in DESCRIPTIONS}
    beside = {f"{name}/_transformer.json": text.encode() for name, (text, _) in DESCRIPTIONS.items()}
    cleaned = clean(folder, files, "default", delivered_at=DELIVERED_AT, beside=beside, **said())
    good = [row for row in cleaned.readings().to_pylist() if row["source_file"].endswith("/good.csv")]
    found = {
        "summary": cleaned.summary,
        "good_kwh": sum(row["reading_value"] for row in good),
        "peak_memory": peak_memory(),
    }
    print(json.dumps(found))


def peak_memory() -> int:
    """Returns the bytes of memory that this program has had at most.

    ru_maxrss would also count what the process had before it began this program, which is the memory of the tests.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kilobytes) * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
