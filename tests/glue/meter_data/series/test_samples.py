"""The sample of meters: hash order, enough hours, reproducible."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
from meter_data.lake.meter_row_groups import of_files
from meter_data.series import samples
from meter_data.series.samples import Candidates, Sample

from tests.glue.folder_store import FolderStore
from tests.glue.hourly_readings import hour

FIRST = hour("2013-05-01")
TRAINING = range(FIRST, FIRST + 48)
NAMES = [f"M{number}" for number in range(60)]
IN_HASH_ORDER = sorted(NAMES, key=lambda name: hashlib.sha256(name.encode()).hexdigest())


def draw(
    hours: dict[str, int], wanted: int, fewest: int = 10, impossible: set[str] = frozenset()
) -> tuple[list[str], Sample, list[int]]:
    """The sampled meters, the sample, and of how many meters readings were read each time."""
    reads: list[int] = []

    def read(ids: list[str]) -> dict[str, int]:
        reads.append(len(ids))
        return {meter_id: hours[meter_id] for meter_id in ids}

    possible = {name: 96 for name in hours if name not in impossible}
    sample = samples.draw(Candidates(possible, len(impossible)), read, wanted, fewest)
    return sorted(sample.meters), sample, reads


def test_meters_are_taken_in_the_order_of_a_hash_of_their_ids() -> None:
    found, sample, reads = draw(dict.fromkeys(NAMES, 10), 8)
    assert found == sorted(IN_HASH_ORDER[:8])
    assert (len(sample.meters), sample.too_few_hours, reads) == (8, 0, [15])


def test_the_order_of_rows_does_not_matter_and_an_added_meter_moves_one_at_most() -> None:
    found, _, _ = draw(dict.fromkeys(NAMES, 10), 8)
    assert draw(dict.fromkeys(reversed(NAMES), 10), 8)[0] == found
    for added in ("M60", "M61", "M62"):
        with_added, _, _ = draw(dict.fromkeys([*NAMES, added], 10), 8)
        assert len(set(found) - set(with_added)) <= 1
        assert set(with_added) - set(found) <= {added}


def test_meters_with_too_few_hours_are_passed_over_and_counted() -> None:
    short, after = IN_HASH_ORDER[:2], IN_HASH_ORDER[30]
    hours = dict.fromkeys(NAMES, 10) | dict.fromkeys([*short, after], 9)
    found, sample, _ = draw(hours, 8)
    assert found == sorted(IN_HASH_ORDER[2:10])
    # Behind the sample nobody looked.
    assert (len(sample.meters), sample.too_few_hours) == (8, 2)
    _, sample, _ = draw(hours, 8, impossible={after})
    assert sample.too_few_hours == 3


def test_more_meters_are_read_when_the_first_had_too_few_hours() -> None:
    hours = dict.fromkeys(NAMES, 10) | dict.fromkeys(IN_HASH_ORDER[:20], 1)
    found, sample, reads = draw(hours, 8)
    assert found == sorted(IN_HASH_ORDER[20:28])
    assert (reads, sample.too_few_hours) == ([15, 45], 20)


def test_fewer_meters_than_are_wanted_are_all_taken() -> None:
    found, sample, reads = draw({"M1": 10, "M2": 3, "M3": 10}, 50)
    assert (found, len(sample.meters), sample.too_few_hours, reads) == (["M1", "M3"], 2, 1, [3])


def test_the_sample_is_in_hash_order() -> None:
    _, sample, _ = draw(dict.fromkeys(NAMES, 10), 8)
    assert sample.meters == IN_HASH_ORDER[:8]


def test_no_meter_is_chosen_where_none_has_enough_hours() -> None:
    _, sample, reads = draw({"M1": 3, "M2": 4}, 5)
    assert (sample.meters, sample.too_few_hours, reads) == ([], 2, [2])


def test_candidates_have_readings_of_the_training_days(tmp_path: Path) -> None:
    rows = [
        ("M1", "20130501", 48),
        ("M2", "20130502", 95),
        ("M3", "20130502", 48),
        ("M3", "20130503", 48),
        ("M4", "20130430", 48),
        ("M1", "20130502", 48),
        ("M5", "20130502", None),
    ]
    schema = pa.schema([("meter_id", pa.string()), ("date_str", pa.string()), ("interval_count", pa.int32())])
    store = FolderStore(tmp_path)
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)
    store.write_parquet("s3://days/1.parquet", table.slice(0, 5), 2)
    store.write_parquet("s3://days/2.parquet", table.slice(5), 2)
    found = samples.candidates(store, of_files(store, store.parquet_files("s3://days/")), TRAINING, 96)
    assert found == Candidates({"M1": 96}, 3)
