"""Which partitions of the catalog are read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from meter_data.series import tables
from meter_data.series.data_range import DataRange
from meter_data.series.tables import NoReadingsError, Tables

from tests.glue.folder_lake import FolderLake

DAYS = DataRange(date(2013, 12, 31), date(2014, 2, 1))


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path)


def tables_of(lake: FolderLake, **partitions: list[list[str]]) -> Tables:
    for table, found in partitions.items():
        for values in found:
            lake.publish(table, values, pa.table({"meter_id": ["M1"]}))
    return Tables(lake.store, lake, "metering")


def test_readings_are_read_of_the_months_that_hold_the_days(lake: FolderLake) -> None:
    published = [["INT", month] for month in ("201311", "201312", "201401", "201402")] + [["ERR", "201401"]]
    read = tables_of(lake, daily=published).interval_readings(DAYS)
    assert [group.uri for group in read] == [
        f"s3://business/daily/run=r1/INT/{month}/0001.parquet" for month in ("201312", "201401")
    ]


def test_readings_lie_where_the_catalog_says(lake: FolderLake) -> None:
    found = tables_of(lake, daily=[["INT", "201401"]])
    # A newer version that is not published, and one whose location has no slash at its end.
    lake.store.write("s3://business/daily/run=r2/INT/201401/0001.parquet", b"not published")
    lake.publish_location("daily", ["INT", "201312"], "s3://business/daily/run=r1/INT/201401")
    assert {group.uri for group in found.interval_readings(DAYS)} == {
        "s3://business/daily/run=r1/INT/201401/0001.parquet"
    }


def test_at_grain_day_readings_are_read_of_the_days_alone() -> None:
    days = ["20131230", "20131231", "20140115", "20140131", "20140201"]
    assert tables.holding([("INT", day) for day in [*days, "201401"]], DAYS) == {
        ("INT", value) for value in ("20131231", "20140115", "20140131", "201401")
    }


def test_days_without_readings_are_refused(lake: FolderLake) -> None:
    with pytest.raises(NoReadingsError, match="daily has no INT readings from 2013-12-31 to 2014-02-01"):
        tables_of(lake, daily=[["INT", "201311"], ["AGG", "201401"]]).interval_readings(DAYS)


def test_sums_of_days_are_read_of_the_months_that_are_there(lake: FolderLake) -> None:
    with pytest.raises(NoReadingsError, match="aggregated_daily is empty"):
        Tables(lake.store, lake, "metering").months()
    found = tables_of(lake, aggregated_daily=[["201312"], ["201401"]])
    assert found.months() == {"201312", "201401"}
    (group,) = found.days({"201401", "201402"})
    assert group.uri == "s3://business/aggregated_daily/run=r1/201401/0001.parquet"
    with pytest.raises(NoReadingsError, match="none of the months 201402, 201403. Trigger aggregate_consumption"):
        found.days({"201403", "201402"})


def test_the_newest_complete_day_is_that_of_the_published_sums(lake: FolderLake) -> None:
    lake.publish_days([("M1", "20140101", 1.0, 48), ("M1", "20140102", 1.0, 47), ("M2", "20131231", 1.0, 48)])
    assert Tables(lake.store, lake, "metering").newest_complete_day(2) == date(2014, 1, 1)


def test_weather_is_read_as_the_catalog_describes_it(lake: FolderLake) -> None:
    lake.deliver_weather(["2013-05-01 00:00:00\t10\t8\t0.5"])
    known = Tables(lake.store, lake, "metering").weather()
    assert [list(values.values()) for values in known.values()] == [[10.0], [8.0], [0.5]]
