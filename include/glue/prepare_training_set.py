"""Hourly series of a sample of meters as DeepAR's train and test channel, and how well forecasts without a model do.

    --run                names the folder that is written: a new one for every try
    --data_start, --data_end    yyyy-MM-dd, the end exclusive, or auto: the 214 days up to the newest complete one
    --training_samples   how many meters
    --prediction_length, --context_length    hours
    --test_windows       how many windows of prediction_length hours, up to data_end, are kept for the test
    --quantiles          0.1,0.5,0.9
    --scale              kWh that a value of the series stands for: 0.001 (whole Wh) or 1
    --intervals_per_hour
    --with_weather       true or false
    --clean_bucket, --working_bucket, --database

The sample are the first meters, in the order of a hash of their ids, that have prediction_length known hours before the
test windows. So it is the same for the same fleet, and a meter that is added moves at most one other out.

Writes training/<run>/train/ (series up to the first window), training/<run>/test/ (a line for each meter and window,
up to the window's end), training/<run>/baseline.json and, last, _summaries/<run>/prepare_training_set.json.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import boto3
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as sql
from transformers.zones import baselines, data_range, failures, hourly, samples, storage, weather
from transformers.zones.baselines import Window
from transformers.zones.data_range import DataRange
from transformers.zones.hourly import Unit
from transformers.zones.samples import Sample
from transformers.zones.session import WRITING, configure
from transformers.zones.tables import Tables
from transformers.zones.weather import Filled

JOB = "prepare_training_set"
OPTIONS = [
    "run",
    "data_start",
    "data_end",
    "training_samples",
    "prediction_length",
    "context_length",
    "test_windows",
    "quantiles",
    "scale",
    "intervals_per_hour",
    "with_weather",
    "clean_bucket",
    "working_bucket",
    "database",
]
# What DeepAR wants over all series of the train channel.
FEWEST_OBSERVATIONS = 300
# Series in a file; a file is read by one process of a training job.
SERIES_A_FILE = 2000


class TrainingRangeError(ValueError):
    """The days leave nothing to train on before the test windows."""


class TooFewObservationsError(ValueError):
    """The training set has fewer known hours than DeepAR accepts."""


class NoConsumptionError(ValueError):
    """Every known hour of the training set is zero."""


@dataclass(frozen=True)
class Settings:
    """The job's arguments, typed. Lengths are hours."""

    training_samples: int
    prediction_length: int
    context_length: int
    test_windows: int
    quantiles: tuple[float, ...]
    intervals_per_hour: int
    unit: Unit

    @classmethod
    def of(cls, given: dict[str, str]) -> Settings:
        quantiles = tuple(float(quantile) for quantile in given["quantiles"].split(","))
        lengths = {name: int(given[name]) for name in ("training_samples", "prediction_length", "context_length")}
        return cls(
            **lengths,
            test_windows=int(given["test_windows"]),
            quantiles=quantiles,
            intervals_per_hour=int(given["intervals_per_hour"]),
            unit=Unit(float(given["scale"])),
        )


def main() -> None:
    from awsglue.context import GlueContext
    from awsglue.utils import getResolvedOptions
    from pyspark import SparkContext

    given = getResolvedOptions(sys.argv, OPTIONS)
    settings = Settings.of(given)
    glue_context = GlueContext(SparkContext.getOrCreate())
    spark = configure(glue_context.spark_session)
    # Above so many values Parquet would look for no more than their least and greatest.
    spark.conf.set("spark.sql.parquet.pushdown.inFilterThreshold", str(samples.MOST_IDS_OF_A_CONDITION))
    s3 = boto3.client("s3")
    tables = Tables(glue_context, boto3.client("glue"), given["database"])
    days = data_range.resolve(
        given["data_start"], given["data_end"], lambda: tables.newest_complete_day(settings.intervals_per_hour)
    )
    tested = windows_of(days, settings)
    readings = tables.interval_readings(days)

    def read_known(ids: list[str]) -> DataFrame:
        chosen = samples.of_meters(readings, ids)
        return hourly.known_hours(chosen, days.hours, settings.intervals_per_hour, settings.unit)

    training = range(days.hours.start, tested[0].start)
    fewest_hours = settings.prediction_length
    candidates = samples.candidates(tables.days(days.months), training, fewest_hours * settings.intervals_per_hour)
    sample = samples.draw(candidates, read_known, training, settings.training_samples, fewest_hours)
    features = None
    if given["with_weather"] == "true":
        known_weather = weather.read(tables.weather())
        features = weather.filled(known_weather, weather.statistics(known_weather, training), days.hours)
    uri = f"s3://{given['working_bucket']}/training/{given['run']}/"
    storage.delete_folder(s3, uri)
    document = write(spark, sample, days, tested, settings, features, uri)
    baseline = {"run": given["run"], **document}
    storage.write_json(s3, f"{uri}baseline.json", baseline)
    places = {"train": f"{uri}train/", "test": f"{uri}test/", "baseline": f"{uri}baseline.json"}
    storage.write_json(s3, storage.summary_uri(given["clean_bucket"], given["run"], JOB), {**baseline, **places})


def windows_of(days: DataRange, settings: Settings) -> list[Window]:
    """The test windows at the end of these days. Raises TrainingRangeError if too little is left before them."""
    tested = baselines.windows(days.hours.stop, settings.test_windows, settings.prediction_length)
    if not tested:
        raise TrainingRangeError("test_windows is 0. Give 1 or more: a model is judged by them.")
    if tested[0].start - days.hours.start < settings.prediction_length:
        raise TrainingRangeError(
            f"From {days.start} to {days.end}, exclusive, there are {len(days.hours)} hours; {settings.test_windows} "
            f"test windows of {settings.prediction_length} hours leave less than one such length to train on. Give an "
            "earlier data_start, fewer test_windows or a shorter forecast_period."
        )
    return tested


