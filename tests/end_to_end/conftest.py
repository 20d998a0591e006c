"""The whole platform, started once a test run in a folder and on ports of its own, as `make up` starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from demo.__main__ import aws_clients
from demo.airflow_api import AirflowApi, Run
from demo.cascade import CASCADE, wait_for_first_runs
from demo.reference_files import generated_files, upload
from demo.rest_api import RestApi
from local_aws.engines.control_plane import ControlPlaneDaemon
from local_aws.environment import shared_data
from local_aws.ports import free_ports
from local_aws.settings import PORT_SETTINGS, REPOSITORY, Settings

CASCADE_SECONDS = 900
# What brings readings to the API.
LOAD = {"ingest_meter_readings": ["aggregate_consumption"], "aggregate_consumption": ["load_redshift"]}
SHARED_DATA = shared_data()


@dataclass(frozen=True)
class Platform:
    """A running platform and the ways to speak to it."""

    settings: Settings
    airflow: AirflowApi
    aws: Callable[..., Any]
    deployment: dict[str, Any]
    api: RestApi
    environment: dict[str, str]

    def local_aws(self, word: str) -> None:
        subprocess.run([sys.executable, "-m", "local_aws", word], env=self.environment, cwd=REPOSITORY, check=True)

    def kill_control_plane(self) -> None:
        """It gets no chance to tidy up; its job processes die with it."""
        process = ControlPlaneDaemon(self.settings).process()
        assert process is not None
        process.kill()
        process.wait(timeout=30)

    def deliver(self, *files: Path) -> None:
        for file in files:
            key = f"{self.deployment['landing_prefix']}{file.name}"
            self.aws("s3").upload_file(str(file), self.deployment["landing_bucket"], key)

    def objects(self, zone: str, prefix: str = "") -> list[str]:
        pages = self.aws("s3").get_paginator("list_objects_v2")
        bucket = self.deployment[f"{zone}_bucket"]
        return [
            item["Key"] for page in pages.paginate(Bucket=bucket, Prefix=prefix) for item in page.get("Contents", [])
        ]

    def summary(self, name: str, step: str) -> dict[str, Any]:
        """What a Glue job said of its work; `name` is its batch or, for aggregate_consumption, its run."""
        body = self.aws("s3").get_object(Bucket=self.deployment["clean_bucket"], Key=f"_summaries/{name}/{step}.json")
        return json.loads(body["Body"].read())

    def in_the_warehouse(self, meter: str) -> list[list[Any]]:
        """Type and time of the readings of a meter in Redshift, in order of time."""
        redshift, named = self.aws("redshift-data"), self.deployment
        statement = redshift.execute_statement(
            ClusterIdentifier=named["redshift_cluster"],
            Database=named["redshift_database"],
            SecretArn=named["redshift_secret_arn"],
            Sql="SELECT reading_type, date_str, hour, minute FROM daily WHERE meter_id = :meter "
            "ORDER BY reading_date_time",
            Parameters=[{"name": "meter", "value": meter}],
        )
        deadline = time.monotonic() + 60
        while redshift.describe_statement(Id=statement["Id"])["Status"] not in ("FINISHED", "FAILED", "ABORTED"):
            assert time.monotonic() < deadline
        records = redshift.get_statement_result(Id=statement["Id"])["Records"]
        return [[value for cell in row for value in cell.values()] for row in records]

    def athena(self, sql: str) -> list[tuple[str, ...]]:
        """The rows of a query over the lake."""
        athena, named = self.aws("athena"), self.deployment
        query = athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": named["glue_database"]},
            WorkGroup=named["athena_workgroup"],
        )["QueryExecutionId"]
        deadline = time.monotonic() + 60
        while (found := athena.get_query_execution(QueryExecutionId=query)["QueryExecution"])["Status"]["State"] in (
            "QUEUED",
            "RUNNING",
        ):
            assert time.monotonic() < deadline
        assert found["Status"]["State"] == "SUCCEEDED", found["Status"]["StateChangeReason"]
        rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
        return [tuple(cell["VarCharValue"] for cell in row["Data"]) for row in rows[1:]]

    def job_runs(self) -> int:
        glue = self.aws("glue")
        return sum(len(glue.get_job_runs(JobName=job)["JobRuns"]) for job in glue.list_jobs()["JobNames"])

    def job_process(self, run: str) -> psutil.Process | None:
        """The process of the Glue job to which this run was given; None if there is none."""
        home = str(self.settings.home)
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if run in words and any(word.startswith(home) for word in words):
                return process
        return None


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    home = tmp_path_factory.mktemp("platform")
    ports = dict(zip(PORT_SETTINGS, free_ports(len(PORT_SETTINGS)), strict=True))
    settings = Settings(home=home, **ports)
    environment = {**os.environ, **settings.environment()}
    try:
        subprocess.run([sys.executable, "-m", "local_aws", "up"], env=environment, cwd=REPOSITORY, check=True)
        aws = aws_clients(settings)
        deployment = json.loads(aws("ssm").get_parameter(Name="/airflow/variables/metering")["Parameter"]["Value"])
        secret = aws("secretsmanager").get_secret_value(SecretId="metering/api-key")["SecretString"]
        with closing(AirflowApi(settings.airflow_url)) as airflow:
            api = RestApi(settings.api_url, json.loads(secret)["api_key"])
            yield Platform(settings, airflow, aws, deployment, api, environment)
    finally:
        subprocess.run([sys.executable, "-m", "local_aws", "down"], env=environment, cwd=REPOSITORY, check=True)


@pytest.fixture(scope="session")
def meter_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The London files, or a generated fleet where they are absent."""
    london = SHARED_DATA / "london"
    if london.is_dir():
        return sorted(london.glob("*.csv*"))
    print(f"{london} is absent: the end-to-end run uses a generated fleet")
    folder = tmp_path_factory.mktemp("fleet")
    options = ["--meters", "20", "--days", "120", "--seed", "11", "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "sample_data", *options], cwd=REPOSITORY, check=True)
    return sorted(folder.glob("*.csv*"))


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Weather, geography and customers; generated where the shared ones are absent."""
    shared = {
        "weather": SHARED_DATA / "weather" / "weather_hourly_darksky.csv",
        "geodata": SHARED_DATA / "reference" / "meter-geo-data.csv",
        "cisdata": SHARED_DATA / "reference" / "cis-data.csv",
    }
    if all(path.is_file() for path in shared.values()):
        return shared
    folder = tmp_path_factory.mktemp("reference")
    options = ["--meters", "20", "--days", "120", "--seed", "11", "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "sample_data.reference", *options], cwd=REPOSITORY, check=True)
    return generated_files(folder)


@pytest.fixture(scope="session")
def first_runs(platform: Platform, meter_files: list[Path], reference: dict[str, Path]) -> list[Run]:
    """All files are delivered and the whole cascade has ended: forecasts and anomalies are there."""
    wait_for_first_runs(platform.airflow)
    upload(platform.aws("s3"), reference, platform.deployment["landing_bucket"])
    platform.deliver(*meter_files)
    started = [platform.airflow.trigger(dag_id) for dag_id in ("load_reference_data", "ingest_meter_readings")]
    return platform.airflow.cascade(started, CASCADE, CASCADE_SECONDS)
