"""Hourly series of meters, made by Spark from interval readings.

An hour is known when it has at least as many readings as there are intervals in an hour; its value is their sum. Any
other hour is missing: null, never 0. A series runs from its first known hour to its last. Hours are numbers, see
data_range; values stand in the unit of the model: kWh / scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sql

from transformers.zones.data_range import SECONDS_AN_HOUR
from transformers.zones.schemas import INTERVAL

# Sums of kWh lose what adding in another order may change: a reading is given to the watt-hour or a tenth of it.
SUM_DIGITS = 9


class NegativeConsumptionError(ValueError):
    """An hour's sum is below zero, which a likelihood of counts cannot have."""


@dataclass(frozen=True)
class Unit:
    """What one of the model's values is: `scale` kWh. A scale other than 1 makes whole numbers."""

    scale: float

    @property
    def name(self) -> str:
        """kWh, Wh or a text such as "0.01 kWh"."""
        return {1.0: "kWh", 0.001: "Wh"}.get(self.scale, f"{self.scale} kWh")

    @property
    def is_whole(self) -> bool:
        return self.scale != 1

    @property
    def type(self) -> str:
        """Spark's type of a value."""
        return "bigint" if self.is_whole else "double"

    def of(self, kwh: Column) -> Column:
        """kWh in this unit."""
        return sql.round(kwh / self.scale).cast("bigint") if self.is_whole else sql.round(kwh, SUM_DIGITS)


def known_hours(readings: DataFrame, hours: range, intervals_per_hour: int, unit: Unit) -> DataFrame:
    """meter_id, hour and value of the known ones of these hours.

    `readings`: meter_id, reading_type, reading_date_time (the start of its interval, UTC), reading_value (kWh).
    """
    hour = sql.floor(sql.unix_seconds("reading_date_time") / SECONDS_AN_HOUR).cast("int")
    within = sql.col("hour").between(hours.start, hours.stop - 1)
    intervals = readings.where(sql.col("reading_type") == INTERVAL).select(
        "meter_id", hour.alias("hour"), "reading_value"
    )
    # Brought together by meter, the rows move once for this sum and for all that is made of a meter.
    summed = (
        intervals.where(within)
        .repartition("meter_id")
        .groupBy("meter_id", "hour")
        .agg(sql.sum("reading_value").alias("kwh"), sql.count("reading_value").alias("readings"))
    )
    return summed.where(sql.col("readings") >= intervals_per_hour).select(
        "meter_id", "hour", unit.of(sql.col("kwh")).alias("value")
    )


def series(known: DataFrame, by: Sequence[str], unit: Unit, longest: int | None = None) -> DataFrame:
    """The columns `by`, first_hour, last_hour and target: a value or null for each hour from first to last.

    With `longest` no hour is taken that lies so many hours or more before the last.
    """
    ordered = known.groupBy(*by).agg(sql.sort_array(sql.collect_list(sql.struct("hour", "value"))).alias("known"))
    if longest is not None:
        last_hour = sql.element_at("known", -1)["hour"]
        ordered = ordered.withColumn("known", sql.filter("known", lambda at: at["hour"] > last_hour - longest))

    def with_gap_before(at: Column, place: Column) -> Column:
        before = sql.col("known")[sql.greatest(place - 1, sql.lit(0))]["hour"]
        # At the first place the count is -1, of which array_repeat makes an empty array.
        return sql.concat(nothing(at["hour"] - before - 1, unit), sql.array(at["value"]))

    return ordered.select(
        *by,
        sql.col("known")[0]["hour"].alias("first_hour"),
        sql.element_at("known", -1)["hour"].alias("last_hour"),
        # Linear in the hours; a look-up of each hour in a map would search the map from its start.
        sql.flatten(sql.transform("known", with_gap_before)).alias("target"),
    )


def nothing(count: Column, unit: Unit) -> Column:
    """An array of so many missing hours."""
    return sql.array_repeat(sql.lit(None).cast(unit.type), count)


def text(hour: Column) -> Column:
    """An hour by its number, as yyyy-MM-dd HH:mm:ss; the session's time zone is UTC."""
    return sql.date_format(sql.timestamp_seconds(hour * SECONDS_AN_HOUR), "yyyy-MM-dd HH:mm:ss")


def refuse_negative(hours: int, meter_id: str | None) -> None:
    """Raise NegativeConsumptionError if any of `hours` below zero were counted; `meter_id` is one that has some."""
    if hours:
        raise NegativeConsumptionError(
            f"{hours} hourly sums are below zero, among them some of meter {meter_id}: it seems to feed in. The "
            "likelihood negative-binomial knows counts only. Train with the likelihood student-T or gaussian."
        )
