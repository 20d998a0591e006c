"""COPY from S3 into PostgreSQL, with Redshift's rules of prefixes, places and types."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from tests.local_aws.redshift.conftest import ROLE, Warehouse

MOMENT = datetime(2013, 1, 1, 0, 30, tzinfo=UTC)
COLUMNS = "meter_id VARCHAR(64), reading_value DOUBLE PRECISION, moment TIMESTAMP, year INTEGER, note VARCHAR(64)"
MERGE = """
MERGE INTO daily USING staged ON daily.meter_id = staged.meter_id AND daily.moment = staged.moment
WHEN MATCHED THEN UPDATE SET reading_value = staged.reading_value
WHEN NOT MATCHED THEN INSERT VALUES (staged.meter_id, staged.reading_value, staged.moment, staged.year, staged.note)
"""


def readings(*rows: tuple[str, float | None, datetime, int, str | None], **types: pa.DataType) -> pa.Table:
    kinds = {
        "meter_id": pa.string(),
        "reading_value": pa.float64(),
        "moment": pa.timestamp("us", tz="UTC"),
        "year": pa.int32(),
        "note": pa.string(),
    } | types
    columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
    return pa.table({name: pa.array(column, kind) for (name, kind), column in zip(kinds.items(), columns, strict=True)})


def copy(source: str, options: str = "FORMAT AS PARQUET", table: str = "daily") -> str:
    return f"COPY {table} FROM '{source}' IAM_ROLE '{ROLE}' {options}"


@pytest.fixture
def daily(warehouse: Warehouse) -> Warehouse:
    warehouse.run(f"CREATE TABLE daily ({COLUMNS}) DISTKEY (meter_id) SORTKEY (year, meter_id)")
    return warehouse


def test_all_files_of_a_prefix_are_loaded_as_they_are(daily: Warehouse, bucket: str) -> None:
    awkward = 'a "quoted", value;\nof two lines\t\\N'
    daily.put(
        bucket, "clean/batch=1/a.parquet", readings(("M1", 0.1, MOMENT, 2013, awkward), ("M2", None, MOMENT, 2013, ""))
    )
    daily.put(bucket, "clean/batch=1/b.parquet", readings(("M3", 1e-300, MOMENT, 2014, None)))
    daily.put(bucket, "clean/batch=2/c.parquet", readings(("M4", 1.0, MOMENT, 2014, None)))

    described = daily.run(copy(f"s3://{bucket}/clean/batch=1"))

    assert described["ResultRows"] == 3
    assert daily.rows("SELECT * FROM daily ORDER BY meter_id") == [
        ("M1", 0.1, "2013-01-01 00:30:00", 2013, awkward),
        ("M2", None, "2013-01-01 00:30:00", 2013, ""),
        ("M3", 1e-300, "2013-01-01 00:30:00", 2014, None),
    ]


def test_copy_and_merge_twice_give_the_same_rows(daily: Warehouse, bucket: str) -> None:
    rows = [(f"M{number % 7}", number / 8, MOMENT.replace(minute=number // 7), 2013, None) for number in range(140)]
    daily.put(bucket, "batch/a.parquet", readings(*rows))
    load = ("CREATE TEMP TABLE staged (LIKE daily)", copy(f"s3://{bucket}/batch/", table="staged"), MERGE)

    daily.run(*load)
    once = daily.rows("SELECT * FROM daily ORDER BY meter_id, moment")
    daily.run(*load)

    assert len(once) == 140
    assert daily.rows("SELECT * FROM daily ORDER BY meter_id, moment") == once


def test_merge_refuses_two_source_rows_for_one_target_row(daily: Warehouse, bucket: str) -> None:
    daily.put(bucket, "batch/a.parquet", readings(("M1", 1.0, MOMENT, 2013, None), ("M1", 2.0, MOMENT, 2013, None)))
    load = ("CREATE TEMP TABLE staged (LIKE daily)", copy(f"s3://{bucket}/batch/", table="staged"), MERGE)
    daily.run("INSERT INTO daily VALUES ('M1', 0, '2013-01-01 00:30:00', 2013, NULL)")

    assert "MERGE command cannot affect row a second time" in daily.error(*load)


def test_a_copy_in_a_failed_transaction_leaves_no_rows(daily: Warehouse, bucket: str) -> None:
    daily.put(bucket, "batch/a.parquet", readings(("M1", 1.0, MOMENT, 2013, None)))

    daily.error(copy(f"s3://{bucket}/batch/"), "SELECT nope")

    assert daily.rows("SELECT count(*) FROM daily") == [(0,)]


def test_a_column_list_says_where_the_places_go(daily: Warehouse, bucket: str) -> None:
    daily.put(bucket, "a.parquet", pa.table({"x": pa.array([2013], pa.int32()), "y": pa.array(["M1"])}))

    daily.run(copy(f"s3://{bucket}/a.parquet", table="daily (year, meter_id)"))

    assert daily.rows("SELECT meter_id, year, reading_value FROM daily") == [("M1", 2013, None)]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (
            pa.table({"a": ["M1"]}),
            "Unmatched number of columns between table and file. Table columns: 5, Data columns: 1",
        ),
        (
            readings(("M1", 1.0, MOMENT, 2013, None), year=pa.int64()),
            "incompatible Parquet schema for column 'year'. Column type: INTEGER, Parquet schema: int64 year",
        ),
        (
            readings(("M1", 1, MOMENT, 2013, None), reading_value=pa.int32()),
            "Column type: DOUBLE PRECISION, Parquet schema: int32 reading_value",
        ),
        (
            readings(("M1", 1.0, MOMENT, 2013, 5), note=pa.int32()),
            "Column type: CHARACTER VARYING, Parquet schema: int32 note",
        ),
    ],
)
def test_a_file_that_does_not_fit_the_table_is_refused(daily: Warehouse, bucket: str, table: Any, text: str) -> None:
    daily.put(bucket, "a.parquet", table)

    error = daily.error(copy(f"s3://{bucket}/a.parquet"))

    assert error.startswith("ERROR: Spectrum Scan Error: ")
    assert text in error


def test_a_value_that_does_not_fit_fails_with_the_engines_words(daily: Warehouse, bucket: str) -> None:
    daily.put(bucket, "a.parquet", readings(("M" * 65, 1.0, MOMENT, 2013, None)))

    assert "value too long for type character varying(64)" in daily.error(copy(f"s3://{bucket}/a.parquet"))


def test_a_prefix_without_files_does_not_exist(daily: Warehouse, bucket: str) -> None:
    daily.s3.put_object(Bucket=bucket, Key="empty/", Body=b"")

    assert daily.error(copy(f"s3://{bucket}/empty/")) == "ERROR: The specified S3 prefix 'empty/' does not exist"
    missing = daily.error(copy("s3://no-such-bucket-anywhere/a"))
    assert missing == "ERROR: S3ServiceException:The specified bucket does not exist,Status 404,Error NoSuchBucket"


def test_a_file_that_is_no_parquet_is_named(daily: Warehouse, bucket: str) -> None:
    daily.s3.put_object(Bucket=bucket, Key="a/_SUCCESS", Body=b"")

    assert f"'s3://{bucket}/a/_SUCCESS' of 0 bytes is not a Parquet file" in daily.error(copy(f"s3://{bucket}/a/"))


def test_a_table_that_does_not_exist_is_named(warehouse: Warehouse, bucket: str) -> None:
    assert warehouse.error(copy(f"s3://{bucket}/a")) == 'ERROR: relation "daily" does not exist'


def manifest(daily: Warehouse, bucket: str, *entries: dict[str, Any]) -> str:
    daily.s3.put_object(Bucket=bucket, Key="m.json", Body=json.dumps({"entries": entries}).encode())
    return copy(f"s3://{bucket}/m.json", "FORMAT AS PARQUET MANIFEST")


def test_a_manifest_loads_its_files_and_no_others(daily: Warehouse, bucket: str) -> None:
    sizes = {key: daily.put(bucket, key, readings((key, 1.0, MOMENT, 2013, None))) for key in ("a", "b", "c")}
    entries = [
        {"url": f"s3://{bucket}/{key}", "mandatory": True, "meta": {"content_length": sizes[key]}} for key in ("a", "c")
    ]
    optional = {"url": f"s3://{bucket}/gone", "mandatory": False, "meta": {"content_length": 1}}

    daily.run(manifest(daily, bucket, *entries, optional))

    assert daily.rows("SELECT meter_id FROM daily ORDER BY 1") == [("a",), ("c",)]


def test_a_manifest_that_does_not_hold_what_it_says_is_refused(daily: Warehouse, bucket: str) -> None:
    size = daily.put(bucket, "a", readings(("M1", 1.0, MOMENT, 2013, None)))
    url, gone = f"s3://{bucket}/a", f"s3://{bucket}/gone"

    mandatory = daily.error(manifest(daily, bucket, {"url": gone, "mandatory": True, "meta": {"content_length": 1}}))
    longer = daily.error(manifest(daily, bucket, {"url": url, "meta": {"content_length": size + 1}}))
    unmeasured = daily.error(manifest(daily, bucket, {"url": url}))
    empty = daily.error(manifest(daily, bucket))

    assert f"The mandatory file {gone}" in mandatory
    assert f"has {size} bytes" in longer
    assert "no meta.content_length" in unmeasured
    assert "No files are listed" in empty
    assert "Error NoSuchKey" in daily.error(copy(f"s3://{bucket}/none.json", "FORMAT AS PARQUET MANIFEST"))


def test_csv_takes_delimiter_header_and_compression(daily: Warehouse, bucket: str) -> None:
    body = b'meter;value;moment;year;note\r\nM1;1.5;2013-01-01 00:30:00;2013;"a;b"\r\nM2;;2013-01-01 00:30:00;2013;\r\n'
    daily.s3.put_object(Bucket=bucket, Key="a.csv.gz", Body=gzip.compress(body))

    daily.run(copy(f"s3://{bucket}/a", "CSV GZIP IGNOREHEADER 1 DELIMITER ';'"))

    rows = daily.rows("SELECT meter_id, reading_value, note FROM daily ORDER BY 1")
    assert rows == [("M1", 1.5, "a;b"), ("M2", None, "")]


def test_csv_of_several_files_may_end_its_lines_in_several_ways(daily: Warehouse, bucket: str) -> None:
    line = b"M%d,1.5,2013-01-01 00:30:00,2013,x"
    daily.s3.put_object(Bucket=bucket, Key="a/1.csv", Body=b"\r\n".join([line % 1, line % 2]))
    daily.s3.put_object(Bucket=bucket, Key="a/2.csv", Body=line % 3 + b"\n")

    daily.run(copy(f"s3://{bucket}/a/", "CSV"))

    assert daily.rows("SELECT meter_id, note FROM daily ORDER BY 1") == [("M1", "x"), ("M2", "x"), ("M3", "x")]


def test_blank_lines_are_passed_over_only_when_asked(daily: Warehouse, bucket: str) -> None:
    body = b"\r\nM1;1.5;2013-01-01 00:30:00;2013;x\r\n\r\n"
    daily.s3.put_object(Bucket=bucket, Key="a.csv", Body=body)

    assert 'missing data for column "reading_value"' in daily.error(copy(f"s3://{bucket}/a", "CSV DELIMITER ';'"))
    daily.run(copy(f"s3://{bucket}/a", "CSV DELIMITER ';' IGNOREBLANKLINES"))

    assert daily.rows("SELECT meter_id, note FROM daily") == [("M1", "x")]


def test_a_refused_line_is_named_by_its_number_and_not_shown(warehouse: Warehouse, bucket: str) -> None:
    warehouse.run("CREATE TABLE people (name VARCHAR(64), meter_id VARCHAR(64) NOT NULL)")
    warehouse.s3.put_object(Bucket=bucket, Key="short.csv", Body=b"Ada,M1\nGrace Secret\n")
    warehouse.s3.put_object(Bucket=bucket, Key="null.csv", Body=b"Ada,M1\nGrace Secret,\n")

    short = warehouse.error(copy(f"s3://{bucket}/short.csv", "CSV EMPTYASNULL", table="people"))
    null = warehouse.error(copy(f"s3://{bucket}/null.csv", "CSV EMPTYASNULL", table="people"))

    assert "missing data" in short
    assert "line 2" in short
    assert 'null value in column "meter_id"' in null
    assert "Secret" not in short + null


def test_json_goes_by_the_names_of_the_columns(daily: Warehouse, bucket: str) -> None:
    body = b'{"meter_id": "M1", "year": 2013, "other": 1}\n{"year": 2014, "meter_id": "M\\"2"}'
    daily.s3.put_object(Bucket=bucket, Key="a.json", Body=body)

    daily.run(copy(f"s3://{bucket}/a.json", "FORMAT AS JSON 'auto'"))

    assert daily.rows("SELECT meter_id, year, note FROM daily ORDER BY 1") == [('M"2', 2014, None), ("M1", 2013, None)]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("COPY daily FROM 's3://b/k' FORMAT PARQUET", "COPY needs authorization"),
        ("COPY daily FROM 's3://b/k' IAM_ROLE 'copy' FORMAT PARQUET", "Invalid IAM role: 'copy'"),
        (copy("s3://b/k", ""), "FORMAT PARQUET, CSV and JSON"),
        (copy("s3://b/k", "FORMAT AVRO"), "local_aws does not implement COPY with FORMAT AVRO"),
        (copy("s3://b/k", "PARQUET MAXERROR 5"), "local_aws does not implement COPY with MAXERROR"),
        (copy("s3://b/k", "PARQUET GZIP"), "GZIP argument is not supported for PARQUET based COPY"),
        (copy("emr://b/k"), "COPY FROM 's3://bucket/prefix' only"),
        ("COPY daily FROM", "syntax error at end of input"),
    ],
)
def test_a_copy_that_cannot_be_done_says_why(daily: Warehouse, statement: str, reason: str) -> None:
    assert reason in daily.error(statement)


def test_a_million_rows_take_seconds(daily: Warehouse, bucket: str) -> None:
    count = 1_000_000
    table = pa.table(
        {
            "meter_id": pa.array([f"MAC{number % 100:06d}" for number in range(count)]),
            "reading_value": pa.array([number / 1000 for number in range(count)], pa.float64()),
            "moment": pa.array([MOMENT] * count, pa.timestamp("us", tz="UTC")),
            "year": pa.array([2013] * count, pa.int32()),
            "note": pa.nulls(count, pa.string()),
        }
    )
    daily.put(bucket, "million.parquet", table)

    described = daily.run(copy(f"s3://{bucket}/million.parquet"))

    assert described["ResultRows"] == count
    assert described["Duration"] < 15e9
    assert daily.rows("SELECT count(*), sum(year) FROM daily") == [(count, 2013 * count)]
