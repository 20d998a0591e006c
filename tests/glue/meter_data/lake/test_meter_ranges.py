"""Ranges of meters: how they cut row groups and rows. Every item reads what it needs, and not much more."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.lake import meter_ranges
from meter_data.lake.meter_ranges import MeterRange
from meter_data.lake.meter_row_groups import FIRST_OF_ALL, LAST_OF_ALL, MeterRowGroup
from meter_data.lake.schemas import CODED

IDS = [f"M{number}" for number in range(10)]
METERS = ("", "M1", "M10", "M2", "Z", "\uffee", "\U0001f50c")
SPANS = some.tuples(some.sampled_from(METERS), some.sampled_from(METERS), some.integers(1, 50)).map(
    lambda span: MeterRowGroup("s3://b/x", 0, span[2], min(span[:2]), max(span[:2]))
)


def group(first: str, last: str, rows: int = 10, number: int = 0) -> MeterRowGroup:
    return MeterRowGroup("s3://b/1", number, rows, first, last)


@settings(deadline=None)
@given(some.lists(SPANS, min_size=1, max_size=8), some.integers(1, 60), some.sets(some.sampled_from(METERS)))
def test_ranges_hold_every_meter_once_and_every_row_group_lies_in_those_that_it_overlaps(
    groups: list[MeterRowGroup], most_rows: int, further: set[str]
) -> None:
    ranges = meter_ranges.cut(groups, most_rows, further)

    rows = pa.table({"meter_id": pa.array(METERS).cast(CODED)})
    held = [one.rows(rows)["meter_id"].to_pylist() for one in ranges]
    assert [meter for meters in held for meter in meters] == list(METERS)
    for group in groups:
        inside = {meter for meter in METERS if group.first_meter <= meter <= group.last_meter}
        for one, meters in zip(ranges, held, strict=True):
            assert one.overlaps(group) or not inside.intersection(meters)


def test_a_range_has_as_many_rows_as_were_asked_for_at_most() -> None:
    groups = [MeterRowGroup("s3://b/x", number, 10, f"M{number}", f"M{number}") for number in range(9)]
    assert meter_ranges.cut(groups, 30) == [
        MeterRange(None, "M3"),
        MeterRange("M3", "M6"),
        MeterRange("M6", None),
    ]
    assert meter_ranges.cut(groups, 90) == [MeterRange()]


def test_one_meter_is_not_cut() -> None:
    groups = [MeterRowGroup("s3://b/x", number, 50, "M1", "M1") for number in range(4)]
    assert meter_ranges.largest_share(groups) == 200
    assert meter_ranges.cut(groups, 100) == [MeterRange()]


@pytest.mark.parametrize(
    ("first", "end", "kept"),
    [
        (None, None, ["a", "b", "c", "b"]),
        ("b", None, ["b", "c", "b"]),
        (None, "b", ["a"]),
        ("b", "c", ["b", "b"]),
        ("d", None, []),
    ],
)
def test_rows_of_a_range_are_from_its_first_meter_to_before_its_end(
    first: str | None, end: str | None, kept: list[str]
) -> None:
    # Two chunks, each with a dictionary of its own.
    chunks = [pa.array(["a", "b"]).dictionary_encode(), pa.array(["c", "b"]).dictionary_encode()]
    rows = pa.table({"meter_id": pa.chunked_array(chunks), "number": [0, 1, 2, 3]})
    assert MeterRange(first, end).rows(rows)["meter_id"].to_pylist() == kept


def test_a_row_group_of_unknown_meters_may_hold_any() -> None:
    unknown = group(FIRST_OF_ALL, LAST_OF_ALL)
    assert meter_ranges.groups_of_ranges([unknown], IDS, [range(4), range(4, 10)]) == [[unknown], [unknown]]
    assert meter_ranges.expected_rows([unknown], IDS).tolist() == pytest.approx([1.0] * 10)
    assert MeterRange("M5", "M6").overlaps(unknown)


def test_the_rows_of_a_group_are_shared_out_over_its_meters() -> None:
    groups = [group("M0", "M1", 100), group("M1", "M4", 40), group("A", "B", 5), group("M45", "M45", 7)]
    assert meter_ranges.expected_rows(groups, IDS).tolist() == pytest.approx([50, 60, 10, 10, 10, 0, 0, 0, 0, 0])


@given(some.lists(some.floats(0, 100), max_size=30), some.floats(1, 150))
def test_ranges_cover_all_places_and_are_as_long_as_they_may_be(weights: list[float], most: float) -> None:
    found = meter_ranges.cut_by_weight(np.array(weights), most)
    assert [place for each in found for place in each] == list(range(len(weights)))
    for each in found:
        total = sum(weights[each.start : each.stop])
        assert len(each) == 1 or total <= most * (1 + 1e-9)
        if each.stop < len(weights):
            assert total + weights[each.stop] > most * (1 - 1e-9)


@given(
    some.lists(some.tuples(some.integers(0, 99), some.integers(0, 99)), max_size=20),
    some.lists(some.integers(0, 99), min_size=1, unique=True),
    some.lists(some.integers(1, 99), max_size=5),
)
def test_every_range_reads_the_groups_that_may_hold_its_meters(
    spans: list[tuple[int, int]], numbers: list[int], cuts: list[int]
) -> None:
    ids = [f"{number:02d}" for number in sorted(numbers)]
    groups = [group(f"{min(span):02d}", f"{max(span):02d}", number=at) for at, span in enumerate(spans)]
    ends = sorted({cut for cut in cuts if cut < len(ids)} | {len(ids)})
    ranges = [range(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    expected = [
        [
            each
            for each in groups
            if any(each.first_meter <= meter <= each.last_meter for meter in ids[part.start : part.stop])
        ]
        for part in ranges
    ]
    found = meter_ranges.groups_of_ranges(groups, ids, ranges)
    for of_range, needed in zip(found, expected, strict=True):
        assert [each for each in needed if each not in of_range] == []
    # A group that holds one of the meters at its ends is read by no other range.
    assert sum(map(len, found)) <= sum(map(len, expected)) + 2 * len(groups)
