from __future__ import annotations

import stat
from pathlib import Path

import psycopg
import pytest

from local_aws.engines.daemon import EngineError
from local_aws.engines.postgres import Postgres
from local_aws.ports import free_ports
from local_aws.settings import Settings


def one(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row[0]


def test_both_databases_are_there(postgres: Postgres) -> None:
    assert one(postgres.dsn("airflow"), "SELECT current_database()") == "airflow"
    assert one(postgres.dsn("meter-data"), "SELECT current_database()") == "meter-data"


def test_it_keeps_utc_and_utf8_and_writes_to_disk(postgres: Postgres) -> None:
    dsn = postgres.dsn("meter-data")
    assert one(dsn, "SHOW timezone") == "UTC"
    assert one(dsn, "SHOW server_encoding") == "UTF8"
    assert one(dsn, "SHOW fsync") == "on"
    assert one(dsn, "SELECT upper('zähler')") == "ZÄHLER"


def test_text_sorts_by_code_point_as_in_redshift(postgres: Postgres) -> None:
    query = "SELECT string_agg(x, '' ORDER BY x) FROM unnest(array['b', 'a', 'B', '_', '1']) AS x"
    assert one(postgres.dsn("meter-data"), query) == "1B_ab"


def test_a_login_needs_its_password(postgres: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url_for("postgres", "wrong", "airflow"))


def test_the_password_is_readable_by_its_owner_only(postgres: Postgres) -> None:
    assert stat.S_IMODE((postgres.folder / "password").stat().st_mode) == 0o600
    assert sorted(file.name for file in postgres.folder.iterdir()) == ["data", "password"]


def test_a_role_owns_a_database_and_may_get_another_password(postgres: Postgres) -> None:
    postgres.ensure_role("owner@x", "it's")
    postgres.ensure_database("owned-1", owner="owner@x")
    with psycopg.connect(postgres.url_for("owner@x", "it's", "owned-1")) as connection:
        connection.execute("CREATE TABLE t (id int)")
        connection.execute("INSERT INTO t VALUES (1)")

    postgres.ensure_role("owner@x", "p@ss/word")
    postgres.ensure_database("owned-1", owner="owner@x")
    assert one(postgres.url_for("owner@x", "p@ss/word", "owned-1"), "SELECT count(*) FROM t") == 1


def test_starting_again_what_runs_changes_nothing(postgres: Postgres) -> None:
    before = postgres.process()
    postgres.start(die_with_parent=True)
    assert postgres.process() == before


def test_committed_rows_survive_a_kill_and_a_stale_lock(tmp_path: Path) -> None:
    engine = Postgres(Settings(home=tmp_path, postgres_port=free_ports(1)[0]))
    engine.start(die_with_parent=True)
    with psycopg.connect(engine.dsn("meter-data"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    server = engine.process()
    assert server is not None
    server.kill()
    server.wait(10)
    lock = engine.data / "postmaster.pid"
    assert lock.exists()
    # As if the machine had been restarted and this test's own process had been given the server's pid.
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join(["1", *lines[1:]]) + "\n")

    engine.start(die_with_parent=True)
    assert one(engine.dsn("meter-data"), "SELECT answer FROM kept") == 42
    assert engine.stop() is True
    assert engine.state() == "down"
    assert engine.stop() is False


def test_data_of_another_version_are_left_alone(tmp_path: Path) -> None:
    engine = Postgres(Settings(home=tmp_path, postgres_port=free_ports(1)[0]))
    engine.data.mkdir(parents=True)
    (engine.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(EngineError, match="was made by PostgreSQL 16, not 18"):
        engine.start(die_with_parent=True)
