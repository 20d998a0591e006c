"""Reference tables as the catalog describes them."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from meter_data.lake import crawled_table
from meter_data.lake.crawled_table import CrawledTable, TableFormatError

from tests.glue.folder_lake import FolderLake

COLUMNS = ["Time", "temperature", "summary"]
LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path)


def read(lake: FolderLake, *wanted: str) -> crawled_table.Columns:
    return crawled_table.read(lake.store, crawled_table.describe(lake, "metering", "weather"), wanted)


def test_text_is_read_by_the_place_of_its_columns(lake: FolderLake) -> None:
    lake.store.write("s3://b/weather/1.csv", b'time,temperature,summary\r\n2013-05-01,10,"wet, ""cold"""\r\n\r\n')
    lake.store.write("s3://b/weather/2.csv", b"when,t,s\n2013-05-02,,\\N\n2013-05-03,5\n")
    lake.declare("weather", COLUMNS, "s3://b/weather", serde=LAZY, **{"skip.header.line.count": "1"})
    assert read(lake, "summary", "time", "temperature") == {
        "summary": ['wet, "cold"', None, None],
        "time": ["2013-05-01", "2013-05-02", "2013-05-03"],
        "temperature": ["10", None, "5"],
    }


def test_the_delimiter_is_that_of_the_catalog(lake: FolderLake) -> None:
    lake.store.write("s3://b/weather/1.tsv", gzip.compress("\ufeff2013-05-01\t10,5\tnaß\n".encode()))
    lake.declare("weather", COLUMNS, "s3://b/weather/", classification="csv", **{"field.delim": "\t"})
    assert read(lake, "time", "temperature", "summary") == {
        "time": ["2013-05-01"],
        "temperature": ["10,5"],
        "summary": ["naß"],
    }
    table = crawled_table.describe(lake, "metering", "weather")
    assert table == CrawledTable("weather", ("s3://b/weather/",), "csv", ("time", "temperature", "summary"), "\t", 0)


def test_json_lines_are_read_by_name_in_any_case(lake: FolderLake) -> None:
    lake.store.write(
        "s3://b/weather/1.json", b'{"TIME": "2013-05-01", "Temperature": 10.5}\n\n{"time": "2013-05-02"}\n'
    )
    lake.declare("weather", COLUMNS, "s3://b/weather", serde="org.openx.data.jsonserde.JsonSerDe")
    assert read(lake, "temperature", "time") == {"temperature": [10.5, None], "time": ["2013-05-01", "2013-05-02"]}


def test_parquet_is_read_by_name_in_any_case(lake: FolderLake) -> None:
    time = datetime(2013, 5, 1, 7)  # noqa: DTZ001 (as Parquet has it)
    lake.store.write_parquet("s3://b/weather/1.parquet", pa.table({"Temperature": [10.5], "TIME": [time]}), 10)
    lake.store.write_parquet("s3://b/weather/2.parquet", pa.table({"time": [time]}), 10)
    lake.declare("weather", COLUMNS, "s3://b/weather", classification="parquet")
    assert read(lake, "time", "temperature") == {"time": [time, time], "temperature": [10.5, None]}


def test_files_of_other_places_and_markers_are_passed_over(lake: FolderLake) -> None:
    for name in ("weather/_SUCCESS", "weather/.hidden", "weather2/1.csv"):
        lake.store.write(f"s3://b/{name}", b"no,weather,here\n")
    lake.store.write("s3://b/weather/empty.csv", b"")
    lake.declare("weather", COLUMNS, "s3://b/weather", serde=LAZY)
    assert read(lake, "time") == {"time": []}


def test_a_table_with_partitions_lies_where_they_lie(lake: FolderLake) -> None:
    for year in ("2013", "2014"):
        lake.store.write(f"s3://b/weather/{year}/1.csv", f"{year}-05-01,10,wet\n".encode())
        lake.publish_location("weather", [year], f"s3://b/weather/{year}")
    lake.declare("weather", COLUMNS, "s3://b/weather", serde=LAZY)
    lake.get_table("weather")["Table"]["PartitionKeys"] = [{"Name": "year", "Type": "string"}]
    assert read(lake, "time") == {"time": ["2013-05-01", "2014-05-01"]}


def test_another_format_is_refused(lake: FolderLake) -> None:
    lake.declare("weather", COLUMNS, "s3://b/weather", classification="orc")
    with pytest.raises(TableFormatError, match="weather is of the format orc; read are csv, json, parquet"):
        crawled_table.describe(lake, "metering", "weather")
