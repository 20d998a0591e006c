"""Partitions of the business zone: which are published, how they are read, how new ones are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sql

from transformers.zones.session import WRITING

Values = tuple[str, ...]

# A file of so many rows takes some 20 MB; a larger partition is written as several, each for some of the meters.
ROWS_A_FILE = 8_000_000
# Row groups of 65,536 rows. Rows are sorted by meter, so a reader of one meter needs one group of a file, or two.
# Measured with 1.4 M rows a file: one meter, 90 days, meter, time and value take 0.5 MB of 3 files, footers included;
# with groups of 280,000 rows it is 2 MB. The size is looked at every 32,768 rows only, as Parquet's estimate of
# it is too rough for groups so small.
BUSINESS_FILE = {
    "parquet.block.size": str(512 * 1024),
    "parquet.page.size.row.check.min": "32768",
    "parquet.page.size.row.check.max": "32768",
}


@dataclass(frozen=True)
class Published:
    """A partition of the catalog; `rows` as its publisher counted them, 0 if it did not."""

    values: Values
    location: str
    rows: int


def published(glue: Any, database: str, table: str) -> dict[Values, Published]:
    """All partitions of a table, by their values."""
    pages = glue.get_paginator("get_partitions").paginate(
        DatabaseName=database, TableName=table, ExcludeColumnSchema=True
    )
    return {
        tuple(entry["Values"]): Published(
            tuple(entry["Values"]),
            entry["StorageDescriptor"]["Location"],
            int(entry.get("Parameters", {}).get("rows", "0")),
        )
        for page in pages
        for entry in page["Partitions"]
    }


def predicate(keys: list[str], wanted: Iterable[Values]) -> str:
    """A condition on partition keys that holds for these values: IN lists of the last key, by the values before it.

    Values are made by these jobs: digits or reading types. Anything else is refused, as it becomes text of SQL.
    """
    by_first: dict[Values, list[str]] = {}
    for values in sorted(wanted):
        if not all(value.isalnum() and value.isascii() for value in values):
            raise ValueError(f"{values} are no values of {', '.join(keys)}")
        by_first.setdefault(values[:-1], []).append(f"'{values[-1]}'")
    conditions = []
    for first, last in by_first.items():
        equal = [f"{key} = '{value}'" for key, value in zip(keys, first, strict=False)]
        conditions.append(" AND ".join([*equal, f"{keys[-1]} IN ({', '.join(last)})"]))
    return " OR ".join(f"({condition})" for condition in conditions)


def read(glue_context: Any, database: str, table: str, keys: list[str], wanted: Iterable[Values]) -> DataFrame:
    """The rows of published partitions, from where the catalog says that they lie. No other is listed or read."""
    return glue_context.create_data_frame.from_catalog(
        database=database,
        table_name=table,
        push_down_predicate=predicate(keys, wanted),
        # Spark's own reader: without it Glue makes a DynamicFrame first.
        additional_options={"useSparkDataSource": True},
    )


def write(frame: DataFrame, keys: list[str], uri: str, options: dict[str, str] | None = None) -> None:
    """Write a frame below `uri`, one folder `key=value/` a partition. What lay there before is replaced."""
    frame.write.mode("overwrite").options(**WRITING, **(options or {})).partitionBy(*keys).parquet(uri)


def written(spark: SparkSession, schema: str, keys: list[str], uri: str) -> list[dict[str, Any]]:
    """What lies below `uri`: values, location and rows of each partition, in order. Only footers are read."""
    types = ", ".join(f"{key} string" for key in keys)
    counts = spark.read.schema(f"{schema}, {types}").parquet(uri).groupBy(*keys).count().collect()
    return [
        {
            "values": list(row[:-1]),
            "location": uri + "".join(f"{key}={value}/" for key, value in zip(keys, row[:-1], strict=True)),
            "rows": row[-1],
        }
        for row in sorted(counts)
    ]


def replacing(new: Iterable[dict[str, Any]], known: Mapping[Values, Published]) -> list[dict[str, Any]]:
    """What written() says, and of each partition where its published version lies that the job has read (None: it found
    none). When another is published by then, the new one is not: it would lack what that brought.

    `known` is to be asked for before anything is read.
    """
    return [
        {**partition, "replaces": known[values].location if (values := tuple(partition["values"])) in known else None}
        for partition in new
    ]


def files_for(rows: int) -> int:
    """Into how many files a partition of so many rows is cut."""
    return max(1, -(-rows // ROWS_A_FILE))


def slice_of(meter_id: str, slices: int) -> Column:
    """Which of a partition's files holds a meter."""
    # Not a literal for one file: Spark would drop it from some steps and shuffle the rows once more.
    return sql.pmod(sql.xxhash64(meter_id), sql.lit(slices))
