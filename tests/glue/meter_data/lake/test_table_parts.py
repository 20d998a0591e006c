"""Each row of a table belongs to one range of meters, and a range reads few row groups."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pyarrow as pa
from hypothesis import given
from meter_data.lake import meter_ranges, table_parts
from meter_data.lake.meter_ranges import MeterRange, RowGroupOfMeters
from meter_data.lake.table_parts import Part

from tests.glue.folder_store import FolderStore

URI = "s3://b/a.parquet"


def test_the_parts_of_a_range_are_the_row_groups_that_may_hold_its_meters() -> None:
    bounds = [("M1", "M2"), ("M2", "M2"), ("M2", "M3"), ("M4", "M4")]
    groups = [RowGroupOfMeters(URI, number, 10, *meters) for number, meters in enumerate(bounds)]
    assert table_parts.parts(groups, MeterRange("M2", "M4")) == (Part(URI, (0, 1, 2)),)
    assert table_parts.parts(groups, MeterRange(None, "M2")) == (Part(URI, (0,)),)
    assert table_parts.parts(groups, MeterRange("M5", None)) == ()


@given(
    meters=st.lists(st.text("aé1", min_size=1, max_size=3), min_size=1, max_size=30),
    rows_a_group=st.integers(1, 5),
    most=st.integers(1, 12),
)
def test_every_row_lies_in_one_range_and_in_its_row_groups(meters: list[str], rows_a_group: int, most: int) -> None:
    rows = sorted(meters)
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder))
        store.write_parquet(URI, pa.table({"meter_id": rows}), rows_a_group)
        groups = table_parts.row_groups(store, [URI])
        schema = pa.schema([("meter_id", pa.string())])
        ranges = meter_ranges.cut(groups, most)
        found = [table_parts.read(store, table_parts.parts(groups, meters), schema, meters) for meters in ranges]
    assert [meter for table in found for meter in table["meter_id"].to_pylist()] == rows


def test_row_groups_are_those_of_the_files_in_their_order(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    table = pa.table({"value": [1, 2, 3, 4], "meter_id": pa.array(["é", "b", "b", "a"]).dictionary_encode()})
    store.write_parquet("s3://b/1.parquet", table, 2)
    store.write_parquet("s3://b/2.parquet", table.slice(0, 1), 2)
    groups = table_parts.row_groups(store, ["s3://b/2.parquet", "s3://b/1.parquet"])
    assert groups == [
        RowGroupOfMeters("s3://b/2.parquet", 0, 1, "é", "é"),
        RowGroupOfMeters("s3://b/1.parquet", 0, 2, "b", "é"),
        RowGroupOfMeters("s3://b/1.parquet", 1, 2, "a", "b"),
    ]
    assert [group.rows for group in table_parts.weighted(groups, 7)] == [7, 14, 14]


def test_slices_are_whole_row_groups(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.write_parquet("s3://b/1.parquet", pa.table({"value": range(10), "other": range(10)}), 3)
    found = [table["value"].to_pylist() for table in store.read_slices("s3://b/1.parquet", ["value"], rows=6)]
    assert found == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]
    found = [
        table["value"].to_pylist() for table in store.read_slices("s3://b/1.parquet", ["value"], [0, 2, 3], rows=2)
    ]
    assert found == [[0, 1, 2], [6, 7, 8], [9]]
