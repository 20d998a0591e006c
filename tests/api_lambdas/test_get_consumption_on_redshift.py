"""The handler's SQL on the warehouse's real tables: rows in, answers out, through the Redshift Data API."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from api_lambdas.get_consumption import handler as lambda_function
from tests.api_lambdas.conftest import Context

if TYPE_CHECKING:
    from local_aws.engines.postgres import Postgres
    from local_aws.settings import Settings

TABLES = Path(__file__).resolve().parents[2] / "include" / "sql" / "redshift"
CLUSTER, DATABASE, USER, PASSWORD = "consumption-tests", "consumption-tests", "consumption_tests", "Abcdef12"
ROWS = {
    "aggregated_daily": [
        "('MAC1', 2013, '20131230', 2.5, 48), ('MAC1', 2013, '20130221', 5.316, 48)",
        "('MAC1', 2013, '20130101', 0.1, 2), ('MAC1', 2014, '20140101', 1.25, 48)",
        "('MAC2', 2013, '20130221', 9.9, 48)",
    ],
    "aggregated_weekly": [
        "('MAC1', 2013, '20130218', 8, 5.316, 48), ('MAC1', 2013, '20121231', 1, 0.1, 2)",
        "('MAC1', 2014, '20131230', 1, 3.75, 96), ('MAC2', 2013, '20130218', 8, 9.9, 48)",
    ],
    "aggregated_monthly": [
        "('MAC1', 2013, '20131201', 12, 2.5, 48), ('MAC1', 2013, '20130201', 2, 5.316, 48)",
        "('MAC1', 2013, '20130101', 1, 0.1, 2), ('MAC1', 2014, '20140101', 1, 1.25, 48)",
        "('MAC2', 2013, '20130201', 2, 9.9, 48)",
    ],
}

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def secret_arn(aws: Callable[[str], Any], postgres: Postgres) -> str:
    """A cluster with the tables of the warehouse and the rows above; the secret of its user."""
    secret = aws("secretsmanager").create_secret(
        Name="consumption-tests", SecretString=json.dumps({"username": USER, "password": PASSWORD})
    )
    postgres.ensure_role(USER, PASSWORD)
    postgres.ensure_database(DATABASE, owner=USER)
    aws("redshift").create_cluster(
        ClusterIdentifier=CLUSTER,
        NodeType="ra3.xlplus",
        ClusterType="single-node",
        DBName=DATABASE,
        MasterUsername=USER,
    )
    statements = [(TABLES / f"create_{table}.sql").read_text() for table in ROWS]
    statements += [f"INSERT INTO {table} VALUES {rows}" for table, batches in ROWS.items() for rows in batches]
    client = aws("redshift-data")
    arn = secret["ARN"]
    batch = client.batch_execute_statement(
        ClusterIdentifier=CLUSTER, Database=DATABASE, SecretArn=arn, Sqls=statements
    )["Id"]
    deadline = time.monotonic() + 60
    while (state := client.describe_statement(Id=batch))["Status"] not in ("FINISHED", "FAILED", "ABORTED"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert state["Status"] == "FINISHED", state.get("Error")
    return arn


@pytest.fixture
def ask(
    secret_arn: str, settings: Settings, environment: Callable[..., None], event: Callable[..., dict[str, Any]]
) -> Ask:
    environment(
        **settings.aws_environment(),
        CLUSTER_IDENTIFIER=CLUSTER,
        DATABASE=DATABASE,
        SECRET_ARN=secret_arn,
        QUERY_TIMEOUT_SECONDS="20",
        NO_PROXY="127.0.0.1",
    )

    def answer(aggregation: str, year: str, meter_id: str) -> tuple[int, Any]:
        asked = event(aggregation=aggregation, year=year, meter_id=meter_id)
        found = lambda_function.handler(asked, Context())
        return found["statusCode"], json.loads(found["body"])

    return answer


def reason(caplog: pytest.LogCaptureFixture) -> str:
    (record,) = [record for record in caplog.records if record.name == lambda_function.__name__]
    return record.reason  # type: ignore[attr-defined]


def test_days_come_in_the_order_of_time(ask: Ask) -> None:
    assert ask("daily", "2013", "MAC1") == (
        200,
        [["MAC1", "20130101", 0.1], ["MAC1", "20130221", 5.316], ["MAC1", "20131230", 2.5]],
    )


def test_weeks_are_those_of_the_iso_year(ask: Ask) -> None:
    assert ask("weekly", "2013", "MAC1") == (200, [["MAC1", 2013, 1, 0.1], ["MAC1", 2013, 8, 5.316]])
    assert ask("weekly", "2014", "MAC1") == (200, [["MAC1", 2014, 1, 3.75]])


def test_december_follows_february(ask: Ask) -> None:
    assert ask("monthly", "2013", "MAC1") == (
        200,
        [["MAC1", 2013, 1, 0.1], ["MAC1", 2013, 2, 5.316], ["MAC1", 2013, 12, 2.5]],
    )


@pytest.mark.parametrize("aggregation", ["daily", "weekly", "monthly"])
def test_a_known_meter_without_data_in_that_year_has_an_empty_answer(ask: Ask, aggregation: str) -> None:
    assert ask(aggregation, "2014", "MAC2") == (200, [])


@pytest.mark.parametrize("aggregation", ["daily", "weekly", "monthly"])
@pytest.mark.parametrize("meter_id", ["MAC3", "mac1", "MAC"])
def test_an_unknown_meter_is_not_found(ask: Ask, aggregation: str, meter_id: str) -> None:
    status, body = ask(aggregation, "2013", meter_id)

    assert (status, body["parameter"]) == (404, "meter_id")


@pytest.mark.parametrize(
    "meter_id", ["MAC1' OR '1'='1", "MAC1'; DROP TABLE aggregated_daily; --", "MAC1' UNION SELECT 'a','b',1 --", "MAC%"]
)
def test_sql_in_a_parameter_is_refused_and_harms_nothing(ask: Ask, meter_id: str) -> None:
    assert ask("daily", "2013", meter_id)[0] == 400
    assert len(ask("daily", "2013", "MAC1")[1]) == 3


@pytest.mark.parametrize("meter_id", ["MAC1' OR '1'='1", "MAC1'; DROP TABLE aggregated_daily; --", ":year", "MAC%"])
def test_sql_in_a_value_is_only_a_value(ask: Ask, meter_id: str) -> None:
    """Even where validation were missing: the warehouse takes the value as the id of a meter that nobody knows."""
    ask("daily", "2013", "MAC1")
    bound = {"meter_id": meter_id, "year": "2013"}
    settings = lambda_function.Settings.from_environment()

    for sql in lambda_function.QUERIES.values():
        assert lambda_function.run_query(sql, bound, settings, time.monotonic() + 20) == []


def test_a_warehouse_that_lost_its_tables_is_unavailable(
    ask: Ask, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    postgres.ensure_database("without-tables", owner=USER)
    monkeypatch.setenv("DATABASE", "without-tables")

    assert ask("daily", "2013", "MAC1") == (503, {"message": "the warehouse does not answer at the moment"})
    assert "does not exist" in reason(caplog)


@pytest.fixture
def down(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """A control plane in front of a PostgreSQL that does not run."""
    from local_aws.control_plane import ControlPlane, serve
    from local_aws.ports import free_ports
    from local_aws.redshift import redshift_services
    from local_aws.state import State

    control_port, postgres_port = free_ports(2)
    elsewhere = replace(settings, control_port=control_port, postgres_port=postgres_port)
    state = State(tmp_path / "state.sqlite")
    application = ControlPlane(elsewhere, state, redshift_services(elsewhere, state))
    server = serve(application)
    application.start()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield elsewhere
    server.shutdown()
    thread.join()
    server.server_close()
    application.stop()
    state.close()


def test_a_warehouse_that_is_down_is_unavailable(
    ask: Ask, down: Settings, environment: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    environment(**down.aws_environment())

    assert ask("daily", "2013", "MAC1") == (503, {"message": "the warehouse does not answer at the moment"})
    assert "refused" in reason(caplog)
