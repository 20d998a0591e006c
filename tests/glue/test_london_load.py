"""Both London files through the three jobs of the load, against sums of plain Python over the raw files.

Without the files (SHARED_DATA, by default shared/data beside the repository) a small generated fleet takes their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clean_to_business
import pytest
from meter_data.lake import published

from tests.end_to_end import expected_consumption as expected
from tests.glue.catalog import Catalog
from tests.glue.consumption_lake import ConsumptionLake
from tests.glue.deliveries import BATCH, Cleaned, StoreOf, clean


@dataclass(frozen=True)
class Loaded:
    """The raw files, what became of them, the summary of clean_to_business, and what is published."""

    files: list[Path]
    cleaned: Cleaned
    summary: dict[str, Any]
    lake: ConsumptionLake


@pytest.fixture(scope="module")
def loaded(meter_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    root = tmp_path_factory.mktemp("buckets")
    cleaned = clean(root, {path.name: path.read_bytes() for path in meter_files})
    catalog = Catalog()
    given = {"batch": BATCH, "run": "1", "grain": "month", "database": "metering", "spread_above_rows": "100000000"}
    clean_to_business.convert(StoreOf(root), catalog, given | {"clean_bucket": "clean", "business_bucket": "business"})
    summary = cleaned.store.read_json(f"s3://clean/_summaries/{BATCH}/clean_to_business.json")
    catalog.publish(summary)
    lake = ConsumptionLake(root)
    lake.known["daily"] = published.partitions(catalog, "metering", "daily")
    lake.publish_sums(lake.aggregate(",".join(summary["dates"])))
    return Loaded(meter_files, cleaned, summary, lake)


def test_every_row_is_a_reading_a_duplicate_or_in_quarantine(loaded: Loaded) -> None:
    readings, nulls, bad = expected.read(loaded.files)
    cleaned, summary = loaded.cleaned.summary, loaded.summary
    assert cleaned["rows"] == expected.count_rows(loaded.files)
    assert cleaned["rejected"] == bad
    assert summary["readings_written"] == len(readings) + len(nulls)
    assert cleaned["rows"] == summary["readings_written"] + summary["duplicates"] + cleaned["rejected"]


def test_every_null_is_an_err_reading(loaded: Loaded) -> None:
    _, nulls, _ = expected.read(loaded.files)
    partitions = loaded.lake.known["daily"]
    stored = [
        row
        for (reading_type, _), partition in partitions.items()
        if reading_type == "ERR"
        for uri in loaded.lake.store.parquet_files(partition.location)
        for row in loaded.lake.store.read_parquet(uri).to_pylist()
    ]
    found = {
        (row["meter_id"], f"{row['reading_date_time']:%Y-%m-%d %H:%M:%S}", row["error_code"], row["reading_value"])
        for row in stored
    }
    assert nulls, "the data hold no Null"
    assert found == {(*null, "NULL", None) for null in nulls}


@pytest.mark.parametrize(
    ("table", "columns", "key", "sums"),
    [
        ("aggregated_daily", ["meter_id", "date_str"], [], expected.daily),
        ("aggregated_weekly", ["meter_id", "week_of_year"], [1], expected.weekly),
        ("aggregated_monthly", ["meter_id", "month"], [1], expected.monthly),
    ],
)
def test_every_sum_is_that_of_the_raw_files(
    loaded: Loaded, table: str, columns: list[str], key: list[int], sums: Any
) -> None:
    readings, _, _ = expected.read(loaded.files)
    wanted = sums(readings)
    found: dict[tuple[str, ...], float] = {}
    for values, partition in loaded.lake.known[table].items():
        for uri in loaded.lake.store.parquet_files(partition.location):
            for row in loaded.lake.store.read_parquet(uri).to_pylist():
                named = [str(row[name]) for name in columns]
                for place in key:
                    named.insert(place, values[0])
                assert tuple(named) not in found
                found[tuple(named)] = row["consumption"]
    assert found.keys() == wanted.keys()
    worst = max(found, key=lambda each: abs(found[each] - wanted[each]))
    assert abs(found[worst] - wanted[worst]) < 1e-6, f"{worst}: {found[worst]} is not {wanted[worst]}"
