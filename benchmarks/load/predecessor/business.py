"""Second application: the clean zone into the business zone, a folder a reading type and date."""

from pyspark.sql import SparkSession


def main():
    spark = SparkSession.builder.getOrCreate()
    readings = spark.read.parquet("s3://clean/predecessor/clean/")
    readings.write.mode("overwrite").partitionBy("reading_type", "date_str").parquet("s3://business/predecessor/daily/")


if __name__ == "__main__":
    main()
