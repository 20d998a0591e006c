"""Frames written as one JSON Lines object for each number, `0001.jsonl`, as a job that reads one object wants it.

Spark names its files itself. So it writes them to a folder beside, one file a number, and S3 copies each to its name:
no row passes through the driver or through Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sql

from transformers.zones import storage
from transformers.zones.session import WRITING

NUMBER = "number"
REQUESTS_AT_ONCE = 16
_PART = re.compile(rf"/{NUMBER}=(\d+)/part-[^/]+$")
_NAME = re.compile(r"/(\d{4,})\.jsonl(?:\.out)?$")


def write(frame: DataFrame, order: str, s3: Any, parts: str, uri: str) -> dict[int, str]:
    """Write the rows of each `number`, sorted by `order`, to `uri`; the objects by number.

    `parts` and `uri` are folders that hold nothing; the first is empty again at the end.
    """
    gathered = frame.repartition(NUMBER).sortWithinPartitions(NUMBER, order)
    gathered.write.mode("overwrite").options(**WRITING).partitionBy(NUMBER).json(parts)
    bucket, _ = storage.split_uri(uri)
    sources = {int(match[1]): key for key in keys(s3, parts) if (match := _PART.search(key))}
    targets = {number: f"{uri}{number:04d}.jsonl" for number in sorted(sources)}

    def name(number: int) -> None:
        _, key = storage.split_uri(targets[number])
        s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": sources[number]})

    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as requests:
        list(requests.map(name, targets))
    storage.delete_folder(s3, parts)
    return targets


def count_lines(spark: SparkSession, uris: Iterable[str]) -> dict[int, int]:
    """How many lines each of these objects has, by number."""
    lines = spark.read.text(list(uris)).groupBy(number_of(sql.input_file_name()).alias(NUMBER)).count()
    return {row[NUMBER]: row["count"] for row in lines.collect()}


def number_of(name: Column) -> Column:
    """The number in an object's name."""
    return sql.regexp_extract(name, _NAME.pattern, 1).cast("int")


def found(s3: Any, uri: str) -> dict[int, str]:
    """The objects `0001.jsonl` or `0001.jsonl.out` in a folder, by number."""
    bucket, _ = storage.split_uri(uri)
    by_number = {int(match[1]): key for key in keys(s3, uri) if (match := _NAME.search(key))}
    return {number: f"s3://{bucket}/{by_number[number]}" for number in sorted(by_number)}


def keys(s3: Any, uri: str) -> list[str]:
    """The keys of all objects below `uri`."""
    bucket, prefix = storage.split_uri(uri)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]
