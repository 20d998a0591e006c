"""Buckets as folders of this machine, the stand-in's Glue catalog and job runs on them, and what a job run costs.

Jobs are started by StartJobRun and run as on `make up`. The platform's jobs ask for objects by S3's protocol, which
costs them CPU time. The predecessor's Spark reads and writes the same folders directly (`spark_on_folders`).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
from botocore.config import Config
from meter_data.lake import schemas
from metering import catalog, ledger

from benchmarks.load import REPOSITORY, folder_store, process_tree
from benchmarks.load.folder_store import FolderStore
from benchmarks.load.process_tree import Usage
from local_aws.control_plane import ControlPlane, serve
from local_aws.glue.composition import glue_services
from local_aws.glue.log_store import LogStore
from local_aws.infrastructure.artefacts import PACKAGE, glue_artefacts
from local_aws.ports import free_ports
from local_aws.settings import Settings
from local_aws.state import State

ZONES = ("landing", "clean", "business", "scripts")
# Where the predecessor reads and writes: each is mounted by itself, as Hadoop mounts no whole bucket on a local disk.
PREDECESSORS_FOLDERS = {"landing": "readings", "clean": "predecessor", "business": "predecessor"}
LANDING_PREFIX = "readings/"
DATABASE = "metering"
RUN_SECONDS = 4 * 3600
PREDECESSOR = Path(__file__).with_name("predecessor")
VIEW = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}
# No job of the benchmark has as many rows: they all work in their own process.
NEVER_SPREAD = 10**12
_TYPES = {
    schemas.TEXT: "string",
    schemas.CODED: "string",
    schemas.INSTANT: "timestamp",
    schemas.INT: "int",
    schemas.REAL: "double",
    pa.date32(): "date",
}


def columns(schema: pa.Schema) -> str:
    """Returns the columns as the catalog has them: name type, name type, …"""
    return ", ".join(f"{field.name} {_TYPES[field.type]}" for field in schema)


# Columns and partition keys.
TABLES = {
    "daily": (columns(schemas.BUSINESS), "reading_type string, month string"),
    "aggregated_daily": (columns(schemas.AGGREGATED_DAILY), "month string"),
    "aggregated_weekly": (columns(schemas.AGGREGATED_WEEKLY), "iso_year int"),
    "aggregated_monthly": (columns(schemas.AGGREGATED_MONTHLY), "year int"),
    "completeness": (columns(schemas.COMPLETENESS), "month string"),
}


class JobFailedError(RuntimeError):
    """A job run did not succeed; the message is the run's."""


