"""The Data API: life of a statement, typed results, pages, tokens, logins, lists. Answers fit botocore's model."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local_aws.settings import Settings
from tests.local_aws.redshift.conftest import CLUSTER, Warehouse
from tests.local_aws.service_model import call

if TYPE_CHECKING:
    from local_aws.engines.postgres import Postgres

Call = Callable[..., dict[str, Any]]
TYPES = """
SELECT 1::smallint AS s, 2::int AS i, 3000000000 AS b, 1.5::float8 AS d, 2.50::numeric(5, 2) AS n, true AS t,
    'x'::varchar(9) AS v, NULL::int AS z, '2013-01-01'::date AS day, '2013-01-01 00:30:00'::timestamp AS moment
"""


@pytest.fixture
def data_api(settings: Settings, warehouse: Warehouse) -> Call:
    """data_api("DescribeStatement", Id=…), each answer checked against botocore's model."""

    def ask(operation: str, **parameters: Any) -> dict[str, Any]:
        return call(settings, "redshift-data", operation, **parameters)

    return ask


def invalid(text: str) -> Any:
    return pytest.raises(ClientError, match=rf"ValidationException.*{text}")


def test_a_statement_goes_from_start_to_its_result(data_api: Call, warehouse: Warehouse) -> None:
    started = data_api("ExecuteStatement", Sql=TYPES, StatementName="types", **warehouse.login)
    assert started["Database"] == warehouse.login["Database"]
    warehouse.finish(started["Id"])

    described = data_api("DescribeStatement", Id=started["Id"])
    assert described["Status"] == "FINISHED"
    assert described["QueryString"] == TYPES
    assert (described["HasResultSet"], described["ResultRows"]) == (True, 1)
    assert described["Duration"] > 1000
    assert described["RedshiftPid"] > 0
    assert described["CreatedAt"] <= described["UpdatedAt"]

    result = data_api("GetStatementResult", Id=started["Id"])
    assert result["TotalNumRows"] == 1
    assert result["Records"] == [
        [
            {"longValue": 1},
            {"longValue": 2},
            {"longValue": 3000000000},
            {"doubleValue": 1.5},
            {"stringValue": "2.50"},
            {"booleanValue": True},
            {"stringValue": "x"},
            {"isNull": True},
            {"stringValue": "2013-01-01"},
            {"stringValue": "2013-01-01 00:30:00"},
        ]
    ]
    kinds = [(column["name"], column["typeName"]) for column in result["ColumnMetadata"]]
    assert kinds[:6] == [("s", "int2"), ("i", "int4"), ("b", "int8"), ("d", "float8"), ("n", "numeric"), ("t", "bool")]
    assert kinds[6:] == [("v", "varchar"), ("z", "int4"), ("day", "date"), ("moment", "timestamp")]


def test_a_query_without_rows_has_a_result_set_with_columns(data_api: Call, warehouse: Warehouse) -> None:
    described = warehouse.run("SELECT 1 AS one WHERE 1 = 0")

    result = data_api("GetStatementResult", Id=described["Id"])

    assert (described["HasResultSet"], described["ResultRows"]) == (True, 0)
    assert (result["Records"], [column["name"] for column in result["ColumnMetadata"]]) == ([], ["one"])


