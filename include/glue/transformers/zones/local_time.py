"""Wall clocks of a time zone as instants.

A wall clock is held as a timestamp that reads the same in UTC, the session's time zone. When clocks go forward, the
times they leave out do not exist. When they go back, the times they repeat are ambiguous: two instants have them. Which
of both a reading has follows from the order in which the rows of its meter came.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sql

UTC = "UTC"
_ALWAYS_UTC = {UTC, "GMT", "Z", "Etc/UTC", "Etc/GMT", "Etc/Zulu", "Zulu", "+00:00", "UCT", "Universal"}

# Columns of rows whose time is ambiguous: the wall clock, the later of its two instants (the earlier one stands in
# reading_date_time), whether the row is a register's, and the row's place in its file.
AMBIGUOUS, WALL_CLOCK, LATER, IS_REGISTER = "is_ambiguous", "wall_clock", "later_date_time", "is_register"
PART, PLACE = "part_of_file", "place_in_part"
UNDECIDED = [WALL_CLOCK, LATER, IS_REGISTER, PART, PLACE]

# Longer than any zone repeats, shorter than between two changes of its clocks.
_AFTER = "INTERVAL 3 HOURS"


def is_utc(zone: str) -> bool:
    """Whether wall clocks of the zone are instants as they stand."""
    return zone in _ALWAYS_UTC


def earlier_instant(wall_clock: Column, zone: str) -> Column:
    """The instant of a wall clock, the earlier one of an ambiguous; one that does not exist gets some other."""
    return sql.to_utc_timestamp(wall_clock, zone)


def exists(wall_clock: Column, instant: Column, zone: str) -> Column:
    """Whether the zone's clocks ever showed it, given its `earlier_instant`."""
    return sql.from_utc_timestamp(instant, zone) == wall_clock


def later_instant(wall_clock: Column, instant: Column, zone: str) -> Column:
    """The second instant at which the zone's clocks show it, given its `earlier_instant`; null when there is none."""
    after = sql.to_utc_timestamp(wall_clock + sql.expr(_AFTER), zone) - sql.expr(_AFTER)
    is_second = (after > instant) & (sql.from_utc_timestamp(after, zone) == wall_clock)
    return sql.when(is_second, after)


def decided(rows: DataFrame) -> DataFrame:
    """The rows, all of them ambiguous, each with its instant as reading_date_time.

    Of a meter's rows of one wall clock the first to come has the earlier instant, the second the later one; a third and
    fourth, from a file that was delivered anew, repeat that. A wall clock that came once belongs to the second round if
    the clocks had gone back before it: a later wall clock, or the second of another, came first.
    """
    meter = ["meter_id", IS_REGISTER]
    came = ["file_number", PART, PLACE]
    same = Window.partitionBy(*meter, WALL_CLOCK)
    before = (
        Window.partitionBy(*meter, sql.to_date(WALL_CLOCK)).orderBy(*came).rowsBetween(Window.unboundedPreceding, -1)
    )
    numbered = rows.select(
        "*",
        sql.row_number().over(same.orderBy(*came)).alias("number"),
        sql.count(sql.lit(1)).over(same).alias("numbers"),
    )
    placed = numbered.select(
        "*",
        sql.max(WALL_CLOCK).over(before).alias("latest_before"),
        sql.max("number").over(before).alias("most_before"),
    )
    went_back = (sql.col("latest_before") > sql.col(WALL_CLOCK)) | (sql.col("most_before") > 1)
    is_later = sql.when(sql.col("numbers") == 1, sql.coalesce(went_back, sql.lit(False))).otherwise(
        sql.col("number") % 2 == 0
    )
    instant = sql.when(is_later, sql.col(LATER)).otherwise(sql.col("reading_date_time"))
    return placed.withColumn("reading_date_time", instant).select(*rows.columns)
