"""Runs of real Spark jobs on the control plane, one JVM at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from local_aws.engines.seaweedfs import SeaweedFS
from tests.local_aws.glue.conftest import Call
from tests.local_aws.glue.runs import ended, messages, until

pytestmark = pytest.mark.slow


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