def test_a_statement_without_a_result_set_counts_the_rows_it_touched(data_api: Call, warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE t (a INT)")

    described = warehouse.run("INSERT INTO t VALUES (1), (2), (3)")

    assert (described["HasResultSet"], described["ResultRows"]) == (False, 3)
    with pytest.raises(ClientError, match="ResourceNotFoundException.*does not have result"):
        data_api("GetStatementResult", Id=described["Id"])


def test_a_large_result_comes_in_pages_without_loss(data_api: Call, warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE TABLE digits (d INT)",
        "INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
    )
    sql = """
    SELECT a.d * 1000 + b.d * 100 + c.d * 10 + d.d AS n, REPEAT('x', 300)
    FROM digits a, digits b, digits c, digits d ORDER BY n
    """

    described = warehouse.run(sql)

    first = data_api("GetStatementResult", Id=described["Id"])
    assert 0 < len(first["Records"]) < 10_000
    assert first["TotalNumRows"] == 10_000
    assert [row[0] for row in warehouse.rows(sql)] == list(range(10_000))
    with invalid("Invalid pagination token"):
        data_api("GetStatementResult", Id=described["Id"], NextToken="nonsense")


def test_bound_parameters_take_the_type_of_their_place(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE t (meter VARCHAR(64), year INT)", "INSERT INTO t VALUES ('a', 2013), ('b', 2014)")

    rows = warehouse.rows("SELECT meter FROM t WHERE year = :y + 1 LIMIT :n", {"y": "2012", "n": "5"})

    assert rows == [("a",)]
    failed = warehouse.error("SELECT 1 FROM t WHERE year = :y", Parameters=[{"name": "y", "value": "many"}])
    assert (
        failed == "ERROR: invalid input syntax for type integer: \"many\"\n  Where: unnamed portal parameter $1 = '...'"
    )


@pytest.mark.parametrize("attempt", ["' OR '1'='1", "a'; DROP TABLE t; --", "a' UNION SELECT 'x", "%", "$1", ":m"])
def test_an_injection_through_a_parameter_stays_data(warehouse: Warehouse, attempt: str) -> None:
    warehouse.run("CREATE TABLE t (meter VARCHAR(64))", "INSERT INTO t VALUES ('a')")

    assert warehouse.rows("SELECT meter FROM t WHERE meter = :m", {"m": attempt}) == []
    warehouse.run("INSERT INTO t VALUES (:m)", Parameters=[{"name": "m", "value": attempt}])
    assert warehouse.rows("SELECT meter FROM t WHERE meter <> 'a'") == [(attempt,)]


@pytest.mark.parametrize(
    ("sql", "names", "text"),
    [
        ("SELECT :a", [], "Cannot find parameter: a"),
        ("SELECT 1", ["a"], r"unused parameters. Unused parameters: \[a\]"),
        ("SELECT :a", ["a", "a"], "duplicate parameters"),
    ],
)
def test_parameters_and_statement_must_fit(
    data_api: Call, warehouse: Warehouse, sql: str, names: list[str], text: str
) -> None:
    given = {"Parameters": [{"name": name, "value": "1"} for name in names]} if names else {}

    with invalid(text):
        data_api("ExecuteStatement", Sql=sql, **given, **warehouse.login)


def test_the_same_client_token_runs_a_statement_once(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE t (a INT)")
    token = str(uuid.uuid4())

    ids = {warehouse.start("INSERT INTO t VALUES (1)", ClientToken=token) for _ in range(3)}

    assert len(ids) == 1
    warehouse.finish(ids.pop())
    assert warehouse.rows("SELECT count(*) FROM t") == [(1,)]


def test_an_error_has_the_engines_words(data_api: Call, warehouse: Warehouse) -> None:
    described = warehouse.finish(warehouse.start("SELECT nope FROM nowhere"))

    assert described["Status"] == "FAILED"
    assert described["Error"] == 'ERROR: relation "nowhere" does not exist'
    data_api("DescribeStatement", Id=described["Id"])


def test_a_running_statement_can_be_cancelled(data_api: Call, warehouse: Warehouse) -> None:
    statement_id = warehouse.start("SELECT pg_sleep(60)")
    wait_for(lambda: data_api("DescribeStatement", Id=statement_id)["Status"] == "STARTED")

    assert data_api("CancelStatement", Id=statement_id)["Status"] is True

    assert warehouse.finish(statement_id)["Status"] == "ABORTED"
    with invalid("already in ABORTED state"):
        data_api("CancelStatement", Id=statement_id)


def test_a_lost_session_fails_its_statement(warehouse: Warehouse) -> None:
    statement_id = warehouse.start("SELECT pg_sleep(60)")
    wait_for(lambda: warehouse.client.describe_statement(Id=statement_id)["Status"] == "STARTED")
    pid = warehouse.client.describe_statement(Id=statement_id)["RedshiftPid"]

    warehouse.run(f"SELECT pg_terminate_backend({pid})")

    described = warehouse.finish(statement_id)
    assert described["Status"] == "FAILED"
    assert "terminating connection due to administrator command" in described["Error"]


def test_statements_are_listed_the_newest_first(data_api: Call, warehouse: Warehouse) -> None:
    name = f"name-{uuid.uuid4().hex[:6]}"
    ids = [warehouse.start(f"SELECT {number}", StatementName=name) for number in range(3)]
    failed = warehouse.start("SELECT nope", StatementName=name)
    for statement_id in [*ids, failed]:
        warehouse.finish(statement_id)

    finished = data_api("ListStatements", StatementName=name)["Statements"]
    assert [item["Id"] for item in finished] == ids[::-1]
    assert finished[0]["QueryString"] == "SELECT 2"
    every = data_api("ListStatements", StatementName=name, Status="ALL", MaxResults=3)
    rest = data_api("ListStatements", StatementName=name, Status="ALL", NextToken=every["NextToken"])
    assert [item["Id"] for item in every["Statements"] + rest["Statements"]] == [failed, *ids[::-1]]
    assert data_api("ListStatements", StatementName=name, Status="FAILED")["Statements"][0]["Id"] == failed


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"ClusterIdentifier": "nobody"}, "Redshift endpoint doesn't exist in this region"),
        ({"DbUser": None}, "Exactly one of SecretArn and DbUser"),
        ({"ClusterIdentifier": None}, "ClusterIdentifier is missing"),
        ({"Database": None}, "Database is missing"),
    ],
)
def test_a_request_without_a_valid_login_is_refused(
    data_api: Call, warehouse: Warehouse, changes: dict[str, str | None], text: str
) -> None:
    login = {name: value for name, value in (warehouse.login | changes).items() if value is not None}

    with invalid(text):
        data_api("ExecuteStatement", Sql="SELECT 1", **login)


