"""Each row of a table belongs to one range of meters, and a range reads few row groups."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import given
from meter_data.lake import meter_ranges, meter_row_groups, table_parts
from meter_data.lake.meter_ranges import MeterRange
from meter_data.lake.meter_row_groups import MeterRowGroup
from meter_data.lake.table_parts import Part

from tests.glue.folder_store import FolderStore

URI = "s3://b/a.parquet"


def test_the_parts_of_a_range_are_the_row_groups_that_may_hold_its_meters() -> None:
    bounds = [("M1", "M2"), ("M2", "M2"), ("M2", "M3"), ("M4", "M4")]
    groups = [MeterRowGroup(URI, number, 10, *meters) for number, meters in enumerate(bounds)]
    assert table_parts.parts(groups, MeterRange("M2", "M4")) == (Part(URI, (0, 1, 2)),)
    assert table_parts.parts(groups, MeterRange(None, "M2")) == (Part(URI, (0,)),)
    assert table_parts.parts(groups, MeterRange("M5", None)) == ()


def test_the_row_groups_of_a_file_are_one_part() -> None:
    places = [("s3://b/2", 1), ("s3://b/1", 0), ("s3://b/2", 0)]
    groups = [MeterRowGroup(uri, number, 10, "M1", "M2") for uri, number in places]
    assert table_parts.parts(groups) == (Part("s3://b/2", (0, 1)), Part("s3://b/1", (0,)))
    assert table_parts.parts([]) == ()


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
        groups = meter_row_groups.of_files(store, [URI])
        schema = pa.schema([("meter_id", pa.string())])
        ranges = meter_ranges.cut(groups, most)
        found = [table_parts.read(store, table_parts.parts(groups, meters), schema, meters) for meters in ranges]
    assert [meter for table in found for meter in table["meter_id"].to_pylist()] == rows


@pytest.mark.parametrize("is_coded", [True, False])
def test_rows_come_with_the_places_of_their_meters(tmp_path: Path, is_coded: bool) -> None:
    store = FolderStore(tmp_path)
    meters = pa.array(["M1", "M1", "M2", "M3", "M3", "M9"])
    table = pa.table({"meter_id": meters.dictionary_encode() if is_coded else meters, "v": [1, 2, 3, 4, 5, 6]})
    store.write_parquet("s3://b/1.parquet", table, 2)
    found = list(table_parts.rows_of_meters(store, [Part("s3://b/1.parquet")], ["M3", "M1", "M7"], ["v"]))
    rows = [row for places, kept in found for row in zip(places.tolist(), kept["v"].to_pylist(), strict=True)]
    assert rows == [(1, 1), (1, 2), (0, 4), (0, 5)]
    assert [kept.column_names for _, kept in found] == [["v"]]
