"""A sample of meters to train on: the same for the same fleet, whatever the order of its rows.

Meters are taken in the order of a hash of their ids, which has nothing to do with how ids are given out. One that joins
the fleet or leaves it moves at most one other out of the sample or into it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from transformers.zones.data_range import hour_text
from transformers.zones.lines import small_frame

# So many ids as a condition let Parquet's reader pass over the row groups of other meters.
MOST_IDS_OF_A_CONDITION = 500

# The known hours (meter_id, hour, value) of meters, by their ids.
ReadKnown = Callable[[list[str]], DataFrame]


@dataclass(frozen=True)
class Sample:
    """Known hours of the sampled meters, how many these are, and how many had too few hours to be taken."""

    known: DataFrame
    meters: int
    too_few_hours: int


def candidates(days: DataFrame, training: range, fewest_readings: int) -> DataFrame:
    """meter_id and is_possible: meters with readings in the training hours, and whether they have as many as this.

    `days`: aggregated_daily. Its counts spare the reading of meters that cannot have enough known hours.
    """
    first, last = (hour_text(hour)[:10].replace("-", "") for hour in (training.start, training.stop - 1))
    within = days.where(sql.col("date_str").between(first, last)).groupBy("meter_id")
    return within.agg((sql.sum("interval_count") >= fewest_readings).alias("is_possible"))


def draw(candidates: DataFrame, read_known: ReadKnown, training: range, meters: int, fewest_hours: int) -> Sample:
    """The first so many meters that have so many known hours of the training range; fewer if there are not as many.

    Readings are read of somewhat more meters than are wanted; of more again, if too many of them have too few hours.
    """
    judged = candidates.persist()
    impossible = judged.where(~sql.col("is_possible")).count()
    ordered = judged.where("is_possible").select("meter_id").orderBy(sql.sha2("meter_id", 256), "meter_id")
    read = meters + meters // 4 + 5
    while True:
        ids = [row[0] for row in ordered.limit(read).collect()]
        known = read_known(ids).persist()
        of_training = known.where(sql.col("hour") < training.stop).groupBy("meter_id").count()
        enough = {row[0] for row in of_training.where(sql.col("count") >= fewest_hours).collect()}
        chosen = [meter_id for meter_id in ids if meter_id in enough][:meters]
        if len(chosen) == meters or len(ids) < read:
            break
        known.unpersist()
        read *= 4
    judged.unpersist()
    looked_at = ids.index(chosen[-1]) + 1 if len(chosen) == meters else len(ids)
    return Sample(of_meters(known, chosen), len(chosen), impossible + looked_at - len(chosen))


def of_meters(rows: DataFrame, ids: list[str]) -> DataFrame:
    """The rows of these meters."""
    if len(ids) <= MOST_IDS_OF_A_CONDITION:
        return rows.where(sql.col("meter_id").isin(ids))
    chosen = small_frame(rows.sparkSession, [{"meter_id": meter_id} for meter_id in ids], "meter_id string")
    return rows.join(sql.broadcast(chosen), "meter_id", "left_semi")
