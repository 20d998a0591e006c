"""Whether Spark can use the time zone and the timestamp pattern of a description, asked before any row is read."""

from __future__ import annotations

import re

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as sql

from transformers.zones.description import EPOCHS, Description, error

_OFFSET = re.compile(r"[+-](0[0-9]|1[0-8]):[0-5][0-9]")


def require_usable(spark: SparkSession, described: Description) -> None:
    """Raise description.DescriptionError for an unknown time zone or a pattern that is none."""
    faults = []
    zone, pattern = described.time_zone, described.timestamp_pattern
    zones = spark._jvm.java.time.ZoneId.getAvailableZoneIds()  # type: ignore[union-attr]
    if not _OFFSET.fullmatch(zone) and not zones.contains(zone):
        faults.append(f"time_zone must be a name such as Europe/London, or an offset such as +01:00, not {zone!r}")
    if pattern and pattern not in EPOCHS:
        try:
            spark.range(1).select(sql.to_timestamp(sql.lit("2013-01-01 00:30"), pattern)).collect()
        except (PySparkException, Py4JJavaError) as refused:
            said = str(refused).splitlines()[0]
            faults.append(f"timestamp_pattern {pattern!r} is no pattern of Spark: {said}")
    if faults:
        raise error(described.origin, faults)
