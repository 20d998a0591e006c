"""The settings of the Spark session that the jobs rely on. They are set here, not assumed."""

from __future__ import annotations

from pyspark.sql import SparkSession

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # A cast that fails gives null: a malformed row becomes a reject instead of the end of the run.
    "spark.sql.ansi.enabled": "false",
    # So does a time that Spark 2 would have read in another way.
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.sources.partitionOverwriteMode": "static",
    # month=201301 is a string.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.adaptive.enabled": "true",
}

# Options of every write. Files are moved once, as their task ends, and no _SUCCESS marker is left between them: what
# is complete is said by the summary, and nobody reads a folder before that.
WRITING = {
    "mapreduce.fileoutputcommitter.algorithm.version": "2",
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}


def configure(spark: SparkSession) -> SparkSession:
    """The same session with these settings."""
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    return spark
