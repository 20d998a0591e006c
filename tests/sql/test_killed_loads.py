"""A load whose database process is killed amid its transaction leaves nothing behind, and is simply run again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.sql.conftest import StatementFailedError, Warehouse
from tests.sql.test_load_daily import FIRST, KEPT, NOON, SECOND, copied, load, reading

if TYPE_CHECKING:
    from local_aws.engines.postgres import Postgres


@pytest.mark.parametrize("table", ["load_turn", "daily"])
def test_a_load_killed_before_or_amid_its_write_changes_nothing_and_is_run_again(
    tables: Warehouse, postgres: Postgres, table: str
) -> None:
    load(tables, reading(0.75, FIRST))
    statements = tables.statements("merge_readings", copied(reading(0.25, SECOND)))
    with psycopg.connect(postgres.dsn(tables.database)) as holder, holder.cursor() as cursor:
        # Held here, so that the load stands before its first statement or, at `daily`, amid its statements.
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        submitted = tables.submit(*statements)
        kill_who_waits_for(table, postgres.dsn(tables.database))
        with pytest.raises(StatementFailedError, match="terminating connection"):
            tables.finish(submitted)
        holder.rollback()

    assert tables.rows(KEPT) == [("INT", NOON, 0.75, FIRST)]
    tables.run(*statements)
    assert tables.rows(KEPT) == [("INT", NOON, 0.25, SECOND)]


def kill_who_waits_for(table: str, dsn: str) -> None:
    """Wait until a process waits for a lock on the table, and kill it."""
    deadline = time.monotonic() + 60
    with psycopg.connect(dsn, autocommit=True) as watcher:
        waiting = "SELECT pid FROM pg_locks WHERE relation = %s::regclass AND NOT granted"
        while not (found := watcher.execute(waiting, [table]).fetchall()):
            assert time.monotonic() < deadline, f"nobody waits for {table}"
            time.sleep(0.02)
        watcher.execute("SELECT pg_terminate_backend(%s)", found[0])
