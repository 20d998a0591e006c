"""A clean batch into new versions of the business partitions that it touches.

    --batch   the delivery, cleaned by raw_to_clean
    --run     names the folder that is written: a new one for every try
    --grain   month or day: what a partition holds
    --clean_bucket, --business_bucket, --database

Reads clean/batch=<batch>/ and the published version of the touched partitions of the table `daily`. Writes
daily/run=<run>/reading_type=…/month=… (day=… at grain day), the batch's tallies by meter and day (zones.tallies) and,
last, _summaries/<batch>/clean_to_business.json.
Nothing is published here, and nothing that is published is changed: run again under another run it gives the same.

A reading is known by its meter, type and time. Of several the latest delivery wins; of several in one delivery the
larger value, and where their values differ it is a conflict.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import boto3
from pyspark.sql import Column, DataFrame, Observation, SparkSession, Window
from pyspark.sql import functions as sql
from transformers.zones import date_ranges, failures, numbered_files, partitions, storage, tallies
from transformers.zones.partitions import Published, Values
from transformers.zones.schemas import BUSINESS, CLEAN, INTERVAL, QUARANTINE, date_text, names, with_calendar
from transformers.zones.session import configure

JOB = "clean_to_business"
TABLE, KEYS = "daily", ["reading_type", "month"]
GRAINS = {"month": len("yyyyMM"), "day": len("yyyyMMdd")}
# All that is not made anew from reading_date_time.
STORED = ["meter_id", "reading_value", "reading_type", "reading_date_time", "obis_code", "error_code", "delivered_at"]
# The rows of one reading. Its partition follows from its time and its slice, the file within the partition, from its
# meter; they stand first so that one sort serves the files and the search for the winner.
GROUP = ["reading_type", "partition", "slice", "meter_id", "reading_date_time"]
COUNTED = ["is_winner", "is_first_incoming", "is_published", "is_replaced", "is_conflict"]
MOST_TASKS = 2000


class GrainError(ValueError):
    """The grain is unknown, or the table holds the same time in partitions of another grain."""


def main() -> None:
    from awsglue.context import GlueContext
    from awsglue.utils import getResolvedOptions
    from pyspark import SparkContext

    options = ["batch", "run", "grain", "clean_bucket", "business_bucket", "database"]
    given = getResolvedOptions(sys.argv, options)
    glue_context = GlueContext(SparkContext.getOrCreate())
    spark = configure(glue_context.spark_session)
    s3 = boto3.client("s3")
    batch = spark.read.schema(CLEAN).parquet(f"s3://{given['clean_bucket']}/clean/batch={given['batch']}/")
    rejects = rejects_of(spark, s3, f"s3://{given['clean_bucket']}/quarantine/batch={given['batch']}/")
    tallies.write(tallies.of_batch(batch, rejects), tallies.uri_of(given["clean_bucket"], given["batch"]))
    touched = touched_dates(batch)
    known = partitions.published(boto3.client("glue"), given["database"], TABLE)
    rows = rows_of_partitions(touched, given["grain"])
    require_one_grain(rows, known, given["grain"])
    replaced = [known[values] for values in rows if values in known]
    current = None
    if replaced:
        wanted = [partition.values for partition in replaced]
        current = partitions.read(glue_context, given["database"], TABLE, KEYS, wanted)
    uri = f"s3://{given['business_bucket']}/{TABLE}/run={given['run']}/"
    counts = write(spark, batch, current, given["grain"], file_counts(rows, replaced), uri)
    counts["partitions"] = partitions.replacing(counts["partitions"], known)
    document = summary(given["batch"], given["run"], touched, counts) | count_rejects(rejects)
    storage.write_json(s3, storage.summary_uri(given["clean_bucket"], given["batch"], JOB), document)


def rejects_of(spark: SparkSession, s3: Any, uri: str) -> DataFrame | None:
    """The batch's rows in quarantine; None when it has none."""
    return spark.read.schema(QUARANTINE).parquet(uri) if numbered_files.keys(s3, uri) else None


def count_rejects(rejects: DataFrame | None) -> dict[str, int]:
    """How many rejected rows are tallied for their meter and day, and how many are not: one of these is unreadable."""
    if rejects is None:
        return {"rejected_attributed": 0, "rejected_unattributed": 0}
    known = rejects.groupBy(tallies.is_attributed().alias("known")).count()
    counted = {row["known"]: row["count"] for row in known.collect()}
    return {"rejected_attributed": counted.get(True, 0), "rejected_unattributed": counted.get(False, 0)}


def touched_dates(batch: DataFrame) -> dict[tuple[str, str], int]:
    """How many rows a batch has by reading type and date (yyyyMMdd)."""
    counted = batch.groupBy("reading_type", "date_str").count().collect()
    return {(row["reading_type"], row["date_str"]): row["count"] for row in counted}


def rows_of_partitions(touched: dict[tuple[str, str], int], grain: str) -> dict[Values, int]:
    """How many rows a batch brings for each partition; in order. Raises GrainError for an unknown grain."""
    if grain not in GRAINS:
        raise GrainError(f"--grain must be {' or '.join(GRAINS)}, not {grain!r}.")
    rows: dict[Values, int] = {}
    for (reading_type, date_str), count in sorted(touched.items()):
        values = (reading_type, date_str[: GRAINS[grain]])
        rows[values] = rows.get(values, 0) + count
    return rows


