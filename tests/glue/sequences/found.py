"""What the tables hold: in the business zone, as the catalog publishes it, and in the warehouse."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.glue.sequences.expected import Tables, kind_error
from tests.glue.sequences.redshift import Redshift
from tests.glue.sequences.session_platform import Platform

SUMS = {"aggregated_daily": "date_str", "aggregated_weekly": "week_start", "aggregated_monthly": "month_start"}


def in_business_zone(platform: Platform) -> Tables:
    """The rows of all published partitions, as `expected.Expected.tables` gives them."""
    tables = {"daily": [_reading(row) for row in platform.published("daily")]}
    for table, period in SUMS.items():
        rows = platform.published(table)
        tables[table] = [(row["meter_id"], row[period], row["consumption"], row["interval_count"]) for row in rows]
    tables["completeness"] = [_day(row) for row in platform.published("completeness")]
    return {table: sorted(rows, key=repr) for table, rows in tables.items()}


def in_warehouse(redshift: Redshift) -> Tables:
    """The same of the tables that Redshift has."""
    columns = "meter_id, reading_type, reading_date_time, reading_value, error_code, delivered_at"
    tables = {"daily": [_typed(row) for row in redshift.rows(f"SELECT {columns} FROM daily")]}
    for table, period in SUMS.items():
        tables[table] = redshift.rows(f"SELECT meter_id, {period}, consumption, interval_count FROM {table}")
    return {table: sorted(rows, key=repr) for table, rows in tables.items()}


def _reading(row: dict[str, Any]) -> tuple[Any, ...]:
    kind, partition = row["partition"]
    assert row["date_str"].startswith(partition), f"{row} lies in the partition {partition}"
    moment = _naive(row["reading_date_time"])
    calendar = moment.isocalendar()
    told = tuple(row[name] for name in ("date_str", "iso_year", "week_of_year", "day_of_month", "year", "hour"))
    assert told == (f"{moment:%Y%m%d}", calendar.year, calendar.week, moment.day, moment.year, moment.hour)
    assert row["error_code"] == kind_error(kind)
    return (row["meter_id"], kind, moment, row["reading_value"], row["error_code"], _naive(row["delivered_at"]))


def _day(row: dict[str, Any]) -> tuple[Any, ...]:
    assert row["date_str"].startswith(row["partition"][0])
    names = ("meter_id", "date_str", "expected", "received", "estimated", "rejected")
    times = (_naive(row[name]) for name in ("first_reading", "last_reading"))
    return (*(row[name] for name in names), *times, row["duplicates"])


def _typed(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Moments come as text: the session gives what the Data API would."""
    meter, kind, moment, value, error, delivered_at = row
    return (meter, kind, _moment(moment), value, error, _moment(delivered_at))


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(str(text)).replace(tzinfo=None)


def _naive(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC).replace(tzinfo=None)
