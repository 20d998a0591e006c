"""Fourth application: all readings of the business zone summed by meter, type, week, month and calendar year."""

from pyspark.sql import SparkSession
from pyspark.sql import functions as sql

KEYS = ["reading_type", "year", "month", "week_of_year"]


def main():
    spark = SparkSession.builder.getOrCreate()
    readings = spark.read.parquet("s3://business/predecessor/daily/")
    sums = readings.groupBy("meter_id", *KEYS).agg(sql.sum("reading_value").alias("consumption"))
    sums.write.mode("overwrite").partitionBy(*KEYS).parquet("s3://business/predecessor/aggregated_weekly/")


if __name__ == "__main__":
    main()
