"""The files of a generated fleet, read as plain text: London's bytes with London's quirks."""

from __future__ import annotations

import gzip
import hashlib
import re
import time
from collections import Counter
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from sample_data.__main__ import main
from sample_data.fleet import Fleet
from sample_data.london_files import value_text

STD = "LCLid,stdorToU,DateTime,KWH/hh (per half hour) "
ACORN = "LCLid,stdorToU,DateTime,KWH/hh (per half hour) ,Acorn,Acorn_grouped"
KAGGLE = "LCLid,tstp,energy(kWh/hh)"
MOMENT = r"2013-\d\d-\d\d \d\d:\d\d:\d\d\.0000000"
VALUE = r"( \d+(\.\d{1,7})? |Null)"
ROWS = {
    STD: rf"MAC\d{{6}},(Std|ToU),{MOMENT},{VALUE}",
    ACORN: rf"MAC\d{{6}},(Std|ToU),{MOMENT},{VALUE},ACORN-[A-QU],(Affluent|Comfortable|Adversity|ACORN-U)",
    KAGGLE: rf"MAC\d{{6}},{MOMENT},{VALUE}",
}

Row = tuple[str, str, str]  # meter, time, value, as they stand in the file


def write(folder: Path, **options: int) -> list[Path]:
    fleet = {"meters": 12, "days": 120, "seed": 7} | options
    return [path for path, _ in Fleet(**fleet, start=date(2013, 1, 1)).write(folder, 20_000)]


def rows_of(path: Path) -> list[Row]:
    header, *lines = path.read_text(encoding="ascii").splitlines()
    time_at = 1 if header == KAGGLE else 2
    fields = [line.split(",") for line in lines]
    return [(each[0], each[time_at], each[time_at + 1]) for each in fields]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write(tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="module")
def rows(files: list[Path]) -> list[Row]:
    return [row for path in files for row in rows_of(path)]


def digest(paths: list[Path]) -> list[tuple[str, str]]:
    return [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths]


def test_the_same_options_give_the_same_bytes(files: list[Path], tmp_path: Path) -> None:
    assert digest(write(tmp_path)) == digest(files)


def test_another_seed_gives_another_fleet(files: list[Path], tmp_path: Path) -> None:
    assert not set(digest(write(tmp_path, seed=8))) & set(digest(files))


def test_a_meter_reads_the_same_in_a_larger_fleet(rows: list[Row], tmp_path: Path) -> None:
    larger = [row for path in write(tmp_path, meters=20) for row in rows_of(path)]

    assert larger[: len(rows)] == rows


def test_every_layout_occurs_with_its_bytes(files: list[Path]) -> None:
    headers = []
    for path in files:
        data = path.read_bytes()
        newline = b"\n" if data.startswith(KAGGLE.encode()) else b"\r\n"
        lines = data.split(newline)
        header = lines[0].decode()
        headers.append(header)
        assert lines[-1] == b""
        assert [line for line in lines[1:-1] if not re.fullmatch(ROWS[header], line.decode())] == []

    assert headers[:3] == [STD, ACORN, KAGGLE]


@pytest.mark.parametrize(("meters", "days"), [(1, 1), (1, 3), (2, 2), (3, 400)])
def test_even_the_smallest_fleet_has_three_files_of_three_layouts(tmp_path: Path, meters: int, days: int) -> None:
    paths = write(tmp_path, meters=meters, days=days)

    assert {path.read_text().splitlines()[0] for path in paths} == {STD, ACORN, KAGGLE}


def test_files_are_cut_by_rows_and_so_split_households(files: list[Path]) -> None:
    sizes = [len(rows_of(path)) for path in files]
    assert set(sizes[:-1]) == {20_000}
    assert 0 < sizes[-1] <= 20_000

    in_files = Counter(meter for path in files for meter in {meter for meter, _, _ in rows_of(path)})
    assert set(in_files.values()) == {1, 2}


def test_the_rows_of_a_household_stand_together_in_the_order_of_time(rows: list[Row]) -> None:
    meters = [meter for meter, _, _ in rows]
    runs = [meter for number, meter in enumerate(meters) if number == 0 or meters[number - 1] != meter]
    assert runs == sorted(set(meters))

    assert [(meter, moment) for meter, moment, _ in rows] == sorted((meter, moment) for meter, moment, _ in rows)


def test_every_meter_reports_one_error_off_the_grid(rows: list[Row]) -> None:
    nulls = [(meter, moment) for meter, moment, value in rows if value == "Null"]

    assert Counter(meter for meter, _ in nulls) == {meter: 1 for meter, _, _ in rows}
    assert len({moment[:10] for _, moment in nulls}) == 1
    assert all(re.fullmatch(r".{10} 12:37:[0-5]\d\.0000000", moment) for _, moment in nulls)