class Lake:
    """Made by `opened`. `usages` are those of all job runs in their order: (job, usage)."""

    def __init__(self, root: Path, settings: Settings, store: FolderStore) -> None:
        self.root, self.settings, self.store = root, settings, store
        self.s3 = _client("s3", settings.s3_url, settings)
        self.glue = _client("glue", settings.control_url, settings)
        self.usages: list[tuple[str, Usage]] = []
        self._jobs: set[str] = set()

    def set_up(self) -> None:
        """Buckets, scripts and tables."""
        for zone in ZONES:
            (self.folder(zone) / PREDECESSORS_FOLDERS.get(zone, "")).mkdir(parents=True, exist_ok=True)
        for key, content in glue_artefacts(REPOSITORY).items():
            self.s3.put_object(Bucket="scripts", Key=key, Body=content)
        for script in PREDECESSOR.glob("*.py"):
            self.s3.put_object(Bucket="scripts", Key=f"predecessor/{script.name}", Body=script.read_bytes())
        self.glue.create_database(DatabaseInput={"Name": DATABASE})
        for name, (names, keys) in TABLES.items():
            place = {"Columns": _fields(names), "Location": f"s3://business/{name}/", **PARQUET}
            table = {"Name": name, "StorageDescriptor": place, "PartitionKeys": _fields(keys)}
            self.glue.create_table(
                DatabaseName=DATABASE, TableInput={**table, "Parameters": {"classification": "parquet"}}
            )

    def folder(self, zone: str) -> Path:
        """The folder of a zone's bucket."""
        return self.root / "buckets" / zone

    def files(self, zone: str, prefix: str = "") -> list[Path]:
        """The objects of a bucket."""
        return [path for _, path in folder_store.objects(self.folder(zone), prefix)]

    def run(self, script: str, conf: dict[str, str] | None = None, **arguments: str) -> Usage:
        """Runs a script's job to its end and measures it; `conf` holds options of Spark. Raises JobFailedError."""
        given = {f"--{name}": value for name, value in arguments.items()}
        if conf:
            given["--conf"] = " --conf ".join(f"{name}={value}" for name, value in conf.items())
        job = self._job(script)
        with process_tree.measured() as usage:
            run_id = self.glue.start_job_run(JobName=job, Arguments=given)["JobRunId"]
            deadline = time.monotonic() + RUN_SECONDS
            while (run := self.glue.get_job_run(JobName=job, RunId=run_id)["JobRun"])["JobRunState"] in (
                "STARTING",
                "RUNNING",
            ):
                if time.monotonic() > deadline:
                    raise JobFailedError(f"{script} does not end")
                time.sleep(0.2)
        if run["JobRunState"] != "SUCCEEDED":
            raise JobFailedError(f"{script}: {run.get('ErrorMessage', run['JobRunState'])}")
        self.usages.append((script, usage))
        return usage

    def run_alternative(self, program: Path) -> Usage:
        """Runs a program on the meter files of the landing zone and measures it; its result is thrown away."""
        with tempfile.TemporaryDirectory(dir=self.root) as folder, process_tree.measured() as usage:
            subprocess.run([sys.executable, program, folder, *self.files("landing", LANDING_PREFIX)], check=True)
        return usage

    def find_new(self, batch: str) -> bool:
        """The first step of ingest_meter_readings: write the manifest of the files that are new, if there are any."""
        found = ledger.find_new_meter_files(
            self.s3, landing_bucket="landing", landing_prefix=LANDING_PREFIX, clean_bucket="clean", batch=batch
        )
        return found is not None

    def ingest(self, batch: str, grain: str = "month", spread_above_rows: int = NEVER_SPREAD) -> bool:
        """ingest_meter_readings and aggregate_consumption; False when nothing was new and so no job was started."""
        if not self.find_new(batch):
            return False
        spread = {"spread_above_rows": str(spread_above_rows)}
        manifest = f"s3://clean/_manifests/{batch}.json"
        self.run("raw_to_clean", batch=batch, manifest=manifest, transformer="london", **spread)
        self.run("clean_to_business", batch=batch, run=f"{batch}-1", grain=grain, **spread)
        summary = self._summary(batch, "clean_to_business")
        self._publish("daily", summary["partitions"], summary["run"])
        now = datetime.now(UTC)
        ledger.record(self.s3, clean_bucket="clean", summary=summary, merged_at=now, recorded_at=now)
        dates = ",".join(summary["dates"])
        self.run("aggregate_consumption", run=f"{batch}-1", dates=dates, intervals_per_hour="2", **spread)
        for table, said in self._summary(f"{batch}-1", "aggregate_consumption")["tables"].items():
            self._publish(table, said["partitions"], f"{batch}-1")
        return True

    def published(self, table: str) -> dict[tuple[str, ...], list[Path]]:
        """The files of each published partition."""
        places = catalog.locations(self.glue, DATABASE, table)
        return {
            values: self.files("business", location.removeprefix("s3://business/"))
            for values, location in places.items()
        }

    def _summary(self, name: str, script: str) -> dict[str, Any]:
        return json.loads((self.folder("clean") / "_summaries" / name / f"{script}.json").read_bytes())

    def _publish(self, table: str, partitions: list[dict[str, Any]], run: str) -> None:
        now = datetime.now(UTC)
        catalog.publish(
            self.glue,
            database=DATABASE,
            table=table,
            partitions=partitions,
            run=run,
            written_at=now,
            published_at=now,
        )

    def _job(self, script: str) -> str:
        """The script's job, made when it is first asked for, with the arguments that infra/glue.yaml gives it."""
        name = script.replace("/", "_")
        if name in self._jobs:
            return name
        prefix = "" if script.startswith("predecessor/") else "glue/"
        buckets = {f"--{zone}_bucket": zone for zone in ZONES}
        extra = {"--extra-py-files": f"s3://scripts/glue/{PACKAGE}.zip", "--database": DATABASE}
        with contextlib.suppress(self.glue.exceptions.AlreadyExistsException):
            self.glue.create_job(
                Name=name,
                Role="role",
                Command={"Name": "glueetl", "ScriptLocation": f"s3://scripts/{prefix}{script}.py"},
                DefaultArguments={**buckets, **extra},
                Timeout=RUN_SECONDS // 60,
            )
        self._jobs.add(name)
        return name


@contextlib.contextmanager
def opened(root: Path) -> Iterator[Lake]:
    """A lake below `root`: a new one, or the one that was left there."""
    control_port, s3_port = free_ports(2)
    settings = Settings(home=root / "home", control_port=control_port, s3_port=s3_port)
    is_new = not (root / "home" / "state.sqlite").exists()
    state, logs = State(settings.home / "state.sqlite"), LogStore(settings.home / "logs.sqlite")
    # The jobs of the stand-in take their boto3 settings from their own environment, the catalog's client from here.
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    with FolderStore(root / "buckets", s3_port) as store:
        s3 = _client("s3", settings.s3_url, settings)
        plane = ControlPlane(settings, state, glue_services(settings, state, s3, logs))
        server = serve(plane)
        plane.start()
        thread = threading.Thread(target=server.serve_forever, name="control plane", daemon=True)
        thread.start()
        try:
            lake = Lake(root, settings, store)
            if is_new:
                lake.set_up()
            yield lake
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            plane.stop()
            state.close()
            logs.close()


def spark_on_folders(buckets: Path) -> dict[str, str]:
    """Spark's options by which s3://<bucket>/ is the folder <buckets>/<bucket>/ of the local disk."""
    mounts = {
        f"spark.hadoop.fs.viewfs.mounttable.{zone}.link./{folder}": f"file://{buckets / zone / folder}"
        for zone, folder in PREDECESSORS_FOLDERS.items()
    }
    return {"spark.hadoop.fs.s3.impl": VIEW, **mounts}


def _client(service: str, url: str, settings: Settings) -> Any:
    return boto3.session.Session().client(
        service,
        endpoint_url=url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        region_name=settings.region,
        config=Config(
            retries={"total_max_attempts": 1, "mode": "standard"}, proxies={}, s3={"addressing_style": "path"}
        ),
    )


def _fields(schema: str) -> list[dict[str, str]]:
    return [dict(zip(("Name", "Type"), column.split(), strict=True)) for column in schema.split(", ")]
