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
FILE_PATH = "file_path"  # as Spark names it
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
    header = layout.line or ""
    text = spark.read.text(paths(layout)).where(~sql.col("value").isin(header, BYTE_ORDER_MARK + header))
    return with_file(text.select(sql.col("value").alias(LINE)), layout, file_numbers)


def paths(layout: Layout) -> list[str]:
    """The layout's files as Spark takes them."""
    return [escaped(file.uri) for file in layout.files]


def escaped(uri: str) -> str:
    """The URI of one file. A name may hold signs that Spark would take for a pattern."""
    return _GLOB_SIGNS.sub(r"\\\1", uri)


def with_file(rows: DataFrame, layout: Layout, file_numbers: dict[str, int]) -> DataFrame:
    """The rows, read from the layout's files, with source_file, delivered_at (UTC) and the file's number.

    The rows may say by themselves of which file they are, in the column FILE_PATH, which is dropped.
    """
    names = {unquote(name): name for name in rows.inputFiles()}
    known = [
        {FILE_PATH: name, SOURCE_FILE: file.uri, "delivered": file.delivered_at, "number": file_numbers[file.uri]}
        for file in layout.files
        for name in _names_of_rows(names, file.uri)
    ]
    files = small_frame(
        rows.sparkSession, known, f"{FILE_PATH} string, {SOURCE_FILE} string, delivered string, number int"
    )
    number = sql.coalesce("number", sql.raise_error(sql.concat(sql.lit("of no file: "), FILE_PATH)).cast("int"))
    named = rows if FILE_PATH in rows.columns else rows.select("*", sql.input_file_name().alias(FILE_PATH))
    return named.join(
        sql.broadcast(files.withColumn(DELIVERED_AT, sql.to_timestamp("delivered"))), FILE_PATH, "left"
    ).select(
        *(name for name in rows.columns if name != FILE_PATH), SOURCE_FILE, DELIVERED_AT, number.alias(FILE_NUMBER)
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
        sql.when(fields.is_meter_id(meter_id), meter_id).alias("meter_id"),
        date_text(sql.to_date("reading_date_time")).alias("date_str"),
    )


def small_frame(spark: SparkSession, rows: list[dict[str, Any]], schema: str) -> DataFrame:
    """A frame of a few rows. createDataFrame would start a Python process to serve them."""
    structs = sql.from_json(sql.lit(json.dumps(rows)), f"array<struct<{schema.replace(' ', ':').replace(',:', ',')}>>")
    return spark.range(1, numPartitions=1).select(sql.inline(structs))


def none(spark: SparkSession, columns: str) -> DataFrame:
    """No rows, with the columns of `read` and these (name type, …)."""
    carried = f"{LINE} string, {SOURCE_FILE} string, {DELIVERED_AT} timestamp, {FILE_NUMBER} int"
    return small_frame(spark, [], f"{carried}, {columns}")


def _names_of_rows(names: dict[str, str], uri: str) -> list[str]:
    """How Spark's rows may name the file, given its list of files by URI; a file of this machine has two spellings."""
    if not names:  # Spark cannot say which files it reads by Hadoop's input formats
        return sorted({uri, uri.replace(":///", ":/")})
    if uri not in names:
        raise UnreadMeterFileError(f"Spark passes over {uri}: rename the file and trigger ingest_meter_readings anew.")
    name = names[uri]
    return sorted({name, name.replace(":///", ":/")})
