"""The process of one job run: its folder, its start, its log and its end."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from local_aws import processes
from local_aws.glue import spark
from local_aws.glue.log_store import LogStore
from local_aws.glue.logged_file import LoggedFile
from local_aws.settings import Settings

LOG_GROUP = "/aws-glue/jobs"
# Arguments for Glue itself, which a script does not get.
GLUE_ARGUMENTS = (
    "--extra-py-files",
    "--extra-files",
    "--extra-jars",
    "--conf",
    "--additional-python-modules",
    "--python-modules-installer-option",
)
_DRIVER = Path(__file__).with_name("driver.py")


class LaunchError(Exception):
    """The run cannot begin; the message says why."""


class JobProcess:
    """The Python process of a run in .venv-glue, and Spark's JVM as its child if it asks for Spark, in one session."""

    def __init__(self, settings: Settings, s3: Any, logs: LogStore, run_id: str) -> None:
        self._settings = settings
        self._s3 = s3
        self._folder = run_folder(settings, run_id)
        self._outputs = [
            LoggedFile(self._folder / "stdout", logs, f"{LOG_GROUP}/output", run_id),
            LoggedFile(self._folder / "stderr", logs, f"{LOG_GROUP}/error", run_id),
        ]
        self._error_file = self._folder / "error"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, script: str, arguments: Mapping[str, str]) -> int:
        """Fetch script and modules, start; returns the process id. Raises LaunchError."""
        self._folder.mkdir(parents=True)
        for output in self._outputs:
            output.open()
        if arguments.get("--extra-jars"):
            raise LaunchError("--extra-jars is not served here")
        for uri in _listed(arguments, "--additional-python-modules"):
            self._require_wheel(uri)
        local_script = self._fetch(script, self._folder)
        for uri in _listed(arguments, "--extra-files"):
            self._fetch(uri, self._folder)
        command: list[str | Path] = [self._settings.glue_python, "-P", _DRIVER]
        command += [self._folder / "stderr", self._error_file, local_script]
        for name, value in arguments.items():
            if name not in GLUE_ARGUMENTS:
                command += [name, value]
        environment = self._environment(arguments)
        self._process = processes.start(command, environment, self._folder / "stdout", cwd=self._folder)
        return self._process.pid

    def wait(self, seconds: float) -> bool:
        """Wait so long for the end, passing on what was written; True when the process has ended."""
        assert self._process is not None, "start first"  # noqa: S101
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        finally:
            self._pass_on()
        return True

    def stop(self) -> None:
        """End the process and what it started, if they live."""
        if self._process is not None:
            processes.stop(self._process)

    def error(self) -> str | None:
        """The message of a run that failed, None when it succeeded."""
        code = self._process.returncode if self._process else None
        if code == 0:
            return None
        if self._error_file.exists():
            return self._error_file.read_text(encoding="utf-8") or "the script failed without a message"
        if code is not None and code < 0:
            return f"Command failed with exit code {128 - code} ({signal.Signals(-code).name})"
        return f"Command failed with exit code {code}"

    def close(self) -> None:
        """End what is left, pass on the last lines, remove the folder."""
        if self._process is not None:
            # Spark's JVM ends by itself after its parent; it removes its own files then.
            processes.stop(self._process, first=signal.SIGCONT)
        self._pass_on(last=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _environment(self, arguments: Mapping[str, str]) -> dict[str, str]:
        options = spark.options(self._settings, self._folder)
        try:
            options = spark.with_conf_argument(options, arguments.get("--conf", ""))
            properties = spark.write_configuration(options, self._folder)
            environment = spark.environment(self._settings, self._folder, properties)
        except ValueError as error:
            raise LaunchError(str(error)) from error
        modules = self._folder / "modules"
        modules.mkdir()
        files = [self._fetch(uri, modules) for uri in _listed(arguments, "--extra-py-files")]
        archives = [str(file) for file in files if file.suffix != ".py"]
        return environment | {"PYTHONPATH": ":".join([environment["PYTHONPATH"], str(modules), *archives])}

    def _require_wheel(self, uri: str) -> None:
        """Glue installs the wheel. Here `make set-up` has installed the module: it must be of the wheel's version."""
        place = urlsplit(uri)
        if place.scheme != "s3" or not place.path.endswith(".whl"):
            raise LaunchError(
                f"--additional-python-modules: {uri} is no wheel on S3; package indexes are not asked here"
            )
        try:
            self._s3.head_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
        except (ClientError, BotoCoreError) as error:
            raise LaunchError(f"{uri} cannot be read: {error}") from error
        name, version = Path(place.path).name.split("-")[:2]
        installed = self._settings.glue_environment.glob(f"lib/python3.*/site-packages/{name}-{version}.dist-info")
        if not any(installed):
            raise LaunchError(f"{name} {version} is not in {self._settings.glue_environment.name}: run make set-up")

    def _fetch(self, uri: str, folder: Path) -> Path:
        place = urlsplit(uri)
        target = folder / Path(place.path).name
        try:
            self._s3.download_file(place.netloc, place.path.lstrip("/"), str(target))
        except (ClientError, BotoCoreError) as error:
            raise LaunchError(f"{uri} cannot be read: {error}") from error
        return target

    def _pass_on(self, last: bool = False) -> None:
        for output in self._outputs:
            output.pass_on(last)


def run_folder(settings: Settings, run_id: str) -> Path:
    """Where a run keeps its files while it lasts; also the home of its processes."""
    return settings.home / "glue" / "runs" / run_id


def _listed(arguments: Mapping[str, str], name: str) -> list[str]:
    return [uri.strip() for uri in arguments.get(name, "").split(",") if uri.strip()]
