"""The script of class_archive.py: Java meets the classes of the predecessor's jobs (SQL, CSV, Parquet)."""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as sql


def main(folder: str) -> None:
    spark = SparkSession.builder.getOrCreate()
    ids = spark.range(20_000).withColumn("meter_id", sql.concat(sql.lit("MAC"), (sql.col("id") % 60).cast("string")))
    readings = ids.select(
        "meter_id",
        sql.round(sql.rand(1), 3).alias("value"),
        sql.date_format(sql.timestamp_seconds(1_357_000_000 + sql.col("id") * 1800), "yyyy-MM-dd HH:mm:ss").alias(
            "time"
        ),
    )
    readings.repartition(2).write.option("header", True).option("compression", "gzip").csv(f"{folder}/csv")
    text = spark.read.text(f"{folder}/csv").withColumn("file", sql.input_file_name())
    text.where(sql.col("value").rlike("^MAC")).select(sql.split("value", ",").getItem(0), "file").distinct().count()
    raw = spark.read.option("header", True).schema("meter_id string, value string, time string").csv(f"{folder}/csv")
    typed = (
        raw.withColumn("reading_date_time", sql.to_timestamp("time"))
        .withColumn("value", sql.expr("try_cast(trim(value) AS double)"))
        .withColumn("month", sql.date_format("reading_date_time", "yyyyMM"))
        .withColumn("week", sql.weekofyear("reading_date_time"))
    )
    newest = Window.partitionBy("meter_id", "reading_date_time").orderBy(sql.col("value").desc())
    winners = typed.withColumn("place", sql.row_number().over(newest)).where("place = 1").drop("place")
    (
        winners.repartition("month")
        .sortWithinPartitions("meter_id", "reading_date_time")
        .write.partitionBy("month")
        .option("compression", "zstd")
        .parquet(f"{folder}/parquet")
    )
    stored = spark.read.parquet(f"{folder}/parquet")
    monthly = stored.groupBy("meter_id", "month").agg(sql.sum("value"), sql.count("*"), sql.max("reading_date_time"))
    monthly.join(sql.broadcast(stored.select("month").distinct()), "month").union(monthly).orderBy("meter_id").collect()
    stored.join(winners.select("meter_id", "reading_date_time"), ["meter_id", "reading_date_time"], "left_anti").count()
    spark.createDataFrame([("INT", 1)], "kind string, number int").toPandas()
    double = sql.udf(lambda number: number * 2, "long")
    spark.range(2).select(double("id")).collect()
    java = getattr(spark.sparkContext._gateway, "proc")  # noqa: B009 (py4j's type does not have it)
    spark.stop()
    # Java ends, and writes the archive, when its input does.
    java.stdin.close()
    java.wait()


if __name__ == "__main__":
    main(sys.argv[1])
