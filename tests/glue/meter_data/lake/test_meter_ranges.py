"""Ranges of meters: how they cut row groups and rows."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.lake import meter_ranges
from meter_data.lake.meter_ranges import MeterRange, RowGroupOfMeters
from meter_data.lake.schemas import CODED

METERS = ("", "M1", "M10", "M2", "Z", "\uffee", "\U0001f50c")
SPANS = some.tuples(some.sampled_from(METERS), some.sampled_from(METERS), some.integers(1, 50)).map(
    lambda span: RowGroupOfMeters("s3://b/x", 0, span[2], min(span[:2]), max(span[:2]))
)


@settings(deadline=None)
@given(some.lists(SPANS, min_size=1, max_size=8), some.integers(1, 60), some.sets(some.sampled_from(METERS)))
def test_ranges_hold_every_meter_once_and_every_row_group_lies_in_those_that_it_overlaps(
    groups: list[RowGroupOfMeters], most_rows: int, further: set[str]
) -> None:
    ranges = meter_ranges.cut(groups, most_rows, further)

    rows = pa.table({"meter_id": pa.array(METERS).cast(CODED)})
    held = [one.rows(rows)["meter_id"].to_pylist() for one in ranges]
    assert [meter for meters in held for meter in meters] == list(METERS)
    for group in groups:
        inside = {meter for meter in METERS if group.first_meter <= meter <= group.last_meter}
        for one, meters in zip(ranges, held, strict=True):
            assert one.overlaps(group.first_meter, group.last_meter) or not inside.intersection(meters)


def test_a_range_has_as_many_rows_as_were_asked_for_at_most() -> None:
    groups = [RowGroupOfMeters("s3://b/x", number, 10, f"M{number}", f"M{number}") for number in range(9)]
    assert meter_ranges.cut(groups, 30) == [
        MeterRange(None, "M3"),
        MeterRange("M3", "M6"),
        MeterRange("M6", None),
    ]
    assert meter_ranges.cut(groups, 90) == [MeterRange()]


def test_one_meter_is_not_cut() -> None:
    groups = [RowGroupOfMeters("s3://b/x", number, 50, "M1", "M1") for number in range(4)]
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
