"""The reader `default`: what a description can say, and what becomes of the rows of files that it describes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from meter_data.cleaning import items as cleaning
from meter_data.readers.description import DescriptionError

from tests.glue.described import clean_described, meter_file, rows, set_aside

READING = ["meter_id", "reading_value", "reading_type", "reading_date_time", "obis_code", "error_code"]
NAMED = {"meter_id_column": "serial", "date_time_column": "read_at", "value_column": "value"}
HEADER = "serial,read_at,value"


@pytest.fixture
def readings(tmp_path: Path) -> Callable[..., list[tuple[Any, ...]]]:
    """readings(file, …, setting=…): the columns READING of what the files become; none of their rows may be bad."""

    def load(*files: Path, **description: Any) -> list[tuple[Any, ...]]:
        cleaned = clean_described(tmp_path, list(files), **description)
        assert cleaned.summary["rejected_by_reason"] == {}
        return rows(cleaned.readings(), *READING)

    return load


@pytest.fixture
def rejects(tmp_path: Path) -> Callable[..., list[tuple[str, str]]]:
    """rejects(file, …, setting=…): reason and line of what lies in quarantine; no other row may be lost."""

    def load(*files: Path, **description: Any) -> list[tuple[str, str]]:
        cleaned = clean_described(tmp_path, list(files), **description)
        found = rows(cleaned.rejects(), "reason", "line")
        assert cleaned.summary["rows"] == cleaned.summary["good"] + len(found)
        return found

    return load


# CSV: delimiters, headers, positions, quotation marks.


@pytest.mark.parametrize(
    ("given", "sign"),
    [(sign, sign) for sign in (",", ";", "|", "^", "]", "||", "\t")] + [("tab", "\t"), ("\\t", "\t")],
)
def test_any_delimiter_is_read(readings: Callable[..., list[Any]], tmp_path: Path, given: str, sign: str) -> None:
    cells = ["serial", "read_at", "value"], ["M1", "2013-01-01 00:30:00", "5"]
    file = meter_file(tmp_path / "a.csv", *(sign.join(row) for row in cells))
    assert readings(file, **NAMED, delimiter=given) == [("M1", 5.0, "INT", "2013-01-01 00:30:00", None, None)]


def test_columns_are_found_by_name_wherever_they_stand(readings: Callable[..., list[Any]], tmp_path: Path) -> None:
    file = meter_file(tmp_path / "a.csv", " Value , x,READ_AT ,serial", " 0.5 ,y, 2013-01-01 00:30:00 , M1 ")
    assert readings(file, **NAMED) == [("M1", 0.5, "INT", "2013-01-01 00:30:00", None, None)]


def test_columns_are_found_by_position_with_a_header_and_without(
    readings: Callable[..., list[Any]], tmp_path: Path
) -> None:
    by_position = {"meter_id_column": "3", "date_time_column": "1", "value_column": "2"}
    row = "2013-01-01 00:30:00,0.5,M1"
    found = [("M1", 0.5, "INT", "2013-01-01 00:30:00", None, None)]
    assert readings(meter_file(tmp_path / "a.csv", "a,a,a", row), **by_position) == found
    assert readings(meter_file(tmp_path / "b.csv", row), **by_position, header=False) == found
    assert readings(meter_file(tmp_path / "c.csv", f"\ufeff{row}"), **by_position, header=False) == found


def test_files_without_header_are_read_together(tmp_path: Path) -> None:
    by_position: dict[str, Any] = {"meter_id_column": 1, "date_time_column": 2, "value_column": 3, "header": False}
    files = [meter_file(tmp_path / f"{name}.csv", f"{name},2013-01-01 00:30:00,1", "bad", "") for name in "ab"]
    summary = clean_described(tmp_path, files, **by_position).summary
    assert [file["rejected_by_reason"] for file in summary["files"]] == [{"empty_line": 1, "wrong_field_count": 1}] * 2
    assert summary["good"] == 2


def test_quoted_fields_may_hold_delimiters_and_quotation_marks(
    readings: Callable[..., list[Any]], tmp_path: Path
) -> None:
    lines = [
        '"serial","note","read_at","value"',
        '"M1","a, ""b"" c","2013-01-01 00:30:00","0.5"',
        'M2,5" pipe,"2013-01-01 00:30:00",1',
    ]
    assert readings(meter_file(tmp_path / "a.csv", *lines), **NAMED) == [
        ("M1", 0.5, "INT", "2013-01-01 00:30:00", None, None),
        ("M2", 1.0, "INT", "2013-01-01 00:30:00", None, None),
    ]


def test_quotation_marks_that_never_close_end_no_run(rejects: Callable[..., list[Any]], tmp_path: Path) -> None:
    wild = ['"M1,2013-01-01 00:30:00,1', '"M1"x,2013-01-01 00:30:00,1']
    wild += ['"' * 9_999, '"",' * 200_000, '"' + "a,b" * 9_000]
    found = rejects(meter_file(tmp_path / "a.csv", HEADER, *wild), **NAMED)
    assert len(found) == 5
    assert {reason for reason, _ in found} == {"wrong_field_count", "invalid_meter_id"}
    assert sorted(line for _, line in found) == sorted(wild)


# Times.


@pytest.mark.parametrize(
    ("pattern", "text", "time"),
    [
        (None, "2013-07-01 00:30:00", "2013-06-30 23:30:00"),
        (None, "2013-07-01T00:30", "2013-06-30 23:30:00"),
        (None, "2013-07-01 00:30:00.1239999", "2013-06-30 23:30:00.123"),
        (None, "2013-07-01T00:30:00Z", "2013-07-01 00:30:00"),
        (None, "2013-07-01T00:30:00.5+02:00", "2013-06-30 22:30:00.5"),
        ("dd.MM.yyyy HH:mm", "01.07.2013 00:30", "2013-06-30 23:30:00"),
        ("yyyy-MM-dd HH:mm:ss.SSSSSSS", "2013-07-01 00:30:00.1230000", "2013-06-30 23:30:00.123"),
        ("yyyyMMddHHmm", "201307010030", "2013-06-30 23:30:00"),
        ("M/d/yyyy h:mm a", "7/1/2013 12:30 AM", "2013-06-30 23:30:00"),
        ("dd MMM yyyy HH:mm:ss", "01 Jul 2013 00:30:00", "2013-06-30 23:30:00"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2013-07-01T00:30:00+02:00", "2013-06-30 22:30:00"),
        ("yyyy-MM-dd'X'HH:mm", "2013-07-01X00:30", "2013-06-30 23:30:00"),
        ("epoch_seconds", "1372635000", "2013-06-30 23:30:00"),
        ("epoch_seconds", "1372635000.25", "2013-06-30 23:30:00.25"),
        ("epoch_milliseconds", "1372635000125", "2013-06-30 23:30:00.125"),
    ],
)
def test_a_time_is_read_by_its_pattern(
    readings: Callable[..., list[Any]], tmp_path: Path, pattern: str | None, text: str, time: str
) -> None:
    file = meter_file(tmp_path / "a.csv", HEADER, f"M1,{text},1")
    found = readings(file, **NAMED, timestamp_pattern=pattern, time_zone="Europe/London")
    assert [row[3] for row in found] == [time]


def test_a_date_and_a_time_of_day_in_two_columns_are_put_together(
    readings: Callable[..., list[Any]], tmp_path: Path
) -> None:
    columns = {"meter_id_column": "serial", "date_column": "day", "time_column": "clock", "value_column": "value"}
    iso = meter_file(tmp_path / "a.csv", "serial,day,clock,value", "M1,2013-07-01, 00:30 ,1")
    other = meter_file(tmp_path / "b.csv", "serial,day,clock,value", "M1,01/07/2013,0030,1")
    assert [row[3] for row in readings(iso, **columns)] == ["2013-07-01 00:30:00"]
    pattern = "dd/MM/yyyy HHmm"
    assert [row[3] for row in readings(other, **columns, timestamp_pattern=pattern)] == ["2013-07-01 00:30:00"]


def half_hours(*periods: tuple[str, str]) -> list[str]:
    """Times of day from the first of a period to its last, every half hour."""
    found = []
    for first, last in periods:
        at = {text: 2 * int(text[:2]) + int(text[3:]) // 30 for text in (first, last)}
        found += [f"{half // 2:02}:{30 * (half % 2):02}" for half in range(at[first], at[last] + 1)]
    return found


SPRING_OF_LONDON, AUTUMN_OF_LONDON = [("00:00", "00:30"), ("02:00", "23:30")], [("00:00", "01:30"), ("01:00", "23:30")]
SPRING_AT_TWO, AUTUMN_AT_TWO = [("00:00", "01:30"), ("03:00", "23:30")], [("00:00", "01:30"), ("01:00", "23:30")]
AUTUMN_AT_THREE, HALF_AN_HOUR = [("00:00", "02:30"), ("02:00", "23:30")], [("00:00", "01:30"), ("01:30", "23:30")]
DAYS_OF_CHANGE = [
    # zone, day, its wall clocks, number of half hours, first and last instant
    ("Europe/London", "2013-03-31", SPRING_OF_LONDON, 46, "2013-03-31 00:00", "2013-03-31 22:30"),
    ("Europe/London", "2013-10-27", AUTUMN_OF_LONDON, 50, "2013-10-26 23:00", "2013-10-27 23:30"),
    ("America/New_York", "2013-03-10", SPRING_AT_TWO, 46, "2013-03-10 05:00", "2013-03-11 03:30"),
    ("America/New_York", "2013-11-03", AUTUMN_AT_TWO, 50, "2013-11-03 04:00", "2013-11-04 04:30"),
    ("Australia/Sydney", "2013-10-06", SPRING_AT_TWO, 46, "2013-10-05 14:00", "2013-10-06 12:30"),
    ("Australia/Sydney", "2013-04-07", AUTUMN_AT_THREE, 50, "2013-04-06 13:00", "2013-04-07 13:30"),
    ("Australia/Lord_Howe", "2013-04-07", HALF_AN_HOUR, 49, "2013-04-06 13:00", "2013-04-07 13:00"),
]


@pytest.mark.parametrize("file_format", ["csv", "json"])
@pytest.mark.parametrize(("zone", "day", "clocks", "number", "first", "last"), DAYS_OF_CHANGE)
def test_a_day_on_which_clocks_change_has_every_half_hour_once(
    tmp_path: Path, file_format: str,
    zone: str, day: str, clocks: list[tuple[str, str]], number: int, first: str, last: str,
) -> None:  # fmt: skip
    times = [f"{day} {clock}:00" for clock in half_hours(*clocks)]
    cells = [(meter, time, at) for meter in ("M1", "M2") for at, time in enumerate(times)]
    if file_format == "csv":
        file = meter_file(tmp_path / "a.csv", HEADER, *(f"{meter},{time},{at}" for meter, time, at in cells))
    else:
        objects = [json.dumps({"serial": meter, "read_at": time, "value": at}) for meter, time, at in cells]
        file = meter_file(tmp_path / "a.json", *objects)

    cleaned = clean_described(tmp_path, [file], **NAMED, time_zone=zone)

    found = rows(cleaned.readings(), "meter_id", "reading_date_time", "reading_value")
    assert cleaned.summary["rejected"] == 0
    for meter in ("M1", "M2"):
        of_meter = [row for row in found if row[0] == meter]
        assert len(of_meter) == len({row[1] for row in of_meter}) == number
        assert [row[2] for row in of_meter] == list(range(number)), "the readings are not in the order they came"
        assert (of_meter[0][1], of_meter[-1][1]) == (f"{first}:00", f"{last}:00")


def test_a_time_that_clocks_left_out_is_a_reject(rejects: Callable[..., list[Any]], tmp_path: Path) -> None:
    times = ["2013-03-31 00:30:00", "2013-03-31 01:00:00", "2013-03-31 01:30:00", "2013-03-31 02:00:00"]
    file = meter_file(tmp_path / "a.csv", HEADER, *(f"M1,{time},1" for time in times))
    assert rejects(file, **NAMED, time_zone="Europe/London") == [
        ("nonexistent_local_time", "M1,2013-03-31 01:00:00,1"),
        ("nonexistent_local_time", "M1,2013-03-31 01:30:00,1"),
    ]


def of_autumn(*clocks: str, meter: str = "M1") -> list[str]:
    return [f"{meter},2013-10-27 {clock}:00,{at}" for at, clock in enumerate(clocks)]


@pytest.mark.parametrize(
    ("clocks", "instants"),
    [
        (["01:00", "01:30", "01:00", "01:30"], ["00:00", "00:30", "01:00", "01:30"]),
        (["01:00", "01:00", "01:30", "01:30"], ["00:00", "01:00", "00:30", "01:30"]),
        (["01:30", "01:00", "01:30"], ["00:30", "01:00", "01:30"]),
        (["01:00", "01:00", "01:30"], ["00:00", "01:00", "01:30"]),
        (["01:00", "01:30"], ["00:00", "00:30"]),
        (["01:30", "01:00"], ["00:30", "01:00"]),
        (["01:15"], ["00:15"]),
    ],
)
def test_the_order_of_arrival_tells_the_two_rounds_of_an_hour_apart(
    readings: Callable[..., list[Any]], tmp_path: Path, clocks: list[str], instants: list[str]
) -> None:
    file = meter_file(tmp_path / "a.csv", HEADER, *of_autumn(*clocks))
    found = readings(file, **NAMED, time_zone="Europe/London")
    by_arrival = sorted(found, key=lambda row: row[1])
    assert [row[3] for row in by_arrival] == [f"2013-10-27 {instant}:00" for instant in instants]


def test_a_meter_that_is_cut_over_two_files_keeps_its_order(readings: Callable[..., list[Any]], tmp_path: Path) -> None:
    first = meter_file(tmp_path / "a.csv", HEADER, "M1,2013-10-27 01:00:00,0", "M1,2013-10-27 01:30:00,1")
    second = meter_file(tmp_path / "b.csv", HEADER, "M1,2013-10-27 01:00:00,2", "M1,2013-10-27 01:30:00,3")
    found = readings(first, second, **NAMED, time_zone="Europe/London")
    assert [row[1] for row in sorted(found, key=lambda row: row[3])] == [0.0, 1.0, 2.0, 3.0]


def test_registers_and_error_rows_have_an_order_of_their_own(
    readings: Callable[..., list[Any]], tmp_path: Path
) -> None:
    columns = {**NAMED, "reading_type_column": "kind"}
    lines = [
        "M1,2013-10-27 01:00:00,1,INT", "M1,2013-10-27 01:00:00,100,AGG",
        "M1,2013-10-27 01:00:00,Null,INT", "M1,2013-10-27 01:00:00,101,AGG",
    ]  # fmt: skip
    file = meter_file(tmp_path / "a.csv", f"{HEADER},kind", *lines)
    assert [row[1:4] for row in readings(file, **columns, time_zone="Europe/London")] == [
        (1.0, "INT", "2013-10-27 00:00:00"),
        (100.0, "AGG", "2013-10-27 00:00:00"),
        (101.0, "AGG", "2013-10-27 01:00:00"),
        (None, "ERR", "2013-10-27 01:00:00"),
    ]


def test_order_is_kept_over_the_parts_in_which_a_large_file_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = [
        line for number in range(400) for line in of_autumn("01:00", "01:30", "01:00", "01:30", meter=f"M{number:03}")
    ]
    file = meter_file(tmp_path / "a.csv", HEADER, *lines)
    monkeypatch.setattr(cleaning, "PART_BYTES", 4096)
    cleaned = clean_described(tmp_path, [file], **NAMED, time_zone="Europe/London")
    assert len(cleaned.clean_files()) > 10
    found = rows(cleaned.readings(), "meter_id", "reading_date_time", "reading_value")
    assert [row[2] for row in found] == [0.0, 1.0, 2.0, 3.0] * 400


# Values, units, types and codes.


@pytest.mark.parametrize(
    ("unit", "text", "kwh"),
    [("kWh", "0.219", 0.219), ("Wh", "219", 0.219), ("MWh", "0.000219", 0.219), ("Wh", "1", 0.001), ("kWh", "-0", 0.0)],
)
def test_values_become_kwh(
    readings: Callable[..., list[Any]], tmp_path: Path, unit: str, text: str, kwh: float
) -> None:
    ((_, value, *_),) = readings(
        meter_file(tmp_path / "a.csv", HEADER, f"M1,2013-01-01 00:30:00,{text}"), **NAMED, unit=unit
    )
    assert str(value) == str(kwh)


def test_a_column_says_the_unit_of_each_row(readings: Callable[..., list[Any]], tmp_path: Path) -> None:
    lines = [f"M{at},2013-01-01 00:30:00,{text}" for at, text in enumerate(["2,kWh", "2,WH", "2, mwh ", "2,"])]
    file = meter_file(tmp_path / "a.csv", f"{HEADER},unit", *lines)
    assert [row[1] for row in readings(file, **NAMED, unit_column="unit", unit="MWh")] == [2.0, 0.002, 2000.0, 2000.0]


def test_a_comma_may_be_the_decimal_mark(readings: Callable[..., list[Any]], tmp_path: Path) -> None:
    file = meter_file(tmp_path / "a.csv", HEADER.replace(",", ";"), "M1;2013-01-01 00:30:00;0,219")
    assert readings(file, **NAMED, delimiter=";", decimal_mark=",")[0][1] == 0.219


def test_types_and_error_codes_of_rows_are_read(readings: Callable[..., list[Any]], tmp_path: Path) -> None:
    lines = [
        "M1,2013-01-01 00:00:00,0.5,I,0,1-1:1.29.0",
        "M1,2013-01-01 00:30:00,0.5,,,",
        "M1,2013-01-01 01:00:00,12345.678,r,,1-0:1.8.0",
        "M1,2013-01-01 01:30:00,0,I,E05,",
        "M1,2013-01-01 02:00:00,,I,E06,",
        "M1,2013-01-01 02:30:00,junk,agg,Power down,",
        "M1,2013-01-01 03:00:00,1,Error,,",
        "M1,2013-01-01 03:30:00,Null,int,,",
    ]
    file = meter_file(tmp_path / "a.csv", f"{HEADER},kind,code,obis", *lines)
    more = {"reading_type_column": "kind", "error_code_column": "code", "obis_code_column": "obis"}
    words = {"I": "INT", "R": "AGG", "Error": "ERR"}
    found = readings(file, **NAMED, **more, reading_types=words, no_error_codes=["0"])
    assert [
        (time[11:16], value, kind, obis, code)
        for _, value, kind, time, obis, code in sorted(found, key=lambda row: row[3])
    ] == [
        ("00:00", 0.5, "INT", "1-1:1.29.0", None),
        ("00:30", 0.5, "INT", None, None),
        ("01:00", 12345.678, "AGG", "1-0:1.8.0", None),
        ("01:30", None, "ERR", None, "E05"),
        ("02:00", None, "ERR", None, "E06"),
        ("02:30", None, "ERR", None, "Power down"),
        ("03:00", None, "ERR", None, "UNKNOWN"),
        ("03:30", None, "ERR", None, "NULL"),
    ]


def test_a_description_says_the_type_of_all_rows(readings: Callable[..., list[Any]], tmp_path: Path) -> None:
    file = meter_file(tmp_path / "a.csv", HEADER, "M1,2013-01-01 00:00:00,99999999.5")
    assert readings(file, **NAMED, reading_type="AGG")[0][1:3] == (99999999.5, "AGG")


def test_a_missing_value_is_a_reject_or_an_error_reading(
    readings: Callable[..., list[Any]], rejects: Callable[..., list[Any]], tmp_path: Path
) -> None:
    file = meter_file(tmp_path / "a.csv", HEADER, "M1,2013-01-01 00:00:00, ")
    assert rejects(file, **NAMED) == [("missing_value", "M1,2013-01-01 00:00:00, ")]
    assert readings(file, **NAMED, missing_value="error") == [("M1", None, "ERR", "2013-01-01 00:00:00", None, "NULL")]


def test_a_row_that_is_no_reading_lies_in_quarantine_as_it_came_with_its_reason(
    rejects: Callable[..., list[Any]], tmp_path: Path
) -> None:
    wrong = [
        ("", "empty_line"),
        ("M1;x", "wrong_field_count"),
        (" ;2013-01-01 00:30:00;1;INT;kWh;;", "missing_meter_id"),
        ("M  1;2013-01-01 00:30:00;1;INT;kWh;;", "invalid_meter_id"),
        ("M/1;2013-01-01 00:30:00;1;INT;kWh;;", "invalid_meter_id"),
        ("7,222E+12;2013-01-01 00:30:00;1;INT;kWh;;", "meter_id_lost_digits"),
        ("M1;;1;INT;kWh;;", "malformed_timestamp"),
        ("M1;01.01.2013 00:30;1;INT;kWh;;", "malformed_timestamp"),
        ("M1;2013-02-30 00:30:00;1;INT;kWh;;", "impossible_timestamp"),
        ("M1;2013-01-01 00:30:00.12345678901;1;INT;kWh;;", "malformed_timestamp"),
        ("M1;2013-03-31 01:30:00;1;INT;kWh;;", "nonexistent_local_time"),
        ("M1;1969-01-01 01:30:00;1;INT;kWh;;", "timestamp_out_of_range"),
        ("M1;2015-06-03 01:30:00;1;INT;kWh;;", "timestamp_out_of_range"),
        ("M1;2013-01-01 00:30:00;1;power;kWh;;", "unknown_reading_type"),
        (f"M1;2013-01-01 00:30:00;1;INT;kWh;{'E' * 33};", "invalid_error_code"),
        (f"M1;2013-01-01 00:30:00;1;INT;kWh;;{'1' * 33}", "invalid_obis_code"),
        (' "M1" ;2013-01-01 00:30:00;;INT;kWh;;', "missing_value"),
        ("M1;2013-01-01 00:30:00;0.1f;INT;kWh;;", "not_a_number"),
        ("M1;2013-01-01 00:30:00;1,5;INT;kWh;;", "not_a_number"),
        ("M1;2013-01-01 00:30:00;NaN;INT;kWh;;", "not_a_number"),
        ("M1;2013-01-01 00:30:00;1;INT;kW;;", "unknown_unit"),
        ("M1;2013-01-01 00:30:00;-1;INT;kWh;;", "negative_value"),
        ("M1;2013-01-01 00:30:00;-1;AGG;kWh;;", "negative_value"),
        ("M1;2013-01-01 00:30:00;1001;INT;kWh;;", "value_too_large"),
        ("M1;2013-01-01 00:30:00;1e13;AGG;kWh;;", "value_too_large"),
    ]
    header = "serial;read_at;value;kind;unit;code;obis"
    good = "M1;2013-01-01 00:30:00;1000;INT;kWh;;"
    columns = {
        "reading_type_column": "kind",
        "unit_column": "unit",
        "error_code_column": "code",
        "obis_code_column": "obis",
    }
    file = meter_file(tmp_path / "a.csv", header, *(line for line, _ in wrong), good)

    found = rejects(file, **NAMED, **columns, delimiter=";", time_zone="Europe/London", largest_kwh=1000)

    assert found == sorted((reason, line) for line, reason in wrong)


# What does not fit.


def test_a_file_without_the_columns_is_set_aside_and_they_are_named(tmp_path: Path) -> None:
    file = meter_file(tmp_path / "a.csv", "id,when,kwh", "M1,2013-01-01 00:30:00,1")
    message = set_aside(
        clean_described(tmp_path, [file], meter_id_column="id", date_time_column="time", value_column="9")
    )
    assert "a.csv has the columns\n  1  id\n  2  when\n  3  kwh\n" in message
    assert "  date_time_column = time\n  value_column = 9\n" in message
    assert "meter_id_column" not in message


def test_a_row_in_place_of_a_header_is_not_quoted(tmp_path: Path) -> None:
    for row in ("M1,2013-01-01 00:30:00,1", "M1,01.07.2013 00:30,1", "M1,201301010030,1", "M1,Jan,0.5"):
        message = set_aside(clean_described(tmp_path / row[3:6], [meter_file(tmp_path / "a.csv", row)], **NAMED))
        assert "a.csv begins with a line that holds a time or a number, so it is no header." in message
        assert "set header (the trigger form) to false" in message
        assert "M1" not in message


def test_a_wrong_delimiter_is_guessed_from_a_header_of_one_column(tmp_path: Path) -> None:
    file = meter_file(tmp_path / "a.csv", HEADER.replace(",", ";"), "M1;2013-01-01 00:30:00;1")
    assert "It has one column only: set delimiter, which is now ','" in set_aside(
        clean_described(tmp_path, [file], **NAMED)
    )


def test_two_columns_of_one_name_must_be_told_apart_by_position(
    readings: Callable[..., list[Any]], tmp_path: Path
) -> None:
    file = meter_file(tmp_path / "a.csv", "serial,read_at,value,value", "M1,2013-01-01 00:30:00,1,2")
    assert "or there twice:\n  value_column = value" in set_aside(clean_described(tmp_path, [file], **NAMED))
    assert readings(file, **{**NAMED, "value_column": "4"})[0][1] == 2.0


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ({"metre_id_column": "x"}, "metre_id_column is no setting; there are: file_format, delimiter"),
        ({"file_format": "xlsx"}, "file_format must be one of csv, json, parquet, orc, avro, not 'xlsx'"),
        ({"unit": "m3"}, "unit must be one of kWh, Wh, MWh, not 'm3'"),
        ({"time_zone": "London"}, "time_zone must be a name such as Europe/London, or an offset such as"),
        ({"timestamp_pattern": "yyyy-mm-dd bb"}, "'yyyy-mm-dd bb' cannot be used: the letter b cannot be used"),
        ({"timestamp_pattern": "EEE dd.MM.yyyy"}, "the letter E cannot be used. Leave the day of the week out"),
        ({"date_column": "day"}, "date_column and time_column go together"),
        ({"header": False}, r"meter_id_column must be a position \(1, 2, …\) as header is false, not 'meter_id'"),
        ({"header": "no"}, "header must be true or false, not 'no'"),
        ({"delimiter": '"'}, "delimiter must be one to five signs"),
        ({"reading_types": {"I": "interval"}}, "reading_types must give INT, AGG or ERR for each word"),
        ({"largest_kwh": 0}, "largest_kwh must be a number above 0, not 0"),
        ({"value_column": 1.5}, "value_column must be a text, not 1.5"),
    ],
)
def test_a_description_that_cannot_be_is_refused(tmp_path: Path, description: dict[str, Any], said: str) -> None:
    with pytest.raises(DescriptionError, match=said):
        clean_described(tmp_path, [meter_file(tmp_path / "a.csv", HEADER)], **description)


def test_a_name_that_does_not_tell_its_format_asks_for_it(tmp_path: Path) -> None:
    file = meter_file(tmp_path / "extract.dat", HEADER, "M1,2013-01-01 00:30:00,1")
    assert "extract.dat does not tell its format. Set file_format" in set_aside(
        clean_described(tmp_path, [file], **NAMED)
    )
    assert clean_described(tmp_path, [file], **NAMED, file_format="csv").summary["good"] == 1


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    file = meter_file(tmp_path / "a.parquet", HEADER)
    assert "a.parquet is no parquet file, whatever its name" in set_aside(clean_described(tmp_path, [file], **NAMED))


def test_the_trigger_form_asks_for_every_setting_with_the_default_of_the_description() -> None:
    from meter_data.readers.description import Description, parsed
    from metering.file_descriptions import PARAMS, described

    defaults = {name: asked["default"] for name, asked in PARAMS.items()}
    settings = {each.name for each in dataclasses.fields(Description)} - {"origin"}
    assert set(defaults) == settings, "Add the setting to plugins/metering/file_descriptions.py, or take it away there."
    assert parsed(described(defaults), "the trigger form") == Description()
    for name in ("file_format", "unit", "decimal_mark", "reading_type", "missing_value"):
        for choice in PARAMS[name]["enum"]:
            assert getattr(parsed({name: choice}, "x"), name) == choice
