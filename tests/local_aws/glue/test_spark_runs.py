"""Runs of real Spark jobs on the control plane, one JVM at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from local_aws.engines.seaweedfs import SeaweedFS
from tests.local_aws.glue.conftest import PARQUET, Call
from tests.local_aws.glue.runs import ended, messages, until

pytestmark = pytest.mark.slow

WRITE = """
import sys
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import functions as F

options = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket"])
glue_context = GlueContext(SparkContext.getOrCreate())
job = Job(glue_context)
job.init(options["JOB_NAME"], options)
glue_context.get_logger().info("writing")
readings = glue_context.spark_session.range(90).select(
    F.concat(F.lit("MAC"), (F.col("id") % 3).cast("string")).alias("meter_id"),
    (F.col("id") / 2).alias("reading_value"),
    F.timestamp_seconds(F.col("id") * 1800).alias("reading_date_time"),
    F.when(F.col("id") % 9 == 0, "ERR").otherwise("INT").alias("reading_type"),
    F.when(F.col("id") < 60, "201301").otherwise("201302").alias("month"),
)
root = f"s3://{options['bucket']}/daily"
for run, month in (("r1", "201301"), ("r2", "201302")):
    part = readings.where(F.col("month") == month)
    part.write.partitionBy("reading_type", "month").parquet(f"{root}/run={run}")
print(glue_context.spark_session.conf.get("spark.sql.session.timeZone"))
job.commit()
"""

READ = """
import json, sys
import boto3
from awsglue.context import GlueContext
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

options = getResolvedOptions(sys.argv, ["database", "bucket"])
glue_context = GlueContext(SparkContext.getOrCreate())

def read(**given):
    return glue_context.create_data_frame.from_catalog(database=options["database"], table_name="daily", **given)

def counted(frame):
    rows = frame.groupBy("reading_type", "month", "year").agg({"reading_value": "sum", "*": "count"}).collect()
    return sorted([row[0], row[1], row[2], row["count(1)"], row["sum(reading_value)"]] for row in rows)

try:
    read(push_down_predicate="meter_id = 'MAC1'")
    refused = None
except Exception as error:
    refused = str(error)
none = read(push_down_predicate="reading_type = 'AGG'")
found = {
    "all": counted(read()),
    "pruned": counted(read(push_down_predicate="reading_type = 'INT' and month >= '201302'")),
    "server": counted(read(additional_options={"catalogPartitionPredicate": "reading_type = 'ERR' and year = 2013"})),
    "filtered": read(push_down_predicate="month = '201301'").where("meter_id = 'MAC1'").count(),
    "none": none.isEmpty(),
    "schema": none.schema.simpleString(),
    "files": len(read(push_down_predicate="month = '201301'").inputFiles()),
    "last": [str(value) for value in read().selectExpr("max(reading_date_time)", "count(obis_code)").first()],
    "refused": refused,
}
boto3.client("s3").put_object(Bucket=options["bucket"], Key="found.json", Body=json.dumps(found))
"""


@pytest.fixture
def published(glue: Call, database: str, bucket: str) -> str:
    """A table `daily` whose partitions lie below two runs; returns the database's name."""
    columns = [
        {"Name": "meter_id", "Type": "string"},
        {"Name": "reading_value", "Type": "double"},
        {"Name": "obis_code", "Type": "string"},
        {"Name": "reading_date_time", "Type": "timestamp"},
    ]
    keys = [("reading_type", "string"), ("month", "string"), ("year", "int")]
    glue(
        "CreateTable",
        DatabaseName=database,
        TableInput={
            "Name": "daily",
            "Parameters": {"classification": "parquet"},
            "PartitionKeys": [{"Name": name, "Type": kind} for name, kind in keys],
            "StorageDescriptor": {"Columns": columns, "Location": f"s3://{bucket}/daily/", **PARQUET},
        },
    )
    partitions = [
        {
            # The year is in no path: values are the catalog's, whatever the folder is called.
            "Values": [kind, month, "2013"],
            "StorageDescriptor": {
                "Location": f"s3://{bucket}/daily/run={run}/reading_type={kind}/month={month}/",
                **PARQUET,
            },
        }
        for kind in ("INT", "ERR")
        for run, month in (("r1", "201301"), ("r2", "201302"))
    ]
    glue("BatchCreatePartition", DatabaseName=database, TableName="daily", PartitionInputList=partitions)
    return database


