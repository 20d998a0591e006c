"""Buckets, a catalog and jobs of their own for tests that run the scripts as job runs."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs
from meter_data.lake import schemas
from meter_data.lake.store import Store
from metering import catalog

from benchmarks.load import lake
from benchmarks.load.lake import PARQUET
from local_aws.infrastructure.artefacts import PACKAGE, zipped
from local_aws.settings import Settings

SCRIPTS = Path(__file__).resolve().parents[3] / "include" / "glue"
ZONES = ("landing", "clean", "business", "working", "scripts")
RUN_SECONDS = 240
CSV = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"field.delim": ","},
    },
}
TABLES = lake.TABLES | {"anomaly": (lake.columns(schemas.ANOMALY), "month string")}


class JobPlatform:
    """Jobs run the scripts as they are in the repository."""

    def __init__(self, aws: Callable[[str], Any]) -> None:
        self.s3, self.glue = aws("s3"), aws("glue")
        self._suffix = uuid.uuid4().hex[:8]
        self._jobs: set[str] = set()
        self.database = f"metering_{self._suffix}"
        self.buckets = {zone: f"{zone}-{self._suffix}" for zone in ZONES}
        for bucket in self.buckets.values():
            self.s3.create_bucket(Bucket=bucket)
        self.put("scripts", f"glue/{PACKAGE}.zip", zipped(SCRIPTS / PACKAGE))
        self.glue.create_database(DatabaseInput={"Name": self.database})
        for name, (columns, keys) in TABLES.items():
            place = {"Columns": fields(columns), "Location": f"s3://{self.buckets['business']}/{name}/", **PARQUET}
            self._create_table(name, place, {"classification": "parquet"}, fields(keys))

    @property
    def store(self) -> Store:
        """The buckets, as a job reads and writes them."""
        known = Settings()
        files = pa.fs.S3FileSystem(
            access_key=known.access_key,
            secret_key=known.secret_key,
            region=known.region,
            endpoint_override=self.s3.meta.endpoint_url,
        )
        return Store(files, self.s3)

    def deliver_weather(self, columns: str, lines: list[str]) -> None:
        """Put a file with a header of `columns` (name type, …) into the landing zone, and its table as crawled."""
        named = fields(columns)
        header = ",".join(column["Name"] for column in named)
        self.put("landing", "reference/weather/weather.csv", "\n".join([header, *lines]).encode())
        place = {"Columns": named, "Location": f"s3://{self.buckets['landing']}/reference/weather/", **CSV}
        self._create_table("weather", place, {"classification": "csv", "skip.header.line.count": "1"}, [])

    def put(self, zone: str, key: str, content: bytes) -> dict[str, Any]:
        etag = self.s3.put_object(Bucket=self.buckets[zone], Key=key, Body=content)["ETag"].strip('"')
        return {"uri": f"s3://{self.buckets[zone]}/{key}", "key": key, "etag": etag, "size": len(content)}

    def run(self, script: str, **arguments: str) -> str | None:
        """Run a script's job to its end; the message of its error."""
        return self.finish(script, self.start(script, **arguments))

    def start(self, script: str, **arguments: str) -> str:
        """Start a script's job; the id of its run."""
        given = {f"--{name}": value for name, value in arguments.items()}
        run_id: str = self.glue.start_job_run(JobName=self._job(script), Arguments=given)["JobRunId"]
        return run_id

    def finish(self, script: str, run_id: str) -> str | None:
        """Wait for the end of a run; the message of its error."""
        job = self._job(script)
        deadline = time.monotonic() + RUN_SECONDS
        while (run := self.glue.get_job_run(JobName=job, RunId=run_id)["JobRun"])["JobRunState"] in (
            "STARTING",
            "RUNNING",
        ):
            assert time.monotonic() < deadline, f"{script} does not end"
            time.sleep(0.1)
        return run.get("ErrorMessage")

    def publish(self, table: str, partitions: list[dict[str, Any]], run: str) -> None:
        now = datetime.now(UTC)
        catalog.publish(
            self.glue,
            database=self.database,
            table=table,
            partitions=partitions,
            run=run,
            written_at=now,
            published_at=now,
        )

    def summary(self, name: str, script: str) -> dict[str, Any]:
        return json.loads(self.content("clean", f"_summaries/{name}/{script}.json"))

    def content(self, zone: str, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.buckets[zone], Key=key)["Body"].read()

    def keys(self, zone: str, prefix: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.buckets[zone], Prefix=prefix)
        return [item["Key"] for item in listed.get("Contents", [])]

    def published_files(self, table: str) -> list[bytes]:
        """The Parquet files of all published partitions."""
        prefix = f"s3://{self.buckets['business']}/"
        locations = catalog.locations(self.glue, self.database, table).values()
        return [
            self.content("business", key)
            for location in locations
            for key in self.keys("business", location.removeprefix(prefix))
        ]

    def _create_table(
        self, name: str, place: dict[str, Any], parameters: dict[str, str], keys: list[dict[str, str]]
    ) -> None:
        table = {"Name": name, "StorageDescriptor": place, "Parameters": parameters, "PartitionKeys": keys}
        self.glue.create_table(DatabaseName=self.database, TableInput=table)

    def _job(self, script: str) -> str:
        """The name of the script's job, which is made when it is first asked for."""
        job = f"{script}-{self._suffix}"
        if job in self._jobs:
            return job
        uri = self.put("scripts", f"glue/{script}.py", (SCRIPTS / f"{script}.py").read_bytes())["uri"]
        zones = {f"--{zone}_bucket": bucket for zone, bucket in self.buckets.items() if zone != "scripts"}
        package = f"s3://{self.buckets['scripts']}/glue/{PACKAGE}.zip"
        arguments = {"--extra-py-files": package, "--database": self.database, "--spread_above_rows": "100000000"}
        self.glue.create_job(
            Name=job,
            Role="role",
            Command={"Name": "glueetl", "ScriptLocation": uri},
            DefaultArguments=arguments | zones,
        )
        self._jobs.add(job)
        return job


def fields(schema: str) -> list[dict[str, str]]:
    return [dict(zip(("Name", "Type"), column.split(), strict=True)) for column in schema.split(", ")]
