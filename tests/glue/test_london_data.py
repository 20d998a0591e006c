"""Both London files through all three steps, against sums of plain Python over the raw files.

Without the files (SHARED_DATA, by default shared/data beside the repository) a small generated fleet takes their place.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clean_to_business
import pytest
from meter_data.lake.published import Published
from transformers.zones import schemas

from local_aws.environment import shared_data
from tests.end_to_end import expected_consumption as expected
from tests.glue.consumption_lake import ConsumptionLake
from tests.glue.deliveries import Cleaned, clean

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED_DATA = shared_data()


@dataclass(frozen=True)
class Loaded:
    """The raw files, what became of them, and where their sums lie."""

    files: list[Path]
    cleaned: Cleaned
    summary: dict[str, Any]
    zone: Path


@pytest.fixture(scope="module")
def meter_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    london = SHARED_DATA / "london"
    if london.is_dir():
        return sorted(london.glob("*.csv*"))
    print(f"{london} is absent: a generated fleet takes its place")
    folder = tmp_path_factory.mktemp("fleet")
    options = ["--meters", "6", "--days", "70", "--seed", "5", "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "sample_data", *options], cwd=REPOSITORY, check=True, timeout=120)
    return sorted(folder.glob("*.csv*"))


@pytest.fixture(scope="module")
def loaded(spark: Any, meter_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    zone = tmp_path_factory.mktemp("zone")
    cleaned = clean(spark, zone, meter_files)
    batch = spark.read.schema(schemas.CLEAN).parquet(str(cleaned.clean))
    touched = clean_to_business.touched_dates(batch)
    files = dict.fromkeys(clean_to_business.rows_of_partitions(touched, "month"), 1)
    lake = ConsumptionLake(zone)
    counts = clean_to_business.write(spark, batch, None, "month", files, f"file://{zone}/business/daily/run=1/")
    for part in counts["partitions"]:
        values = tuple(part["values"])
        location = part["location"].replace(f"file://{zone}/", "s3://")
        lake.known["daily"][values] = Published(values, location, part["rows"])
    summary = clean_to_business.summary("b1", "1", touched, counts)
    lake.aggregate(",".join(summary["dates"]))
    return Loaded(meter_files, cleaned, summary, zone / "business")


def test_every_row_is_a_reading_a_duplicate_or_in_quarantine(loaded: Loaded) -> None:
    readings, nulls, bad = expected.read(loaded.files)
    cleaned, summary = loaded.cleaned.summary, loaded.summary
    assert cleaned["rows"] == expected.count_rows(loaded.files)
    assert cleaned["rejected"] == bad
    assert summary["readings_written"] == len(readings) + len(nulls)
    assert cleaned["rows"] == summary["readings_written"] + summary["duplicates"] + cleaned["rejected"]


def test_every_null_is_an_err_reading(spark: Any, loaded: Loaded) -> None:
    _, nulls, _ = expected.read(loaded.files)
    stored = spark.read.parquet(f"file://{loaded.zone}/daily/run=1").where("reading_type = 'ERR'")
    rows = stored.selectExpr("meter_id", "cast(reading_date_time AS string)", "error_code", "reading_value").collect()
    assert nulls, "the data hold no Null"
    assert {tuple(row) for row in rows} == {(*null, "NULL", None) for null in nulls}


@pytest.mark.parametrize(
    ("table", "columns", "sums"),
    [
        ("aggregated_daily", ["meter_id", "date_str"], expected.daily),
        ("aggregated_weekly", ["meter_id", "iso_year", "week_of_year"], expected.weekly),
        ("aggregated_monthly", ["meter_id", "year", "month"], expected.monthly),
    ],
)
def test_every_sum_is_that_of_the_raw_files(
    spark: Any, loaded: Loaded, table: str, columns: list[str], sums: Any
) -> None:
    readings, _, _ = expected.read(loaded.files)
    wanted = sums(readings)
    rows = spark.read.parquet(f"file://{loaded.zone}/{table}/run=1").select(*columns, "consumption").collect()
    found = {tuple(str(part) for part in row[:-1]): row[-1] for row in rows}
    assert len(found) == len(rows)
    assert found.keys() == wanted.keys()
    worst = max(found, key=lambda key: abs(found[key] - wanted[key]))
    assert abs(found[worst] - wanted[worst]) < 1e-6, f"{worst}: {found[worst]} is not {wanted[worst]}"
