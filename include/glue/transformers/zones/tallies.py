"""What each delivery brought of a meter and a day: tallies/batch=<batch>/month=<yyyyMM>/ in the clean bucket.

clean_to_business writes them of its batch, aggregate_consumption adds up those of published batches. They are small,
and stay when the batch itself is swept, so that a day's duplicates and rejects are still known when it is summed anew.

    source_file, delivered_at   the file's version that the rows came in
    meter_id, date_str          of a rejected row only if both can be read in it
    readings                    rows that are interval readings, each counted, also of the same time
    rejected                    rows in quarantine
"""

from __future__ import annotations

import re
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sql

from transformers.zones import numbered_files, partitions
from transformers.zones.schemas import INTERVAL

TALLY = "source_file string, delivered_at timestamp, meter_id string, date_str string, readings int, rejected int"
FILE, DAY = ["source_file", "delivered_at"], ["meter_id", "date_str"]
FOLDER = "tallies/"
# An object a batch that was published, as the ledger's task writes it.
BATCHES = "_batches/"

_PLACE = re.compile(rf"^({FOLDER}batch=([^/]+)/month=(\d{{6}})/)[^/]+\.parquet$")


def of_batch(batch: DataFrame, rejects: DataFrame | None) -> DataFrame:
    """The tallies of a clean batch and its quarantine (None: it has none), with their month."""
    readings = batch.where(sql.col("reading_type") == INTERVAL)
    rows = readings.select(*FILE, *DAY, sql.lit(1).alias("readings"), sql.lit(0).alias("rejected"))
    if rejects is not None:
        attributed = rejects.where(is_attributed())
        rows = rows.unionByName(
            attributed.select(*FILE, *DAY, sql.lit(0).alias("readings"), sql.lit(1).alias("rejected"))
        )
    summed = rows.groupBy(*FILE, *DAY).agg(
        *(sql.sum(name).cast("int").alias(name) for name in ("readings", "rejected"))
    )
    return summed.withColumn("month", sql.substring("date_str", 1, 6))


def is_attributed() -> Column:
    """Whether meter and date of a row in quarantine are known."""
    return sql.col("meter_id").isNotNull() & sql.col("date_str").isNotNull()


def write(tallies: DataFrame, uri: str) -> None:
    """Write a batch's tallies to its folder, a file a month; what lay there before is replaced."""
    ordered = tallies.repartition("month").sortWithinPartitions("month", "date_str", "meter_id")
    partitions.write(ordered, ["month"], uri)


def uri_of(clean_bucket: str, batch: str) -> str:
    """The folder of a batch's tallies."""
    return f"s3://{clean_bucket}/{FOLDER}batch={batch}/"


def read(spark: SparkSession, s3: Any, clean_bucket: str, months: set[str]) -> DataFrame | None:
    """The tallies of published batches in these months (yyyyMM), with batch and month; None when there are none."""
    zone = f"s3://{clean_bucket}/"
    published = {key.removeprefix(BATCHES).removesuffix(".json") for key in numbered_files.keys(s3, zone + BATCHES)}
    places = [match for key in numbered_files.keys(s3, zone + FOLDER) if (match := _PLACE.match(key))]
    folders = {
        folder for folder, batch, month in map(re.Match.groups, places) if batch in published and month in months
    }
    if not folders:
        return None
    stored = spark.read.schema(f"{TALLY}, batch string, month string").option("basePath", zone + FOLDER)
    return stored.parquet(*(zone + folder for folder in sorted(folders)))


def by_day(tallies: DataFrame) -> DataFrame:
    """readings and rejected by meter_id and date_str, of all files together.

    A version of a file that was loaded again counts as it was loaded last: batches are named by their time.
    """
    last = tallies.groupBy(*FILE).agg(sql.max("batch").alias("batch"))
    counted = tallies.join(sql.broadcast(last), [*FILE, "batch"], "left_semi")
    return counted.groupBy(*DAY).agg(*(sql.sum(name).cast("int").alias(name) for name in ("readings", "rejected")))