def test_all_other_readings_are_on_the_half_hour(rows: list[Row]) -> None:
    assert {moment[13:] for _, moment, value in rows if value != "Null"} == {":00:00.0000000", ":30:00.0000000"}


def test_about_once_a_month_midnight_is_delivered_twice(rows: list[Row]) -> None:
    repeated = [row for row, times in Counter(rows).items() if times > 1]
    same_time = [key for key, times in Counter((meter, moment) for meter, moment, _ in rows).items() if times > 1]
    by_meter = Counter(meter for meter, _, _ in repeated)

    assert sorted((meter, moment) for meter, moment, _ in repeated) == sorted(same_time), "values differ"
    assert {moment[10:19] for _, moment, _ in repeated} == {" 00:00:00"}
    assert set(by_meter.values()) <= {3, 4}
    days = sorted(date.fromisoformat(moment[:10]) for meter, moment, _ in repeated if meter == repeated[0][0])
    assert {(after - before).days for before, after in pairwise(days)} == {31}


def test_some_half_hours_are_missing_and_some_meters_join_late(tmp_path: Path) -> None:
    paths = write(tmp_path, meters=40, days=180)
    moments: dict[str, list[datetime]] = {}
    for path in paths:
        for meter, moment, value in rows_of(path):
            if value != "Null":
                moments.setdefault(meter, []).append(datetime.fromisoformat(moment[:19]))
    first = {meter: min(each) for meter, each in moments.items()}
    gaps = Counter(
        (after - before).total_seconds() / 1800 - 1
        for each in moments.values()
        for before, after in pairwise(each)
        if (after - before).total_seconds() > 1800
    )

    on_time = sum(moment == datetime.fromisoformat("2013-01-01 00:30:00") for moment in first.values())
    assert 30 <= on_time < 40
    assert 15 <= sum(gaps.values()) <= 80
    assert gaps[1] > 0.6 * sum(gaps.values())


def test_time_of_use_is_the_tariff_of_a_fifth(tmp_path: Path) -> None:
    fleet = Fleet(meters=100, days=2, seed=3, start=date(2013, 1, 1))
    tariffs = {}
    for path, _ in fleet.write(tmp_path, 10**6):
        header, *lines = path.read_text().splitlines()
        if header != KAGGLE:
            tariffs |= dict(line.split(",")[:2] for line in lines)

    assert 0.12 < sum(tariff == "ToU" for tariff in tariffs.values()) / len(tariffs) < 0.28


@pytest.mark.parametrize(
    ("kwh", "text"),
    [
        (0.0, b" 0 "),
        (0.219, b" 0.219 "),
        (0.016, b" 0.016 "),
        (0.2, b" 0.2 "),
        (1.0, b" 1 "),
        (2.705, b" 2.7049999 "),
        (1.241, b" 1.2410001 "),
        (4.426, b" 4.4260001 "),
    ],
)
def test_values_are_written_as_in_london(kwh: float, text: bytes) -> None:
    assert value_text(kwh) == text


def test_an_earlier_fleet_is_replaced_and_other_files_stay(tmp_path: Path) -> None:
    write(tmp_path, meters=20)
    (tmp_path / "LCL-June2015v2_0.csv").write_text("real")
    paths = write(tmp_path, meters=2, days=3)

    assert sorted(tmp_path.iterdir()) == sorted([*paths, tmp_path / "LCL-June2015v2_0.csv"])


def test_compressed_files_hold_the_same(files: list[Path], tmp_path: Path) -> None:
    fleet = Fleet(meters=12, days=120, seed=7, start=date(2013, 1, 1))
    packed = [path for path, _ in fleet.write(tmp_path, 20_000, compress=True)]

    assert [path.name for path in packed] == [f"{path.name}.gz" for path in files]
    assert [gzip.decompress(path.read_bytes()) for path in packed] == [path.read_bytes() for path in files]


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--meters", "2", "--days", "3", "--seed", "5", "--out", str(tmp_path / "new" / "folder")]) == 0

    said = capsys.readouterr().err
    assert all(path.name in said for path in (tmp_path / "new" / "folder").iterdir())
    assert "2 meters" in said


@pytest.mark.parametrize("option", ["--meters", "--days", "--rows-per-file"])
def test_the_command_refuses_nothing(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path), option, "0"])
    assert "must be 1 or more" in capsys.readouterr().err


def test_a_million_rows_take_seconds(tmp_path: Path) -> None:
    begun = time.process_time()
    rows = sum(rows for _, rows in Fleet(60, 365, 7, date(2013, 1, 1)).write(tmp_path, 250_000))

    assert rows > 1_000_000
    assert time.process_time() - begun < 10
