"""What published deliveries brought of a meter and day, added up."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from meter_data.consumption import published_tallies
from meter_data.consumption.published_tallies import TalliesFile
from meter_data.lake.meter_ranges import ALL_METERS, MeterRange
from meter_data.lake.table_parts import Part
from metering import ledger

from tests.glue.consumption_lake import ConsumptionLake

AT, LATER = datetime(2014, 1, 1, 9, tzinfo=UTC), datetime(2014, 1, 2, 9, tzinfo=UTC)
FIRST, SECOND = "20140101T090000-bbbbbb", "20140105T090000-aaaaaa"


@pytest.fixture
def lake(tmp_path: Path) -> ConsumptionLake:
    return ConsumptionLake(tmp_path)


def by_day(lake: ConsumptionLake, month: str = "201301", meters: MeterRange = ALL_METERS) -> dict[Any, tuple[int, int]]:
    """readings and rejected by meter and date."""
    files = [file for file in published_tallies.find(lake.store, "clean") if file.month == month]
    not_counted = published_tallies.superseded(lake.store, files)
    parts = [(file, Part(file.uri)) for file in files]
    sums: dict[Any, tuple[int, int]] = {}
    for row in published_tallies.by_day(lake.store, parts, not_counted, meters).to_pylist():
        key = (row["meter_id"], row["date_str"])
        readings, rejected = sums.get(key, (0, 0))
        sums[key] = (readings + row["readings"], rejected + row["rejected"])
    return sums


def test_days_add_up_over_files_and_batches(lake: ConsumptionLake) -> None:
    lake.deliver(
        FIRST,
        ("a.csv", AT, "M1", "20130131", 48, 1),
        ("b.csv", AT, "M1", "20130131", 2, 0),
        ("b.csv", AT, "M2", "20130131", 0, 3),
    )
    lake.deliver(SECOND, ("a.csv", LATER, "M1", "20130131", 48, 0))  # the key has new content
    assert by_day(lake) == {("M1", "20130131"): (98, 1), ("M2", "20130131"): (0, 3)}


def test_a_file_that_was_loaded_again_counts_once_as_it_was_loaded_last(lake: ConsumptionLake) -> None:
    lake.deliver(FIRST, ("a.csv", AT, "M1", "20130131", 40, 8), ("b.csv", AT, "M1", "20130131", 1, 0))
    lake.deliver(SECOND, ("a.csv", AT, "M1", "20130131", 48, 0))
    assert by_day(lake) == {("M1", "20130131"): (49, 0)}


def test_a_file_that_was_loaded_again_counts_once_for_meters_that_are_no_longer_in_it(lake: ConsumptionLake) -> None:
    lake.deliver(FIRST, ("a.csv", AT, "M1", "20130131", 40, 8))
    lake.deliver(SECOND, ("a.csv", AT, "M2", "20130131", 48, 0))
    assert by_day(lake) == {("M2", "20130131"): (48, 0)}
    assert by_day(lake, meters=MeterRange("", "M2")) == {}
    assert by_day(lake, meters=MeterRange("M3", None)) == {}


def test_the_tallies_of_a_range_are_those_of_its_meters(lake: ConsumptionLake) -> None:
    lake.deliver(FIRST, *(("a.csv", AT, meter, "20130131", 1, 0) for meter in ("M1", "M2", "M3")))
    assert by_day(lake, meters=MeterRange("M2", "M3")) == {("M2", "20130131"): (1, 0)}


def test_tallies_are_added_up_without_any() -> None:
    assert published_tallies.superseded(None, []) == frozenset()  # type: ignore[arg-type]
    assert published_tallies.by_day(None, [], frozenset()).num_rows == 0  # type: ignore[arg-type]


def test_published_batches_are_known_by_what_the_ledger_writes() -> None:
    assert published_tallies.BATCHES == ledger.BATCHES


def test_only_tallies_of_published_batches_are_found(lake: ConsumptionLake) -> None:
    rows = [("a.csv", AT, "M1", f"20130{month}01", 1, 0) for month in (1, 2)]
    lake.deliver("b1", *rows)
    lake.deliver("b2", *rows, is_published=False)
    lake.store.write("s3://clean/tallies/batch=b1/_note", b"")
    assert published_tallies.find(lake.store, "clean") == [
        TalliesFile(f"s3://clean/tallies/batch=b1/month=20130{month}/00000.parquet", "b1", f"20130{month}")
        for month in (1, 2)
    ]
