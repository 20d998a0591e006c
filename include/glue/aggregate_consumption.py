"""Consumption of touched days, ISO weeks and months, summed anew, and how complete the days are.

    --run                names the folders that are written: a new one for every try
    --dates              touched dates as closed ranges: 20130101-20131231,20140105-20140105
    --intervals_per_hour
    --clean_bucket, --business_bucket, --database

Interval readings (INT) only; kWh. The days are summed from the published readings of the touched dates; the weeks and
months that hold them from the days, the new ones and those published. All else in a partition that is written is
carried over from its published version. Each row carries interval_count, the number of readings summed.

Completeness (zones.completeness) is that of whole months: of the touched dates from their readings, of others from the
published rows, and of all from the tallies of published batches. The months after touched ones are written anew where
they are published: which meters are missed in them depends on the month before.

Writes aggregated_daily/run=<run>/month=…, aggregated_weekly/run=<run>/iso_year=…, aggregated_monthly/run=<run>/year=…,
completeness/run=<run>/month=… and, last, _summaries/<run>/aggregate_consumption.json. Nothing is published here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial, reduce
from operator import or_
from typing import Any

import boto3
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sql
from transformers.zones import completeness, date_ranges, failures, partitions, storage, tallies
from transformers.zones.data_range import HOURS_A_DAY
from transformers.zones.partitions import Values
from transformers.zones.schemas import (
    AGGREGATED_DAILY,
    AGGREGATED_MONTHLY,
    AGGREGATED_WEEKLY,
    COMPLETENESS,
    INTERVAL,
    date_text,
    names,
)
from transformers.zones.session import configure

JOB = "aggregate_consumption"
DAILY, WEEKLY, MONTHLY = "aggregated_daily", "aggregated_weekly", "aggregated_monthly"
COMPLETE = "completeness"
SCHEMAS = {DAILY: AGGREGATED_DAILY, WEEKLY: AGGREGATED_WEEKLY, MONTHLY: AGGREGATED_MONTHLY, COMPLETE: COMPLETENESS}
KEYS = {DAILY: "month", WEEKLY: "iso_year", MONTHLY: "year", COMPLETE: "month"}
HALF_HOURS = 48

# The published rows of a table in partitions with these values; None when there are no such partitions.
Read = Callable[[str, set[Values]], DataFrame | None]
# What published batches have brought by meter and day of these months (yyyyMM); None when there is nothing.
ReadTallies = Callable[[set[str]], DataFrame | None]


@dataclass(frozen=True)
class Touched:
    """Touched dates and what holds them: months as yyyyMM, weeks by their Monday, and the days of all these weeks.

    months_before and months_after are those next to touched ones that are not touched themselves.
    """

    dates: set[date]
    months: set[str] = field(init=False)
    months_before: set[str] = field(init=False)
    months_after: set[str] = field(init=False)
    mondays: set[date] = field(init=False)
    days_of_weeks: set[date] = field(init=False)

    def __post_init__(self) -> None:
        mondays = {day - day.weekday() * date_ranges.ONE_DAY for day in self.dates}
        days_of_weeks = {monday + number * date_ranges.ONE_DAY for monday in mondays for number in range(7)}
        firsts = {day.replace(day=1) for day in self.dates}
        months = {f"{first:%Y%m}" for first in firsts}
        object.__setattr__(self, "months", months)
        object.__setattr__(self, "months_before", {f"{first - date_ranges.ONE_DAY:%Y%m}" for first in firsts} - months)
        object.__setattr__(
            self, "months_after", {f"{first + 31 * date_ranges.ONE_DAY:%Y%m}" for first in firsts} - months
        )
        object.__setattr__(self, "mondays", mondays)
        object.__setattr__(self, "days_of_weeks", days_of_weeks)


def main() -> None:
    from awsglue.context import GlueContext
    from awsglue.utils import getResolvedOptions
    from pyspark import SparkContext

    options = ["run", "dates", "intervals_per_hour", "clean_bucket", "business_bucket", "database"]
    given = getResolvedOptions(sys.argv, options)
    dates = date_ranges.to_dates(given["dates"])
    glue_context = GlueContext(SparkContext.getOrCreate())
    spark = configure(glue_context.spark_session)
    glue, s3 = boto3.client("glue"), boto3.client("s3")
    keys_of = {"daily": ["reading_type", "month"], **{table: [key] for table, key in KEYS.items()}}
    known = {table: partitions.published(glue, given["database"], table) for table in keys_of}

    def read(table: str, wanted: set[Values]) -> DataFrame | None:
        found = wanted & known[table].keys()
        return partitions.read(glue_context, given["database"], table, keys_of[table], found) if found else None

    tables = aggregate(
        spark,
        read,
        Touched(dates),
        f"s3://{given['business_bucket']}",
        given["run"],
        partial(tallies.read, spark, s3, given["clean_bucket"]),
        int(given["intervals_per_hour"]) * HOURS_A_DAY,
    )
    for table, said in tables.items():
        said["partitions"] = partitions.replacing(said["partitions"], known[table])
    document = {
        "run": given["run"],
        "tables": tables,
        "dates": date_ranges.to_ranges(dates),
        "completeness": completeness_of(spark, tables[COMPLETE], dates),
    }
    storage.write_json(s3, storage.summary_uri(given["clean_bucket"], given["run"], JOB), document)


def aggregate(
    spark: SparkSession,
    read: Read,
    touched: Touched,
    zone: str,
    run: str,
    read_tallies: ReadTallies = lambda months: None,
    intervals_a_day: int = HALF_HOURS,
) -> dict[str, Any]:
    """Write the tables below `zone`; prefix and partitions of each. Weeks and months read the days written."""
    answer: dict[str, Any] = {}

    def write(table: str, frame: DataFrame | None) -> DataFrame | None:
        prefix, key = f"{zone}/{table}/run={run}/", KEYS[table]
        answer[table] = {"prefix": prefix, "partitions": []}
        if frame is None:
            return None
        # One task a partition, so one file.
        ordered = frame.repartition(key).sortWithinPartitions(key, *names(SCHEMAS[table])[:2])
        partitions.write(ordered, [key], prefix)
        answer[table]["partitions"] = partitions.written(spark, SCHEMAS[table], [key], prefix)
        return written(spark, table, prefix)

    # Two tables are made of it. It is as small as they are: a row for some 48 readings.
    summed_days = touched_days(read, touched)
    kept = summed_days and summed_days.persist()
    new_days = write(DAILY, days(read, touched, kept))
    write(WEEKLY, weeks(read, touched, new_days))
    write(MONTHLY, months(read, touched, new_days))
    write(COMPLETE, complete_months(read, read_tallies, touched, kept, intervals_a_day))
    if kept is not None:
        kept.unpersist()
    return answer


def written(spark: SparkSession, table: str, prefix: str) -> DataFrame:
    """The rows of a table below `prefix`, with its partition key as text."""
    return spark.read.schema(f"{SCHEMAS[table]}, {KEYS[table]} string").parquet(prefix)


def completeness_of(spark: SparkSession, table: dict[str, Any], dates: set[date]) -> dict[str, Any] | None:
    """How complete the touched dates are; None when nothing was written."""
    if not table["partitions"]:
        return None
    return completeness.summary(written(spark, COMPLETE, table["prefix"]).where(among(sql.col("date_str"), dates)))


def touched_days(read: Read, touched: Touched) -> DataFrame | None:
    """The touched days, summed and counted from their readings."""
    by_month = {(INTERVAL, month) for month in touched.months}
    by_day = {(INTERVAL, f"{day:%Y%m%d}") for day in touched.dates}  # at grain day
    readings = read("daily", by_month | by_day)
    return readings and sum_days(readings.where(among(sql.col("date_str"), touched.dates)))


def days(read: Read, touched: Touched, summed_days: DataFrame | None) -> DataFrame | None:
    """The days of the touched months: touched ones as summed, the others as they are published."""
    published = read(DAILY, {(month,) for month in touched.months})
    is_touched = among(sql.col("date_str"), touched.dates)
    return union(summed_days and with_month(summed_days), published and with_month(published.where(~is_touched)))


def complete_months(
    read: Read, read_tallies: ReadTallies, touched: Touched, summed_days: DataFrame | None, intervals_a_day: int
) -> DataFrame | None:
    """Completeness of the touched months and, where they are published, of those after them."""
    columns = [*completeness.DAY, *completeness.COUNTED]
    has_readings = sql.col("received") > 0
    published = read(COMPLETE, {(month,) for month in touched.months | touched.months_after})
    before = read(COMPLETE, {(month,) for month in touched.months_before - touched.months_after})
    others = published and published.where(has_readings & ~among(sql.col("date_str"), touched.dates)).select(*columns)
    counted = union(summed_days and summed_days.select(*columns), others)
    if counted is None:
        return None
    return completeness.rows(
        counted,
        before and before.where(has_readings).select("meter_id", sql.col("month").cast("string")).distinct(),
        read_tallies(touched.months | touched.months_after),
        intervals_a_day,
    )


def weeks(read: Read, touched: Touched, new_days: DataFrame | None) -> DataFrame | None:
    """The weeks of the touched ISO years: touched ones from the days, the others as they are published."""
    other_months: set[Values] = {
        (month,) for month in {f"{day:%Y%m}" for day in touched.days_of_weeks} - touched.months
    }
    all_days = union(new_days, read(DAILY, other_months))
    published = read(WEEKLY, {(str(monday.isocalendar().year),) for monday in touched.mondays})
    return union(
        all_days and sum_weeks(all_days.where(among(sql.col("date_str"), touched.days_of_weeks))),
        published and typed(published.where(~among(sql.col("week_start"), touched.mondays)), WEEKLY),
    )


def months(read: Read, touched: Touched, new_days: DataFrame | None) -> DataFrame | None:
    """The months of the touched years: touched ones from the days, the others as they are published."""
    published = read(MONTHLY, {(month[:4],) for month in touched.months})
    is_touched = sql.substring("month_start", 1, 6).isin(sorted(touched.months))
    return union(new_days and sum_months(new_days), published and typed(published.where(~is_touched), MONTHLY))


def sum_days(readings: DataFrame) -> DataFrame:
    """kWh by meter and date, of interval readings, and what completeness counts of them."""
    intervals = readings.where(sql.col("reading_type") == INTERVAL)
    counted = intervals.groupBy("meter_id", "date_str").agg(
        sql.sum("reading_value").alias("consumption"), *completeness.counts()
    )
    return counted.withColumn("interval_count", sql.col("received"))


def sum_weeks(of_days: DataFrame) -> DataFrame:
    """kWh by meter and ISO week; iso_year is the year that the week belongs to."""
    dated = of_days.withColumn("the_date", sql.to_date("date_str", "yyyyMMdd"))
    weekly = summed(dated.withColumn("monday", sql.expr("date_sub(the_date, weekday(the_date))")), "monday")
    return weekly.select(
        "meter_id",
        date_text(sql.col("monday")).alias("week_start"),
        sql.weekofyear("monday").alias("week_of_year"),
        "consumption",
        "interval_count",
        sql.expr("extract(YEAROFWEEK FROM monday)").cast("string").alias("iso_year"),
    )


def sum_months(of_days: DataFrame) -> DataFrame:
    """kWh by meter and calendar month."""
    monthly = summed(of_days.withColumn("month", sql.substring("date_str", 1, 6)), "month")
    return monthly.select(
        "meter_id",
        sql.concat("month", sql.lit("01")).alias("month_start"),
        sql.substring("month", 5, 2).cast("int").alias("month"),
        "consumption",
        "interval_count",
        sql.substring("month", 1, 4).alias("year"),
    )


def summed(of_days: DataFrame, period: str) -> DataFrame:
    """Consumption and interval_count of days by meter and a column that names their period."""
    return of_days.groupBy("meter_id", period).agg(
        sql.sum("consumption").alias("consumption"), sql.sum("interval_count").cast("int").alias("interval_count")
    )


def with_month(of_days: DataFrame) -> DataFrame:
    """Days in the schema of their table, with its partition key."""
    return of_days.select(*names(AGGREGATED_DAILY), sql.substring("date_str", 1, 6).alias("month"))


def typed(published: DataFrame, table: str) -> DataFrame:
    """Published rows in the schema of their table; its partition key as text."""
    key = KEYS[table]
    return published.select(*names(SCHEMAS[table]), sql.col(key).cast("string").alias(key))


def among(date_str: Column, dates: set[date]) -> Column:
    """Whether a text yyyyMMdd is one of the dates: by ranges, of which there are few."""
    ranges = [part.split("-") for part in date_ranges.to_ranges(dates)]
    return reduce(or_, (date_str.between(first, last) for first, last in ranges))


def union(*frames: DataFrame | None) -> DataFrame | None:
    """The rows of those frames that are there; None when there is none."""
    present = [frame for frame in frames if frame is not None]
    return reduce(DataFrame.unionByName, present) if present else None


if __name__ == "__main__":
    failures.run(main)
