"""Meter files as frames of lines, and lines as frames of fields.

Lines end in LF, CR or CRLF; the last one may lack its end. A line keeps its bytes, whatever they are. Every line but a
header is one row of the delivery.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql

from transformers.zones import fields
from transformers.zones.delivery import Layout
from transformers.zones.headers import BYTE_ORDER_MARK
from transformers.zones.schemas import REASON, date_text

LINE, SOURCE_FILE, DELIVERED_AT, FILE_NUMBER = "line", "source_file", "delivered_at", "file_number"
# Why a line cannot be cut into the fields of its header.
SHAPE_REASON = "shape_reason"
CARRIED = [LINE, SOURCE_FILE, DELIVERED_AT, FILE_NUMBER]

EMPTY_LINE, WRONG_FIELD_COUNT, UNDECODABLE_BYTES = "empty_line", "wrong_field_count", "undecodable_bytes"

_GLOB_SIGNS = re.compile(r"([{}\[\]*?\\])")


class UnreadMeterFileError(RuntimeError):
    """Spark does not read all files that it was given."""


def read(spark: SparkSession, layout: Layout, file_numbers: dict[str, int]) -> DataFrame:
    """The rows of the layout's files: line, source_file, delivered_at (UTC) and the file's number.

    Files are read in parts of up to 128 MB, small ones together; a gzip file is one part. Lines that equal the header
    are none of the rows, wherever they stand: files are sometimes pasted together.
    """
    # A name may hold signs that Spark would take for a pattern.
    text = spark.read.text([_GLOB_SIGNS.sub(r"\\\1", file.uri) for file in layout.files])
    names = {unquote(name): name for name in text.inputFiles()}
    rows = [
        {"file_path": name, SOURCE_FILE: file.uri, "delivered": file.delivered_at, "number": file_numbers[file.uri]}
        for file in layout.files
        for name in _names_of_rows(names, file.uri)
    ]
    files = small_frame(spark, rows, f"file_path string, {SOURCE_FILE} string, delivered string, number int")
    header = layout.line or ""
    number = sql.coalesce("number", sql.raise_error(sql.concat(sql.lit("of no file: "), "file_path")).cast("int"))
    return (
        text.where(~sql.col("value").isin(header, BYTE_ORDER_MARK + header))
        .select(sql.col("value").alias(LINE), sql.input_file_name().alias("file_path"))
        .join(sql.broadcast(files.withColumn(DELIVERED_AT, sql.to_timestamp("delivered"))), "file_path", "left")
        .select(LINE, SOURCE_FILE, DELIVERED_AT, number.alias(FILE_NUMBER))
    )


def split(lines: DataFrame, header: Sequence[str]) -> DataFrame:
    """A column for each column of the header, after those of `lines`, and `reason` for lines of another shape."""
    parts = lines.withColumn("parts", sql.split(LINE, ",", -1))
    named = sql.when(sql.trim(LINE) == "", EMPTY_LINE).otherwise(WRONG_FIELD_COUNT)
    reason = sql.when(sql.size("parts") != len(header), named)
    fields = [sql.col("parts").getItem(place).alias(name) for place, name in enumerate(header)]
    return parts.select(*lines.columns, *fields, reason.alias(SHAPE_REASON))


def quarantined(rejects: DataFrame) -> DataFrame:
    """Rejected rows in the schema of the quarantine, the line as it came. `reading_date_time` is null where impossible.

    A line that is no UTF-8 has the reason undecodable_bytes, whatever else is wrong with it; each of its bytes is
    written as the character of that number (ISO 8859-1), so that encoding it so gives the bytes again.
    """
    line, meter_id = sql.col(LINE), sql.col("meter_id")
    as_bytes = line.cast("binary")
    is_text = sql.encode(sql.decode(as_bytes, "UTF-8"), "UTF-8") == as_bytes
    return rejects.select(
        SOURCE_FILE,
        sql.when(is_text, line).otherwise(sql.decode(as_bytes, "ISO-8859-1")).alias(LINE),
        sql.when(is_text, sql.col(REASON)).otherwise(UNDECODABLE_BYTES).alias(REASON),
        DELIVERED_AT,
        sql.when((meter_id != "") & fields.is_meter_id(meter_id), meter_id).alias("meter_id"),
        date_text(sql.to_date("reading_date_time")).alias("date_str"),
    )


def small_frame(spark: SparkSession, rows: list[dict[str, Any]], schema: str) -> DataFrame:
    """A frame of a few rows. createDataFrame would start a Python process to serve them."""
    structs = sql.from_json(sql.lit(json.dumps(rows)), f"array<struct<{schema.replace(' ', ':').replace(',:', ',')}>>")
    return spark.range(1, numPartitions=1).select(sql.inline(structs))


def none(spark: SparkSession) -> DataFrame:
    """The rows of a delivery whose files are all empty."""
    return small_frame(spark, [], f"{LINE} string, {SOURCE_FILE} string, {DELIVERED_AT} timestamp, {FILE_NUMBER} int")


def _names_of_rows(names: dict[str, str], uri: str) -> list[str]:
    """How Spark's rows may name the file, given its list of files by URI; a file of this machine has two spellings."""
    if uri not in names:
        raise UnreadMeterFileError(f"Spark passes over {uri}: rename the file and trigger ingest_meter_readings anew.")
    name = names[uri]
    return sorted({name, name.replace(":///", ":/")})
