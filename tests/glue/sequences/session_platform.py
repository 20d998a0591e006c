"""Buckets as folders, a Glue catalog and boto3 clients: here the scripts' own main() runs in this process."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import clean_to_business
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as parquet
import raw_to_clean
from botocore.config import Config
from meter_data.lake import store as lake_store
from meter_data.lake.store import Store
from metering import aggregation, catalog, clients, ingestion

from benchmarks.load.folder_store import FolderStore
from benchmarks.load.lake import PARQUET
from local_aws.control_plane import ControlPlane, serve
from local_aws.glue.databases import GlueDatabases
from local_aws.glue.partitions import GluePartitions
from local_aws.glue.tables import GlueTables
from local_aws.ports import free_ports
from local_aws.settings import Settings
from local_aws.state import State
from tests.glue.job_runs.job_platform import TABLES, fields
from tests.glue.sequences.clock import Clock
from tests.glue.sequences.kills import Killer

LANDING, CLEAN, BUSINESS = "sequence-landing", "sequence-clean", "sequence-business"
# So little that the files and months of a sequence are several items of work.
PART_BYTES, MOST_ROWS = 150, 4
TABLES_OF_SEQUENCES = ("daily", "aggregated_daily", "aggregated_weekly", "aggregated_monthly", "completeness")


class FolderBuckets(FolderStore):
    """As S3 does it, the ETag is the content's, and LastModified the time of the sequence."""

    def __init__(self, root: Path, port: int, clock: Clock) -> None:
        super().__init__(root, port)
        self._clock = clock

    def etag(self, path: Path) -> str:
        return f'"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}"'

    def stored(self, path: Path) -> None:
        seconds = self._clock.tick().timestamp()
        os.utime(path, (seconds, seconds))


class Platform:
    """Made by `opened`."""

    def __init__(self, root: Path, settings: Settings, clock: Clock) -> None:
        self.root, self.clock = root, clock
        self.killer = Killer(self.folder_of)
        self.database = ""
        # For the tests themselves: these are not killed.
        self.s3, self.glue = _client("s3", settings.s3_url, settings), _client("glue", settings.control_url, settings)
        # For the scripts and the steps.
        self._clients = {
            "s3": _client("s3", settings.s3_url, settings),
            "glue": _client("glue", settings.control_url, settings),
        }
        for client in self._clients.values():
            self.killer.watch(client)
        self._databases = 0

    def empty(self) -> None:
        """Nothing was ever delivered: empty buckets, tables without partitions."""
        for bucket in (LANDING, CLEAN, BUSINESS):
            shutil.rmtree(self.root / bucket, ignore_errors=True)
            (self.root / bucket).mkdir(parents=True)
        self._databases += 1
        self.database = f"metering_{self._databases}"
        self.glue.create_database(DatabaseInput={"Name": self.database})
        for name in TABLES_OF_SEQUENCES:
            columns, keys = TABLES[name]
            place = {"Columns": fields(columns), "Location": f"s3://{BUSINESS}/{name}/", **PARQUET}
            table = {"Name": name, "StorageDescriptor": place, "PartitionKeys": fields(keys)}
            given = {**table, "Parameters": {"classification": "parquet"}}
            self.glue.create_table(DatabaseName=self.database, TableInput=given)

    def client(self, service: str, **_: Any) -> Any:
        """What boto3.client gives to scripts and steps."""
        return self._clients[service]

    def deliver(self, key: str, content: bytes) -> None:
        """Put a file into the landing zone as it is now."""
        path = self.root / LANDING / key
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        seconds = self.clock.now().timestamp()
        os.utime(path, (seconds, seconds))

    def run_script(self, script: str, **arguments: str) -> None:
        """A script's main() with these arguments and those of the deployment."""
        given = {
            "clean_bucket": CLEAN,
            "business_bucket": BUSINESS,
            "database": self.database,
            "intervals_per_hour": "2",
            "spread_above_rows": "100000000",
            **arguments,
        }
        words = [word for name, value in given.items() for word in (f"--{name}", value)]
        with patch.object(sys, "argv", [script, *words]):
            importlib.import_module(script).main()

    def connect(self) -> Store:
        """What meter_data.lake.store.connect gives to scripts: Arrow reads the folders, boto3 writes to the server."""
        files = pa.fs.SubTreeFileSystem(str(self.root), pa.fs.LocalFileSystem())
        return Store(files, self.client("s3"))

    def folder_of(self, uri: str) -> Path:
        return self.root / uri.removeprefix("s3://")

    def published(self, table: str) -> list[dict[str, Any]]:
        """The rows of all published partitions, each with its partition's values as `partition`."""
        found = []
        for values, location in catalog.locations(self.glue, self.database, table).items():
            files = [path for path in self.folder_of(location).iterdir() if path.suffix == ".parquet"]
            for path in files:
                rows = parquet.ParquetFile(path).read().to_pylist()
                found += [{**row, "partition": values} for row in rows]
        return found


@contextlib.contextmanager
def opened(root: Path, clock: Clock) -> Iterator[Platform]:
    """A platform below `root`, and the scripts and steps of this process working on it."""
    control_port, s3_port = free_ports(2)
    settings = Settings(home=root / "home", control_port=control_port, s3_port=s3_port)
    state = State(settings.home / "state.sqlite")
    with FolderBuckets(root / "buckets", s3_port, clock), contextlib.closing(state):
        arn = f"arn:aws:iam::{settings.account_id}:root"
        services = [
            GlueDatabases(state, settings.account_id),
            GlueTables(state, settings.account_id, creator=arn),
            GluePartitions(state, settings.account_id),
        ]
        server = serve(ControlPlane(settings, state, services))
        thread = threading.Thread(target=server.serve_forever, name="catalog", daemon=True)
        thread.start()
        try:
            platform = Platform(root / "buckets", settings, clock)
            with _installed(platform):
                yield platform
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@contextlib.contextmanager
def _installed(platform: Platform) -> Iterator[None]:
    """The platform's clients, clock and killer where scripts and steps look for theirs."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.object(boto3, "client", platform.client))
        stack.enter_context(patch.object(lake_store, "connect", platform.connect))
        stack.enter_context(patch.object(clients, "s3", lambda: platform.client("s3")))
        stack.enter_context(patch.object(clients, "glue", lambda: platform.client("glue")))
        stack.enter_context(patch.object(ingestion, "datetime", platform.clock))
        stack.enter_context(patch.object(aggregation, "datetime", platform.clock))
        stack.enter_context(patch.object(raw_to_clean.cleaning, "PART_BYTES", PART_BYTES))
        stack.enter_context(patch.object(clean_to_business.business_partitions, "MOST_ROWS", MOST_ROWS))
        yield


@cache
def _config() -> Config:
    return Config(retries={"total_max_attempts": 1, "mode": "standard"}, proxies={}, s3={"addressing_style": "path"})


def _client(service: str, url: str, settings: Settings) -> Any:
    return boto3.session.Session().client(
        service,
        endpoint_url=url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        region_name=settings.region,
        config=_config(),
    )
