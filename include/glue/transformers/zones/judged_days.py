"""Which days of which meters detect_anomalies looks at, and which of them it judges.

A day is a number, counted from the first day that a run looks at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True)
class Counts:
    """meters: those with days to judge. short: meters with new days, but too few days in all. kept: judged days.

    complete: complete days, judged or not.
    """

    meters: int
    short: int
    kept: int
    complete: int


def complete_days(days: DataFrame, intervals_a_day: int) -> DataFrame:
    """meter_id, day and consumption of the days that have all their readings; `days` has interval_count as well.

    That is the deployment's `intervals_a_day`, or what the meter usually has, if that is on at least half of its days
    and cuts a day into equal parts: meters of one fleet may be read at several intervals.
    """
    counts = days.groupBy("meter_id", "interval_count").agg(sql.count("*").alias("days"))
    usual = counts.groupBy("meter_id").agg(
        sql.max(sql.struct("days", "interval_count")).alias("most"), sql.sum("days").alias("all_days")
    )
    is_regular = (sql.col("most.days") * 2 >= sql.col("all_days")) & (
        sql.pmod(sql.lit(MINUTES_A_DAY), "most.interval_count") == 0
    )
    own = usual.select("meter_id", sql.when(is_regular, sql.col("most.interval_count")).alias("own_intervals"))
    has_all = (sql.col("interval_count") == intervals_a_day) | (sql.col("interval_count") == sql.col("own_intervals"))
    return days.join(own, "meter_id").where(has_all).select("meter_id", "day", "consumption")


def with_judged(complete: DataFrame, published: DataFrame | None, first: date) -> DataFrame:
    """Complete days and is_judged: whether they are in `published`, rows of the table anomaly."""
    if published is None:
        return complete.withColumn("is_judged", sql.lit(False))
    day = sql.datediff("ds", sql.lit(first)).alias("day")
    judged = published.select("meter_id", day, sql.lit(True).alias("is_judged"))
    return complete.join(judged, ["meter_id", "day"], "left").fillna(False, ["is_judged"])


def count(given: DataFrame, least_history: int) -> Counts:
    """What there is in complete days with is_judged."""
    is_new, is_short = sql.col("new") > 0, sql.col("history") < least_history
    of_meters = given.groupBy("meter_id").agg(
        sql.count("*").alias("history"), sql.count_if(~sql.col("is_judged")).alias("new")
    )
    (row,) = of_meters.agg(
        sql.count_if(is_new & ~is_short).alias("meters"),
        sql.count_if(is_new & is_short).alias("short"),
        sql.coalesce(sql.sum(sql.col("history") - sql.col("new")), sql.lit(0)).alias("kept"),
        sql.coalesce(sql.sum("history"), sql.lit(0)).alias("complete"),
    ).collect()
    return Counts(**row.asDict())


def of_meters_with_new_days(given: DataFrame) -> DataFrame:
    """All rows of the meters that have a day to judge."""
    return given.join(given.where(~sql.col("is_judged")).select("meter_id").distinct(), "meter_id", "left_semi")
