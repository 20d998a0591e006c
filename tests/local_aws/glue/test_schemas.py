from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local_aws.glue.schemas import FOOTER_BYTES, UnreadableFileError, merged, read_schema

LONDON = (
    b"LCLid,stdorToU,DateTime,KWH/hh (per half hour) \r\n"
    b"MAC000002,Std,2012-10-12 00:30:00.0000000, 0 \r\n"
    b"MAC000002,Std,2012-10-12 01:00:00.0000000, 0.123 \r\n"
)


class Bucket:
    """An S3 client with one object, which keeps count of the bytes it gave."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.given = 0

    def get_object(self, Bucket: str, Key: str, Range: str) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        first, last = Range.removeprefix("bytes=").split("-")
        part = self._body[int(first) : int(last) + 1] if first else self._body[-int(last) :]
        self.given += len(part)
        return {"Body": io.BytesIO(part)}


def parquet(table: pa.Table) -> bytes:
    written = io.BytesIO()
    pq.write_table(table, written)
    return written.getvalue()


def test_a_parquet_file_gives_its_columns_in_hive_types() -> None:
    table = pa.table(
        {
            "Meter_ID": pa.array(["a"]),
            "value": pa.array([1.5]),
            "year": pa.array([2013], pa.int32()),
            "big": pa.array([1], pa.int64()),
            "at": pa.array([datetime(2013, 1, 1, tzinfo=UTC)], pa.timestamp("us", tz="UTC")),
            "price": pa.array([Decimal("1.25")], pa.decimal128(10, 2)),
            "tags": pa.array([["x"]]),
            "place": pa.array([{"Lat": 1.0}]),
            "on": pa.array([True]),
            "kind": pa.array(["INT"]).dictionary_encode(),
        }
    )
    schema = read_schema(Bucket(parquet(table)), "b", "k.parquet")
    assert schema.classification == "parquet"
    assert schema.columns == {
        "meter_id": "string",
        "value": "double",
        "year": "int",
        "big": "bigint",
        "at": "timestamp",
        "price": "decimal(10,2)",
        "tags": "array<string>",
        "place": "struct<lat:double>",
        "on": "boolean",
        "kind": "string",
    }


def test_only_the_end_of_a_large_parquet_file_is_read() -> None:
    body = parquet(pa.table({"text": [str(number) * 50 for number in range(20_000)]}))
    bucket = Bucket(body)
    assert read_schema(bucket, "b", "k").columns == {"text": "string"}
    assert bucket.given <= FOOTER_BYTES < len(body)


def test_a_footer_longer_than_the_first_read_is_read_whole() -> None:
    columns = {f"column_{number:04d}_{'x' * 60}": pa.array([1.0]) for number in range(1500)}
    assert len(read_schema(Bucket(parquet(pa.table(columns))), "b", "k").columns) == 1500


@pytest.mark.parametrize("packed", [False, True])
def test_a_london_file_gives_its_header_plain_or_gzipped(packed: bool) -> None:
    schema = read_schema(Bucket(gzip.compress(LONDON) if packed else LONDON), "b", "k.csv")
    assert schema.columns == {
        "lclid": "string",
        "stdortou": "string",
        "datetime": "string",
        "kwh/hh (per half hour)": "double",
    }
    assert (schema.classification, schema.delimiter, schema.header) == ("csv", ",", True)
    assert schema.compression == ("gzip" if packed else "none")


def test_a_word_among_numbers_makes_the_column_text() -> None:
    schema = read_schema(Bucket(LONDON + b"MAC000002,Std,2012-10-12 12:37:27.0000000,Null\r\n"), "b", "k.csv")
    assert schema.columns["kwh/hh (per half hour)"] == "string"


def test_the_delimiter_is_found() -> None:
    schema = read_schema(Bucket(b"customer_id;name;zip\n1;A, B;00123\n"), "b", "cis.csv")
    assert (schema.delimiter, schema.columns) == (";", {"customer_id": "bigint", "name": "string", "zip": "bigint"})


def test_a_file_without_header_gets_numbered_columns() -> None:
    schema = read_schema(Bucket(b"a,1\nb,2.5\n"), "b", "k.csv")
    assert (schema.header, schema.columns) == (False, {"col0": "string", "col1": "double"})


def test_a_line_cut_off_by_the_range_is_not_judged() -> None:
    body = b"name,value\n" + b"abcdef,12345\n" * 20_000
    assert read_schema(Bucket(body), "b", "k.csv").columns == {"name": "string", "value": "bigint"}


@pytest.mark.parametrize("body", [b"\0\1\2", b"\n\n"])
def test_what_is_neither_parquet_nor_text_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableFileError):
        read_schema(Bucket(body), "b", "k")


def test_merging_keeps_all_columns_and_widens_types() -> None:
    first = {"a": "int", "b": "bigint", "c": "double"}
    second = {"b": "double", "a": "bigint", "c": "string", "d": "date"}
    assert merged(first, second) == {"a": "bigint", "b": "double", "c": "string", "d": "date"}
