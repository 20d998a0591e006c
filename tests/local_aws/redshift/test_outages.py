"""Without PostgreSQL, and after a restart: statements end with a reason, the API stays."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local_aws.control_plane import operations
from local_aws.ports import free_ports
from local_aws.redshift import redshift_services
from local_aws.redshift.results import Results
from local_aws.redshift.statement_store import KIND
from local_aws.service import ServiceError
from local_aws.settings import Settings
from local_aws.state import State
from tests.local_aws.redshift.conftest import Warehouse

if TYPE_CHECKING:
    from local_aws.engines.postgres import Postgres


class DataApi:
    """The services of a second stack, called without HTTP."""

    def __init__(self, settings: Settings) -> None:
        self.state = State(settings.home / "state.sqlite")
        self.services = redshift_services(settings, self.state)
        self.operations = {name: method for (_, name), method in operations(self.services).items()}

    def start(self) -> None:
        for service in self.services:
            service.on_start()

    def stop(self) -> None:
        for service in self.services:
            service.on_stop()
        self.state.close()

    def __call__(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.operations[operation](request)


@pytest.fixture
def stack(settings: Settings, tmp_path: Path, postgres: Postgres, warehouse: Warehouse) -> Iterator[DataApi]:
    """A stack whose PostgreSQL does not run; clusters and secrets are those of the session's control plane."""
    (tmp_path / "postgres").mkdir()
    shutil.copy(postgres.folder / "password", tmp_path / "postgres" / "password")
    api = DataApi(dataclasses.replace(settings, home=tmp_path, postgres_port=free_ports(1)[0]))
    api.start()
    yield api
    api.stop()


def test_a_statement_fails_when_postgresql_is_down_and_the_api_stays(stack: DataApi, warehouse: Warehouse) -> None:
    statement_id = stack("ExecuteStatement", Sql="SELECT 1", **warehouse.login)["Id"]
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    while stack("DescribeStatement", Id=statement_id)["Status"] not in ("FAILED", "FINISHED"):
        assert datetime.now(UTC) < deadline

    described = stack("DescribeStatement", Id=statement_id)

    assert described["Status"] == "FAILED"
    assert "Connection refused" in described["Error"]
    with pytest.raises(ServiceError, match="Connection refused") as refusal:
        stack("ListTables", **warehouse.login)
    assert refusal.value.code == "DatabaseConnectionException"


def record(statement_id: str, status: str, created: datetime) -> dict[str, Any]:
    part = {"Status": status, "Duration": -1, "HasResultSet": status == "FINISHED", "ResultRows": 1, "ResultSize": 9}
    return {
        "Id": statement_id,
        "Sqls": ["SELECT 1"],
        "IsBatch": False,
        "Status": status,
        "CreatedAt": created,
        "UpdatedAt": created,
        "Database": "meter-data",
        "SubStatements": [part],
    }


def test_after_a_restart_results_are_there_and_what_ran_has_failed(settings: Settings, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    own = dataclasses.replace(settings, home=tmp_path)
    api = DataApi(own)
    Results(tmp_path / "redshift" / "results").write("done:1", [], [(7,)])
    for statement_id, status in (("done", "FINISHED"), ("running", "STARTED"), ("waiting", "SUBMITTED")):
        api.state.put(KIND, statement_id, record(statement_id, status, now))
    api.state.put(KIND, "old", record("old", "FINISHED", now - timedelta(hours=25)))

    api.start()

    assert api("GetStatementResult", Id="done")["Records"] == [[{"longValue": 7}]]
    for statement_id in ("running", "waiting"):
        described = api("DescribeStatement", Id=statement_id)
        assert (described["Status"], described["Error"]) == (
            "FAILED",
            "ERROR: local_aws was stopped while the statement ran",
        )
    with pytest.raises(ServiceError, match="Query does not exist"):
        api("DescribeStatement", Id="old")
    api.stop()


def test_a_result_above_the_limit_fails(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, warehouse: Warehouse
) -> None:
    monkeypatch.setattr("local_aws.redshift.results.LARGEST_RESULT_BYTES", 1_000_000)

    described = warehouse.finish(warehouse.start("SELECT repeat('x', 1000000)"))

    assert described["Status"] == "FAILED"
    assert described["Error"] == "ERROR: The result is larger than the limit of 1 MB"
