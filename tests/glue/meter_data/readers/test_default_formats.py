"""The reader `default` on CSV, JSON Lines, Parquet, ORC and Avro: the same table gives the same readings."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from meter_data.meter_files import avro_files, columnar_files
from pyarrow import orc

from tests.glue.described import clean_described, meter_file, rows, set_aside
from tests.glue.extracts import write, write_avro
from tests.glue.folder_store import FolderStore

FORMATS = ["csv", "json", "parquet", "orc", "avro"]
OTHERS = FORMATS[1:]
READING = ["meter_id", "reading_value", "reading_type", "reading_date_time", "obis_code", "error_code"]
COLUMNS = {
    "meter_id_column": "Serial",
    "date_time_column": "ReadAt",
    "value_column": "Energy",
    "reading_type_column": "Kind",
    "error_code_column": "Status",
    "unit_column": "Unit",
}
# Good rows, an error code, a word Null, a register, the repeated hour, and one row for each of several faults.
TABLE: dict[str, list[Any]] = {
    "Serial": ["M1", "M1", "M1", "M2", "M2", "M2", "M1", "M1", None, "M/1", "M1", "M1", "M1", "M1", "M1"],
    "ReadAt": [
        *["01/07/2013 00:30", "01/07/2013 01:00", "01/07/2013 01:30", "01/07/2013 00:00"],
        *["27/10/2013 01:00", "27/10/2013 01:00", "01/07/2013 02:00", "01/07/2013 02:30"],
        *["01/07/2013 00:30", "01/07/2013 00:30", "2013-07-01 00:30", None, "31/03/2013 01:00"],
        *["01/07/2013 03:00", "01/07/2013 03:30"],
    ],
    "Energy": ["219", "0", "Null", "1.5", "1", "2", "0.25", "1e2", "1", "1", "1", "1", "1", "x", None],
    "Kind": ["INT", "INT", "INT", "AGG", "INT", "INT", None, "INT", "INT", "INT", "INT", "INT", "INT", "INT", "INT"],
    "Status": [None, "E05", *[None] * 13],
    "Unit": ["Wh", "Wh", "Wh", "MWh", "kWh", "kWh", None, "Wh", "Wh", "Wh", "Wh", "Wh", "Wh", "Wh", "Wh"],
    "Note": ['a "b" c', *["" for _ in range(14)]],
}
GOOD = [
    ("M1", 0.1, "INT", "2013-07-01 01:30:00", None, None),
    ("M1", 0.219, "INT", "2013-06-30 23:30:00", None, None),
    ("M1", 0.25, "INT", "2013-07-01 01:00:00", None, None),
    ("M1", None, "ERR", "2013-07-01 00:00:00", None, "E05"),
    ("M1", None, "ERR", "2013-07-01 00:30:00", None, "NULL"),
    ("M2", 1.0, "INT", "2013-10-27 00:00:00", None, None),
    ("M2", 2.0, "INT", "2013-10-27 01:00:00", None, None),
    ("M2", 1500.0, "AGG", "2013-06-30 23:00:00", None, None),
]
REASONS = {
    "invalid_meter_id": 1,
    "malformed_timestamp": 2,
    "missing_meter_id": 1,
    "missing_value": 1,
    "nonexistent_local_time": 1,
    "not_a_number": 1,
}


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_same_table_in_each_format_gives_the_same_readings_and_rejects(tmp_path: Path, file_format: str) -> None:
    file = write(file_format, tmp_path / f"extract.{file_format}", TABLE)
    said = {**COLUMNS, "timestamp_pattern": "dd/MM/yyyy HH:mm", "time_zone": "Europe/London", "delimiter": ";"}

    cleaned = clean_described(tmp_path, [file], **said)

    assert rows(cleaned.readings(), *READING) == GOOD
    (summary,) = cleaned.summary["files"]
    assert (summary["rows"], summary["good"], summary["rejected_by_reason"]) == (15, 8, REASONS)
    kept = rows(cleaned.rejects(), "source_file", "reason", "line")
    assert {file for file, _, _ in kept} == {f"s3://landing/readings/extract.{file_format}"}
    (line,) = [line for _, reason, line in kept if reason == "invalid_meter_id"]
    if file_format == "csv":
        assert line == "M/1;01/07/2013 00:30;1;INT;;Wh;"
    else:
        row = {name: cells[9] for name, cells in TABLE.items()}
        assert json.loads(line) == row


WALL_CLOCK = {
    "parquet": pa.timestamp("us"),
    "orc": pa.timestamp("ns"),
    "avro": {"type": "long", "logicalType": "local-timestamp-millis"},
}


@pytest.mark.parametrize("file_format", ["parquet", "orc", "avro"])
def test_times_without_a_zone_are_those_of_the_description(tmp_path: Path, file_format: str) -> None:
    first = [datetime(2013, 10, 27, tzinfo=UTC) + timedelta(minutes=30 * half) for half in range(4)]  # to 01:30
    clocks = first + [first[2] + timedelta(minutes=30 * half) for half in range(46)]  # again from 01:00
    cells = [int(clock.timestamp() * 1000) if file_format == "avro" else clock.replace(tzinfo=None) for clock in clocks]
    table = {"serial": ["M1"] * 50, "read_at": cells, "value": [float(at) for at in range(50)]}
    kinds = {"read_at": WALL_CLOCK[file_format], "value": "double" if file_format == "avro" else pa.float64()}
    file = write(file_format, tmp_path / f"a.{file_format}", table, kinds)
    named = {"meter_id_column": "serial", "date_time_column": "read_at", "value_column": "value"}

    cleaned = clean_described(tmp_path, [file], **named, time_zone="Europe/London")

    found = rows(cleaned.readings(), "reading_date_time", "reading_value")
    begin = datetime(2013, 10, 26, 23)  # noqa: DTZ001
    assert found == [(str(begin + timedelta(minutes=30 * at)), float(at)) for at in range(50)]


INSTANTS = {
    "parquet": (pa.timestamp("ms", tz="Europe/London"), datetime(2013, 7, 1, 0, 30, 0, 125_000, tzinfo=UTC)),
    "millis": ({"type": "long", "logicalType": "timestamp-millis"}, 1_372_638_600_125),
    "micros": ({"type": "long", "logicalType": "timestamp-micros"}, 1_372_638_600_125_999),
}


@pytest.mark.parametrize("kind", INSTANTS)
def test_times_that_are_instants_need_no_zone(tmp_path: Path, kind: str) -> None:
    declared, cell = INSTANTS[kind]
    file_format = "parquet" if kind == "parquet" else "avro"
    table = {"meter_id": ["M1"], "reading_date_time": [cell], "reading_value": ["1"]}
    file = write(file_format, tmp_path / f"a.{file_format}", table, {"reading_date_time": declared})
    cleaned = clean_described(tmp_path, [file], time_zone="America/New_York")
    assert rows(cleaned.readings(), "reading_date_time") == [("2013-07-01 00:30:00.125",)]


DATES = {
    "parquet": (pa.date32(), date(2013, 7, 1)),
    "orc": (pa.date32(), date(2013, 7, 1)),
    "avro": ({"type": "int", "logicalType": "date"}, 15_887),
}


@pytest.mark.parametrize("file_format", DATES)
def test_a_date_alone_is_its_midnight_and_with_a_time_of_day_its_date(tmp_path: Path, file_format: str) -> None:
    kind, cell = DATES[file_format]
    table = {"meter_id": ["M1"], "day": [cell], "clock": ["00:30"], "reading_value": ["1"]}
    file = write(file_format, tmp_path / f"a.{file_format}", table, {"day": kind})
    for columns, time in [
        ({"date_time_column": "day"}, "2013-06-30 23:00:00"),
        ({"date_column": "day", "time_column": "clock"}, "2013-06-30 23:30:00"),
    ]:
        cleaned = clean_described(tmp_path, [file], **columns, time_zone="Europe/London")
        assert rows(cleaned.readings(), "reading_date_time") == [(time,)]


@pytest.mark.parametrize(
    ("kind", "cell", "kwh"),
    [
        (pa.float32(), 0.219, 0.219),
        (pa.float64(), 0.0001, 0.0001),
        (pa.int64(), 7, 7.0),
        (pa.decimal128(12, 3), Decimal("0.219"), 0.219),
        (pa.binary(), b"0.219", 0.219),
    ],
)
def test_values_of_every_type_of_number_are_read(tmp_path: Path, kind: pa.DataType, cell: Any, kwh: float) -> None:
    table = {"meter_id": ["M1"], "reading_date_time": ["2013-01-01 00:30:00"], "reading_value": [cell]}
    file = write("parquet", tmp_path / "a.parquet", table, {"reading_value": kind})
    cleaned = clean_described(tmp_path, [file])
    assert rows(cleaned.readings(), "reading_value") == [(kwh,)]


@pytest.mark.parametrize(
    ("cell", "kwh"), [("0.219", 0.219), ("65.536", 65.536), ("0", 0.0), ("123456789.012", 123456789.012)]
)
def test_decimals_of_avro_are_read(tmp_path: Path, cell: str, kwh: float) -> None:
    kind = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 3}
    table = {"meter_id": ["M1"], "reading_date_time": ["2013-01-01 00:30:00"], "reading_value": [Decimal(cell)]}
    file = write_avro(tmp_path / "a.avro", table, {"reading_value": kind})
    cleaned = clean_described(tmp_path, [file], reading_type="AGG")
    assert rows(cleaned.readings(), "reading_value") == [(kwh,)]


def test_a_negative_decimal_of_avro_is_negative(tmp_path: Path) -> None:
    kind = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 3}
    table = {"meter_id": ["M1"], "reading_date_time": ["2013-01-01 00:30:00"], "reading_value": [Decimal("-0.001")]}
    file = write_avro(tmp_path / "a.avro", table, {"reading_value": kind})
    assert clean_described(tmp_path, [file]).summary["rejected_by_reason"] == {"negative_value": 1}


def test_a_column_of_avro_that_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    table: dict[str, Any] = {"meter_id": [], "reading_date_time": [], "reading_value": []}
    kind = {"type": "array", "items": "double"}
    file = write_avro(tmp_path / "a.avro", table, {"reading_value": kind})
    assert re.search(
        r"column reading_value of .*a\.avro is of type array", set_aside(clean_described(tmp_path, [file]))
    )


def test_the_order_of_rows_is_kept_over_the_parts_in_which_a_large_file_of_avro_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clocks = ["2013-10-27 01:00:00", "2013-10-27 01:30:00"] * 2
    table = {
        "meter_id": [f"M{meter:05}" for meter in range(2_000) for _ in clocks],
        "reading_date_time": clocks * 2_000,
        "reading_value": ["0", "1", "2", "3"] * 2_000,
        "padding": ["x" * 50] * 8_000,
    }
    file = write_avro(tmp_path / "a.avro", table, {}, "null")
    monkeypatch.setattr(avro_files, "_ROWS_AT_ONCE", 999)

    cleaned = clean_described(tmp_path, [file], time_zone="Europe/London")

    found = rows(cleaned.readings(), "meter_id", "reading_date_time", "reading_value")
    assert [row[2] for row in found] == [0.0, 1.0, 2.0, 3.0] * 2_000


@pytest.mark.parametrize("file_format", OTHERS)
def test_files_of_different_columns_load_in_one_delivery(tmp_path: Path, file_format: str) -> None:
    table = {"meter_id": ["M1", "M2"], "reading_date_time": ["2013-01-01 00:30:00"] * 2, "reading_value": ["1", "x"]}
    one = write(file_format, tmp_path / f"a.{file_format}", table)
    turned = {"more": ["", ""], **dict(reversed(table.items()))}
    other = write(file_format, tmp_path / f"b.{file_format}", turned)
    summary = clean_described(tmp_path, [one, other]).summary
    assert [(file["good"], file["rejected_by_reason"]) for file in summary["files"]] == [(1, {"not_a_number": 1})] * 2


@pytest.mark.parametrize("file_format", ["parquet", "orc"])
def test_files_of_one_name_and_different_types_of_a_column_load_in_one_delivery(
    tmp_path: Path, file_format: str
) -> None:
    files = [
        write(
            file_format,
            tmp_path / f"{at}.{file_format}",
            {"meter_id": ["M1"], "reading_date_time": [f"2013-01-01 0{at}:30:00"], "reading_value": [cell]},
            {"reading_value": kind},
        )
        for at, (kind, cell) in enumerate([(pa.string(), "0.5"), (pa.float64(), 1.5), (pa.int32(), 2)])
    ]
    cleaned = clean_described(tmp_path, files)
    assert rows(cleaned.readings(), "reading_value") == [(0.5,), (1.5,), (2.0,)]


def test_names_of_json_are_taken_as_they_stand(tmp_path: Path) -> None:
    row = {"2": "M1", "1": "2013-01-01 00:30:00", "Value": 0.5, "value": 9}
    file = meter_file(tmp_path / "a.json", json.dumps(row))
    columns = {"meter_id_column": "2", "date_time_column": "1", "value_column": "Value"}
    cleaned = clean_described(tmp_path, [file], **columns)
    assert rows(cleaned.readings(), "meter_id", "reading_value") == [("M1", 0.5)]


def test_all_formats_load_in_one_delivery_by_the_endings_of_their_names(tmp_path: Path) -> None:
    table = {"meter_id": ["M1"], "reading_date_time": ["2013-01-01 00:30:00"], "reading_value": ["1"]}
    files = [write(name, tmp_path / f"a.{name}", table) for name in FORMATS]
    summary = clean_described(tmp_path, files, delimiter=";").summary
    assert [file["good"] for file in summary["files"]] == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("file_format", OTHERS)
def test_columns_that_a_file_does_not_have_are_named(tmp_path: Path, file_format: str) -> None:
    file = write(file_format, tmp_path / f"a.{file_format}", {"id": ["M1"], "when": ["x"]})
    assert re.search(
        r"1  id\n  2  when\nbut .*\n  meter_id_column = meter_id\n", set_aside(clean_described(tmp_path, [file]))
    )


@pytest.mark.parametrize("file_format", ["parquet", "orc", "avro"])
def test_columns_are_found_by_position(tmp_path: Path, file_format: str) -> None:
    table = {"x.y": ["2013-01-01 00:30:00"], "a b": ["1"], "id`": ["M1"]}
    named = table if file_format == "parquet" else dict(zip(["x", "y", "z"], table.values(), strict=True))
    file = write(file_format, tmp_path / f"a.{file_format}", named)
    by_position = {"meter_id_column": "3", "date_time_column": "1", "value_column": "2"}
    assert clean_described(tmp_path, [file], **by_position).summary["good"] == 1


@pytest.mark.parametrize("file_format", FORMATS)
def test_names_that_look_like_patterns_or_urls_are_read_once(tmp_path: Path, file_format: str) -> None:
    table = {"meter_id": ["M1"], "reading_date_time": ["2013-01-01 00:30:00"], "reading_value": ["1"]}
    names = ["a b", "a%20b", "a+b[1]", "{x,y}*", "é?", "back\\slash", "comma,"]
    files = [write(file_format, tmp_path / name, table) for name in names]
    summary = clean_described(tmp_path, files, delimiter=";", file_format=file_format).summary
    assert [file["good"] for file in summary["files"]] == [1] * 7


@pytest.mark.parametrize("file_format", ["parquet", "orc", "avro"])
def test_a_damaged_file_is_named(tmp_path: Path, file_format: str) -> None:
    file = tmp_path / f"a.{file_format}"
    file.write_bytes({"parquet": b"PAR1", "orc": b"ORC", "avro": b"Obj\x01"}[file_format] + b"junk" * 100)
    assert re.search(rf"a\.{file_format}", set_aside(clean_described(tmp_path, [file])))


def test_lines_that_are_no_json_objects_are_rejects(tmp_path: Path) -> None:
    good = '{"meter_id": "M1", "reading_date_time": "2013-01-01 00:30:00", "reading_value": 0.5}'
    wild = ["{", "[1]", '"text"', "7", good[:-1], good.replace("0.5", '{"kWh": 1}')]
    file = meter_file(tmp_path / "a.jsonl", good, *wild, "", f"\ufeff{good}", end="\n")
    cleaned = clean_described(tmp_path, [file])
    found = rows(cleaned.rejects(), "reason", "line")
    assert sorted(line for _, line in found) == sorted([*wild, ""])
    assert {reason for reason, _ in found} <= {"empty_line", "malformed_json", "missing_meter_id", "not_a_number"}
    assert cleaned.summary["good"] == 2


def test_numbers_and_packed_files_of_json_are_read(tmp_path: Path) -> None:
    row = {"meter_id": 4711, "reading_date_time": 1_372_638_600_125, "reading_value": 0.219}
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(gzip.compress(json.dumps(row).encode()))
    cleaned = clean_described(tmp_path, [file], timestamp_pattern="epoch_milliseconds")
    found = rows(cleaned.readings(), *READING)
    assert found == [("4711", 0.219, "INT", "2013-07-01 00:30:00.125", None, None)]


def test_an_array_of_json_is_refused(tmp_path: Path) -> None:
    file = meter_file(tmp_path / "a.json", '[{"meter_id": "M1"}]')
    assert re.search(r"a\.json is one JSON array\. Deliver JSON Lines", set_aside(clean_described(tmp_path, [file])))


class Failing(io.BytesIO):
    """A file of S3 whose connection breaks behind a number of bytes, with the words of Arrow."""

    def __init__(self, content: bytes, reads: int) -> None:
        super().__init__(content)
        self._left = reads

    def read(self, size: int | None = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise OSError(
                "When reading information for key 'readings/a' in bucket 'landing': AWS Error NETWORK_CONNECTION "
                "during GetObject operation: curlCode: 28, Timeout was reached"
            )
        return super().read(size)


@pytest.mark.parametrize("file_format", ["parquet", "orc", "avro"])
@pytest.mark.parametrize("reads", [0, 1])
def test_a_file_that_s3_does_not_give_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_format: str, reads: int
) -> None:
    """It would be set aside, and never tried again."""
    columns = {"meter_id": ["M1"], "reading_date_time": ["2013-07-01 00:30"], "reading_value": ["1"]}
    file = write(file_format, tmp_path / f"a.{file_format}", columns)
    content = file.read_bytes()
    monkeypatch.setattr(FolderStore, "open_file", lambda *_: pa.PythonFile(Failing(content, reads), "r"))
    monkeypatch.setattr(avro_files, "buffered", lambda _: Failing(content, reads))
    copy = shutil.copyfileobj
    monkeypatch.setattr(shutil, "copyfileobj", lambda _, *to: copy(Failing(content, reads), *to))
    with pytest.raises(OSError, match="NETWORK_CONNECTION"):
        clean_described(tmp_path, [file])


def test_a_damaged_file_of_orc_is_set_aside_and_the_job_goes_on(tmp_path: Path) -> None:
    """pyarrow 17 ends the process in which it meets such a damage."""
    times = [datetime(2013, 7, 1, tzinfo=UTC) + timedelta(minutes=30 * at) for at in range(2000)]
    table = pa.table(
        {"meter_id": ["M1"] * 2000, "reading_date_time": times, "reading_value": [at % 50 / 7 for at in range(2000)]}
    )
    orc.write_table(table, tmp_path / "a.orc", compression="zlib")
    content = bytearray((tmp_path / "a.orc").read_bytes())
    middle = len(content) // 2
    content[middle - 200 : middle] = b"\xff" * 200
    (tmp_path / "a.orc").write_bytes(content)
    good = write(
        "orc",
        tmp_path / "b.orc",
        {"meter_id": ["M1"], "reading_date_time": ["2013-07-01 00:30"], "reading_value": ["1"]},
    )

    files = clean_described(tmp_path, [tmp_path / "a.orc", good]).summary["files"]

    assert [file["good"] for file in files] == [0, 1]
    assert files[0]["set_aside"]["reason"].startswith("s3://landing/readings/a.orc is a damaged orc file: ")


@pytest.mark.parametrize("file_format", ["parquet", "orc"])
def test_a_column_whose_name_is_no_utf_8_is_a_damage(tmp_path: Path, file_format: str) -> None:
    columns = {"meter_id": ["M1"], "reading_date_time": ["2013-07-01 00:30"], "reading_value": ["1"], "beside": ["x"]}
    file = write(file_format, tmp_path / f"a.{file_format}", columns)
    content = file.read_bytes()
    if file_format == "orc":  # the schema is in the footer, which is packed otherwise
        orc.write_table(pa.table(columns), file, compression="uncompressed")
        content = file.read_bytes()
    file.write_bytes(content.replace(b"beside", b"besid\xff"))
    assert "is a damaged" in set_aside(clean_described(tmp_path, [file]))


def test_an_object_of_json_over_several_lines_is_refused(tmp_path: Path) -> None:
    """A header, which other texts without names are asked for, would help nobody here."""
    file = meter_file(tmp_path / "a.json", "{", '  "meter_id": "M1",', '  "reading_value": 1', "}")
    said = set_aside(clean_described(tmp_path, [file]))
    assert said.startswith(
        "No line at the beginning of s3://landing/readings/a.json is an object of JSON. Deliver JSON"
    )
    assert "header" not in said


def test_a_duration_is_no_value(tmp_path: Path) -> None:
    """An hour would be 3,600 kWh."""
    table = pa.table(
        {
            "meter_id": ["M1"],
            "reading_date_time": pa.array([datetime(2013, 7, 1, tzinfo=UTC)]),
            "reading_value": pa.array([3600], pa.duration("s")),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    said = set_aside(clean_described(tmp_path, [tmp_path / "a.parquet"]))
    assert "The column reading_value of s3://landing/readings/a.parquet is of type duration[s], which cannot" in said


def test_a_column_of_no_rows_is_no_reading(tmp_path: Path) -> None:
    empty: dict[str, Any] = {"meter_id": [], "reading_date_time": [], "reading_value": []}
    files = [write(name, tmp_path / f"a.{name}", empty) for name in ("parquet", "orc", "avro")]
    summary = clean_described(tmp_path, files).summary
    assert [file["rows"] for file in summary["files"]] == [0, 0, 0]


def test_columns_that_are_not_mapped_are_not_read_to_find_readings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = {"meter_id": ["M1"], "reading_date_time": ["2013-01-01 00:30:00"], "reading_value": ["1"], "wide": ["x"]}
    file = write("parquet", tmp_path / "a.parquet", table)
    read, tables = [], columnar_files.ParquetColumns.tables

    def noted(self: Any, places: Any, number: int) -> Any:
        for found in tables(self, places, number):
            read.append(found.column_names)
            yield found

    monkeypatch.setattr(columnar_files.ParquetColumns, "tables", noted)
    clean_described(tmp_path, [file])
    assert read == [["meter_id", "reading_date_time", "reading_value"]]
