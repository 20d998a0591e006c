"""Tallies: what each delivery brought of a meter and day, and what published deliveries brought together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from metering import ledger
from transformers.zones import tallies
from transformers.zones.schemas import QUARANTINE

Rows = Callable[..., list[tuple[Any, ...]]]

CLEAN = "meter_id string, date_str string, reading_type string, source_file string, delivered_at timestamp"
AT, LATER = "2014-01-01 09:00:00", "2014-01-02 09:00:00"
STORED = f"{tallies.TALLY}, batch string, month string"


@pytest.fixture
def made(frame: Callable[..., Any]) -> Any:
    """Three interval readings, one of them twice, an error, and rejects of which two have a meter and a date."""
    batch = frame(
        CLEAN,
        ("M1", "20130131", "INT", "a.csv", AT),
        ("M1", "20130131", "INT", "a.csv", AT),
        ("M1", "20130201", "INT", "a.csv", AT),
        ("M1", "20130201", "ERR", "a.csv", AT),
        ("M2", "20130131", "INT", "b.csv", LATER),
    )
    rejects = frame(
        QUARANTINE,
        ("a.csv", "…", "negative_value", AT, "M1", "20130131"),
        ("a.csv", "…", "not_a_number", AT, "M3", "20130301"),
        ("a.csv", "…", "malformed_timestamp", AT, "M1", None),
        ("a.csv", "…", "missing_meter_id", AT, None, "20130131"),
        ("a.csv", "…", "empty_line", AT, None, None),
    )
    return tallies.of_batch(batch, rejects)


def test_interval_rows_and_rejects_are_counted_by_file_meter_and_day(made: Any, rows: Rows) -> None:
    columns = ["source_file", "delivered_at", "meter_id", "date_str", "readings", "rejected", "month"]
    assert rows(made, *columns) == [
        ("a.csv", AT, "M1", "20130131", 2, 1, "201301"),
        ("a.csv", AT, "M1", "20130201", 1, 0, "201302"),
        ("a.csv", AT, "M3", "20130301", 0, 1, "201303"),
        ("b.csv", LATER, "M2", "20130131", 1, 0, "201301"),
    ]


def test_a_batch_has_a_file_a_month_and_a_rerun_replaces_all_of_them(
    made: Any, rows: Rows, spark: Any, tmp_path: Path
) -> None:
    uri = f"file://{tmp_path}/tallies/batch=b1/"
    tallies.write(made, uri)
    found = sorted(str(path.relative_to(tmp_path).parent) for path in tmp_path.rglob("*.parquet"))
    assert found == [f"tallies/batch=b1/month=20130{month}" for month in (1, 2, 3)]

    tallies.write(made.where("month = '201302'"), uri)

    assert rows(spark.read.parquet(uri), "meter_id", "date_str", "month") == [("M1", "20130201", "201302")]


def test_days_add_up_over_files_and_batches(frame: Callable[..., Any], rows: Rows) -> None:
    stored = frame(
        STORED,
        ("a.csv", AT, "M1", "20130131", 48, 1, "20140101T090000-aaaaaa", "201301"),
        ("b.csv", AT, "M1", "20130131", 2, 0, "20140101T090000-aaaaaa", "201301"),
        ("a.csv", LATER, "M1", "20130131", 48, 0, "20140102T090000-aaaaaa", "201301"),  # the key has new content
        ("b.csv", AT, "M2", "20130131", 0, 3, "20140101T090000-aaaaaa", "201301"),
    )
    assert rows(tallies.by_day(tallies.newest(stored)), "meter_id", "date_str", "readings", "rejected") == [
        ("M1", "20130131", 98, 1),
        ("M2", "20130131", 0, 3),
    ]


def test_a_file_that_was_loaded_again_counts_once_as_it_was_loaded_last(frame: Callable[..., Any], rows: Rows) -> None:
    stored = frame(
        STORED,
        ("a.csv", AT, "M1", "20130131", 40, 8, "20140101T090000-bbbbbb", "201301"),
        ("a.csv", AT, "M1", "20130131", 48, 0, "20140105T090000-aaaaaa", "201301"),
    )
    assert rows(tallies.by_day(tallies.newest(stored)), "meter_id", "readings", "rejected") == [("M1", 48, 0)]


def test_published_batches_are_known_by_what_the_ledger_writes() -> None:
    assert tallies.BATCHES == ledger.BATCHES


def test_only_published_batches_and_the_months_asked_for_are_read(s3: Any) -> None:
    keys = [
        "_batches/b1.json",
        "_batches/b3.json",
        *(f"tallies/batch={batch}/month=20130{month}/part-0.parquet" for batch in ("b1", "b2") for month in (1, 2)),
    ]
    for key in keys:
        s3.put_object(Bucket="landing", Key=key, Body=b"")

    def found(*months: str) -> set[tuple[str, str, str]]:
        return tallies.places(s3, "landing", set(months))

    january = ("tallies/batch=b1/month=201301/", "b1", "201301")
    assert found("201301") == {january}
    assert found("201301", "201302") == {january, ("tallies/batch=b1/month=201302/", "b1", "201302")}
    assert found("201303") == set()
