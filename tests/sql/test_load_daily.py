"""Loading batches of readings into `daily`: each reading once, the newest delivery wins, twice changes nothing."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sql.conftest import StatementFailedError, Warehouse

NOON = "2013-01-31 12:00:00"
FIRST, SECOND = "2026-01-01 08:00:00", "2026-01-02 08:00:00"
KEPT = "SELECT reading_type, reading_date_time, reading_value, delivered_at FROM daily ORDER BY 1, 2, 3"


def reading(
    value: float | None,
    delivered_at: str,
    *,
    at: str = NOON,
    kind: str = "INT",
    meter: str = "MAC1",
    file: str = "a.csv",
    row: int = 1,
    batch: str = "b1",
) -> str:
    """A clean row as values of SQL, in the order of a clean file."""
    number = "NULL" if value is None else repr(value)
    error = "'NULL'" if kind == "ERR" else "NULL"
    return (
        f"('{meter}', {number}, '{kind}', '{at}', '20130131', NULL, {error}, 2013, 5, 31, 1, 2013, 12, 0, "
        f"'s3://landing/readings/{file}', '{delivered_at}', {row}, '{batch}')"
    )


# When batches were merged; their names do not tell.
MERGED_AT = {"b3": "2026-01-03 09:00:00", "b1": "2026-01-03 09:01:00", "b2": "2026-01-04 09:00:00"}


def copied(*rows: str) -> dict[str, str]:
    """Statements that stand for the COPYs of a load of these rows."""
    batches = ", ".join(f"('{batch}', '{merged_at}')" for batch, merged_at in MERGED_AT.items())
    return {
        "daily": f"INSERT INTO daily_copied VALUES {', '.join(rows)}",
        "batches": f"INSERT INTO batches_copied VALUES {batches}",
    }


def load(warehouse: Warehouse, *rows: str) -> None:
    warehouse.load("merge_readings", copied(*rows))


def test_a_reading_comes_out_as_it_went_in(tables: Warehouse) -> None:
    load(tables, reading(0.25, FIRST))

    columns = (
        "meter_id, reading_value, reading_type, reading_date_time, date_str, obis_code, error_code, iso_year, "
        "week_of_year, day_of_month, month, year, hour, minute, delivered_at, merged_at"
    )
    assert tables.rows(f"SELECT {columns} FROM daily") == [
        ("MAC1", 0.25, "INT", NOON, "20130131", None, None, 2013, 5, 31, 1, 2013, 12, 0, FIRST, MERGED_AT["b1"])
    ]


def test_a_batch_loaded_twice_changes_nothing(tables: Warehouse) -> None:
    rows = [reading(0.25, FIRST), reading(None, FIRST, kind="ERR"), reading(0.5, FIRST, at="2013-01-31 12:30:00")]
    load(tables, *rows)
    before = tables.rows("SELECT * FROM daily ORDER BY reading_type, reading_date_time")

    load(tables, *rows)

    assert len(before) == 3
    assert tables.rows("SELECT * FROM daily ORDER BY reading_type, reading_date_time") == before


def test_a_newer_delivery_replaces_a_reading(tables: Warehouse) -> None:
    load(tables, reading(0.75, FIRST))
    load(tables, reading(0.25, SECOND))

    assert tables.rows(KEPT) == [("INT", NOON, 0.25, SECOND)]


def test_an_older_delivery_loaded_late_replaces_nothing(tables: Warehouse) -> None:
    load(tables, reading(0.25, SECOND))
    load(tables, reading(0.75, FIRST), reading(0.5, FIRST, at="2013-01-31 12:30:00"))

    assert tables.rows(KEPT) == [("INT", NOON, 0.25, SECOND), ("INT", "2013-01-31 12:30:00", 0.5, FIRST)]


@pytest.mark.parametrize("loads", ["b3, b1, b2", "b2, b1, b3", "b1 b2 b3", "b2, b1 b3", "b3 b2, b1, b3, b2"])
def test_of_batches_of_one_upload_time_the_one_merged_last_wins_however_they_are_loaded(
    tables: Warehouse, loads: str
) -> None:
    rows = {
        "b1": [reading(0.25, FIRST, batch="b1", row=9), reading(9.0, FIRST, batch="b1", meter="MAC2", file="z.csv")],
        "b2": [reading(0.75, FIRST, batch="b2"), reading(0.25, FIRST, batch="b2", meter="MAC2")],
        "b3": [reading(9.0, FIRST, batch="b3", row=8), reading(0.5, FIRST, batch="b3", meter="MAC3")],
    }
    for batches in loads.split(", "):
        load(tables, *(row for batch in batches.split() for row in rows[batch]))

    assert tables.rows("SELECT meter_id, reading_value, merged_at FROM daily ORDER BY 1") == [
        ("MAC1", 0.75, MERGED_AT["b2"]),
        ("MAC2", 0.25, MERGED_AT["b2"]),
        ("MAC3", 0.5, MERGED_AT["b3"]),
    ]


def test_a_row_of_a_batch_that_nobody_merged_is_refused(tables: Warehouse) -> None:
    with pytest.raises(StatementFailedError, match="merged_at"):
        load(tables, reading(0.25, FIRST, batch="b4"))


def test_within_one_batch_the_newest_delivery_wins_then_the_later_file_then_its_later_row(tables: Warehouse) -> None:
    load(
        tables,
        *[reading(9.0, FIRST, file="z.csv", row=9), reading(0.25, SECOND, file="a.csv")],
        *[reading(0.5, FIRST, meter="MAC2", file="b.csv"), reading(9.0, FIRST, meter="MAC2", file="B.csv", row=9)],
        *[reading(value, FIRST, meter="MAC3", row=row) for row, value in ((9, 9.0), (10, 0.75), (8, 8.0))],
    )

    assert tables.rows("SELECT meter_id, reading_value FROM daily ORDER BY 1") == [
        ("MAC1", 0.25),
        ("MAC2", 0.5),
        ("MAC3", 0.75),
    ]


def test_an_error_and_a_value_at_the_same_time_are_two_readings(tables: Warehouse) -> None:
    load(tables, reading(None, FIRST, kind="ERR"))
    load(tables, reading(0.25, SECOND))

    assert tables.rows(KEPT) == [("ERR", NOON, None, FIRST), ("INT", NOON, 0.25, SECOND)]


def test_an_error_delivered_twice_is_one_reading(tables: Warehouse) -> None:
    load(tables, reading(None, FIRST, kind="ERR"))
    load(tables, reading(None, SECOND, kind="ERR"), reading(None, SECOND, kind="ERR"))

    assert tables.rows(KEPT) == [("ERR", NOON, None, SECOND)]


def test_a_load_that_fails_leaves_the_table_as_it_was(tables: Warehouse) -> None:
    load(tables, reading(0.25, FIRST))

    with pytest.raises(StatementFailedError, match="meter_id"):
        load(tables, reading(0.5, SECOND), reading(0.5, SECOND).replace("'MAC1'", "NULL"))

    assert tables.rows(KEPT) == [("INT", NOON, 0.25, FIRST)]


def clean_file(*rows: tuple[str, float | None, datetime, datetime]) -> bytes:
    """A clean Parquet file: meter, value, time, delivery."""
    count = len(rows)
    integers = {
        name: pa.array([1] * count, pa.int32()) for name in ("iso_year", "week_of_year", "day_of_month", "month")
    }
    columns: dict[str, Any] = {
        "meter_id": [row[0] for row in rows],
        "reading_value": pa.array([row[1] for row in rows], pa.float64()),
        "reading_type": ["INT"] * count,
        "reading_date_time": pa.array([row[2] for row in rows], pa.timestamp("us", "UTC")),
        "date_str": ["20130101"] * count,
        "obis_code": pa.array([None] * count, pa.string()),
        "error_code": pa.array([None] * count, pa.string()),
        **integers,
        "year": pa.array([2013] * count, pa.int32()),
        "hour": pa.array([0] * count, pa.int32()),
        "minute": pa.array([0] * count, pa.int32()),
        "source_file": ["s3://landing/readings/a.csv"] * count,
        "delivered_at": pa.array([row[3] for row in rows], pa.timestamp("us", "UTC")),
        "source_row": pa.array(range(count), pa.int64()),
        "source_batch": ["b1"] * count,
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def test_the_files_of_a_manifest_are_copied_and_no_others(tables: Warehouse) -> None:
    midnight, delivered = datetime(2013, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 8, tzinfo=UTC)
    for key, meter in (("clean/a.parquet", "MAC1"), ("other/b.parquet", "MAC2"), ("clean/c.parquet", "MAC3")):
        body = clean_file((meter, 0.5, midnight, delivered))
        tables.s3.put_object(Bucket=tables.bucket, Key=key, Body=body)

    tables.copy("merge_readings", {"daily": ["clean/a.parquet", "other/b.parquet"]}, f"b1,{SECOND}\n")

    columns = "meter_id, reading_date_time, reading_value, delivered_at, merged_at"
    assert tables.rows(f"SELECT {columns} FROM daily ORDER BY 1") == [
        ("MAC1", "2013-01-01 00:00:00", 0.5, FIRST, SECOND),
        ("MAC2", "2013-01-01 00:00:00", 0.5, FIRST, SECOND),
    ]
