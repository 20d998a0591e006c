"""Callers of the control plane: glue("GetTable", DatabaseName=…) checks the answer against botocore's model."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from local_aws.control_plane import ControlPlane
from local_aws.engines.seaweedfs import SeaweedFS
from local_aws.glue.job_runs import ACTIVE
from local_aws.settings import Settings
from tests.local_aws.service_model import call

Call = Callable[..., dict[str, Any]]

PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


@pytest.fixture
def glue(settings: Settings, control_plane: ControlPlane) -> Call:
    return partial(call, settings, "glue")


@pytest.fixture
def logs(settings: Settings, control_plane: ControlPlane) -> Call:
    return partial(call, settings, "logs")


@pytest.fixture
def database(glue: Call) -> str:
    """A new, empty database."""
    name = f"db_{uuid.uuid4().hex[:8]}"
    glue("CreateDatabase", DatabaseInput={"Name": name, "Description": "of a test"})
    return name


@pytest.fixture
def daily(glue: Call, database: str) -> str:
    """A partitioned table `daily` in `database`; returns the database's name."""
    columns = [{"Name": "meter_id", "Type": "string"}, {"Name": "reading_value", "Type": "double"}]
    glue(
        "CreateTable",
        DatabaseName=database,
        TableInput={
            "Name": "daily",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet"},
            "PartitionKeys": [{"Name": "reading_type", "Type": "string"}, {"Name": "month", "Type": "string"}],
            "StorageDescriptor": {"Columns": columns, "Location": "s3://business/daily/", **PARQUET},
        },
    )
    return database


def partition(reading_type: str, month: str, run: str = "r1") -> dict[str, Any]:
    """A PartitionInput of the table `daily`."""
    location = f"s3://business/daily/run={run}/reading_type={reading_type}/month={month}/"
    return {"Values": [reading_type, month], "StorageDescriptor": {"Location": location, **PARQUET}}


@pytest.fixture
def job(glue: Call, seaweedfs: SeaweedFS, bucket: str) -> Callable[..., str]:
    """Upload a script and create a job for it; returns the job's name."""

    def create(script: str, **definition: Any) -> str:
        name = f"job_{uuid.uuid4().hex[:8]}"
        location = f"s3://{bucket}/glue/{name}.py"
        seaweedfs.client().put_object(Bucket=bucket, Key=f"glue/{name}.py", Body=script.encode())
        command = {"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": location}
        glue("CreateJob", Name=name, Role="r", Command=command, **definition)
        return name

    return create


@pytest.fixture
def run(glue: Call) -> Callable[..., dict[str, Any]]:
    """Start a run of a job and wait for its end; returns the JobRun."""

    def to_the_end(name: str, **arguments: str) -> dict[str, Any]:
        given = {f"--{argument}": value for argument, value in arguments.items()}
        run_id = glue("StartJobRun", JobName=name, Arguments=given)["JobRunId"]
        deadline = time.monotonic() + 120
        while (job_run := glue("GetJobRun", JobName=name, RunId=run_id)["JobRun"])["JobRunState"] in ACTIVE:
            assert time.monotonic() < deadline, "the run does not end"
            time.sleep(0.05)
        return job_run

    return to_the_end
