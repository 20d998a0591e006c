"""A batch is one transaction: all of it or nothing; what it did is told per statement."""

from __future__ import annotations

from local_aws.settings import Settings
from tests.local_aws.redshift.conftest import Warehouse
from tests.local_aws.service_model import call


def test_a_batch_tells_of_each_statement(settings: Settings, warehouse: Warehouse) -> None:
    started = call(
        settings,
        "redshift-data",
        "BatchExecuteStatement",
        Sqls=["CREATE TEMP TABLE t (a INT)", "INSERT INTO t VALUES (1), (2)", "SELECT a FROM t ORDER BY a"],
        **warehouse.login,
    )["Id"]
    warehouse.finish(started)

    described = call(settings, "redshift-data", "DescribeStatement", Id=started)
    parts = described["SubStatements"]
    assert (described["Status"], described["HasResultSet"]) == ("FINISHED", True)
    assert [part["Id"] for part in parts] == [f"{started}:{number}" for number in (1, 2, 3)]
    assert [part["Status"] for part in parts] == ["FINISHED"] * 3
    assert [(part["HasResultSet"], part["ResultRows"]) for part in parts] == [(False, -1), (False, 2), (True, 2)]
    assert described["Duration"] == sum(part["Duration"] for part in parts)

    result = call(settings, "redshift-data", "GetStatementResult", Id=f"{started}:3")
    assert result["Records"] == [[{"longValue": 1}], [{"longValue": 2}]]
    alone = call(settings, "redshift-data", "DescribeStatement", Id=f"{started}:2")
    assert (alone["QueryString"], alone["ResultRows"]) == ("INSERT INTO t VALUES (1), (2)", 2)
    every = call(settings, "redshift-data", "ListStatements", Database=warehouse.login["Database"])["Statements"]
    [listed] = [item for item in every if item["Id"] == started]
    assert (listed["IsBatchStatement"], len(listed["QueryStrings"])) == (True, 3)


def test_a_batch_that_fails_changes_nothing(settings: Settings, warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE t (a INT)")

    described = warehouse.finish(
        warehouse.start("INSERT INTO t VALUES (1)", "INSERT INTO nowhere VALUES (1)", "INSERT INTO t VALUES (2)")
    )

    assert described["Status"] == "FAILED"
    assert described["Error"] == 'Query #2 failed with ERROR: relation "nowhere" does not exist'
    assert [part["Status"] for part in described["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert described["SubStatements"][1]["Error"] == 'ERROR: relation "nowhere" does not exist'
    assert warehouse.rows("SELECT count(*) FROM t") == [(0,)]
    call(settings, "redshift-data", "DescribeStatement", Id=described["Id"])


def test_truncate_commits_what_was_done_before_it(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE kept (a INT)", "CREATE TABLE emptied (a INT)", "INSERT INTO emptied VALUES (1)")

    warehouse.error("INSERT INTO kept VALUES (1)", "TRUNCATE emptied", "INSERT INTO kept VALUES (2)", "SELECT nope")

    assert warehouse.rows("SELECT a FROM kept") == [(1,)]
    assert warehouse.rows("SELECT count(*) FROM emptied") == [(0,)]


def test_a_transaction_sees_one_snapshot_and_fails_on_rows_changed_meanwhile(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)")
    first = warehouse.start("SELECT a FROM t", "SELECT pg_sleep(1)", "UPDATE t SET a = a + 1")
    while warehouse.client.describe_statement(Id=first)["SubStatements"][1]["Status"] == "SUBMITTED":
        pass

    warehouse.run("UPDATE t SET a = 10")

    assert "could not serialize access" in warehouse.finish(first)["Error"]
    assert warehouse.rows("SELECT a FROM t") == [(10,)]
