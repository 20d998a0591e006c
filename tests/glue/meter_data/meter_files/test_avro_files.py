"""Files that Avro's own Java library wrote, with every codec that it has, and files that are damaged."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import fastavro
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.meter_files import avro_files
from meter_data.meter_files.avro_files import AvroFile
from meter_data.meter_files.lines import UnreadableFileError
from meter_data.meter_files.records import Records

BY_JAVA = Path(__file__).parent / "avro_by_java"
FIELDS = {"meter_id": "meter_id", "date_time": "reading_date_time", "value": "reading_value"}


def opening(content: bytes) -> Callable[[], BinaryIO]:
    return lambda: io.BytesIO(content)


def values(rows: Records, role: str) -> list[object]:
    column = rows.columns[role]
    distinct = column.distinct.to_pylist()
    return [distinct[code] if code >= 0 else None for code in column.codes.tolist()]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_every_codec_is_read(codec: str) -> None:
    content = (BY_JAVA / f"{codec}.avro").read_bytes()
    (rows,) = AvroFile("a.avro", opening(content), FIELDS, ("value",)).records()

    assert values(rows, "meter_id") == ["M1", "M2", None]
    assert values(rows, "value") == [0.25, 0.5, None]
    first = datetime(2013, 7, 1, 0, 30, 0, 125_000, tzinfo=UTC)
    assert values(rows, "date_time") == [first, first.replace(microsecond=126_000), None]
    assert rows.places.tolist() == [0, 1, 2]


def test_records_are_shown_as_json() -> None:
    file = AvroFile("a.avro", opening((BY_JAVA / "deflate.avro").read_bytes()), FIELDS, ())
    (first,), (third,) = [*file.as_given(np.array([0])), *file.as_given(np.array([2]))]
    names = ["meter_id", "reading_date_time", "reading_value", "text"]
    assert json.loads(first) == dict(zip(names, ["M1", 1372638600125, 0.25, "é"], strict=True))
    assert json.loads(third) == dict(zip(names, [None, None, None, "x"], strict=True))


def test_decimals_of_java_are_read() -> None:
    content = (BY_JAVA / "decimals.avro").read_bytes()
    (rows,) = AvroFile("a.avro", opening(content), FIELDS, ()).records()
    assert values(rows, "value") == ["0.219", "65.536", "0.000", "-0.001"]


def test_a_header_says_the_types_of_the_fields() -> None:
    kinds = {
        name: avro_files.header(io.BytesIO((BY_JAVA / f"{name}.avro").read_bytes()), "a.avro").kinds
        for name in ("deflate", "decimals", "array", "dates")
    }
    assert kinds["deflate"] == {
        "meter_id": "string", "reading_date_time": "timestamp-millis", "reading_value": "double", "text": "string",
    }  # fmt: skip
    assert kinds["decimals"]["reading_value"] == "decimal-3"
    assert kinds["array"]["reading_value"] == "array"
    assert kinds["dates"]["day"] == "date"


def test_a_time_of_no_calendar_harms_no_other_row() -> None:
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": "t", "type": {"type": "long", "logicalType": "timestamp-millis"}}],
    }
    written = io.BytesIO()
    fastavro.writer(written, fastavro.parse_schema(schema), [{"t": 2**62}, {"t": 5}])
    (rows,) = AvroFile("a.avro", opening(written.getvalue()), {"date_time": "t"}, ()).records()
    assert rows.columns["date_time"].distinct.cast(pa.int64()).to_pylist() == [2**62, 5]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_a_file_that_is_cut_off_is_named(codec: str) -> None:
    content = (BY_JAVA / f"{codec}.avro").read_bytes()
    with pytest.raises(UnreadableFileError, match=r"a\.avro is a damaged Avro file: .+ Deliver it again\."):
        list(AvroFile("a.avro", opening(content[:-5]), FIELDS, ()).records())
    with pytest.raises(UnreadableFileError, match=r"a\.avro has no readable Avro header\. Deliver it again\."):
        list(AvroFile("a.avro", opening(content[:50]), FIELDS, ()).records())


@settings(max_examples=300, deadline=None)
@given(data=some.data(), codec=some.sampled_from(["null", "deflate", "snappy", "zstandard"]))
def test_a_damaged_file_is_read_or_named(data: some.DataObject, codec: str) -> None:
    content = bytearray((BY_JAVA / f"{codec}.avro").read_bytes())
    for _ in range(data.draw(some.integers(1, 3))):
        content[data.draw(some.integers(0, len(content) - 1))] = data.draw(some.integers(0, 255))
    file = AvroFile("a.avro", opening(bytes(content)), FIELDS, ())
    with suppress(UnreadableFileError):
        for rows in file.records():
            assert set(rows.columns) == set(FIELDS)
