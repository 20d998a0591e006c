"""aggregate_consumption: sums of touched days, weeks and months; all else is carried over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import aggregate_consumption
import pytest
from transformers.zones import schemas
from transformers.zones.date_ranges import to_dates

Rows = Callable[..., list[tuple[Any, ...]]]

READINGS = (
    "meter_id string, reading_value double, reading_type string, month string, date_str string, "
    "reading_date_time timestamp, error_code string"
)


@pytest.fixture
def aggregated(spark: Any, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """aggregated(dates, daily=frame, …): what the job says; the frames are what is published, by table."""

    def run(dates: str, name: str = "1", **published: Any) -> dict[str, Any]:
        def read(table: str, wanted: set[tuple[str, ...]]) -> Any:
            if table not in published or not wanted:
                return None
            keys = ["reading_type", "month"] if table == "daily" else [aggregate_consumption.KEYS[table]]
            conditions = [
                " AND ".join(f"{key} = '{value}'" for key, value in zip(keys, values, strict=True)) for values in wanted
            ]
            return published[table].where(" OR ".join(f"({condition})" for condition in conditions))

        touched = aggregate_consumption.Touched(to_dates(dates))
        return aggregate_consumption.aggregate(spark, read, touched, f"file://{tmp_path}", name)

    return run


@pytest.fixture
def stored(spark: Any, tmp_path: Path) -> Callable[..., Any]:
    """stored(table, run="1"): what a run has written of a table."""
    return lambda table, run="1": spark.read.parquet(f"{tmp_path}/{table}/run={run}")


def interval(meter: str, day: str, value: float, kind: str = "INT") -> tuple[Any, ...]:
    return (meter, value, kind, day[:6], day, f"{day[:4]}-{day[4:6]}-{day[6:]} 00:00:00", None)


def test_days_weeks_and_months_are_summed_of_interval_readings(
    aggregated: Callable[..., Any], stored: Callable[..., Any], rows: Rows, frame: Callable[..., Any]
) -> None:
    daily = frame(
        READINGS,
        interval("M1", "20130130", 1.0),
        interval("M1", "20130130", 0.5),
        interval("M1", "20130130", 1000.0, "AGG"),
        ("M1", None, "ERR", "201301", "20130130", "2013-01-30 00:30:00", "NULL"),
        interval("M1", "20130201", 2.0),
        interval("M2", "20130201", 4.0),
    )

    aggregated("20130130-20130201", daily=daily)

    assert rows(stored("aggregated_daily"), "meter_id", "date_str", "consumption", "interval_count") == [
        ("M1", "20130130", 1.5, 2),
        ("M1", "20130201", 2.0, 1),
        ("M2", "20130201", 4.0, 1),
    ]
    weekly = ["meter_id", "iso_year", "week_of_year", "week_start", "consumption", "interval_count"]
    assert rows(stored("aggregated_weekly"), *weekly) == [
        ("M1", "2013", 5, "20130128", 3.5, 3),
        ("M2", "2013", 5, "20130128", 4.0, 1),
    ]
    monthly = ["meter_id", "year", "month", "month_start", "consumption", "interval_count"]
    assert rows(stored("aggregated_monthly"), *monthly) == [
        ("M1", "2013", 1, "20130101", 1.5, 2),
        ("M1", "2013", 2, "20130201", 2.0, 1),
        ("M2", "2013", 2, "20130201", 4.0, 1),
    ]


def test_weeks_around_new_year_belong_to_their_iso_year(
    aggregated: Callable[..., Any], stored: Callable[..., Any], rows: Rows, frame: Callable[..., Any]
) -> None:
    days = ["20121230", "20121231", "20130101", "20131229", "20131230", "20140105", "20160103", "20160104"]
    daily = frame(READINGS, *(interval("M1", day, float(at)) for at, day in enumerate(days, start=1)))

    aggregated(",".join(f"{day}-{day}" for day in days), daily=daily)

    assert rows(stored("aggregated_weekly"), "iso_year", "week_of_year", "week_start", "consumption") == [
        ("2012", 52, "20121224", 1.0),
        ("2013", 1, "20121231", 5.0),
        ("2013", 52, "20131223", 4.0),
        ("2014", 1, "20131230", 11.0),
        ("2015", 53, "20151228", 7.0),
        ("2016", 1, "20160104", 8.0),
    ]


def test_weeks_are_those_of_the_calendar_of_python(frame: Callable[..., Any], rows: Rows) -> None:
    days = [date(2008, 12, 20) + timedelta(days=number) for number in range(0, 6600, 3)]
    made = frame(
        "meter_id string, date_str string, consumption double, interval_count int",
        *(("M1", f"{day:%Y%m%d}", 1.0, 48) for day in days),
    )
    found = rows(aggregate_consumption.sum_weeks(made), "iso_year", "week_of_year", "week_start")
    expected = {
        (f"{day.isocalendar().year}", day.isocalendar().week, f"{day - timedelta(days=day.weekday()):%Y%m%d}")
        for day in days
    }
    assert found == sorted(expected)


def test_only_touched_dates_are_summed_anew_and_the_rest_is_carried_over(
    aggregated: Callable[..., Any], stored: Callable[..., Any], rows: Rows, frame: Callable[..., Any]
) -> None:
    # Thursday 2013-01-31 is touched; its week reaches into February.
    daily = frame(READINGS, interval("M1", "20130130", 99.0), interval("M1", "20130131", 5.0))
    days = frame(
        f"{schemas.AGGREGATED_DAILY}, month string",
        ("M1", "20130130", 1.0, 48, "201301"),
        ("M1", "20130131", 1.0, 48, "201301"),
        ("M2", "20130131", 1.0, 48, "201301"),  # its readings are gone
        ("M1", "20130201", 1.0, 48, "201302"),
        ("M1", "20130204", 1.0, 48, "201302"),  # another week, another month
    )
    weeks = frame(
        f"{schemas.AGGREGATED_WEEKLY}, iso_year int",
        ("M1", "20130121", 4, 70.0, 336, 2013),
        ("M1", "20130128", 5, 70.0, 336, 2013),
        ("M1", "20121224", 52, 70.0, 336, 2012),
    )
    months = frame(
        f"{schemas.AGGREGATED_MONTHLY}, year int",
        ("M1", "20130101", 1, 31.0, 1488, 2013),
        ("M1", "20130301", 3, 33.0, 1488, 2013),
    )

    said = aggregated(
        "20130131-20130131", daily=daily, aggregated_daily=days, aggregated_weekly=weeks, aggregated_monthly=months
    )

    assert rows(stored("aggregated_daily"), "meter_id", "date_str", "consumption", "interval_count") == [
        ("M1", "20130130", 1.0, 48),
        ("M1", "20130131", 5.0, 1),
    ]
    assert rows(stored("aggregated_weekly"), "week_start", "week_of_year", "consumption", "interval_count") == [
        ("20130121", 4, 70.0, 336),
        ("20130128", 5, 7.0, 97),
    ]
    assert rows(stored("aggregated_monthly"), "month_start", "month", "consumption", "interval_count") == [
        ("20130101", 1, 6.0, 49),
        ("20130301", 3, 33.0, 1488),
    ]
    assert {table: [part["values"] for part in said[table]["partitions"]] for table in said} == {
        "aggregated_daily": [["201301"]],
        "aggregated_weekly": [["2013"]],
        "aggregated_monthly": [["2013"]],
        "completeness": [["201301"]],
    }


def test_day_by_day_in_any_order_gives_the_same_as_all_at_once(
    aggregated: Callable[..., Any], stored: Callable[..., Any], rows: Rows, frame: Callable[..., Any]
) -> None:
    days = ["20121230", "20121231", "20130101", "20130131", "20130201"]
    # M2 begins late and falls silent; what is missed of it depends on the month before.
    of_m2 = [interval("M2", day, 0.25) for day in days[1:3]]
    daily = frame(READINGS, *(interval("M1", day, 0.25) for day in days), *of_m2)
    aggregated(f"{days[0]}-{days[-1]}", "all", daily=daily)
    published: dict[str, Any] = {}
    for number, day in enumerate([days[place] for place in (3, 0, 4, 2, 1)]):
        aggregated(f"{day}-{day}", str(number), daily=daily, **published)
        for table, key in aggregate_consumption.KEYS.items():
            new = stored(table, str(number))
            values = [row[0] for row in new.select(key).distinct().collect()]
            old = published[table].where(~published[table][key].isin(values)) if table in published else None
            published[table] = old.unionByName(new) if old is not None else new

    for table in aggregate_consumption.KEYS:
        assert rows(published[table]) == rows(stored(table, "all")), table
    missed = published["completeness"].where("received = 0")
    assert rows(missed, "meter_id", "date_str") == [("M2", "20130131"), ("M2", "20130201")]


def test_each_partition_is_one_file_of_the_columns_of_its_table(
    aggregated: Callable[..., Any], frame: Callable[..., Any], tmp_path: Path
) -> None:
    import pyarrow.parquet as parquet

    days = [f"{date(2012, 12, 1) + timedelta(days=number):%Y%m%d}" for number in range(60)]
    daily = frame(READINGS, *(interval(meter, day, 0.25) for day in days for meter in ("M2", "M1")))

    said = aggregated("20121201-20130129", daily=daily)

    assert [(part["values"], part["rows"]) for part in said["aggregated_daily"]["partitions"]] == [
        (["201212"], 62),
        (["201301"], 58),
    ]
    assert said["aggregated_weekly"]["prefix"] == f"file://{tmp_path}/aggregated_weekly/run=1/"
    for table, schema in aggregate_consumption.SCHEMAS.items():
        for part in said[table]["partitions"]:
            assert (
                part["location"] == f"{said[table]['prefix']}{aggregate_consumption.KEYS[table]}={part['values'][0]}/"
            )
            (file,) = Path(part["location"].removeprefix("file://")).glob("*.parquet")
            found = parquet.read_table(file, partitioning=None)
            assert found.column_names == schemas.names(schema)
            keys = list(zip(*(found.column(at).to_pylist() for at in (0, 1)), strict=True))
            assert keys == sorted(keys)


def test_dates_without_readings_keep_what_is_published_of_their_month(
    aggregated: Callable[..., Any], stored: Callable[..., Any], rows: Rows, frame: Callable[..., Any]
) -> None:
    days = frame(f"{schemas.AGGREGATED_DAILY}, month string", ("M1", "20130130", 1.0, 48, "201301"))
    aggregated("20130102-20130102", aggregated_daily=days)
    assert rows(stored("aggregated_daily"), "date_str", "consumption") == [("20130130", 1.0)]


def test_where_nothing_is_published_nothing_is_written(aggregated: Callable[..., Any], tmp_path: Path) -> None:
    said = aggregated("20130102-20130102")
    assert [table["partitions"] for table in said.values()] == [[], [], [], []]
    assert list(tmp_path.iterdir()) == []


def test_readings_at_grain_day_are_summed_alike(
    aggregated: Callable[..., Any], stored: Callable[..., Any], rows: Rows, frame: Callable[..., Any]
) -> None:
    daily = frame(
        READINGS,
        ("M1", 1.0, "INT", "20130131", "20130131", "2013-01-31 00:00:00", None),
        ("M1", 2.0, "INT", "20130130", "20130130", "2013-01-30 00:00:00", None),
    )
    aggregated("20130131-20130131", daily=daily)
    assert rows(stored("aggregated_daily"), "date_str", "month", "consumption") == [("20130131", "201301", 1.0)]
