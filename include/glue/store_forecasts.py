"""The results of a run's batch transforms as rows of the table forecast: kWh by meter and hour.

    --batch              names the data of the run
    --model_name         is written into each row
    --scale              kWh that a value of the model stands for: 0.001 (Wh) or 1
    --quantiles          0.1,0.5,0.9; as columns p10, p50, p90
    --prediction_length  hours
    --clean_bucket, --working_bucket, --business_bucket, --database

Reads the summary of prepare_forecast_batches and forecast/<batch>/transformed/<nnnn>.jsonl.out. A batch whose transform
has failed is simply not there: the others are stored, and the summary names it. A batch that is there must be whole:
one complete forecast for each of its meters.

Quantiles of one hour are put in order, should they cross; those of a model of counts are 0 at least. Writes
forecast/run=<batch>/, sorted by meter and time, in place of what an earlier try wrote there, and, last,
_summaries/<batch>/store_forecasts.json.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import boto3
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sql
from transformers.zones import failures, numbered_files, partitions, storage
from transformers.zones.hourly import Unit
from transformers.zones.numbered_files import NUMBER
from transformers.zones.session import WRITING, configure

JOB, PREPARED_BY = "store_forecasts", "prepare_forecast_batches"
OPTIONS = [
    "batch",
    "model_name",
    "scale",
    "quantiles",
    "prediction_length",
    "clean_bucket",
    "working_bucket",
    "business_bucket",
]
LINE = "meter_id string, forecast_start string, SageMakerOutput struct<quantiles: map<string, array<double>>>"
TIME = "yyyy-MM-dd HH:mm:ss"
# So many bad lines are told, no more.
MOST_TOLD = 3
CLEAR = "Clear transform_batch of this batch, with its downstream tasks"


class NoForecastsError(ValueError):
    """No transform of the run has left a result."""


class BadForecastError(ValueError):
    """A line of a result is not one meter's complete forecast."""


class IncompleteBatchError(ValueError):
    """A result has another number of lines than its batch has meters, or a meter twice."""


def main() -> None:
    from awsglue.context import GlueContext
    from awsglue.utils import getResolvedOptions
    from pyspark import SparkContext

    given = getResolvedOptions(sys.argv, OPTIONS)
    batch, unit, length = given["batch"], Unit(float(given["scale"])), int(given["prediction_length"])
    quantiles = given["quantiles"].split(",")
    spark = configure(GlueContext(SparkContext.getOrCreate()).spark_session)
    s3 = boto3.client("s3")
    prepared = storage.read_json(s3, storage.summary_uri(given["clean_bucket"], batch, PREPARED_BY))
    meters_of = {entry["number"]: entry["meters"] for entry in prepared["batches"]}
    results = numbered_files.found(s3, f"s3://{given['working_bucket']}/forecast/{batch}/transformed/")
    stored = {number: uri for number, uri in results.items() if number in meters_of}
    lines = read(spark, stored, quantiles, length).persist()
    require_whole(lines, {number: meters_of[number] for number in stored})
    uri = f"s3://{given['business_bucket']}/forecast/run={batch}/"
    meters = sum(meters_of[number] for number in stored)
    write(forecasts(lines, quantiles, unit, given["model_name"]), meters * length, uri)
    document = summary(spark, batch, meters_of, stored, uri)
    storage.write_json(s3, storage.summary_uri(given["clean_bucket"], batch, JOB), document)


def read(spark: SparkSession, results: dict[int, str], quantiles: Sequence[str], length: int) -> DataFrame:
    """number, meter_id, start (of the forecast, UTC), values (an array for each quantile) and fault: null, or what is
    wrong with the line. Raises NoForecastsError.
    """
    if not results:
        raise NoForecastsError(
            "No transform of the run has left a result, so there is nothing to store. See why transform_batch failed; "
            "clear it with its downstream tasks."
        )
    text = spark.read.text(list(results.values()))
    parsed = text.select(
        numbered_files.number_of(sql.input_file_name()).alias(NUMBER), sql.from_json("value", LINE).alias("line")
    )
    by_quantile = sql.col("line.SageMakerOutput.quantiles")
    return parsed.select(
        NUMBER,
        sql.col("line.meter_id").alias("meter_id"),
        sql.to_timestamp("line.forecast_start", TIME).alias("start"),
        sql.array(*(by_quantile[quantile] for quantile in quantiles)).alias("values"),
    ).withColumn("fault", fault(quantiles, length))


