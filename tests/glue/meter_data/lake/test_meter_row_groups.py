"""Row groups by meter, and ranges of meters: every item reads what it needs, and not much more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from meter_data.lake import meter_row_groups
from meter_data.lake.meter_row_groups import MeterGroup, Part

from tests.glue.folder_store import FolderStore

IDS = [f"M{number}" for number in range(10)]


def group(first: str | None, last: str | None, rows: int = 10, number: int = 0, uri: str = "s3://b/1") -> MeterGroup:
    return MeterGroup(uri, number, rows, first, last)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def test_the_footers_say_which_meters_a_row_group_holds(store: FolderStore) -> None:
    store.write_parquet("s3://b/daily/1.parquet", pa.table({"v": [1, 2, 3], "meter_id": ["M1", "M3", "M3"]}), 2)
    store.write_parquet("s3://b/daily/2.parquet", pa.table({"meter_id": ["Zähler"], "v": [4]}), 2)
    store.write("s3://b/daily/note.txt", b"no Parquet")
    assert meter_row_groups.of_folders(store, ["s3://b/daily/"]) == [
        MeterGroup("s3://b/daily/1.parquet", 0, 2, "M1", "M3"),
        MeterGroup("s3://b/daily/1.parquet", 1, 1, "M3", "M3"),
        MeterGroup("s3://b/daily/2.parquet", 0, 1, "Zähler", "Zähler"),
    ]


def test_a_file_that_does_not_say_its_meters_may_hold_any(store: FolderStore) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"meter_id": ["M1"]}), sink, write_statistics=False)
    store.write("s3://b/1.parquet", sink.getvalue().to_pybytes())
    (found,) = meter_row_groups.of_files(store, ["s3://b/1.parquet"])
    assert (found.first, found.last) == (None, None)
    assert meter_row_groups.reads([found], IDS, [range(4), range(4, 10)]) == [[found], [found]]
    assert meter_row_groups.expected_rows([found], IDS).tolist() == pytest.approx([0.1] * 10)


def test_the_rows_of_a_group_are_shared_out_over_its_meters() -> None:
    groups = [group("M0", "M1", 100), group("M1", "M4", 40), group("A", "B", 5), group("M45", "M45", 7)]
    assert meter_row_groups.expected_rows(groups, IDS).tolist() == pytest.approx([50, 60, 10, 10, 10, 0, 0, 0, 0, 0])


@given(st.lists(st.floats(0, 100), max_size=30), st.floats(1, 150))
def test_ranges_cover_all_places_and_are_as_long_as_they_may_be(weights: list[float], most: float) -> None:
    found = meter_row_groups.cut(np.array(weights), most)
    assert [place for each in found for place in each] == list(range(len(weights)))
    for each in found:
        total = sum(weights[each.start : each.stop])
        assert len(each) == 1 or total <= most * (1 + 1e-9)
        if each.stop < len(weights):
            assert total + weights[each.stop] > most * (1 - 1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=20),
    st.lists(st.integers(0, 99), min_size=1, unique=True),
    st.lists(st.integers(1, 99), max_size=5),
)
def test_every_range_reads_the_groups_that_may_hold_its_meters(
    spans: list[tuple[int, int]], numbers: list[int], cuts: list[int]
) -> None:
    ids = [f"{number:02d}" for number in sorted(numbers)]
    groups = [group(f"{min(span):02d}", f"{max(span):02d}", number=at) for at, span in enumerate(spans)]
    ends = sorted({cut for cut in cuts if cut < len(ids)} | {len(ids)})
    ranges = [range(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    expected = [
        [each for each in groups if any(each.first <= meter <= each.last for meter in ids[part.start : part.stop])]
        for part in ranges
    ]
    found = meter_row_groups.reads(groups, ids, ranges)
    for of_range, needed in zip(found, expected, strict=True):
        assert [each for each in needed if each not in of_range] == []
    # A group that holds one of the meters at its ends is read by no other range.
    assert sum(map(len, found)) <= sum(map(len, expected)) + 2 * len(groups)


def test_row_groups_of_a_file_are_read_together_up_to_a_number_of_rows() -> None:
    groups = [*(group("M1", "M2", 10, number) for number in range(4)), group("M1", "M2", 99, 0, "s3://b/2")]
    assert list(meter_row_groups.parts(groups, 25)) == [
        Part("s3://b/1", (0, 1)),
        Part("s3://b/1", (2, 3)),
        Part("s3://b/2", (0,)),
    ]
    assert list(meter_row_groups.parts([])) == []


@pytest.mark.parametrize("is_coded", [True, False])
def test_rows_come_with_the_places_of_their_meters(store: FolderStore, is_coded: bool) -> None:
    meters = pa.array(["M1", "M1", "M2", "M3", "M3", "M9"])
    table = pa.table({"meter_id": meters.dictionary_encode() if is_coded else meters, "v": [1, 2, 3, 4, 5, 6]})
    store.write_parquet("s3://b/1.parquet", table, 2)
    groups = meter_row_groups.of_files(store, ["s3://b/1.parquet"])
    found = list(meter_row_groups.rows_of_meters(store, groups, ["M3", "M1", "M7"], ["v"]))
    rows = [row for places, kept in found for row in zip(places.tolist(), kept["v"].to_pylist(), strict=True)]
    assert rows == [(1, 1), (1, 2), (0, 4), (0, 5)]
    assert [kept.column_names for _, kept in found] == [["v"]]
