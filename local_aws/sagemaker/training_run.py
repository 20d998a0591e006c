"""One training: its folder (SageMaker's /opt/ml), its process, its artefact and its metrics."""

from __future__ import annotations

import json
import math
import shutil
import signal
import subprocess
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_aws import processes
from local_aws.glue.logged_file import LoggedFile
from local_aws.sagemaker.backend import Backend
from local_aws.sagemaker.storage import S3Object, StorageError
from local_aws.state import Document

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
# SageMaker gives a container two minutes between SIGTERM and SIGKILL; one that saves its best weights needs seconds.
GRACE_SECONDS = 30


class TrainingError(Exception):
    """The training cannot begin or failed; the message is a FailureReason."""


class TrainingRun:
    """Prepare, start, wait or stop, then upload what there is, and close."""

    def __init__(self, backend: Backend, job: Document) -> None:
        self._storage = backend.storage
        self._container = backend.container
        self._job = job
        name = job["TrainingJobName"]
        self._folder = backend.home / "training" / name
        epoch = int(datetime.now(UTC).timestamp())
        self._log = LoggedFile(self._folder / "log", backend.logs, LOG_GROUP, f"{name}/algo-1-{epoch}")
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Hyperparameters and channels. Raises TrainingError."""
        problem = self._container.problem(self._job["AlgorithmSpecification"]["TrainingImage"])
        if problem:
            raise TrainingError(f"ClientError: Cannot pull the training image: {problem}")
        shutil.rmtree(self._folder, ignore_errors=True)
        for part in ("input/config", "input/data", "model", "output/data"):
            (self._folder / part).mkdir(parents=True)
        config = self._folder / "input" / "config"
        (config / "hyperparameters.json").write_text(json.dumps(self._job.get("HyperParameters", {})))
        for channel in self._job.get("InputDataConfig", []):
            self._download(channel)

    def start(self) -> int:
        """Returns the process id."""
        self._log.open()
        self._process = self._container.train(self._folder, self._job.get("Environment", {}), self._folder / "log")
        return self._process.pid

    def wait(self, seconds: float) -> bool:
        """Wait so long for the end, passing on what was written; True when the process has ended."""
        assert self._process is not None, "start first"  # noqa: S101
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        finally:
            self._log.pass_on()
        return True

    def stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process, timeout=GRACE_SECONDS)

    def require_success(self) -> None:
        """Raises TrainingError with what the container wrote, when it failed."""
        assert self._process is not None, "start first"  # noqa: S101
        code = self._process.returncode
        if code == 0:
            return
        written = self._folder / "output" / "failure"
        text = written.read_text(errors="replace").strip() if written.exists() else ""
        if text:
            raise TrainingError(text)
        ending = signal.Signals(-code).name if code < 0 else f"exit code: {code}"
        raise TrainingError(f"AlgorithmError: the container wrote no reason, {ending}")

    def has_model(self) -> bool:
        return any(file.is_file() for file in (self._folder / "model").rglob("*"))

    def upload(self) -> None:
        """The folder model as model.tar.gz. Raises TrainingError."""
        archive = self._folder / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as target:
            for entry in sorted((self._folder / "model").iterdir()):
                target.add(entry, arcname=entry.name)
        try:
            self._storage.upload(archive, self._job["ModelArtifacts"]["S3ModelArtifacts"])
        except StorageError as error:
            raise TrainingError(f"ClientError: Artifact upload failed: {error}") from error

    def final_metrics(self) -> list[Document]:
        """The last value of each metric that the container wrote, in the order of their first appearance."""
        file = self._folder / "output" / "metrics.jsonl"
        if not file.exists():
            return []
        last: dict[str, Document] = {}
        for line in file.read_text().splitlines():
            metric = _metric(line)
            if metric:
                last[metric["MetricName"]] = metric
        return list(last.values())

    def close(self) -> None:
        """End what is left, pass on the last lines, remove the folder."""
        if self._process is not None:
            processes.stop(self._process, timeout=1)
        self._log.pass_on(last=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _download(self, channel: Document) -> None:
        name = channel["ChannelName"]
        source = channel["DataSource"]["S3DataSource"]
        folder = self._folder / "input" / "data" / name
        folder.mkdir()
        try:
            for found in self._objects(source):
                self._storage.download(found, folder)
        except StorageError as error:
            raise TrainingError(f"ClientError: Data download failed: channel {name}: {error}") from error

    def _objects(self, source: Document) -> list[S3Object]:
        uri = source["S3Uri"]
        if source["S3DataType"] == "ManifestFile":
            return self._storage.of_manifest(uri)
        found = self._storage.under_prefix(uri)
        if not found:
            raise StorageError(
                f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket'
                " exists in the selected region and that objects exist under that S3 prefix"
            )
        return found


def _metric(line: str) -> Document | None:
    """A line of the metrics file; None for one that is not yet whole, or whose value is no number (a diverged loss)."""
    try:
        written: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return None
    value = written["value"]
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return {"MetricName": written["name"], "Value": float(value), "Timestamp": _time(written["time"])}


def _time(written: str | float) -> datetime:
    """ISO text, or seconds since 1970."""
    if isinstance(written, str):
        return datetime.fromisoformat(written)
    return datetime.fromtimestamp(written, UTC)


def folders(home: Path) -> Path:
    """Where all trainings keep their files."""
    return home / "training"
