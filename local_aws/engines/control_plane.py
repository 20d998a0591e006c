"""The control plane (local_aws/control_plane.py) as a daemon: all AWS services but S3, and the REST API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import ClassVar
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from local_aws import processes
from local_aws.control_plane import HEALTH
from local_aws.engines.daemon import Daemon
from local_aws.engines.progress import WaitReport
from local_aws.settings import PREFIX, REPOSITORY


class ControlPlaneDaemon(Daemon):
    """State in <home>/state.sqlite. Job processes are its children and die with it."""

    name = "control_plane"
    port_settings: ClassVar[tuple[str, ...]] = ("control_port", "api_port")
    stop_timeout = 20

    @property
    def url(self) -> str:
        return self.settings.control_url

    def launch(self, die_with_parent: bool, report: WaitReport | None = None) -> subprocess.Popen[bytes]:
        environment = {**_inherited(), **self.settings.environment(), **self.mark(), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "local_aws.control_plane"]
        return processes.start(command, environment, self.log_path, die_with_parent, cwd=REPOSITORY)

    def ready(self) -> bool:
        """It answers, and it is the process that was started here."""
        process = self.process()
        try:
            with build_opener(ProxyHandler({})).open(f"{self.url}{HEALTH}", timeout=5) as answer:
                return process is not None and json.load(answer)["pid"] == process.pid
        except (URLError, OSError, json.JSONDecodeError):
            return False


def _inherited() -> dict[str, str]:
    ours = (PREFIX, "AWS_", "MOTO_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
