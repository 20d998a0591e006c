"""How much of what was to come of each meter and day has come: the rows of the table completeness.

    expected                      intervals of a day: those of an hour, as the deployment says, times 24
    received                      interval readings (INT) with a value; more than expected where times lie off the grid
    estimated                     those of them that have an error_code beside their value: the sender filled them in
    rejected                      rows in quarantine whose meter and date can be read
    duplicates                    interval rows delivered beyond one for each reading received, over all deliveries
    first_reading, last_reading   times (UTC) of the interval readings; null without any

A day is loaded when any meter has an interval reading of it. A meter is expected on each loaded day of a month from its
own first reading on, and from the first day on if it had readings in the month before: a meter that falls silent is
missed until the end of the month after its last reading. It has a row for each of these days, and for each other day of
which it has rejected rows.

Tallies are looked at when a date of their month is summed: rejected rows of a batch that has no interval reading in
that month show the next time.

A month's rows follow from its readings, its tallies and who had readings in the month before, and from nothing else, so
that they do not depend on the order in which days were delivered.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sql

from transformers.zones.lines import small_frame

DAY = ["meter_id", "date_str"]
COUNTED = ["received", "estimated", "first_reading", "last_reading"]
SUMMED = ["received", "estimated", "readings", "rejected"]
ASIDE = ["estimated", "rejected", "duplicates"]
WORST_DAYS = 5


def counts() -> list[Column]:
    """COUNTED, as aggregates of the interval readings of a meter and day."""
    value, time = sql.col("reading_value"), sql.col("reading_date_time")
    return [
        sql.count(value).cast("int").alias("received"),
        sql.count_if(value.isNotNull() & sql.col("error_code").isNotNull()).cast("int").alias("estimated"),
        sql.min(time).alias("first_reading"),
        sql.max(time).alias("last_reading"),
    ]


def rows(
    counted: DataFrame, months_before: DataFrame | None, tallied: DataFrame | None, intervals_a_day: int
) -> DataFrame:
    """Rows of the table, with their month (yyyyMM), of the months that `counted` has days of.

    counted        meter_id, date_str and COUNTED of every meter and day with readings in these months; read twice
    months_before  meter_id and month of meters with readings in other months
    tallied        readings and rejected by meter_id and date_str, see zones.tallies
    """
    read = counted.withColumn("month", month_of_day())
    # Dates of a few months: as values in the plan they save Spark three shuffles.
    loaded = [
        {"month": row.month, "date_str": row.date_str} for row in read.select("month", "date_str").distinct().collect()
    ]
    calendar = small_frame(counted.sparkSession, loaded, "month string, date_str string")
    parts = [read, expected_days(read, calendar, months_before).withColumn("is_expected", sql.lit(True))]
    if tallied is not None:
        months = sorted({day["month"] for day in loaded})
        parts.append(tallied.withColumn("month", month_of_day()).where(sql.col("month").isin(months)))
    # What a part does not have is null there, and passed over by every aggregate.
    united = reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), parts)
    if tallied is None:
        united = united.withColumns({name: sql.lit(0) for name in ("readings", "rejected")})
    together = united.groupBy(*DAY, "month").agg(
        *(sql.coalesce(sql.sum(name), sql.lit(0)).cast("int").alias(name) for name in SUMMED),
        sql.min("first_reading").alias("first_reading"),
        sql.max("last_reading").alias("last_reading"),
        sql.coalesce(sql.max("is_expected"), sql.lit(False)).alias("is_expected"),
    )
    kept = together.where(sql.col("is_expected") | (sql.col("rejected") > 0))
    return kept.select(
        *DAY,
        sql.lit(intervals_a_day).alias("expected"),
        "received",
        "estimated",
        "rejected",
        sql.greatest(sql.col("readings") - sql.col("received"), sql.lit(0)).alias("duplicates"),
        "first_reading",
        "last_reading",
        "month",
    )


def expected_days(read: DataFrame, calendar: DataFrame, months_before: DataFrame | None) -> DataFrame:
    """meter_id, date_str and month of the days of `calendar`, those loaded, on which each meter is expected."""
    here = read.select("meter_id", "month", sql.col("date_str").alias("since"))
    there = read.select("meter_id", "month")
    if months_before is not None:
        there = there.unionByName(months_before.select("meter_id", "month"))
    following = sql.date_format(sql.add_months(sql.to_date("month", "yyyyMM"), 1), "yyyyMM")
    carried = there.select("meter_id", following.alias("month")).withColumn("since", sql.concat("month", sql.lit("01")))
    since = here.unionByName(carried).groupBy("meter_id", "month").agg(sql.min("since").alias("since"))
    return since.join(sql.broadcast(calendar), "month").where("date_str >= since").drop("since")


def month_of_day() -> Column:
    """The month (yyyyMM) of date_str."""
    return sql.substring("date_str", 1, 6)


def summary(rows: DataFrame) -> dict[str, Any]:
    """How complete these rows of the table are. A surplus of a meter and day is not received: it fills no other gap.

    Counts and dates only, so that it may stand in a log.
    """
    of_dates = rows.withColumn("filled", sql.least("received", "expected"))
    is_incomplete = sql.col("received") < sql.col("expected")
    by_day = of_dates.groupBy("date_str").agg(
        sql.sum("expected").alias("expected"),
        sql.sum("filled").alias("received"),
        *(sql.sum(name).alias(name) for name in ASIDE),
        sql.count_if(is_incomplete).alias("incomplete_meters"),
    )
    days = [row.asDict() for row in by_day.orderBy("date_str").collect()]
    by_meter = of_dates.groupBy("meter_id").agg(
        sql.max(is_incomplete).alias("is_incomplete"), (sql.max("received") == 0).alias("is_silent")
    )
    (meters,) = by_meter.agg(
        sql.count("*").alias("meters"),
        sql.count_if("is_incomplete").alias("incomplete_meters"),
        sql.count_if("is_silent").alias("silent_meters"),
    ).collect()
    worst = sorted(days, key=lambda day: (day["received"] - day["expected"], day["date_str"]))
    told = ("date_str", "expected", "received", "incomplete_meters")
    return {
        **{name: sum(day[name] for day in days) for name in ("expected", "received", *ASIDE)},
        **meters.asDict(),
        "days": len(days),
        "incomplete_days": sum(day["incomplete_meters"] > 0 for day in days),
        "worst_days": [
            {name: day[name] for name in told} for day in worst[:WORST_DAYS] if day["received"] < day["expected"]
        ],
    }
