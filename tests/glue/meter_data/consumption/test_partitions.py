"""The files of partitions: where they lie, and which ones are read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from meter_data.consumption import partitions
from meter_data.consumption.partitions import COMPLETENESS, DAILY, MONTHLY, WEEKLY, Target, Written
from meter_data.lake.calendar import number_of
from meter_data.lake.published import Published

from tests.glue.folder_store import FolderStore

PREFIX = "s3://business/aggregated_daily/run=1/"


@pytest.mark.parametrize(
    ("table", "folder", "codec"),
    [
        (DAILY, "month=201301", "SNAPPY"),
        (WEEKLY, "iso_year=201301", "SNAPPY"),
        (MONTHLY, "year=201301", "SNAPPY"),
        (COMPLETENESS, "month=201301", "ZSTD"),
    ],
)
def test_a_file_lies_in_the_folder_of_its_partition(tmp_path: Path, table: str, folder: str, codec: str) -> None:
    store, target = FolderStore(tmp_path), Target(table, "s3://business/t/run=1/", "201301", 7)
    rows = pa.table({"meter_id": ["M1", "M2"]})
    assert target.write(store, rows) == [Written(target, 2)]
    footer = pq.read_metadata(tmp_path / "business" / "t" / "run=1" / folder / "00007.parquet")
    assert footer.row_group(0).column(0).compression == codec


def test_a_file_without_rows_is_not_written(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert Target(DAILY, PREFIX, "201301", 0).write(store, pa.table({"meter_id": pa.array([], pa.string())})) == []
    assert store.listed(PREFIX) == []


def test_the_files_of_a_partition_are_one_new_version() -> None:
    targets = [
        Target(DAILY, PREFIX, "201302", 0),
        Target(DAILY, PREFIX, "201302", 1),
        Target(WEEKLY, "s3://w/", "2013", 0),
    ]
    assert partitions.new_versions(DAILY, [Written(target, 5) for target in targets]) == [
        {"values": ["201302"], "location": f"{PREFIX}month=201302/", "rows": 10}
    ]
    assert partitions.new_versions(MONTHLY, []) == []


def test_readings_of_days_are_in_the_partition_of_the_month_or_of_each_day() -> None:
    values = [("INT", "201301"), ("INT", "20130102"), ("INT", "20130103"), ("AGG", "201301"), ("INT", "201302")]
    known = {"daily": {each: Published(each, f"s3://{each[1]}/", 1) for each in values}}
    found = partitions.published_readings(known, {number_of("20130102"), number_of("20130104")}, "201301")
    assert [partition.values for partition in found] == [("INT", "201301"), ("INT", "20130102")]
