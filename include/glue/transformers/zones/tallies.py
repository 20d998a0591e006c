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
    """readings and rejected by meter_id and date_str in these months (yyyyMM), of all published batches together; None
    when there are none.
    """
    wanted = places(s3, clean_bucket, months)
    if not wanted:
        return None
    zone = f"s3://{clean_bucket}/"
    stored = spark.read.schema(f"{TALLY}, batch string, month string").option("basePath", zone + FOLDER)
    rows = stored.parquet(*sorted(zone + folder for folder, _, _ in wanted))
    # A batch holds a version of a file once.
    return by_day(rows if len({batch for _, batch, _ in wanted}) == 1 else newest(rows))


def places(s3: Any, clean_bucket: str, months: set[str]) -> set[tuple[str, str, str]]:
    """Folder, batch and month of the tallies of published batches in these months."""
    zone = f"s3://{clean_bucket}/"
    published = {key.removeprefix(BATCHES).removesuffix(".json") for key in numbered_files.keys(s3, zone + BATCHES)}
    found = (_PLACE.match(key) for key in numbered_files.keys(s3, zone + FOLDER))
    return {(place[1], place[2], place[3]) for place in found if place and place[2] in published and place[3] in months}


def newest(tallies: DataFrame) -> DataFrame:
    """Those of a version of a file that was loaded more than once as it was loaded last: batches are named by time."""
    last = tallies.groupBy(*FILE).agg(sql.max("batch").alias("batch"))
    return tallies.join(sql.broadcast(last), [*FILE, "batch"], "left_semi")


def by_day(tallies: DataFrame) -> DataFrame:
    """readings and rejected by meter_id and date_str, of all files together."""
    return tallies.groupBy(*DAY).agg(*(sql.sum(name).cast("int").alias(name) for name in ("readings", "rejected")))
