"""Meter files of a delivery into the clean zone, bad rows into quarantine.

    --batch        the delivery
    --manifest     s3 URI of its list of files, and of the run's description of them for the transformer `default`
    --transformer  module of the package `transformers` that knows the files' layouts. A file _transformer.json beside
                   files describes these instead, and may name another transformer for them.
    --clean_bucket

Writes clean/batch=<batch>/ (schemas.CLEAN), quarantine/batch=<batch>/ (schemas.QUARANTINE, only when there are
rejects) and, last, _summaries/<batch>/raw_to_clean.json. Run again it replaces all three.

Every row of every file ends as a reading or in quarantine. The files are read once: that pass writes the readings,
counts rows and rejects and notes which files hold rejects. Only those files are read a second time, for their rejects.
So are files with times of the hour that a change of the clocks repeats: these rows are ordered, and written, at last.
Counts of a file come from what was written, and are compared with what was read. Nothing is cached or shuffled, so
memory does not depend on the size of the delivery.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

import boto3
import transformers
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as sql
from transformers import default
from transformers.zones import (
    delivery,
    described,
    description,
    failures,
    fields,
    headers,
    lines,
    local_time,
    schemas,
    storage,
    time_settings,
)
from transformers.zones.delivery import Layout, Manifest, MeterFile
from transformers.zones.schemas import CLEAN, QUARANTINE, REASON, names, with_calendar
from transformers.zones.session import WRITING, configure

JOB, DEFAULT = "raw_to_clean", "default"
TIME = "reading_date_time"
ISO_TIME = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"


class RowCountError(RuntimeError):
    """Rows read and rows written differ."""


def main() -> None:
    from awsglue.context import GlueContext
    from awsglue.utils import getResolvedOptions
    from pyspark import SparkContext

    given = getResolvedOptions(sys.argv, ["batch", "manifest", "transformer", "clean_bucket"])
    spark = configure(GlueContext(SparkContext.getOrCreate()).spark_session)
    s3 = boto3.client("s3")
    manifest = delivery.read_manifest(s3, given["manifest"], given["batch"])
    files, found = manifest.files, find_layouts(spark, s3, manifest, given["transformer"])
    batch, zone = given["batch"], f"s3://{given['clean_bucket']}"
    clean_uri, quarantine_uri = f"{zone}/clean/batch={batch}/", f"{zone}/quarantine/batch={batch}/"
    storage.delete_folder(s3, quarantine_uri)
    counts = convert(spark, files, found, given["transformer"], clean_uri, quarantine_uri)
    delivery.require_unchanged(s3, files)
    storage.write_json(s3, storage.summary_uri(given["clean_bucket"], batch, JOB), summary(batch, counts))


def find_layouts(spark: SparkSession, s3: Any, manifest: Manifest, transformer: str) -> list[Layout]:
    """The files grouped by layout, each layout with its transformer; those of files that hold nothing are left out.

    Raises what delivery, headers, described and description raise for files and descriptions that do not fit.
    """
    found: list[Layout] = []
    for described_by in dict.fromkeys(file.described_by for file in manifest.files):
        files = [file for file in manifest.files if file.described_by == described_by]
        document = description.read(s3, described_by) if described_by else manifest.description
        name = document.get(description.TRANSFORMER, DEFAULT) if described_by else transformer
        if name != DEFAULT:
            known = known_layouts(delivery.layouts(s3, files), name)
            found += [replace(layout, transformer=name) for layout in known]
            continue
        said = description.parsed(document, described_by or "the trigger form")
        time_settings.require_usable(spark, said)
        grouped = described.layouts(spark, files, said, lambda file: delivery.first_bytes(s3, file))
        found += [layout for layout in grouped if layout.line is not None]
    return found


def known_layouts(found: list[Layout], transformer: str) -> list[Layout]:
    """The layouts that hold lines. Raises headers.UnknownHeaderError for one that the transformer does not know."""
    known = transformers.load(transformer).HEADERS
    filled = [layout for layout in found if layout.line is not None]
    for layout in filled:
        headers.require_known(layout.header, known, layout.files[0].uri, transformer)
    return filled


def convert(
    spark: SparkSession, files: list[MeterFile], found: list[Layout], transformer: str, clean_uri: str, quarantine: str
) -> list[dict[str, Any]]:
    """Write the readings of `files` below `clean_uri` and the rejects below `quarantine`; the counts of each file."""
    numbers = {file.uri: number for number, file in enumerate(files, start=1)}
    observed = Observation("delivery")
    rows = (
        judged(spark, found, numbers, transformer)
        .drop(lines.LINE)
        .observe(
            observed,
            sql.count(sql.lit(1)).alias("rows"),
            sql.count(REASON).alias("rejected"),
            _files_with(sql.col(REASON).isNotNull()).alias("files"),
            _files_with(sql.col(local_time.AMBIGUOUS)).alias("undecided"),
        )
    )
    readings(rows.where(~sql.col(local_time.AMBIGUOUS))).write.mode("overwrite").options(**WRITING).parquet(clean_uri)
    seen = observed.get
    if undecided := _marked(seen["undecided"], numbers):
        again = _computed(judged(spark, _only(found, undecided), numbers, transformer).drop(lines.LINE))
        late = readings(local_time.decided(again.where(local_time.AMBIGUOUS)))
        late.write.mode("append").options(**WRITING).parquet(clean_uri)
    bad = _marked(seen["files"], numbers)
    if bad:
        again = _computed(judged(spark, _only(found, bad), numbers, transformer))
        rejects = again.where(sql.col(REASON).isNotNull()).withColumn(TIME, sql.when(is_possible(), sql.col(TIME)))
        rejected = lines.quarantined(rejects)
        rejected.write.mode("overwrite").options(**WRITING).parquet(quarantine)
    counts = count(spark, files, clean_uri, quarantine if bad else None)
    require_equal(seen, counts)
    return counts


def judged(spark: SparkSession, found: list[Layout], numbers: dict[str, int], transformer: str) -> DataFrame:
    """Every row of the files: where it comes from, the columns of a reading, and the reason if it is none.

    Rows whose time is still to be decided are marked as ambiguous.
    """
    frames = [judge(_transformed(spark, layout, numbers, transformer)) for layout in found]
    rows = reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), frames or [nothing(spark)])
    if local_time.AMBIGUOUS not in rows.columns:
        return rows.withColumn(local_time.AMBIGUOUS, sql.lit(False))
    is_ambiguous = sql.coalesce(sql.col(local_time.AMBIGUOUS), sql.lit(False)) & sql.col(REASON).isNull()
    return rows.withColumn(local_time.AMBIGUOUS, is_ambiguous)


def nothing(spark: SparkSession) -> DataFrame:
    """The rows of a delivery whose files are all empty."""
    kinds = dict(column.split() for column in CLEAN.split(", "))
    reading = ", ".join(f"{name} {kinds[name]}" for name in schemas.READING)
    return lines.none(spark, f"{reading}, {REASON} string")


def judge(transformed: DataFrame) -> DataFrame:
    """The reason of each row: its shape, what the transformer found, or a time that no meter can have read.

    No meter file holds readings of before 1970, nor of more than a day after its delivery: the clock was wrong.
    """
    reason = sql.coalesce(
        sql.col(lines.SHAPE_REASON), sql.col(REASON), sql.when(~is_possible(), fields.TIMESTAMP_OUT_OF_RANGE)
    )
    return transformed.withColumn(REASON, reason).drop(lines.SHAPE_REASON)


def is_possible() -> Column:
    """Whether a meter can have read at that time; null without a time."""
    time = sql.col(TIME)
    return (sql.unix_micros(time) >= 0) & (time <= sql.col(lines.DELIVERED_AT) + sql.expr("INTERVAL 1 DAY"))


def readings(rows: DataFrame) -> DataFrame:
    """The rows that are readings, in the schema of the clean zone."""
    return with_calendar(rows.where(sql.col(REASON).isNull())).select(*names(CLEAN))


def count(spark: SparkSession, files: list[MeterFile], clean_uri: str, quarantine: str | None) -> list[dict[str, Any]]:
    """What was written of each file, in their order: rows, good, rejected by reason, first and last reading (UTC)."""
    written = spark.read.schema(CLEAN).parquet(clean_uri).groupBy("source_file")
    good = {
        row["source_file"]: row
        for row in written.agg(
            sql.count(sql.lit(1)).alias("good"),
            sql.date_format(sql.min(TIME), ISO_TIME).alias("first"),
            sql.date_format(sql.max(TIME), ISO_TIME).alias("last"),
        ).collect()
    }
    reasons: dict[str, dict[str, int]] = {file.uri: {} for file in files}
    if quarantine:
        rejected = spark.read.schema(QUARANTINE).parquet(quarantine).groupBy("source_file", REASON).count()
        for row in sorted(rejected.collect()):
            reasons[row["source_file"]][row[REASON]] = row["count"]
    return [_counts(uri, good.get(uri), by_reason) for uri, by_reason in reasons.items()]


def require_equal(seen: dict[str, Any], counts: list[dict[str, Any]]) -> None:
    """Raise RowCountError unless as many rows were written as were read."""
    rows, rejected = (sum(file[name] for file in counts) for name in ("rows", "rejected"))
    if (rows, rejected) != (seen["rows"], seen["rejected"]):
        raise RowCountError(
            f"{seen['rows']:,} rows were read, {seen['rejected']:,} of them bad, but {rows:,} were written, "
            f"{rejected:,} of them to quarantine. A file may have changed meanwhile: clear raw_to_clean."
        )


def summary(batch: str, counts: list[dict[str, Any]]) -> dict[str, Any]:
    """The counts of the files and of all together."""
    by_reason: dict[str, int] = {}
    for file in counts:
        for reason, number in file["rejected_by_reason"].items():
            by_reason[reason] = by_reason.get(reason, 0) + number
    totals = {name: sum(file[name] for file in counts) for name in ("rows", "good", "rejected")}
    return {"batch": batch, **totals, "rejected_by_reason": dict(sorted(by_reason.items())), "files": counts}


def _transformed(spark: SparkSession, layout: Layout, numbers: dict[str, int], transformer: str) -> DataFrame:
    if isinstance(layout, described.DescribedLayout):
        return default.transform(described.read(spark, layout, numbers), layout.description)
    transform: Callable[[DataFrame], DataFrame] = transformers.load(layout.transformer or transformer).transform
    return transform(lines.split(lines.read(spark, layout, numbers), layout.header))


def _computed(rows: DataFrame) -> DataFrame:
    """The rows, their columns computed before anything chooses among them. Without it Spark moves a condition before
    all of this, and writes out every column that it needs again and again: code too large to be compiled.
    """
    return rows.observe(Observation(), sql.count(sql.lit(1)).alias("rows"))


def _files_with(condition: Column) -> Column:
    """Which files hold a row for which the condition holds: a bit for each."""
    return sql.bitmap_construct_agg(sql.when(condition, sql.bitmap_bit_position(sql.col(lines.FILE_NUMBER))))


def _marked(bits: bytes, numbers: dict[str, int]) -> set[str]:
    """The files whose bit is set."""
    return {uri for uri, number in numbers.items() if bits[(number - 1) // 8 % 4096] >> ((number - 1) % 8) & 1}


def _only(found: list[Layout], uris: set[str]) -> list[Layout]:
    """The layouts with no other files than these."""
    chosen = [replace(layout, files=tuple(file for file in layout.files if file.uri in uris)) for layout in found]
    return [layout for layout in chosen if layout.files]


def _counts(uri: str, good: Any, by_reason: dict[str, int]) -> dict[str, Any]:
    number, rejected = good["good"] if good else 0, sum(by_reason.values())
    return {
        "uri": uri,
        "rows": number + rejected,
        "good": number,
        "rejected": rejected,
        "rejected_by_reason": by_reason,
        "first": good["first"] if good else None,
        "last": good["last"] if good else None,
    }


if __name__ == "__main__":
    failures.run(main)
