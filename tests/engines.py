"""Session fixtures: the real engines of local_aws on free ports, their state in a temporary folder.

    settings        Settings of this test session (ports, folder, keys)
    postgres        the running PostgreSQL (local_aws.engines.postgres.Postgres): .dsn(database)
    seaweedfs       the running S3 (local_aws.engines.seaweedfs.SeaweedFS): .client()
    control_plane   the control plane in a thread of this process, with both engines behind it
    aws             aws("glue") is a boto3 client that speaks to the control plane, aws("s3") one for S3
    bucket          the name of a new, empty bucket

An engine starts when the first test asks for it and ends with the session, however that ends. Nothing is imported from
the engines' environment before a fixture is used.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_aws.control_plane import ControlPlane
    from local_aws.engines.postgres import Postgres
    from local_aws.engines.seaweedfs import SeaweedFS
    from local_aws.settings import Settings

PORTS = ("control_port", "s3_port", "postgres_port", "api_port", "airflow_port")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    from local_aws.ports import free_ports
    from local_aws.settings import Settings

    chosen = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    return Settings(home=tmp_path_factory.mktemp("local_aws"), poll_seconds=1, **chosen)


@pytest.fixture(scope="session")
def postgres(settings: Settings) -> Iterator[Postgres]:
    from local_aws.engines.postgres import Postgres

    engine = Postgres(settings)
    engine.start(die_with_parent=True)
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def seaweedfs(settings: Settings) -> Iterator[SeaweedFS]:
    from local_aws.engines.seaweedfs import SeaweedFS

    engine = SeaweedFS(settings)
    engine.start(die_with_parent=True)
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def control_plane(settings: Settings, postgres: Postgres, seaweedfs: SeaweedFS) -> Iterator[ControlPlane]:
    from local_aws.control_plane import ControlPlane, serve
    from local_aws.services import build_services
    from local_aws.state import State

    state = State(settings.home / "state.sqlite")
    application = ControlPlane(settings, state, build_services(settings, state))
    server = serve(application)
    application.start()
    thread = threading.Thread(target=server.serve_forever, name="control plane")
    thread.start()
    yield application
    server.shutdown()
    thread.join()
    server.server_close()
    application.stop()
    state.close()


@pytest.fixture(scope="session")
def aws(settings: Settings, request: pytest.FixtureRequest) -> Callable[[str], Any]:
    """A factory of boto3 clients; asking for one starts the engines that it needs."""
    import boto3
    from botocore.config import Config

    @cache
    def client(service: str) -> Any:
        if service == "s3":
            return request.getfixturevalue("seaweedfs").client()
        request.getfixturevalue("control_plane")
        return boto3.session.Session().client(
            service,
            endpoint_url=settings.control_url,
            aws_access_key_id=settings.access_key,
            aws_secret_access_key=settings.secret_key,
            region_name=settings.region,
            config=Config(retries={"total_max_attempts": 1, "mode": "standard"}, proxies={}),
        )

    return client


@pytest.fixture
def bucket(aws: Callable[[str], Any]) -> str:
    name = f"test-{uuid.uuid4().hex[:12]}"
    aws("s3").create_bucket(Bucket=name)
    return name
