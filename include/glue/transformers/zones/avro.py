"""Avro files without a package beside Spark: their schema from their first bytes, their rows as lines of JSON.

Spark's own reader of Avro is a package of its own. Avro itself, and with it an input format that gives each record as
a line of JSON, is part of Spark (avro-mapred). See docs/decisions/0008-avro-by-sparks-own-parts.md.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql
from pyspark.sql.types import StringType, StructField, StructType

from transformers.zones.headers import HeaderError
from transformers.zones.lines import FILE_PATH, LINE, small_frame
from transformers.zones.local_time import PART

MAGIC = b"Obj\x01"
_INPUT_FORMAT = "org.apache.avro.mapred.AvroAsTextInputFormat"
_TEXT = "org.apache.hadoop.io.Text"


def fields(begin: bytes, uri: str) -> dict[str, str]:
    """The fields of a file's records in order, with their types; a logical type in place of what it is written as, a
    decimal with its scale: `decimal-3`.

    `begin` are the first bytes of the file. Raises HeaderError.
    """
    try:
        schema = json.loads(_metadata(begin)[b"avro.schema"])
    except (IndexError, KeyError, ValueError) as error:
        raise HeaderError(f"{uri} has no readable Avro header within its first {len(begin):,} bytes.") from error
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise HeaderError(f"The rows of {uri} are no records. Deliver an Avro file of records.")
    return {each["name"]: _type_of(each["type"]) for each in schema["fields"]}


def lines(spark: SparkSession, paths: list[str]) -> DataFrame:
    """The records of the files as JSON, each with its file and where the part of it begins that Spark reads at once:
    columns line, file_path, part_of_file. All stays in Spark's JVM.

    `paths` may hold patterns of Hadoop, whose signs are escaped where they are none.
    """
    listed = ",".join(re.sub(r"([\\,])", r"\\\1", path) for path in paths)
    settings = {
        "mapreduce.input.fileinputformat.inputdir": listed,
        "avro.mapred.ignore.inputs.without.extension": "false",
    }
    pairs: Any = spark.sparkContext.hadoopRDD(_INPUT_FORMAT, _TEXT, _TEXT, conf=settings)
    schema = StructType([StructField(LINE, StringType()), StructField("nothing", StringType())])
    rows = spark._jvm.SerDeUtil.pythonToJava(pairs._jrdd, True)  # type: ignore[union-attr]
    records = DataFrame(spark._jsparkSession.applySchemaToPythonRDD(rows.rdd(), schema.json()), spark)
    splits = [partition.inputSplit().value() for partition in pairs._jrdd.rdd().partitions()]
    parts = [
        {"part": number, FILE_PATH: split.getPath().toString(), PART: split.getStart()}
        for number, split in enumerate(splits)
    ]
    # input_file_name() is no help: records are read ahead of the rows they become.
    return (
        records.select(LINE, sql.spark_partition_id().alias("part"))
        .join(sql.broadcast(small_frame(spark, parts, f"part int, {FILE_PATH} string, {PART} bigint")), "part", "left")
        .select(LINE, FILE_PATH, PART)
    )


def _type_of(declared: Any) -> str:
    if isinstance(declared, list):
        kinds = [kind for kind in declared if kind != "null"]
        return _type_of(kinds[0]) if len(kinds) == 1 else "union"
    if isinstance(declared, dict):
        written_as = _type_of(declared["type"])
        if declared.get("logicalType") == "decimal" and written_as == "bytes":
            return f"decimal-{declared.get('scale', 0)}"
        return str(declared.get("logicalType") or written_as) if written_as != "fixed" else written_as
    return str(declared)


def _metadata(begin: bytes) -> dict[bytes, bytes]:
    """The map in the header of an Avro file: blocks of pairs, each with its number before it, the last of none."""
    if not begin.startswith(MAGIC):
        raise ValueError("no Avro")
    found: dict[bytes, bytes] = {}
    place = len(MAGIC)
    while True:
        pairs, place = _long(begin, place)
        if not pairs:
            return found
        if pairs < 0:  # the size of the block follows
            pairs, (_, place) = -pairs, _long(begin, place)
        for _ in range(pairs):
            name, place = _bytes(begin, place)
            found[name], place = _bytes(begin, place)


def _bytes(begin: bytes, place: int) -> tuple[bytes, int]:
    size, place = _long(begin, place)
    if place + size > len(begin):
        raise IndexError("the header goes on")
    return begin[place : place + size], place + size


def _long(begin: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, its sign in the lowest bit; and the place behind it."""
    value = shift = 0
    while True:
        byte = begin[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            return (value >> 1) ^ -(value & 1), place
