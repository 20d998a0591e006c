"""Row groups, and the meters that footers say they hold."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from meter_data.lake import meter_row_groups
from meter_data.lake.meter_row_groups import FIRST_OF_ALL, LAST_OF_ALL, MeterRowGroup

from tests.glue.folder_store import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def test_the_footers_say_which_meters_a_row_group_holds(store: FolderStore) -> None:
    store.write_parquet("s3://b/daily/1.parquet", pa.table({"v": [1, 2, 3], "meter_id": ["M1", "M3", "M3"]}), 2)
    store.write_parquet("s3://b/daily/2.parquet", pa.table({"meter_id": ["Zähler"], "v": [4]}), 2)
    store.write("s3://b/daily/note.txt", b"no Parquet")
    assert meter_row_groups.of_folders(store, ["s3://b/daily/"]) == [
        MeterRowGroup("s3://b/daily/1.parquet", 0, 2, "M1", "M3"),
        MeterRowGroup("s3://b/daily/1.parquet", 1, 1, "M3", "M3"),
        MeterRowGroup("s3://b/daily/2.parquet", 0, 1, "Zähler", "Zähler"),
    ]


def test_a_file_that_does_not_say_its_meters_may_hold_any(store: FolderStore) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"meter_id": ["M1"]}), sink, write_statistics=False)
    store.write("s3://b/1.parquet", sink.getvalue().to_pybytes())
    (found,) = meter_row_groups.of_files(store, ["s3://b/1.parquet"])
    assert (found.first_meter, found.last_meter) == (FIRST_OF_ALL, LAST_OF_ALL)


def test_row_groups_are_those_of_the_files_in_their_order(store: FolderStore) -> None:
    table = pa.table({"value": [1, 2, 3, 4], "meter_id": pa.array(["é", "b", "b", "a"]).dictionary_encode()})
    store.write_parquet("s3://b/1.parquet", table, 2)
    store.write_parquet("s3://b/2.parquet", table.slice(0, 1), 2)
    groups = meter_row_groups.of_files(store, ["s3://b/2.parquet", "s3://b/1.parquet"])
    assert groups == [
        MeterRowGroup("s3://b/2.parquet", 0, 1, "é", "é"),
        MeterRowGroup("s3://b/1.parquet", 0, 2, "b", "é"),
        MeterRowGroup("s3://b/1.parquet", 1, 2, "a", "b"),
    ]
    assert [group.rows for group in meter_row_groups.weighted(groups, 7)] == [7, 14, 14]
