"""Columns of the clean and the business zone, in the order of their files. Times are UTC, values kWh."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sql

INTERVAL, REGISTER, ERROR = "INT", "AGG", "ERR"

# One reading of a meter at a time: what makes two rows the same reading.
KEY = ["meter_id", "reading_type", "reading_date_time"]

# What a transformer makes of a row.
READING = ["meter_id", "reading_value", "reading_type", "reading_date_time", "obis_code", "error_code"]
REASON = "reason"

CLEAN = (
    "meter_id string, reading_value double, reading_type string, reading_date_time timestamp, date_str string, "
    "obis_code string, error_code string, iso_year int, week_of_year int, day_of_month int, month int, year int, "
    "hour int, minute int, source_file string, delivered_at timestamp"
)
# meter_id and date_str (yyyyMMdd, UTC) as far as they can be read in the row, else null.
QUARANTINE = "source_file string, line string, reason string, delivered_at timestamp, meter_id string, date_str string"

# Without the partition keys reading_type and month.
BUSINESS = (
    "meter_id string, reading_value double, reading_date_time timestamp, date_str string, obis_code string, "
    "error_code string, iso_year int, week_of_year int, day_of_month int, year int, hour int, minute int, "
    "delivered_at timestamp"
)
AGGREGATED_DAILY = "meter_id string, date_str string, consumption double, interval_count int"
AGGREGATED_WEEKLY = "meter_id string, week_start string, week_of_year int, consumption double, interval_count int"
AGGREGATED_MONTHLY = "meter_id string, month_start string, month int, consumption double, interval_count int"
# One row for each day on which a meter is expected, see completeness.
COMPLETENESS = (
    "meter_id string, date_str string, expected int, received int, estimated int, rejected int, duplicates int, "
    "first_reading timestamp, last_reading timestamp"
)
ANOMALY = (
    "meter_id string, ds date, consumption double, yhat_lower double, yhat_upper double, anomaly int, "
    "importance double, temperature double, apparenttemperature double"
)


def names(schema: str) -> list[str]:
    """The names of the columns of one of these schemas."""
    return [column.split()[0] for column in schema.split(",")]


def with_calendar(readings: DataFrame) -> DataFrame:
    """Readings and what follows from reading_date_time in UTC, the session's time zone: date, ISO week, hour, …"""
    time = sql.col("reading_date_time")
    # A date is taken apart several times faster than a timestamp.
    dated = readings.withColumn("the_date", sql.to_date(time)).withColumn("the_second", sql.unix_seconds(time))
    date = sql.col("the_date")
    return (
        dated.withColumn("year", sql.year(date))
        .withColumn("month", sql.month(date))
        .withColumn("day_of_month", sql.dayofmonth(date))
        .withColumn("date_str", date_text(date))
        .withColumn("iso_year", sql.expr("extract(YEAROFWEEK FROM the_date)"))
        .withColumn("week_of_year", sql.weekofyear(date))
        .withColumn("hour", sql.expr("cast(pmod(the_second, 86400) div 3600 AS int)"))
        .withColumn("minute", sql.expr("cast(pmod(the_second, 3600) div 60 AS int)"))
        .drop("the_date", "the_second")
    )


def date_text(date: Column) -> Column:
    """A date of the years 1000 to 9999 as yyyyMMdd; by arithmetic, as a formatter takes ten times as long."""
    return (sql.year(date) * 10000 + sql.month(date) * 100 + sql.dayofmonth(date)).cast("string")
