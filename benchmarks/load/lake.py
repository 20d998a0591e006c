"""Buckets as folders of this machine, the stand-in's Glue catalog and job runs on them, and what a job run costs.

Jobs are started by StartJobRun and run as on `make up`, by the same process, options and Java flags. Their s3:// is a
view of Hadoop's on folders (SPARK_ON_FOLDERS), for both sides of a benchmark: the same local disk, no S3 server.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from metering import catalog, ledger
from transformers.zones import schemas

from benchmarks.load import REPOSITORY, folder_store, process_tree
from benchmarks.load.folder_store import FolderStore
from benchmarks.load.process_tree import Usage
from local_aws.control_plane import ControlPlane, serve
from local_aws.glue.composition import glue_services
from local_aws.glue.log_store import LogStore
from local_aws.infrastructure.artefacts import glue_artefacts
from local_aws.ports import free_ports
from local_aws.settings import Settings
from local_aws.state import State

ZONES = ("landing", "clean", "business", "scripts")
# Where Spark reads and writes: each is mounted by itself, as Hadoop mounts no whole bucket on a local disk.
SPARKS_FOLDERS = {
    "landing": ("readings",),
    "clean": ("clean", "quarantine", "tallies", "predecessor"),
    "business": ("daily", "aggregated_daily", "aggregated_weekly", "aggregated_monthly", "completeness", "predecessor"),
}
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
TABLES = {
    "daily": (schemas.BUSINESS, "reading_type string, month string"),
    "aggregated_daily": (schemas.AGGREGATED_DAILY, "month string"),
    "aggregated_weekly": (schemas.AGGREGATED_WEEKLY, "iso_year int"),
    "aggregated_monthly": (schemas.AGGREGATED_MONTHLY, "year int"),
    "completeness": (schemas.COMPLETENESS, "month string"),
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
            for name in SPARKS_FOLDERS.get(zone, ("",)):
                (self.folder(zone) / name).mkdir(parents=True, exist_ok=True)
        for key, content in glue_artefacts(REPOSITORY).items():
            self.s3.put_object(Bucket="scripts", Key=key, Body=content)
        for script in PREDECESSOR.glob("*.py"):
            self.s3.put_object(Bucket="scripts", Key=f"predecessor/{script.name}", Body=script.read_bytes())
        self.glue.create_database(DatabaseInput={"Name": DATABASE})
        for name, (columns, keys) in TABLES.items():
            place = {"Columns": _fields(columns), "Location": f"s3://business/{name}/", **PARQUET}
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
        """Run a script's job to its end and measure it. Raises JobFailedError."""
        given = {f"--{name}": value for name, value in arguments.items()}
        given["--conf"] = " --conf ".join(
            f"{name}={value}" for name, value in {**spark_on_folders(self.root / "buckets"), **(conf or {})}.items()
        )
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

    def find_new(self, batch: str) -> bool:
        """The first step of ingest_meter_readings: write the manifest of the files that are new, if there are any."""
        found = ledger.find_new_meter_files(
            self.s3, landing_bucket="landing", landing_prefix=LANDING_PREFIX, clean_bucket="clean", batch=batch
        )
        return found is not None

    def ingest(self, batch: str, grain: str = "month") -> bool:
        """ingest_meter_readings and aggregate_consumption; False when nothing was new and so no job was started."""
        if not self.find_new(batch):
            return False
        self.run("raw_to_clean", batch=batch, manifest=f"s3://clean/_manifests/{batch}.json", transformer="london")
        self.run("clean_to_business", batch=batch, run=f"{batch}-1", grain=grain)
        summary = self._summary(batch, "clean_to_business")
        self._publish("daily", summary["partitions"], summary["run"])
        ledger.record(self.s3, clean_bucket="clean", summary=summary, recorded_at=datetime.now(UTC))
        self.run("aggregate_consumption", run=f"{batch}-1", dates=",".join(summary["dates"]), intervals_per_hour="2")
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
        extra = {"--extra-py-files": "s3://scripts/glue/transformers.zip", "--database": DATABASE}
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
        for zone, folders in SPARKS_FOLDERS.items()
        for folder in folders
    }
    return {"spark.hadoop.fs.s3.impl": VIEW, **mounts}


def java_flags() -> str:
    """Java's flags of every job run here, without what names a folder."""
    from local_aws.glue import spark

    return spark.JAVA_OPTIONS


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
