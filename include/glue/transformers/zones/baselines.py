"""Forecasts that need no model, scored on the same windows and by the same measure as DeepAR's test channel.

Seasonal naive: the newest known value of the same hour of the week before the window (a week before, else two, …); the
mean of the meter's known hours before the window where there is none; the same number for every quantile. Climatology:
the quantiles, interpolated, of all known values of the same hour of the week before the window; where there is none, of
all known hours before it.

wQuantileLoss[q] = 2 · Σ max(q·(y − ŷ), (q − 1)·(y − ŷ)) / Σ |y|, over all known hours of all windows and meters: the
weighted quantile loss of Amazon SageMaker's developer guide, "DeepAR Forecasting Algorithm", which reports its mean
over the quantiles as test:mean_wQuantileLoss. RMSE, in the unit of the values, is that of the naive value and of the
mean of the hour of the week.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sql

from transformers.zones.lines import small_frame

HOURS_A_WEEK = 168


class EmptyTestWindowsError(ValueError):
    """The test windows hold no consumption, so that no loss can be weighted by it."""


@dataclass(frozen=True)
class Window:
    """Hours by number from `start`, without `end`; `window` is its number from 1."""

    window: int
    start: int
    end: int


def windows(end: int, count: int, length: int) -> list[Window]:
    """`count` windows of `length` hours, one after the other, the last up to `end`."""
    return [
        Window(number, end - (count - number + 1) * length, end - (count - number) * length)
        for number in range(1, count + 1)
    ]


def for_each(rows: DataFrame, tested: Sequence[Window]) -> DataFrame:
    """Every row once for each window, with the columns window, window_start and window_end."""
    values = [{"window": each.window, "window_start": each.start, "window_end": each.end} for each in tested]
    frame = small_frame(rows.sparkSession, values, "window int, window_start int, window_end int")
    return rows.crossJoin(sql.broadcast(frame))


def score(known: DataFrame, tested: Sequence[Window], quantiles: Sequence[float]) -> dict[str, dict[str, Any]]:
    """seasonal_naive and climatology, each with mean_wQuantileLoss, wQuantileLoss by quantile and RMSE.

    `known`: meter_id, hour and value. Raises EmptyTestWindowsError.
    """
    naive, mean = sql.col("naive"), sql.col("climatology_mean")
    sums = [sql.sum(sql.abs("value")).alias("size"), sql.count("value").alias("hours")]
    for place, quantile in enumerate(quantiles):
        sums.append(sql.sum(pinball(quantile, naive)).alias(f"naive_{place}"))
        sums.append(sql.sum(pinball(quantile, sql.col("climatology")[place])).alias(f"climatology_{place}"))
    sums.append(sql.sum(sql.pow(sql.col("value") - naive, 2)).alias("naive_squares"))
    sums.append(sql.sum(sql.pow(sql.col("value") - mean, 2)).alias("climatology_squares"))
    found = expected(known, tested, quantiles).agg(*sums).first()
    if found is None or not found["size"]:
        raise EmptyTestWindowsError(
            "The test windows hold no consumption: no sampled meter has any known hour above zero in them. Give a "
            "data_end up to which readings are loaded, or leave it empty for the newest complete day."
        )
    return {
        "seasonal_naive": _losses(found, "naive", quantiles),
        "climatology": _losses(found, "climatology", quantiles),
    }


def expected(known: DataFrame, tested: Sequence[Window], quantiles: Sequence[float]) -> DataFrame:
    """A row for each known hour of each window: value, naive, climatology (an array) and climatology_mean.

    The hours of a meter, and those of one hour of its week, are looked at as sorted arrays: a window is a part of
    them. As rows, with Spark's own percentile, it takes twice as long.
    """
    meter, slot = ["meter_id"], ["meter_id", "hour_of_week"]
    of_meter = before(per_window(known, meter, tested), quantiles)
    of_slot = before(
        per_window(known.withColumn("hour_of_week", sql.col("hour") % HOURS_A_WEEK), slot, tested), quantiles
    )
    fallback = of_meter.select("meter_id", "window", sql.col("mean").alias("all_mean"), sql.col("at").alias("all_at"))
    hours = of_slot.withColumn("actual", sql.explode(sql.filter("known", within_window))).join(
        fallback, ["meter_id", "window"]
    )
    return hours.select(
        sql.col("actual.value").cast("double").alias("value"),
        sql.coalesce("newest", "all_mean").alias("naive"),
        sql.coalesce("at", "all_at").alias("climatology"),
        sql.coalesce("mean", "all_mean").alias("climatology_mean"),
    )


def per_window(known: DataFrame, by: Sequence[str], tested: Sequence[Window]) -> DataFrame:
    """The columns `by`, known (an array of hour and value, in order) and those of a window: a row for each window."""
    arrays = known.groupBy(*by).agg(sql.sort_array(sql.collect_list(sql.struct("hour", "value"))).alias("known"))
    return for_each(arrays, tested)


def before(arrays: DataFrame, quantiles: Sequence[float]) -> DataFrame:
    """With the newest, the mean and the quantiles (`at`) of the known values before the window; null without any."""
    values = sql.transform(
        sql.filter("known", lambda each: each["hour"] < sql.col("window_start")),
        lambda each: each["value"].cast("double"),
    )
    history, ordered = sql.col("history"), sql.col("ordered")
    with_history = arrays.withColumn("history", values).withColumn("ordered", sql.sort_array("history"))
    total = sql.aggregate(history, sql.lit(0.0), lambda so_far, value: so_far + value)
    is_known = sql.size(history) > 0
    return with_history.select(
        *arrays.columns,
        sql.when(is_known, sql.element_at(history, -1)).alias("newest"),
        sql.when(is_known, total / sql.size(history)).alias("mean"),
        sql.when(is_known, sql.array(*(interpolated(ordered, each) for each in quantiles))).alias("at"),
    )


def interpolated(ordered: Column, quantile: float) -> Column:
    """A quantile of a sorted array, between its neighbours in proportion, as numpy's quantile has it."""
    position = (sql.size(ordered) - 1) * quantile
    below, above = ordered[sql.floor(position).cast("int")], ordered[sql.ceil(position).cast("int")]
    return below + (position - sql.floor(position)) * (above - below)


def within_window(each: Column) -> Column:
    """Whether an hour lies in the window of its row."""
    return (each["hour"] >= sql.col("window_start")) & (each["hour"] < sql.col("window_end"))


def pinball(quantile: float, forecast: Column) -> Column:
    """The loss of a forecast of a quantile against the column `value`."""
    error = sql.col("value") - forecast
    return sql.greatest(quantile * error, (quantile - 1) * error)


def _losses(sums: Any, name: str, quantiles: Sequence[float]) -> dict[str, Any]:
    losses = {str(quantile): 2 * sums[f"{name}_{place}"] / sums["size"] for place, quantile in enumerate(quantiles)}
    return {
        "mean_wQuantileLoss": math.fsum(losses.values()) / len(losses),
        "wQuantileLoss": losses,
        "RMSE": math.sqrt(sums[f"{name}_squares"] / sums["hours"]),
    }
