"""What all operations of SageMaker work with, and where they keep their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from local_aws.glue.log_store import LogStore
from local_aws.sagemaker.container import Container
from local_aws.sagemaker.names import arn
from local_aws.sagemaker.storage import Storage
from local_aws.settings import Settings
from local_aws.state import State


@dataclass(frozen=True)
class Backend:
    settings: Settings
    state: State
    storage: Storage
    logs: LogStore
    container: Container

    @property
    def home(self) -> Path:
        return self.settings.home / "sagemaker"

    def arn(self, resource: str, name: str) -> str:
        return arn(self.settings, resource, name)
