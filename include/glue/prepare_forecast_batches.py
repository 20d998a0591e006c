"""The newest history of meters as DeepAR reads it, cut into batches: one JSON Lines object a batch, one line a meter.

    --batch              names the data of the run
    --data_start, --data_end    yyyy-MM-dd, the end exclusive, or auto: the 214 days up to the newest complete one
    --meter_start, --meter_end  numbers of meters in the order of their ids, both included; meter_end auto is the last
    --batch_size         meters of a batch
    --prediction_length, --context_length    hours
    --scale              kWh that a value of the series stands for: 0.001 (whole Wh) or 1
    --intervals_per_hour
    --with_weather       true or false: whether the deployment has weather
    --weather            JSON: the features that the current model was trained with, or null
    --clean_bucket, --working_bucket, --database

A series ends with the meter's last known hour, and its forecast starts with the next. A meter's line depends on its own
readings (and the weather) alone. A meter without a known hour has no line; it still counts for its batch, so that a
batch may hold fewer lines than batch_size, and one without any line has no object.

Deletes what lies in forecast/<batch>/, the results of earlier transforms included, and writes
forecast/<batch>/batches/<nnnn>.jsonl and, last, _summaries/<batch>/prepare_forecast_batches.json.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import boto3
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as sql
from transformers.zones import data_range, failures, hourly, meters, numbered_files, storage, weather
from transformers.zones.data_range import DataRange
from transformers.zones.hourly import Unit
from transformers.zones.meters import MeterRange
from transformers.zones.numbered_files import NUMBER
from transformers.zones.session import configure
from transformers.zones.tables import Tables
from transformers.zones.weather import Filled, WeatherMismatchError

JOB = "prepare_forecast_batches"
OPTIONS = [
    "batch",
    "data_start",
    "data_end",
    "meter_start",
    "meter_end",
    "batch_size",
    "prediction_length",
    "context_length",
    "scale",
    "intervals_per_hour",
    "with_weather",
    "weather",
    "clean_bucket",
    "working_bucket",
    "database",
]
# The longest of the lags that DeepAR looks back by in hourly series; what lies further back it does not see.
LONGEST_LAG = 721


class NothingToForecastError(ValueError):
    """No meter of the range has any known hour in the days."""


@dataclass(frozen=True)
class Settings:
    """The job's arguments, typed. Lengths are hours."""

    batch_size: int
    prediction_length: int
    context_length: int
    intervals_per_hour: int
    unit: Unit

    @classmethod
    def of(cls, given: dict[str, str]) -> Settings:
        names = ("batch_size", "prediction_length", "context_length", "intervals_per_hour")
        return cls(**{name: int(given[name]) for name in names}, unit=Unit(float(given["scale"])))


def main() -> None:
    from awsglue.context import GlueContext
    from awsglue.utils import getResolvedOptions
    from pyspark import SparkContext

    given = getResolvedOptions(sys.argv, OPTIONS)
    settings = Settings.of(given)
    glue_context = GlueContext(SparkContext.getOrCreate())
    spark = configure(glue_context.spark_session)
    s3 = boto3.client("s3")
    tables = Tables(glue_context, boto3.client("glue"), given["database"])
    days = data_range.resolve(
        given["data_start"], given["data_end"], lambda: tables.newest_complete_day(settings.intervals_per_hour)
    )
    numbered = meters.numbered(tables.days(tables.months())).persist()
    chosen = meters.resolve(given["meter_start"], given["meter_end"], numbered.count())
    meters.require_few_batches(chosen.count, settings.batch_size)
    notes = list(chosen.notes)
    features = None
    if record := wanted_weather(given["weather"], given["with_weather"] == "true", notes):
        hours = range(days.hours.start, days.hours.stop + settings.prediction_length)
        features = weather.filled(weather.read(tables.weather()), weather.features_of(record), hours)
    lines = forecast_lines(spark, tables.interval_readings(days), numbered, chosen, days, settings, features)
    uri = f"s3://{given['working_bucket']}/forecast/{given['batch']}/"
    storage.delete_folder(s3, uri)
    written = write(spark, lines, settings, s3, uri)
    document = summary(given["batch"], chosen, days, written, notes, features)
    storage.write_json(s3, storage.summary_uri(given["clean_bucket"], given["batch"], JOB), document)


