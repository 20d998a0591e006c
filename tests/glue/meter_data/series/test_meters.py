"""Meters by number, and the batches that they are cut into."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from meter_data.lake.meter_row_groups import of_files
from meter_data.series import meters
from meter_data.series.meters import MeterNumbers, MeterRangeError, TooManyBatchesError

from tests.glue.folder_store import FolderStore


def test_meters_are_numbered_from_1_in_the_order_of_their_ids(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for file, ids in {"a": ["M3", "M10", "M10"], "b": ["M2", "M3", "Ü1", "M2"]}.items():
        store.write_parquet(f"s3://days/{file}.parquet", pa.table({"meter_id": ids}), 2)
    assert meters.fleet(store, of_files(store, store.parquet_files("s3://days/"))) == ["M10", "M2", "M3", "Ü1"]
    assert meters.fleet(store, []) == []


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("1", "auto", MeterNumbers(1, 74)),
        ("1", "74", MeterNumbers(1, 74)),
        ("1", "1", MeterNumbers(1, 1)),
        ("74", "74", MeterNumbers(74, 74)),
        ("10", "12", MeterNumbers(10, 12)),
        ("70", "100", MeterNumbers(70, 74, ("meter_end 100 is beyond the last meter, which is number 74.",))),
    ],
)
def test_both_ends_of_a_range_are_in_it_and_it_ends_with_the_fleet(
    start: str, end: str, expected: MeterNumbers
) -> None:
    assert meters.resolve(start, end, 74) == expected


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("75", "auto", "meter_start is 75, but the last of all meters is number 74"),
        ("75", "80", "meter_start is 75, but the last"),
        ("5", "4", "meter_end 4 lies before meter_start 5"),
        ("0", "4", "meter_start is '0'. Meters are numbered from 1"),
        ("1", "all", "meter_end is 'all'"),
        ("-1", "4", "meter_start is '-1'"),
    ],
)
def test_a_range_without_meters_is_refused(start: str, end: str, message: str) -> None:
    with pytest.raises(MeterRangeError, match=message):
        meters.resolve(start, end, 74)


@pytest.mark.parametrize(
    ("first", "last", "batch_size", "sizes"),
    [
        (1, 74, 25, [25, 25, 24]),
        (1, 75, 25, [25, 25, 25]),
        (1, 76, 25, [25, 25, 25, 1]),
        (7, 60, 25, [25, 25, 4]),
        (1, 1, 25, [1]),
        (3, 5, 1, [1, 1, 1]),
    ],
)
def test_every_meter_is_in_exactly_one_batch(first: int, last: int, batch_size: int, sizes: list[int]) -> None:
    fleet = [f"M{number:03d}" for number in range(1, 81)]
    batches = MeterNumbers(first, last).batches(fleet, batch_size)
    assert [len(batch) for batch in batches] == sizes
    assert [meter for batch in batches for meter in batch] == [f"M{number:03d}" for number in range(first, last + 1)]


def test_more_than_1000_batches_are_refused_with_the_batch_size_to_use() -> None:
    meters.require_few_batches(25_000, 25)
    with pytest.raises(TooManyBatchesError, match="25001 meters in batches of 25 make 1001 .* batch_size 26 or more"):
        meters.require_few_batches(25_001, 25)
    meters.require_few_batches(25_001, 26)
    with pytest.raises(MeterRangeError, match="batch_size is 0"):
        meters.require_few_batches(5, 0)