def write(
    spark: SparkSession,
    sample: Sample,
    days: DataRange,
    tested: list[Window],
    settings: Settings,
    features: Filled | None,
    uri: str,
) -> dict[str, Any]:
    """Write both channels below `uri`; what baseline.json says of them, the scores of the baselines included.

    Raises NegativeConsumptionError, TooFewObservationsError, NoConsumptionError or EmptyTestWindowsError before.
    """
    train_end, unit = tested[0].start, settings.unit
    known = sample.known
    observations, first_hour = observations_of(known, train_end, settings)
    scores = baselines.score(known, tested, settings.quantiles)
    train = hourly.series(known.where(sql.col("hour") < train_end), ["meter_id"], unit)
    test = series_of_windows(hourly.series(known, ["meter_id"], unit), tested, unit)
    files = 1 + sample.meters // SERIES_A_FILE
    series_train = write_channel(spark, train, features, files, f"{uri}train/")
    series_test = write_channel(spark, test, features, files, f"{uri}test/")
    return {
        "scale": unit.scale,
        "unit": unit.name,
        "quantiles": list(settings.quantiles),
        "prediction_length": settings.prediction_length,
        "context_length": settings.context_length,
        "intervals_per_hour": settings.intervals_per_hour,
        "test_windows": settings.test_windows,
        "data_start": f"{days.start}",
        "data_end": f"{days.end}",
        "train_end": data_range.hour_text(train_end),
        "meters": sample.meters,
        "series_train": series_train,
        "series_test": series_test,
        "observations": observations,
        **scores,
        "weather": features and features.summary(range(first_hour, days.hours.stop)),
        "dropped": {
            "meters_with_too_few_hours": sample.too_few_hours,
            "test_windows_without_readings": sample.meters * len(tested) - series_test,
        },
    }


def observations_of(known: DataFrame, train_end: int, settings: Settings) -> tuple[int, int]:
    """How many known hours there are to train on, and the first; an error for those that no model can be trained on."""
    value, is_train = sql.col("value"), sql.col("hour") < train_end
    is_negative = (value < 0) if settings.unit.is_whole else sql.lit(False)
    counts = known.agg(
        sql.count_if(is_train).alias("observations"),
        sql.count_if(is_train & (value != 0)).alias("other_than_zero"),
        sql.count_if(is_negative).alias("negative"),
        sql.min("hour").alias("first_hour"),
        sql.min(sql.when(is_negative, sql.col("meter_id"))).alias("negative_meter"),
    ).first()
    assert counts is not None  # noqa: S101 (an aggregate has one row)
    hourly.refuse_negative(counts["negative"], counts["negative_meter"])
    observations: int = counts["observations"]
    if observations < FEWEST_OBSERVATIONS:
        raise TooFewObservationsError(
            f"The training set has {observations} known hours; DeepAR needs {FEWEST_OBSERVATIONS}, of meters that have "
            f"at least {settings.prediction_length} each before the test windows. Give an earlier data_start, more "
            "training_samples or fewer test_windows. If meters are read at other intervals than "
            f"{settings.intervals_per_hour} an hour, correct IntervalsPerHour of the deployment."
        )
    if not counts["other_than_zero"]:
        raise NoConsumptionError(
            f"All {observations} known hours of the sampled meters are zero: nothing can be learnt from them. Give "
            "more training_samples, or days on which the meters were in use."
        )
    return observations, counts["first_hour"]


def series_of_windows(series: DataFrame, tested: list[Window], unit: Unit) -> DataFrame:
    """A series for each of these and each window, up to the window's last hour, which DeepAR tests on; known or not.

    A window without any known hour of a meter is left out: there is nothing to test.
    """
    target, start = sql.col("target"), sql.col("window_start") - sql.col("first_hour")
    rest = hourly.nothing(sql.col("window_end") - 1 - sql.col("last_hour"), unit)
    of_window = sql.slice(target, start + 1, sql.col("window_end") - sql.col("window_start"))
    up_to_end = sql.slice(sql.concat(target, rest), sql.lit(1), sql.col("window_end") - sql.col("first_hour"))
    rows = baselines.for_each(series.where(sql.col("first_hour") < tested[0].start), tested)
    return rows.where(sql.exists(of_window, sql.isnotnull)).select(
        "meter_id", "window", "first_hour", up_to_end.alias("target")
    )


def write_channel(spark: SparkSession, series: DataFrame, features: Filled | None, files: int, uri: str) -> int:
    """Write series in the order of the sample; how many there are."""
    whole = weather.with_features(spark, series, features) if features else series
    written = Observation()
    order = [name for name in ("meter_hash", "window") if name in (*series.columns, "meter_hash")]
    ordered = (
        whole.withColumn("meter_hash", sql.sha2("meter_id", 256))
        .repartition(files, "meter_hash")
        .sortWithinPartitions(*order)
        .observe(written, sql.count("*").alias("series"))
    )
    columns = ["target", "dynamic_feat"] if features else ["target"]
    lines = ordered.select(hourly.text(sql.col("first_hour")).alias("start"), *columns)
    lines.write.mode("overwrite").options(**WRITING).json(uri)
    count: int = written.get["series"]
    return count


if __name__ == "__main__":
    failures.run(main)