def require_one_grain(wanted: Iterable[Values], known: Iterable[Values], grain: str) -> None:
    """Raise GrainError if a partition of the other grain holds part of the time of a wanted one."""
    month = GRAINS["month"]
    others = {(kind, value[:month]): value for kind, value in known if len(value) != GRAINS[grain]}
    for reading_type, value in wanted:
        if other := others.get((reading_type, value[:month])):
            published_grain = next(name for name, length in GRAINS.items() if length == len(other))
            raise GrainError(
                f"{TABLE} is published with {reading_type} readings of {other} in a partition of grain "
                f"{published_grain}; a partition {value} beside it would show readings twice. Trigger "
                f"ingest_meter_readings with grain {published_grain}."
            )


def file_counts(rows: dict[Values, int], replaced: Iterable[Published]) -> dict[Values, int]:
    """Into how many files each partition goes, by the rows that it holds and those that come."""
    before = {partition.values: partition.rows for partition in replaced}
    return {values: partitions.files_for(count + before.get(values, 0)) for values, count in rows.items()}


def write(
    spark: SparkSession, batch: DataFrame, current: DataFrame | None, grain: str, files: dict[Values, int], uri: str
) -> dict[str, Any]:
    """Write the new versions of the partitions in `files` below `uri`; their places, and the counts of the merge.

    The rows move once, to the task that writes their partition, and are sorted once, in the order of the file: the
    rows of one reading are neighbours then, and the winner is the first of them.
    """
    if not files:
        return {**dict.fromkeys(COUNTED, 0), "partitions": []}
    merge = Observation("merge")
    rows = gathered(merged(batch, current, grain), files)
    judged = judge(rows).observe(merge, *(sql.count_if(name).alias(name) for name in COUNTED))
    keys = ["reading_type", grain]
    # judge() has sorted the rows so: Spark knows it and does not sort again.
    winners = judged.where(sql.col("is_winner")).sortWithinPartitions(*GROUP)
    ready = with_calendar(winners).select(*names(BUSINESS), "reading_type", sql.col("partition").alias(grain))
    partitions.write(ready, keys, uri, partitions.BUSINESS_FILE)
    return {**merge.get, "partitions": partitions.written(spark, BUSINESS, keys, uri)}


def merged(batch: DataFrame, current: DataFrame | None, grain: str) -> DataFrame:
    """The rows of both, with their partition's value of month and whether they are `incoming`."""
    rows = batch.select(*STORED, sql.lit(True).alias("incoming"))
    if current is not None:
        rows = rows.unionByName(current.select(*STORED, sql.lit(False).alias("incoming")))
    return rows.withColumn("partition", partition_of(sql.to_date("reading_date_time"), grain))


def partition_of(date: Column, grain: str) -> Column:
    """What the key month holds for a date: yyyyMM, at grain day yyyyMMdd."""
    return (sql.year(date) * 100 + sql.month(date)).cast("string") if grain == "month" else date_text(date)


def gathered(rows: DataFrame, files: dict[Values, int]) -> DataFrame:
    """The rows of each file in one task."""
    slices = max(files.values())
    parts = rows.withColumn("slice", partitions.slice_of("meter_id", slices))
    # Twice as many tasks as files, so that few get two by chance; an empty one costs next to nothing.
    tasks = min(2 * slices * len(files), MOST_TASKS)
    return parts.repartition(tasks, "reading_type", "partition", "slice")


def ranking() -> list[Column]:
    """The order of the rows of one reading, the winner first. It is total, so that no order of arrival matters; of
    equal rows the published one is kept.
    """
    newest = [sql.desc_nulls_last(name) for name in ("delivered_at", "reading_value", "obis_code", "error_code")]
    return [*newest, sql.asc("incoming")]


def judge(rows: DataFrame) -> DataFrame:
    """What is counted of each row: COUNTED. Of the published version each reading has one row at most."""
    reading = Window.partitionBy(*GROUP).orderBy(*ranking())
    so_far = reading.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    placed = rows.select(
        "*",
        sql.row_number().over(reading).alias("place"),
        sql.first("delivered_at").over(so_far).alias("newest"),
        sql.first("reading_value").over(so_far).alias("winning_value"),
        sql.sum(sql.col("incoming").cast("int")).over(so_far).alias("incoming_so_far"),
        sql.lag("reading_value").over(reading).alias("value_before"),
    )
    incoming, place, winning_value = sql.col("incoming"), sql.col("place"), sql.col("winning_value")
    return placed.select(
        *STORED,
        "partition",
        "slice",
        (place == 1).alias("is_winner"),
        (incoming & (sql.col("incoming_so_far") == 1)).alias("is_first_incoming"),
        (~incoming).alias("is_published"),
        (~incoming & (place > 1)).alias("is_replaced"),
        # The first value that differs from the winner's in the delivery of the winner: once for a reading.
        (
            (sql.col("delivered_at") == sql.col("newest"))
            & (sql.col("reading_value") != winning_value)
            & (sql.col("value_before") == winning_value)
        ).alias("is_conflict"),
    )


def summary(batch: str, run: str, touched: dict[tuple[str, str], int], counts: dict[str, Any]) -> dict[str, Any]:
    """What the job did; `dates` are those of interval readings, the only ones that are summed."""
    rows_in = sum(touched.values())
    dates = {date_ranges.to_date(date_str) for reading_type, date_str in touched if reading_type == INTERVAL}
    return {
        "batch": batch,
        "run": run,
        "rows_in": rows_in,
        "duplicates": rows_in - counts["is_first_incoming"],
        "conflicts": counts["is_conflict"],
        "readings_added": counts["is_winner"] - counts["is_published"],
        "readings_replaced": counts["is_replaced"],
        "readings_written": counts["is_winner"],
        "partitions": counts["partitions"],
        "dates": date_ranges.to_ranges(dates),
    }


if __name__ == "__main__":
    failures.run(main)
