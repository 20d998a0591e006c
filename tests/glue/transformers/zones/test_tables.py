"""Which partitions of the catalog are read."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from transformers.zones import tables
from transformers.zones.data_range import DataRange
from transformers.zones.tables import NoReadingsError, Tables

DAYS = DataRange(date(2013, 12, 31), date(2014, 2, 1))


class Glue:
    """The catalog and the reader of a job: it answers what it was asked for."""

    def __init__(self, **partitions: list[list[str]]) -> None:
        self.partitions = partitions
        self.create_data_frame = self

    def get_paginator(self, _: str) -> Glue:
        return self

    def paginate(self, TableName: str, **_: Any) -> list[dict[str, Any]]:  # noqa: N803 (the API's name)
        place = {"StorageDescriptor": {"Location": "s3://business/"}}
        return [{"Partitions": [{"Values": values, **place} for values in self.partitions[TableName]]}]

    def from_catalog(self, database: str, table_name: str, push_down_predicate: str = "", **_: Any) -> str:
        return f"{database}.{table_name}: {push_down_predicate}"


def tables_of(**partitions: list[list[str]]) -> Tables:
    glue = Glue(**partitions)
    return Tables(glue, glue, "metering")


def test_readings_are_read_of_the_months_that_hold_the_days() -> None:
    published = [["INT", month] for month in ("201311", "201312", "201401", "201402")] + [["ERR", "201401"]]
    read = tables_of(daily=published).interval_readings(DAYS)
    assert read == "metering.daily: (reading_type = 'INT' AND month IN ('201312', '201401'))"


def test_at_grain_day_readings_are_read_of_the_days_alone() -> None:
    days = ["20131230", "20131231", "20140115", "20140131", "20140201"]
    assert tables.holding([("INT", day) for day in [*days, "201401"]], DAYS) == {
        ("INT", value) for value in ("20131231", "20140115", "20140131", "201401")
    }


def test_days_without_readings_are_refused() -> None:
    with pytest.raises(NoReadingsError, match="daily has no INT readings from 2013-12-31 to 2014-02-01"):
        tables_of(daily=[["INT", "201311"], ["AGG", "201401"]]).interval_readings(DAYS)


def test_sums_of_days_are_read_of_the_months_that_are_there() -> None:
    found = tables_of(aggregated_daily=[["201312"], ["201401"]])
    assert found.months() == {"201312", "201401"}
    assert found.days({"201401", "201402"}) == "metering.aggregated_daily: (month IN ('201401'))"
    with pytest.raises(NoReadingsError, match="none of the months 201402, 201403. Trigger aggregate_consumption"):
        found.days({"201403", "201402"})
    with pytest.raises(NoReadingsError, match="aggregated_daily is empty"):
        tables_of(aggregated_daily=[]).months()


def test_weather_is_read_as_a_whole() -> None:
    assert tables_of().weather() == "metering.weather: "
