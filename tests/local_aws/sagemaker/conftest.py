"""A control plane of SageMaker whose container is the small fake one beside this file, over the session's S3."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local_aws.control_plane import ControlPlane, serve
from local_aws.engines.seaweedfs import SeaweedFS, s3_client
from local_aws.glue.log_store import LogStore
from local_aws.glue.log_streams import LogStreams
from local_aws.ports import free_ports
from local_aws.sagemaker.composition import sagemaker_services
from local_aws.sagemaker.container import Container
from local_aws.settings import Settings
from local_aws.state import State
from tests.local_aws.sagemaker import requests
from tests.local_aws.service_model import call, client_of

Call = Callable[..., dict[str, Any]]

FAKE = Container(
    repository="forecasting-deepar",
    tag="1",
    command=(sys.executable, "-I", "-S", "-u", Path(__file__).with_name("fake_container.py")),
    python_path=Path(__file__).parent,
    objectives=("test:RMSE",),
)


class Plane:
    """A control plane that can be stopped and started again with the same state."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def start(self) -> None:
        self._state = State(self.settings.home / "state.sqlite")
        logs = LogStore(self.settings.home / "logs.sqlite")
        services = sagemaker_services(
            self.settings, self._state, s3_client(self.settings), logs, container=FAKE, start_seconds=3
        )
        self.application = ControlPlane(
            self.settings, self._state, [LogStreams(logs, "arn:aws:logs:eu-west-1:123456789012"), *services]
        )
        self._server = serve(self.application)
        self.application.start()
        self._thread = threading.Thread(target=self._server.serve_forever, name="fake plane")
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.application.stop()
        self._state.close()


def new_plane(settings: Settings, home: Path) -> Plane:
    """Not yet started; with a home and a port of its own."""
    return Plane(replace(settings, home=home, control_port=free_ports(1)[0]))


@pytest.fixture(scope="session")
def fake_plane(settings: Settings, seaweedfs: SeaweedFS, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    plane = new_plane(settings, tmp_path_factory.mktemp("sagemaker"))
    plane.start()
    yield plane
    plane.stop()


@pytest.fixture
def sagemaker(fake_plane: Plane) -> Call:
    return partial(call, fake_plane.settings, "sagemaker")


@pytest.fixture
def logs(fake_plane: Plane) -> Call:
    return partial(call, fake_plane.settings, "logs")


@pytest.fixture
def runtime(fake_plane: Plane) -> Any:
    """A boto3 client of sagemaker-runtime."""
    return client_of(fake_plane.settings, "sagemaker-runtime")


@pytest.fixture(scope="session")
def data(seaweedfs: SeaweedFS) -> str:
    """A bucket with two channels, of two objects and of one."""
    name = f"ml-{uuid.uuid4().hex[:12]}"
    s3 = seaweedfs.client()
    s3.create_bucket(Bucket=name)
    for key in ("train/part-1.json", "train/part-2.json", "test/part-1.json"):
        s3.put_object(Bucket=name, Key=key, Body=b'{"start": "2026-01-01 00:00:00", "target": [1, 2]}\n')
    return name


@pytest.fixture
def train(sagemaker: Call, data: str) -> Callable[..., dict[str, Any]]:
    """Train to the end with hyperparameters; returns the job's description."""

    def to_the_end(**hyperparameters: str) -> dict[str, Any]:
        job = requests.training_job(data, hyperparameters)
        sagemaker("CreateTrainingJob", **job)
        return requests.ended_training(sagemaker, job["TrainingJobName"])

    return to_the_end


@pytest.fixture
def model(sagemaker: Call, data: str, seaweedfs: SeaweedFS) -> Callable[..., str]:
    """Create a model that says `label` in its answers; returns its name."""

    def create(label: str = "a", **environment: str) -> str:
        name = requests.new_name("model")
        key = f"models/{name}/model.tar.gz"
        seaweedfs.client().put_object(Bucket=data, Key=key, Body=requests.archive({"parameters": {"label": label}}))
        sagemaker("CreateModel", **requests.model(name, f"s3://{data}/{key}", environment))
        return name

    return create


@pytest.fixture
def config(sagemaker: Call, model: Callable[..., str]) -> Callable[..., str]:
    """Create a model and an endpoint config for it; returns the config's name."""

    def create(label: str = "a", **environment: str) -> str:
        name = requests.new_name("config")
        sagemaker("CreateEndpointConfig", **requests.endpoint_config(name, model(label, **environment)))
        return name

    return create


@pytest.fixture
def endpoint(sagemaker: Call, config: Callable[..., str]) -> Iterator[Callable[..., str]]:
    """Create an endpoint in service; returns its name. Deleted after the test."""
    names = []

    def create(label: str = "a", **environment: str) -> str:
        name = requests.new_name("endpoint")
        sagemaker("CreateEndpoint", EndpointName=name, EndpointConfigName=config(label, **environment))
        names.append(name)
        described = requests.settled_endpoint(sagemaker, name)
        assert described["EndpointStatus"] == "InService", described
        return name

    yield create
    for name in names:
        requests.settled_endpoint(sagemaker, name)
        sagemaker("DeleteEndpoint", EndpointName=name)