def test_a_spark_job_writes_to_s3_and_reads_the_published_partitions_of_the_catalog(
    logs: Call,
    job: Callable[..., str],
    run: Callable[..., dict[str, Any]],
    seaweedfs: SeaweedFS,
    bucket: str,
    published: str,
) -> None:
    written = run(job(WRITE), bucket=bucket)
    assert written["JobRunState"] == "SUCCEEDED", written.get("ErrorMessage")
    assert written["ExecutionTime"] > 0
    assert messages(logs, written, "output") == ["UTC"]
    assert any(line.endswith("GlueLogger: writing") for line in messages(logs, written, "error"))

    read = run(job(READ), database=published, bucket=bucket)
    assert read["JobRunState"] == "SUCCEEDED", read.get("ErrorMessage")
    found = json.loads(seaweedfs.client().get_object(Bucket=bucket, Key="found.json")["Body"].read())

    expected: dict[tuple[str, str], list[float]] = {}
    for number in range(90):
        place = ("ERR" if number % 9 == 0 else "INT", "201301" if number < 60 else "201302")
        expected.setdefault(place, []).append(number / 2)
    rows = sorted([kind, month, 2013, len(v), sum(v)] for (kind, month), v in expected.items())
    assert found["all"] == rows
    assert found["pruned"] == [row for row in rows if row[:2] == ["INT", "201302"]]
    assert found["server"] == [row for row in rows if row[0] == "ERR"]
    assert found["filtered"] == 20
    assert found["none"] is True
    assert found["schema"] == (
        "struct<meter_id:string,reading_value:double,obis_code:string,reading_date_time:timestamp,"
        "reading_type:string,month:string,year:int>"
    )
    assert found["last"] == ["1970-01-02 20:30:00", "0"], "the time is UTC, a column that no file has is null"
    assert found["refused"].startswith(
        "User's pushdown predicate: meter_id = 'MAC1' can not be resolved against partition columns: "
        "[reading_type, month, year]"
    )
    keys = [item["Key"] for item in seaweedfs.client().list_objects_v2(Bucket=bucket, Prefix="daily/")["Contents"]]
    assert found["files"] == sum("month=201301" in key for key in keys)


def test_the_message_of_bad_sql_is_sparks_own(job: Callable[..., str], run: Callable[..., dict[str, Any]]) -> None:
    script = """
from pyspark.sql import SparkSession
SparkSession.builder.getOrCreate().sql("SELECT meter FROM VALUES ('MAC000002') AS readings(meter_id)")
"""
    job_run = run(job(script))
    assert job_run["JobRunState"] == "FAILED"
    assert job_run["ErrorMessage"].startswith("AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION]")
    assert "`meter`" in job_run["ErrorMessage"]
    assert "\tat " not in job_run["ErrorMessage"]


def test_a_killed_spark_fails_its_run_with_the_way_it_ended(
    glue: Call, logs: Call, job: Callable[..., str], bucket: str, seaweedfs: SeaweedFS
) -> None:
    script = """
import boto3, sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
jvm = str(spark.sparkContext._gateway.proc.pid)
boto3.client("s3").put_object(Bucket=sys.argv[sys.argv.index("--bucket") + 1], Key="begun", Body=jvm.encode())
spark.range(10**12).selectExpr("sum(id * rand())").collect()
"""
    name = job(script)
    run_id = glue("StartJobRun", JobName=name, Arguments={"--bucket": bucket})["JobRunId"]
    s3 = seaweedfs.client()
    until(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="begun").get("Contents"))
    jvm = psutil.Process(int(s3.get_object(Bucket=bucket, Key="begun")["Body"].read()))
    assert "org.apache.spark.deploy.SparkSubmit" in jvm.cmdline()
    jvm.kill()
    job_run = until(lambda: ended(glue("GetJobRun", JobName=name, RunId=run_id)["JobRun"]))
    assert job_run["JobRunState"] == "FAILED"
    assert "Command failed with exit code 137 (SIGKILL)" in job_run["ErrorMessage"]
    assert "Py4J" in job_run["ErrorMessage"] or "Connection" in job_run["ErrorMessage"]
    assert any("Traceback" in line for line in messages(logs, job_run, "error"))


def test_spark_dies_with_a_driver_that_is_killed(
    glue: Call, job: Callable[..., str], bucket: str, seaweedfs: SeaweedFS
) -> None:
    script = """
import boto3, sys, os
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
pids = f"{os.getpid()} {spark.sparkContext._gateway.proc.pid}"
boto3.client("s3").put_object(Bucket=sys.argv[sys.argv.index("--bucket") + 1], Key="begun", Body=pids.encode())
spark.range(10**12).selectExpr("sum(id * rand())").collect()
"""
    name = job(script)
    run_id = glue("StartJobRun", JobName=name, Arguments={"--bucket": bucket})["JobRunId"]
    s3 = seaweedfs.client()
    until(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="begun").get("Contents"))
    pids = s3.get_object(Bucket=bucket, Key="begun")["Body"].read().split()
    driver, jvm = (psutil.Process(int(pid)) for pid in pids)
    driver.kill()
    job_run = until(lambda: ended(glue("GetJobRun", JobName=name, RunId=run_id)["JobRun"]))
    assert job_run["JobRunState"] == "FAILED"
    assert job_run["ErrorMessage"] == "Command failed with exit code 137 (SIGKILL)"
    deadline = time.monotonic() + 10
    while jvm.is_running() and jvm.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the JVM outlives its driver"
        time.sleep(0.1)
