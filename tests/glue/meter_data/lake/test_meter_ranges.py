"""Tables are cut into ranges of meters: each row belongs to one range, and a range reads few row groups."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pyarrow as pa
from hypothesis import given
from meter_data.lake import meter_ranges
from meter_data.lake.meter_ranges import MeterRange, Part, RowGroup

from tests.glue.folder_store import FolderStore


def group(number: int, first: str, last: str, weight: int = 10) -> RowGroup:
    return RowGroup("s3://b/a.parquet", number, weight, weight, first, last)


def test_ranges_follow_each_other_and_weigh_no_more_than_they_should() -> None:
    groups = [group(0, "M1", "M2"), group(1, "M3", "M4"), group(2, "M5", "M6"), group(3, "M7", "M8")]
    ranges = meter_ranges.cut(groups, 20)
    assert ranges == [MeterRange("", "M5"), MeterRange("M5", None)]
    assert [meter_ranges.parts(groups, meters) for meters in ranges] == [
        (Part("s3://b/a.parquet", (0, 1)),),
        (Part("s3://b/a.parquet", (2, 3)),),
    ]


def test_a_meter_in_several_row_groups_lies_in_one_range() -> None:
    groups = [group(0, "M1", "M2"), group(1, "M2", "M2"), group(2, "M2", "M3"), group(3, "M4", "M4")]
    ranges = meter_ranges.cut(groups, 10)
    assert ranges == [MeterRange("", "M2"), MeterRange("M2", "M4"), MeterRange("M4", None)]
    assert [part.row_groups for meters in ranges for part in meter_ranges.parts(groups, meters)] == [
        (0,),
        (0, 1, 2),
        (3,),
    ]


def test_little_is_not_cut() -> None:
    assert meter_ranges.cut([group(0, "M1", "M9")], 10) == [MeterRange()]
    assert meter_ranges.cut([], 10) == [MeterRange()]


@given(
    meters=st.lists(st.text("aé1 ", min_size=1, max_size=3), min_size=1, max_size=30),
    rows_a_group=st.integers(1, 5),
    most=st.integers(1, 12),
)
def test_every_row_lies_in_one_range_and_in_its_row_groups(meters: list[str], rows_a_group: int, most: int) -> None:
    rows = sorted(meters)
    starts = range(0, len(rows), rows_a_group)
    parts = [rows[start : start + rows_a_group] for start in starts]
    groups = [group(number, part[0], part[-1], len(part)) for number, part in enumerate(parts)]
    found = []
    for meter_range in meter_ranges.cut(groups, most):
        for part in meter_ranges.parts(groups, meter_range):
            for number in part.row_groups or ():
                inside = meter_range.among(pa.array(parts[number]))
                found += [meter for meter, is_inside in zip(parts[number], inside, strict=True) if is_inside]
    assert found == rows


def test_row_groups_are_read_of_footers(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    coded = pa.array(["é", "b", "b", "a"]).dictionary_encode()
    table = pa.table({"value": [1, 2, 3, 4], "meter_id": coded})
    store.write_parquet("s3://b/1.parquet", table, 2)
    store.write_parquet("s3://b/2.parquet", table.slice(0, 1), 2)
    assert meter_ranges.row_groups(store, ["s3://b/2.parquet", "s3://b/1.parquet"], weight=7) == [
        RowGroup("s3://b/2.parquet", 0, 1, 7, "é", "é"),
        RowGroup("s3://b/1.parquet", 0, 2, 14, "b", "é"),
        RowGroup("s3://b/1.parquet", 1, 2, 14, "a", "b"),
    ]


def test_slices_are_whole_row_groups(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.write_parquet("s3://b/1.parquet", pa.table({"value": range(10), "other": range(10)}), 3)
    found = [table["value"].to_pylist() for table in store.read_slices("s3://b/1.parquet", ["value"], rows=6)]
    assert found == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]
    found = [
        table["value"].to_pylist() for table in store.read_slices("s3://b/1.parquet", ["value"], [0, 2, 3], rows=2)
    ]
    assert found == [[0, 1, 2], [6, 7, 8], [9]]