def fault(quantiles: Sequence[str], length: int) -> Column:
    """What is wrong with a line: null if nothing is."""
    values = sql.col("values")
    found = sql.when(sql.col("meter_id").isNull(), "no meter_id").when(sql.col("start").isNull(), "no forecast_start")
    for place, quantile in enumerate(quantiles):
        of_quantile = values[place]
        found = found.when(of_quantile.isNull(), f"no quantile {quantile}")
        found = found.when(sql.size(of_quantile) != length, f"not {length} values of quantile {quantile}")
        found = found.when(sql.exists(of_quantile, is_not_finite), f"no finite number in quantile {quantile}")
    return found


def is_not_finite(value: Column) -> Column:
    """Whether a number is missing, infinite or none."""
    return value.isNull() | sql.isnan(value) | (sql.abs(value) == float("inf"))


def require_whole(lines: DataFrame, meters_of: dict[int, int]) -> None:
    """Raise BadForecastError or IncompleteBatchError unless each batch holds one forecast for each of its meters."""
    if bad := lines.where("fault IS NOT NULL").select(NUMBER, "meter_id", "fault").limit(MOST_TOLD).collect():
        told = "; ".join(f"batch {row[NUMBER]:04d}, meter {row['meter_id']}: {row['fault']}" for row in bad)
        raise BadForecastError(f"Results hold lines that are no complete forecast ({told}). {CLEAR}.")
    twice = lines.groupBy("meter_id").count().where("count > 1").select("meter_id").limit(MOST_TOLD).collect()
    if twice:
        told = ", ".join(row["meter_id"] for row in twice)
        raise IncompleteBatchError(f"There is more than one forecast of meter {told}. {CLEAR}.")
    counted = {row[NUMBER]: row["count"] for row in lines.groupBy(NUMBER).count().collect()}
    for number, meters in meters_of.items():
        if counted.get(number, 0) != meters:
            raise IncompleteBatchError(
                f"The result of batch {number:04d} has {counted.get(number, 0)} forecasts; the batch has {meters} "
                f"meters. {CLEAR}."
            )


def forecasts(lines: DataFrame, quantiles: Sequence[str], unit: Unit, model_name: str) -> DataFrame:
    """meter_id, datetime (UTC), a column of kWh for each quantile, and model_name: a row for each meter and hour."""
    names = [f"p{float(quantile) * 100:.0f}" for quantile in quantiles]
    hours = lines.select(
        "meter_id",
        "start",
        sql.posexplode(sql.arrays_zip(*(sql.col("values")[place].alias(name) for place, name in enumerate(names)))),
    )
    in_order = sql.array_sort(sql.array(*(sql.col(f"col.{name}") for name in names)))
    kwh = [in_order[place] * unit.scale for place in range(len(names))]
    return hours.select(
        "meter_id",
        (sql.col("start") + sql.make_dt_interval(hours=sql.col("pos"))).alias("datetime"),
        *(
            (sql.greatest(value, sql.lit(0.0)) if unit.is_whole else value).alias(name)
            for name, value in zip(names, kwh, strict=True)
        ),
        sql.lit(model_name).alias("model_name"),
    )


def write(rows: DataFrame, count: int, uri: str) -> None:
    """Write rows, of which there are so many, sorted, to few files; what lay in the folder before is replaced."""
    files = partitions.files_for(count)
    # Without a file to share the rows with, their ranges need not be looked for.
    placed = rows.repartitionByRange(files, "meter_id") if files > 1 else rows.coalesce(1)
    ordered = placed.sortWithinPartitions("meter_id", "datetime")
    ordered.write.mode("overwrite").options(**WRITING, **partitions.BUSINESS_FILE).parquet(uri)


def summary(
    spark: SparkSession, batch: str, meters_of: dict[int, int], stored: dict[int, str], uri: str
) -> dict[str, Any]:
    """What lies in the folder, and which batches of the run it holds."""
    counts = spark.read.parquet(uri).agg(
        sql.count("*").alias("rows"),
        sql.count_distinct("meter_id").alias("meters"),
        sql.date_format(sql.min("datetime"), TIME).alias("first"),
        sql.date_format(sql.max("datetime"), TIME).alias("last"),
    )
    found = counts.first()
    assert found is not None  # noqa: S101 (an aggregate has one row)
    return {
        "batch": batch,
        "uri": uri,
        **found.asDict(),
        "batches_stored": sorted(stored),
        "batches_missing": sorted(set(meters_of) - set(stored)),
    }


if __name__ == "__main__":
    failures.run(main)
