"""A correcting delivery changes every reading of some days of some meters, and holds rows that nobody can read."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from sample_data.corrections import FILE_NAME, main
from sample_data.fleet import Fleet

GOOD = r"(MAC\d{6}),Std,(2013-\d\d-\d\d \d\d:\d\d:\d\d\.0000000), ([\d.]+) "
READABLE_DAYS = {(date(2013, 1, 1) + timedelta(days=day)).isoformat() for day in range(365)}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fleet")
    list(Fleet(meters=6, days=100, seed=7, start=date(2013, 1, 1)).write(folder, 10_000))
    return folder


@pytest.fixture(scope="module")
def lines(fleet: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    out = tmp_path_factory.mktemp("corrections")
    assert main(["--fleet", str(fleet), "--out", str(out), "--meters", "2", "--days", "45", "--malformed", "20"]) == 0
    data = (out / FILE_NAME).read_bytes()
    assert data.endswith(b"\r\n")
    assert data.count(b"\r") == data.count(b"\n")
    return data.decode().split("\r\n")[:-1]


def delivered(fleet: Path) -> dict[tuple[str, str], str]:
    found = {}
    for path in fleet.iterdir():
        header, *rows = path.read_text().splitlines()
        time_at = header.split(",").index("tstp" if "tstp" in header else "DateTime")
        for row in rows:
            fields = row.split(",")
            found[(fields[0], fields[time_at])] = fields[time_at + 1]
    return found


def good(lines: list[str]) -> list[tuple[str, str, str]]:
    matches = [re.fullmatch(GOOD, line) for line in lines[1:]]
    return [match.groups() for match in matches if match and match[2][:10] in READABLE_DAYS]


def test_the_header_is_the_official_one(lines: list[str]) -> None:
    assert lines[0] == "LCLid,stdorToU,DateTime,KWH/hh (per half hour) "


def test_every_corrected_reading_was_delivered_with_another_value(lines: list[str], fleet: Path) -> None:
    before = delivered(fleet)
    corrected = good(lines)

    assert len(corrected) > 2 * 44 * 48
    for meter, moment, value in corrected:
        assert abs(float(before[(meter, moment)]) - float(value)) > 0.0005


def test_forty_five_days_of_two_meters_are_corrected(lines: list[str]) -> None:
    days: dict[str, set[str]] = {}
    for meter, moment, _ in good(lines):
        days.setdefault(meter, set()).add(moment[:10])

    expected = {(date(2013, 1, 31) + timedelta(days=day)).isoformat() for day in range(45)}
    assert days == {"MAC000002": expected, "MAC000003": expected}


def test_twenty_rows_are_malformed_each_in_its_own_words(lines: list[str]) -> None:
    readable = {f"{meter},Std,{moment}, {value} " for meter, moment, value in good(lines)}
    malformed = [line for line in lines[1:] if line not in readable]

    assert len(malformed) == len(set(malformed)) == 20
    kinds = {
        "no such day": r"MAC\d{6},Std,2013-02-30 .*",
        "no number": r"MAC\d{6},Std,2013-03-01 .*, abc ",
        "no meter": r",Std,.*",
        "no value": r"MAC\d{6},Std,2013-03-01 00:30:00\.0000000",
        "no time": r"MAC\d{6},Std,yesterday at noon,.*",
        "broken off": r"MAC\d{6},St",
    }
    found = {kind: sum(bool(re.fullmatch(form, line)) for line in malformed) for kind, form in kinds.items()}
    assert found == {"no such day": 4, "no number": 4, "no meter": 3, "no value": 3, "no time": 3, "broken off": 3}


def test_the_rows_that_cannot_be_read_are_strewn_among_the_others(lines: list[str]) -> None:
    places = [number for number, line in enumerate(lines) if "yesterday" in line or line.endswith(",St")]

    assert max(places) - min(places) > len(lines) // 4


def test_a_folder_without_a_fleet_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--fleet", str(tmp_path), "--out", str(tmp_path / "out")])
    assert f"{tmp_path} holds no generated" in capsys.readouterr().err
