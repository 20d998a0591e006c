"""The whole platform, started once a test run in a folder and on ports of its own, as `make up` starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from demo.__main__ import aws_clients
from demo.airflow_api import AirflowApi
from local_aws.ports import free_ports
from local_aws.settings import REPOSITORY, Settings

SHARED_DATA = Path(os.environ.get("SHARED_DATA", REPOSITORY.parent / "shared" / "data"))


@dataclass(frozen=True)
class Platform:
    """A running platform and the ways to speak to it."""

    settings: Settings
    airflow: AirflowApi
    aws: Callable[[str], Any]
    deployment: dict[str, Any]
    api_key: str

    def consumption(self, grain: str, year: int | str, meter_id: str) -> httpx.Response:
        return httpx.get(
            f"{self.settings.api_url}/consumption/{grain}/{year}/{meter_id}",
            headers={"x-api-key": self.api_key},
            timeout=60,
            trust_env=False,
        )

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

    def job_runs(self) -> int:
        glue = self.aws("glue")
        return sum(len(glue.get_job_runs(JobName=job)["JobRuns"]) for job in glue.list_jobs()["JobNames"])

    def java_processes(self) -> list[psutil.Process]:
        """The JVMs that work for this platform."""
        home = str(self.settings.home)
        return [
            process
            for process in psutil.process_iter(["name", "cmdline"])
            if process.info["name"] == "java" and home in " ".join(process.info["cmdline"] or [])
        ]


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    home = tmp_path_factory.mktemp("platform")
    ports = dict(zip(("CONTROL", "S3", "POSTGRES", "API", "AIRFLOW"), free_ports(5), strict=True))
    environment = {
        **os.environ,
        "LOCAL_AWS_HOME": str(home),
        **{f"LOCAL_AWS_{name}_PORT": str(port) for name, port in ports.items()},
    }
    settings = Settings.from_environment(environment)
    try:
        subprocess.run([sys.executable, "-m", "local_aws", "up"], env=environment, cwd=REPOSITORY, check=True)
        aws = aws_clients(settings)
        deployment = json.loads(aws("ssm").get_parameter(Name="/airflow/variables/metering")["Parameter"]["Value"])
        secret = aws("secretsmanager").get_secret_value(SecretId="metering/api-key")["SecretString"]
        with closing(AirflowApi(settings.airflow_url)) as airflow:
            yield Platform(settings, airflow, aws, deployment, json.loads(secret)["api_key"])
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