def wanted_weather(record: str, with_weather: bool, notes: list[str]) -> dict[str, Any] | None:
    """The model's record of its features, None for a model without. Raises WeatherMismatchError; may add a note."""
    features: dict[str, Any] | None = json.loads(record)
    if features is not None and not with_weather:
        raise WeatherMismatchError(
            "The current model was trained with weather, but WithWeather of the deployment is off. Turn it on, or "
            "train a model without: trigger train_forecast_model with force."
        )
    if features is None and with_weather:
        notes.append("The current model was trained without weather, so none is used. Train a new one to use it.")
    return features


def forecast_lines(
    spark: SparkSession,
    readings: DataFrame,
    numbered: DataFrame,
    chosen: MeterRange,
    days: DataRange,
    settings: Settings,
    features: Filled | None,
) -> DataFrame:
    """number (of the batch), meter_id, start, target, forecast_start and, with weather, dynamic_feat.

    `readings` are those of `daily`, `numbered` all meters and their numbers.
    """
    wanted = numbered.where(sql.col("number").between(chosen.start, chosen.end)).select(
        "meter_id", chosen.batch_of(sql.col("number"), settings.batch_size).alias(NUMBER)
    )
    known = hourly.known_hours(
        readings.join(sql.broadcast(wanted.select("meter_id")), "meter_id", "left_semi"),
        days.hours,
        settings.intervals_per_hour,
        settings.unit,
    )
    series = hourly.series(known, ["meter_id"], settings.unit, settings.context_length + LONGEST_LAG)
    if features:
        series = weather.with_features(spark, series, features, settings.prediction_length)
    return series.join(sql.broadcast(wanted), "meter_id").select(
        NUMBER,
        "meter_id",
        hourly.text(sql.col("first_hour")).alias("start"),
        "target",
        hourly.text(sql.col("last_hour") + 1).alias("forecast_start"),
        *(["dynamic_feat"] if features else []),
    )


@dataclass(frozen=True)
class Written:
    """The batches (number, uri and meters of each), and the hours from the first start to the last forecast's end."""

    batches: list[dict[str, Any]]
    hours: range


def write(spark: SparkSession, lines: DataFrame, settings: Settings, s3: Any, uri: str) -> Written:
    """Write the batches below `uri`.

    Raises NothingToForecastError or NegativeConsumptionError; nothing is left behind then.
    """
    observation = Observation()
    hours = sql.size(sql.filter("target", lambda value: value < 0)) if settings.unit.is_whole else sql.lit(0)
    is_negative = hours > 0
    observed = lines.observe(
        observation,
        sql.coalesce(sql.sum(hours), sql.lit(0)).alias("below_zero"),
        sql.min(sql.when(is_negative, sql.col("meter_id"))).alias("meter_id"),
        sql.min("start").alias("first"),
        sql.max("forecast_start").alias("last"),
    )
    targets = numbered_files.write(observed, "meter_id", s3, f"{uri}parts/", f"{uri}batches/")
    if not targets:
        raise NothingToForecastError(
            "None of the meters has a known hour in these days. Give data_start and data_end of days that are loaded, "
            "or leave both empty for the newest days."
        )
    # Not before: Spark may drop the observation of a frame without rows, and get() would wait for it for ever.
    seen = observation.get
    if seen["below_zero"]:
        storage.delete_folder(s3, uri)
        hourly.refuse_negative(seen["below_zero"], seen["meter_id"])
    counts = numbered_files.count_lines(spark, targets.values())
    batches = [{"number": number, "uri": target, "meters": counts[number]} for number, target in targets.items()]
    first, last = data_range.hour_of(seen["first"]), data_range.hour_of(seen["last"])
    return Written(batches, range(first, last + settings.prediction_length))


def summary(
    batch: str,
    chosen: MeterRange,
    days: DataRange,
    written: Written,
    notes: list[str],
    features: Filled | None,
) -> dict[str, Any]:
    """What the job did: `meters` have a line, those `without_readings` have none."""
    with_readings = sum(entry["meters"] for entry in written.batches)
    return {
        "batch": batch,
        "meters": with_readings,
        "batches": written.batches,
        "without_readings": chosen.count - with_readings,
        "data_start": f"{days.start}",
        "data_end": f"{days.end}",
        "notes": notes,
        "weather": features and features.summary(written.hours),
    }


if __name__ == "__main__":
    failures.run(main)
