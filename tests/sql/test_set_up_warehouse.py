"""The tables of the warehouse, and the names of the files that make and fill them."""

from __future__ import annotations

import re

from metering import warehouse

from tests.sql.conftest import SQL, Warehouse

VERBS = {"create", "revoke", "lock", "stage", "copy", "rank", "discard", "merge", "clear", "insert"}
TABLES = {"load_turn", "daily", "aggregated_daily", "aggregated_weekly", "aggregated_monthly", "cis_data", "geo_data"}
OF_A_LOAD = {"batches"}  # temporary tables only
TRANSACTIONS = warehouse.MERGES | warehouse.REPLACEMENTS


def test_setting_up_again_keeps_what_is_there(tables: Warehouse) -> None:
    tables.run("INSERT INTO aggregated_monthly VALUES ('MAC1', 2013, '20130101', 1, 300.5, 1488)")

    tables.run(*(tables.statement(file) for file in warehouse.CREATE_TABLES))

    assert tables.rows("SELECT meter_id, year, month, consumption FROM aggregated_monthly") == [
        ("MAC1", 2013, 1, 300.5)
    ]


def test_readings_are_spread_by_meter_and_sorted_by_year_and_meter() -> None:
    statement = (SQL / "redshift" / "create_daily.sql").read_text(encoding="utf-8")

    assert "DISTKEY (meter_id)" in statement
    assert "SORTKEY (year, meter_id)" in statement


def test_every_statement_file_is_used_and_every_used_file_exists() -> None:
    files = {f"redshift/{path.name}" for path in (SQL / "redshift").glob("*.sql")}
    used = {*warehouse.CREATE_TABLES, *(file for statements in TRANSACTIONS.values() for file in statements)}

    assert files == used


def test_a_statement_file_is_named_by_its_verb_and_table() -> None:
    for path in (SQL / "redshift").glob("*.sql"):
        verb, _, table = path.stem.partition("_")
        assert verb in VERBS, f"{path.name}: begin the name with one of {sorted(VERBS)}"
        assert table in TABLES | OF_A_LOAD, f"{path.name}: end the name with one of {sorted(TABLES | OF_A_LOAD)}"
        assert f" {table}" in path.read_text(encoding="utf-8"), f"{path.name} is not about {table}"


def test_a_file_is_one_statement_and_a_list_fits_a_batch_of_the_data_api() -> None:
    for path in (SQL / "redshift").glob("*.sql"):
        code = re.sub(r"'[^']*'", "''", _without_comments(path.read_text(encoding="utf-8")))
        assert ";" not in code, f"{path.name} holds a semicolon"
    for files in (warehouse.CREATE_TABLES, *TRANSACTIONS.values()):
        texts = [(SQL / file).read_text(encoding="utf-8") for file in files]
        assert len(texts) <= 40
        assert sum(len(text.encode()) for text in texts) < 90_000


def test_only_copy_statements_are_templates() -> None:
    templates = {path.name for path in (SQL / "redshift").glob("*.sql") if "{{" in path.read_text(encoding="utf-8")}

    assert templates == {f"copy_{table}.sql" for table in (TABLES | OF_A_LOAD) - {"load_turn"}}


def test_a_load_takes_the_lock_before_anything_else() -> None:
    for task_id, files in TRANSACTIONS.items():
        assert files[0] == "redshift/lock_load_turn.sql", task_id


def _without_comments(sql: str) -> str:
    return "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
