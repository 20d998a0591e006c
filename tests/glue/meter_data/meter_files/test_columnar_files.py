"""Parquet and ORC files: which column is which, what a time is, and how a row is shown."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.meter_files import columnar_files
from meter_data.meter_files.columnar_files import ColumnarFile, OrcColumns, ParquetColumns
from meter_data.meter_files.lines import UnreadableFileError
from pyarrow import orc

CLOCK = datetime(2013, 7, 1, 0, 30, 0, 125_999)  # noqa: DTZ001


def file_of(table: pa.Table, places: dict[str, int], **options: Any) -> ColumnarFile:
    written = io.BytesIO()
    parquet.write_table(table, written, **options)
    content = written.getvalue()
    return ColumnarFile("a.parquet", "parquet", lambda: ParquetColumns(pa.BufferReader(content)), places)


def values(file: ColumnarFile, role: str) -> list[Any]:
    found = []
    for rows in file.records():
        distinct = rows.columns[role].distinct.to_pylist()
        found += [distinct[code] if code >= 0 else None for code in rows.columns[role].codes.tolist()]
    return found


def test_columns_of_one_name_and_fields_of_columns_are_told_apart() -> None:
    columns = [pa.array(["a"]), pa.array([{"y": "inner"}]), pa.array(["b"]), pa.array(["x.y"]), pa.array(["c"])]
    table = pa.Table.from_arrays(columns, names=["id", "x", "id", "x.y", "id"])
    file = file_of(table, {"one": 4, "two": 0, "three": 3, "four": 2})
    assert [values(file, role) for role in ("one", "two", "three", "four")] == [["c"], ["a"], ["x.y"], ["b"]]


def test_all_columns_are_shown_though_one_is_named_like_a_field_of_another() -> None:
    table = pa.Table.from_arrays([pa.array(["M1"]), pa.array([{"c": 1}]), pa.array([2])], names=["a.b", "a", "v"])
    assert [list(shown) for shown in file_of(table, {"id": 0}).as_given(np.array([0]))] == [
        ['{"a.b":"M1","a":{"c":1},"v":2}']
    ]


def test_what_is_finer_than_a_millisecond_is_dropped_also_before_1970() -> None:
    early = datetime(1969, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001
    for unit in ("us", "ns"):
        file = file_of(pa.table({"t": pa.array([CLOCK, early, None], pa.timestamp(unit))}), {"date_time": 0})
        expected = [CLOCK.replace(microsecond=125_000), early.replace(microsecond=999_000), None]
        assert values(file, "date_time") == expected


def test_instants_and_times_of_a_local_clock_are_told_apart() -> None:
    local = pa.table({"t": pa.array([CLOCK], pa.timestamp("ns"))})
    zoned = pa.table({"t": pa.array([CLOCK], pa.timestamp("us", "Europe/London"))})
    at = CLOCK.replace(microsecond=125_000)
    assert values(file_of(local, {"t": 0}), "t") == [at]
    assert values(file_of(zoned, {"t": 0}), "t") == [at.replace(tzinfo=UTC)]
    # INT96 is how old programs write instants.
    assert values(file_of(local, {"t": 0}, use_deprecated_int96_timestamps=True), "t") == [at.replace(tzinfo=UTC)]


def test_a_float_is_the_number_that_its_shortest_text_means() -> None:
    table = pa.table({"v": pa.array([0.219, None, 1e-5], pa.float32())})
    assert values(file_of(table, {"value": 0}), "value") == [0.219, None, 1e-5]


def test_rows_are_numbered_and_shown_over_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar_files, "_ROWS_AT_ONCE", 3)
    monkeypatch.setattr(columnar_files, "_WHOLE_ROWS_AT_ONCE", 4)
    file = file_of(pa.table({"id": [str(at) for at in range(20)]}), {"id": 0}, row_group_size=7)
    assert [place for rows in file.records() for place in rows.places.tolist()] == list(range(20))
    assert values(file, "id") == [str(at) for at in range(20)]
    shown = [row for wanted in ([0, 6, 7], [8], [19]) for rows in file.as_given(np.array(wanted)) for row in rows]
    assert [json.loads(row)["id"] for row in shown] == ["0", "6", "7", "8", "19"]


@settings(deadline=None, max_examples=50)
@given(
    rows=some.integers(0, 60),
    row_group=some.integers(1, 60),
    at_once=some.integers(1, 20),
    held=some.sampled_from([1, 500, 2000, 1_000_000]),
)
def test_row_groups_of_any_size_are_the_table(rows: int, row_group: int, at_once: int, held: int) -> None:
    ids, numbers = [f"M{at % 7}" for at in range(rows)], [at / 7 for at in range(rows)]
    table = pa.table({"id": ids, "x": ["x"] * rows, "v": numbers})
    written = io.BytesIO()
    parquet.write_table(table, written, row_group_size=row_group)
    with patch.object(columnar_files, "_HELD_BYTES", held), patch.object(columnar_files, "_LEAST_READ_BYTES", 16):
        parts = list(ParquetColumns(pa.BufferReader(written.getvalue())).tables([2, 0], at_once))
    assert all(part.num_rows <= at_once for part in parts)
    assert [each for part in parts for each in part.column("v").to_pylist()] == numbers
    assert [value for part in parts for value in part.column("id").to_pylist()] == ids


@pytest.mark.parametrize("row_group", [1_000, 100_000])
def test_the_first_rows_of_a_large_file_of_parquet_are_read_before_the_others(
    monkeypatch: pytest.MonkeyPatch, row_group: int
) -> None:
    """Otherwise memory would grow with the file, or with a row group of it."""
    monkeypatch.setattr(columnar_files, "_HELD_BYTES", 20_000)
    monkeypatch.setattr(columnar_files, "_LEAST_READ_BYTES", 1_000)
    written = io.BytesIO()
    values = np.random.default_rng(1).random(100_000)
    table = pa.table({"v": values})
    parquet.write_table(table, written, row_group_size=row_group, data_page_size=1_000, use_dictionary=False)
    source = Counting(written.getvalue())

    columns = ParquetColumns(pa.PythonFile(source, "r"))
    of_footer = source.bytes_read
    next(columns.tables([0], 1_000))

    assert source.bytes_read - of_footer < len(written.getvalue()) / 10


class Counting(io.BytesIO):
    """Counts the bytes that are read of it."""

    bytes_read = 0

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self.bytes_read += len(found)
        return found


def test_a_row_is_shown_as_json_whatever_its_types() -> None:
    row = {
        "text": "é", "none": None, "at": CLOCK, "day": date(2013, 7, 1), "bytes": b"\xff", "exact": Decimal("0.219"),
        "nan": float("nan"), "list": [1], "object": {"a": None}, "yes": True,
    }  # fmt: skip
    ((shown,),) = file_of(pa.Table.from_pylist([row]), {"text": 0}).as_given(np.array([0]))
    assert json.loads(shown) == {
        "text": "é", "none": None, "at": "2013-07-01T00:30:00.125", "day": "2013-07-01", "bytes": "/w==",
        "exact": 0.219, "nan": "NaN", "list": [1], "object": {"a": None}, "yes": True,
    }  # fmt: skip


def no_utf_8(*texts: bytes) -> pa.StringArray:
    """Texts as programs without regard for UTF-8 write them. Arrow reads them without looking."""
    ends = np.cumsum([0, *map(len, texts)]).astype(np.int32)
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(texts)))


@pytest.mark.parametrize("columns_of", [ParquetColumns, OrcColumns])
def test_a_text_that_is_no_utf_8_is_known_and_shown(columns_of: Any) -> None:
    written = io.BytesIO()
    table = pa.table({"id": no_utf_8(b"M1", b"M\xfcller", b"M1")})
    (parquet if columns_of is ParquetColumns else orc).write_table(table, written)
    file = ColumnarFile("a", "columnar", lambda: columns_of(pa.BufferReader(written.getvalue())), {"id": 0})
    assert values(file, "id") == ["M1", "M\ufffdller", "M1"]
    assert [list(shown) for shown in file.as_given(np.arange(2))] == [['{"id":"M1"}', '{"id":"TfxsbGVy"}']]


DATES_BY_NAME = pa.map_(pa.string(), pa.date32())


@pytest.mark.parametrize(
    ("kind", "number", "shown"),
    [
        # 400 years have 146,097 days. So these are 68 times 400 years behind 2149-01-26, …
        (pa.date32(), 10_000_000, "29349-01-26"),
        # … and 14,699 times in front of 1959-06-23.
        (pa.date32(), -(2**31), "-5877641-06-23"),
        # 365 times 400 years of 12,622,780,800 seconds behind 2108-07-06T14:00:27.387.
        (pa.timestamp("us", "UTC"), 2**62, "148108-07-06T14:00:27.387Z"),
        (pa.duration("s"), 2**62, 2**62),
    ],
)
def test_times_that_python_does_not_have_are_shown(kind: pa.DataType, number: Any, shown: Any) -> None:
    """Nobody maps such a column, perhaps, but a rejected row is shown as a whole."""
    file = file_of(pa.table({"id": ["M1", "M2"], "x": pa.array([number, None], kind)}), {"id": 0})
    ((first, second),) = file.as_given(np.arange(2))
    assert (json.loads(first)["x"], json.loads(second)["x"]) == (shown, None)


@pytest.mark.parametrize(
    ("kind", "given", "shown"),
    [
        (pa.list_(pa.date32()), [10_000_000, None], ["29349-01-26", None]),
        (pa.large_list(pa.float64()), [0.5, float("nan")], [0.5, "NaN"]),
        (pa.struct([("a", pa.date32()), ("b", pa.int64())]), {"a": 10_000_000, "b": 1}, {"a": "29349-01-26", "b": 1}),
        (DATES_BY_NAME, [("a", 10_000_000), ("b", None)], [["a", "29349-01-26"], ["b", None]]),
        (pa.list_(DATES_BY_NAME), [[("a", 10_000_000)], []], [[["a", "29349-01-26"]], []]),
        (pa.struct([("by", DATES_BY_NAME)]), {"by": [("a", 10_000_000)]}, {"by": [["a", "29349-01-26"]]}),
    ],
)  # fmt: skip
def test_values_inside_of_others_are_shown_as_elsewhere(kind: pa.DataType, given: Any, shown: Any) -> None:
    file = file_of(pa.table({"id": ["M1", "M2"], "x": pa.array([given, None], kind)}), {"id": 0})
    ((first, second),) = file.as_given(np.arange(2))
    assert (json.loads(first)["x"], json.loads(second)["x"]) == (shown, None)


def test_texts_that_are_no_utf_8_inside_of_others_are_shown() -> None:
    inside = pa.StructArray.from_arrays([no_utf_8(b"M\xfcller")], ["name"])
    listed = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), no_utf_8(b"M\xfcller"))
    file = file_of(pa.table({"id": ["M1"], "s": inside, "l": listed}), {"id": 0})
    assert [*file.as_given(np.arange(1))] == [['{"id":"M1","s":{"name":"TfxsbGVy"},"l":["TfxsbGVy"]}']]


def test_a_float_of_two_bytes_is_a_number() -> None:
    table = pa.table({"v": pa.array(np.array([0.5, 2, 0.5], np.float16))})
    assert values(file_of(table, {"value": 0}), "value") == [0.5, 2, 0.5]


def test_stripes_of_orc_are_read_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar_files, "_ROWS_AT_ONCE", 1000)
    written = io.BytesIO()
    count = 5000
    orc.write_table(pa.table({"b": list(range(count)), "a": [f"M{at}" for at in range(count)]}), written, stripe_size=1)
    content = written.getvalue()
    file = ColumnarFile("a.orc", "orc", lambda: OrcColumns(pa.BufferReader(content)), {"meter_id": 1, "value": 0})
    assert values(file, "meter_id") == [f"M{at}" for at in range(count)]
    assert values(file, "value") == list(range(count))


def test_a_damaged_file_is_named() -> None:
    written = io.BytesIO()
    parquet.write_table(pa.table({"id": ["M1"] * 1000, "v": [at / 7 for at in range(1000)]}), written)
    content = bytearray(written.getvalue())
    content[4:60] = b"\xff" * 56
    file = ColumnarFile("a.parquet", "parquet", lambda: ParquetColumns(pa.BufferReader(bytes(content))), {"id": 0})
    with pytest.raises(UnreadableFileError, match=r"a\.parquet is a damaged parquet file: .+ Deliver it again\."):
        list(file.records())


def test_a_code_without_a_text_is_a_damage() -> None:
    """Arrow would read beyond the texts, or a text of another meter."""
    written = io.BytesIO()
    table = pa.table({"id": ["M1", "M2", *["M3"] * 98], "x": [1] * 100})
    parquet.write_table(table, written, compression="none", use_dictionary=["id"])
    # The codes are 0, 1 and 2. Behind the first eight rows, 92 times the same one: the number is 92 * 2, in seven bits.
    run = bytes([0x80 | (184 & 0x7F), 184 >> 7, 2])
    assert written.getvalue().count(run) == 1
    content = written.getvalue().replace(run, run[:-1] + b"\3")
    for by_role in ({"id": 0}, {"x": 1}):  # mapped, and shown only
        file = ColumnarFile("a.parquet", "parquet", lambda: ParquetColumns(pa.BufferReader(content)), by_role)
        with pytest.raises(
            UnreadableFileError, match=r"a\.parquet is a damaged parquet file: a code stands for no text"
        ):
            list(file.records()) if by_role == {"id": 0} else list(file.as_given(np.array([50])))
