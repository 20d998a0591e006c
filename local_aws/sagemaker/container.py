"""The program inside an algorithm's image, run as a process with a folder in the place of /opt/ml.

<command> train --folder F            reads F/input, writes F/model, F/output; ends with the training
<command> serve --folder F --port P   serves the model in F/model on 127.0.0.1:P: GET /ping, POST /invocations
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_aws import processes
from local_aws.settings import Settings

_REPOSITORY = re.compile(r"[^/]+/(?P<repository>[^:@]+):(?P<tag>[\w.-]+)")


@dataclass(frozen=True)
class Container:
    """One algorithm: the images that hold it, how it starts, and the metrics by which it can be tuned."""

    repository: str
    tag: str
    command: Sequence[object]
    # Where the command's modules are imported from.
    python_path: Path
    objectives: Sequence[str]

    def problem(self, image: str) -> str | None:
        """Why this is not the algorithm's image; None when it is."""
        match = _REPOSITORY.fullmatch(image)
        if match and (match["repository"], match["tag"]) == (self.repository, self.tag):
            return None
        return f"local_aws runs the image {self.repository}:{self.tag} of any registry, not {image}"

    def train(self, folder: Path, environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        command = [*self.command, "train", "--folder", folder]
        return processes.start(command, self._environment(folder, environment), log, cwd=folder)

    def serve(self, folder: Path, port: int, environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
        command = [*self.command, "serve", "--folder", folder, "--port", port]
        return processes.start(command, self._environment(folder, environment), log, cwd=folder)

    def _environment(self, folder: Path, given: Mapping[str, str]) -> dict[str, str]:
        """Nothing of the control plane's own environment but PATH: a container does not see its host's."""
        own = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": str(folder)}
        return {**own, **given, "PYTHONPATH": str(self.python_path), "PYTHONUNBUFFERED": "1"}


def deepar(settings: Settings) -> Container:
    """The built-in algorithm forecasting-deepar. Its objectives are those of the documentation's page on tuning it."""
    return Container(
        repository="forecasting-deepar",
        tag="1",
        command=(sys.executable, "-P", "-m", "local_aws.sagemaker.deepar"),
        python_path=settings.repository,
        objectives=("test:RMSE", "test:mean_wQuantileLoss", "train:final_loss"),
    )
