"""Third application: all readings of the business zone summed by meter, type and day."""

from pyspark.sql import SparkSession
from pyspark.sql import functions as sql

KEYS = ["reading_type", "date_str"]


def main():
    spark = SparkSession.builder.getOrCreate()
    readings = spark.read.parquet("s3://business/predecessor/daily/")
    sums = readings.groupBy("meter_id", *KEYS).agg(sql.sum("reading_value").alias("consumption"))
    sums.write.mode("overwrite").partitionBy(*KEYS).parquet("s3://business/predecessor/aggregated_daily/")


if __name__ == "__main__":
    main()
