"""First application: meter files into the clean zone; then the files once more, for the dates they hold.

--layouts  lists of files with the same header, JSON
"""

import json
import sys
from functools import reduce

from awsglue.utils import getResolvedOptions
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql

LINE, DATES = "KWH/hh (per half hour) ", "s3://clean/predecessor/dates/"


def read(spark, layouts):
    frames = [spark.read.option("header", True).csv(files) for files in layouts]
    return reduce(DataFrame.unionByName, [frame.select("LCLid", "DateTime", LINE) for frame in frames])


def clean(raw):
    value = sql.trim(sql.col(LINE))
    is_error = value == "Null"
    time = sql.to_timestamp(sql.substring("DateTime", 1, 19), "yyyy-MM-dd HH:mm:ss")
    return raw.select(
        sql.col("LCLid").alias("meter_id"),
        sql.when(~is_error, value.cast("double")).alias("reading_value"),
        sql.when(is_error, "ERR").otherwise("INT").alias("reading_type"),
        time.alias("reading_date_time"),
        sql.date_format(time, "yyyyMMdd").alias("date_str"),
        sql.lit(None).cast("string").alias("obis_code"),
        sql.when(is_error, "NULL").alias("error_code"),
        sql.weekofyear(time).alias("week_of_year"),
        sql.dayofmonth(time).alias("day_of_month"),
        sql.month(time).alias("month"),
        sql.year(time).alias("year"),
        sql.hour(time).alias("hour"),
        sql.minute(time).alias("minute"),
    )


def main():
    layouts = json.loads(getResolvedOptions(sys.argv, ["layouts"])["layouts"])
    spark = SparkSession.builder.getOrCreate()
    clean(read(spark, layouts)).write.mode("overwrite").parquet("s3://clean/predecessor/clean/")
    dates = read(spark, layouts).select(sql.date_format(sql.to_timestamp("DateTime"), "yyyyMMdd").alias("date_str"))
    dates.distinct().write.mode("overwrite").csv(DATES)


if __name__ == "__main__":
    main()