def test_an_unknown_database_or_user_fails_the_statement(data_api: Call, warehouse: Warehouse) -> None:
    nowhere = warehouse.client.execute_statement(Sql="SELECT 1", **(warehouse.login | {"Database": "nowhere"}))
    nobody = warehouse.client.execute_statement(Sql="SELECT 1", **(warehouse.login | {"DbUser": "nobody"}))

    assert 'database "nowhere" does not exist' in warehouse.finish(nowhere["Id"])["Error"]
    assert warehouse.finish(nobody["Id"])["Error"] == 'ERROR: user "nobody" does not exist'
    with invalid('database "nowhere" does not exist'):
        data_api("ListSchemas", **(warehouse.login | {"Database": "nowhere"}))


def test_a_secret_logs_in_with_its_own_rights(
    data_api: Call, aws: Callable[[str], Any], postgres: Postgres, warehouse: Warehouse
) -> None:
    user = f"user_{uuid.uuid4().hex[:6]}"
    postgres.ensure_role(user, "Right1234")
    secrets = aws("secretsmanager")
    texts = [json.dumps({"username": user, "password": password}) for password in ("Right1234", "Wrong1234")]
    arns = [secrets.create_secret(Name=f"{user}/{number}", SecretString=text) for number, text in enumerate(texts)]
    right, wrong = (
        {"ClusterIdentifier": CLUSTER, "Database": warehouse.login["Database"], "SecretArn": arn["ARN"]} for arn in arns
    )

    accepted = warehouse.client.execute_statement(Sql="SELECT current_user", **right)["Id"]
    refused = warehouse.client.execute_statement(Sql="SELECT current_user", **wrong)["Id"]

    assert warehouse.finish(accepted)["Status"] == "FINISHED"
    assert data_api("GetStatementResult", Id=accepted)["Records"] == [[{"stringValue": user}]]
    assert "password authentication failed" in warehouse.finish(refused)["Error"]
    with invalid("Secrets Manager can't find"):
        data_api("ExecuteStatement", Sql="SELECT 1", **(right | {"SecretArn": arns[0]["ARN"] + "x"}))


@pytest.mark.parametrize("operation", ["DescribeStatement", "GetStatementResult", "CancelStatement"])
def test_an_unknown_statement_is_not_found(data_api: Call, operation: str) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        data_api(operation, Id=str(uuid.uuid4()))


def test_databases_schemas_tables_and_columns_are_seen(data_api: Call, warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE TABLE daily (meter_id VARCHAR(64) NOT NULL, value DOUBLE PRECISION DEFAULT 0)",
        "CREATE VIEW newest AS SELECT meter_id FROM daily",
        "CREATE SCHEMA other",
    )
    login = warehouse.login

    assert login["Database"] in data_api("ListDatabases", **login)["Databases"]
    assert {"public", "other"} <= set(data_api("ListSchemas", **login)["Schemas"])
    assert data_api("ListSchemas", **login, SchemaPattern="oth%")["Schemas"] == ["other"]
    assert data_api("ListTables", **login, SchemaPattern="public")["Tables"] == [
        {"schema": "public", "name": "daily", "type": "TABLE"},
        {"schema": "public", "name": "newest", "type": "VIEW"},
    ]
    assert [item["name"] for item in data_api("ListTables", **login, TablePattern="dai%")["Tables"]] == ["daily"]
    table = data_api("DescribeTable", **login, Schema="public", Table="daily")
    columns = [(column["name"], column["typeName"], column["nullable"]) for column in table["ColumnList"]]
    assert columns == [("meter_id", "varchar", 0), ("value", "float8", 1)]
    first = data_api("ListTables", **login, SchemaPattern="public", MaxResults=1)
    second = data_api("ListTables", **login, SchemaPattern="public", MaxResults=1, NextToken=first["NextToken"])
    assert [page["Tables"][0]["name"] for page in (first, second)] == ["daily", "newest"]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)
