"""Redshift's SQL on PostgreSQL: what it means, and what Redshift would refuse."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.redshift.dialect import placeholders, translate
from local_aws.redshift.errors import StatementError
from tests.local_aws.redshift.conftest import Warehouse


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 / 2", 3),
        ("NVL(NULL, 5)", 5),
        ("NVL2(NULL, 1, 2)", 2),
        ("DECODE(2, 1, 'a', 2, 'b')", "b"),
        ("ISNULL(NULL, 3)", 3),
        ("LEN('abc')", 3),
        ("CHARINDEX('b', 'abc')", 2),
        ("CONCAT('a', NULL)", None),
        ("ROUND(1.005::float8 + 1, 1)", 2.0),
        ("STRTOL('ff', 16)", 255),
        ("JSON_EXTRACT_PATH_TEXT('{\"a\": {\"b\": 7}}', 'a', 'b')", "7"),
        ("REGEXP_SUBSTR('MAC000002', '[0-9]+')", "000002"),
        ("TO_CHAR(TO_DATE('20131230', 'YYYYMMDD'), 'IYYY')", "2014"),
        ("DATEADD(month, 1, '2013-01-31'::date)", "2013-02-28 00:00:00"),
        ("DATEADD(day, -1, '2013-01-01'::timestamp)", "2012-12-31 00:00:00"),
        ("DATEADD(qtr, 1, '2013-01-01'::timestamp)", "2013-04-01 00:00:00"),
        ("DATEDIFF(day, '2012-12-31 23:59'::timestamp, '2013-01-01 00:01'::timestamp)", 1),
        ("DATEDIFF(hour, '2013-01-01 00:59'::timestamp, '2013-01-01 01:00'::timestamp)", 1),
        ("DATEDIFF(month, '2013-01-31'::date, '2013-02-01'::date)", 1),
        ("DATEDIFF(quarter, '2012-12-31'::date, '2013-01-01'::date)", 1),
        ("DATEDIFF(year, '2012-12-31'::date, '2013-01-01'::date)", 1),
        ("DATEDIFF(week, '2013-01-06'::date, '2013-01-07'::date)", 1),
        ("DATEDIFF(day, GETDATE(), DATEADD(day, 2, GETDATE()))", 2),
        ("CONVERT_TIMEZONE('UTC', 'Europe/London', '2013-07-01 12:00:00'::timestamp)", "2013-07-01 13:00:00"),
        ("LAST_DAY('2013-02-01'::date)", "2013-02-28"),
    ],
)
def test_a_function_has_redshifts_value(warehouse: Warehouse, expression: str, value: Any) -> None:
    assert warehouse.rows(f"SELECT {expression}") == [(value,)]


def test_lists_tops_minus_and_qualify_work_as_in_redshift(warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE TABLE readings (meter VARCHAR(8), place INT)",
        "INSERT INTO readings VALUES ('a', 1), ('a', 2), ('b', 3)",
    )

    listed = "SELECT meter, LISTAGG(place, '+') WITHIN GROUP (ORDER BY place DESC) FROM readings GROUP BY 1 ORDER BY 1"
    assert warehouse.rows(listed) == [("a", "2+1"), ("b", "3")]
    assert warehouse.rows("SELECT TOP 1 place FROM readings ORDER BY place DESC") == [(3,)]
    assert warehouse.rows("SELECT meter FROM readings MINUS SELECT 'a'") == [("b",)]
    newest = "SELECT meter, place FROM readings QUALIFY ROW_NUMBER() OVER (PARTITION BY meter ORDER BY place DESC) = 1"
    assert sorted(warehouse.rows(newest)) == [("a", 2), ("b", 3)]


def test_a_table_takes_redshifts_attributes_and_does_not_enforce_keys(warehouse: Warehouse) -> None:
    warehouse.run(
        """
        CREATE TABLE IF NOT EXISTS public.daily (
            meter_id VARCHAR(64) NOT NULL ENCODE zstd DISTKEY,
            year INTEGER SORTKEY,
            note TEXT,
            long VARCHAR(MAX),
            number BIGINT IDENTITY(0, 1),
            PRIMARY KEY (meter_id, year),
            UNIQUE (note)
        ) BACKUP NO DISTSTYLE KEY
        """
    )
    warehouse.run(
        "INSERT INTO daily (meter_id, year, note) VALUES ('a', 1, 'x')",
        "INSERT INTO daily (meter_id, year, note) VALUES ('a', 1, 'x')",
    )

    assert warehouse.rows("SELECT count(*) FROM daily") == [(2,)]
    assert "null value" in warehouse.error("INSERT INTO daily (meter_id) VALUES ('a')")
    assert "value too long for type character varying(256)" in warehouse.error(
        f"INSERT INTO daily (meter_id, year, note) VALUES ('b', 1, '{'x' * 257}')"
    )
    warehouse.run(f"INSERT INTO daily (meter_id, year, long) VALUES ('b', 1, '{'x' * 60000}')")


def test_keys_after_the_columns_must_be_columns(warehouse: Warehouse) -> None:
    error = warehouse.error("CREATE TABLE t (a INT) DISTSTYLE KEY DISTKEY (a) COMPOUND SORTKEY (a, nope)")

    assert error == 'ERROR: column "nope" named in the key does not exist in the table'


def test_attributes_of_a_table_from_a_query_are_dropped_and_those_words_in_the_query_are_not(
    warehouse: Warehouse,
) -> None:
    warehouse.run("CREATE TABLE t DISTKEY (a) SORTKEY (a) AS SELECT 'encode sortkey' AS a")

    assert warehouse.rows("SELECT a FROM t") == [("encode sortkey",)]


def test_plans_statistics_and_grants_are_passed_on(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE t (a INT)", "LOCK TABLE t", "GRANT SELECT ON t TO PUBLIC", "ANALYZE t")
    warehouse.run("VACUUM FULL t")

    assert "t" in warehouse.rows("EXPLAIN SELECT a FROM t")[0][0]
    assert "VACUUM cannot run inside a transaction block" in warehouse.error("SELECT 1", "VACUUM t")


def test_names_are_folded_even_in_quotes(warehouse: Warehouse) -> None:
    warehouse.run('CREATE TABLE "Mixed" ("Meter" INT)')

    described = warehouse.run('SELECT "METER" AS "Label" FROM mixed')

    head = warehouse.client.get_statement_result(Id=described["Id"])["ColumnMetadata"]
    assert [column["name"] for column in head] == ["label"]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "ON CONFLICT"),
        ("INSERT INTO t VALUES (1) RETURNING a", "RETURNING"),
        ("SELECT count(*) FILTER (WHERE a > 1) FROM t", "FILTER"),
        ("SELECT DISTINCT ON (a) a FROM t", "DISTINCT ON"),
        ("SELECT ARRAY[1, 2]", "arrays"),
        ("SELECT string_agg(a, ',') FROM t", "string_agg"),
        ("SELECT array_agg(a) FROM t", "array_agg"),
        ("SELECT * FROM generate_series(1, 5)", "generate_series"),
        ("SELECT a FROM t FOR UPDATE", "FOR UPDATE"),
        ("CREATE TABLE u (a JSONB)", "the data type JSONB"),
        ("CREATE TABLE u (a SERIAL)", "the data type SERIAL"),
        ("CREATE INDEX i ON t (a)", "CREATE INDEX"),
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS b INT", "ADD COLUMN IF NOT EXISTS"),
        ("WITH d AS (DELETE FROM t RETURNING a) SELECT a FROM d", "changes data inside WITH"),
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND s.a > 1 THEN DELETE"
            " WHEN NOT MATCHED THEN INSERT VALUES (s.a)",
            "a condition after WHEN MATCHED",
        ),
        (
            "MERGE INTO t AS x USING s ON x.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.a)",
            "an alias of the target",
        ),
        (
            "MERGE INTO t USING (SELECT 1 AS a) AS s ON t.a = s.a WHEN MATCHED THEN DELETE"
            " WHEN NOT MATCHED THEN INSERT VALUES (s.a)",
            "no table",
        ),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", "exactly one WHEN MATCHED"),
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET t.a = s.a"
            " WHEN NOT MATCHED THEN INSERT VALUES (s.a)",
            "before a column in UPDATE SET",
        ),
    ],
)
def test_what_only_postgresql_has_is_refused(statement: str, reason: str) -> None:
    with pytest.raises(StatementError, match="^Amazon Redshift does not support") as refusal:
        translate(statement, {})

    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UNLOAD ('SELECT 1') TO 's3://b/k' IAM_ROLE 'r'", "local_aws does not implement UNLOAD"),
        ("ALTER TABLE a APPEND FROM b", "local_aws does not implement ALTER TABLE"),
        ("BEGIN", "BEGIN, COMMIT and ROLLBACK cannot be sent"),
        ("SELECT 1; DROP TABLE t", "Cannot insert multiple commands into a prepared statement"),
        ("SELEC 1", 'syntax error at or near "1"'),
        ("SELECT 'open", "syntax error"),
        ("-- nothing", "The statement is empty"),
        ("SELECT * FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1", "local_aws needs the columns by name"),
    ],
)
def test_what_cannot_be_run_says_why(statement: str, reason: str) -> None:
    with pytest.raises(StatementError, match="^" + reason.replace("(", "\\(")):
        translate(statement, {})


def test_parameters_are_found_where_they_are_parameters_only() -> None:
    statement = """
    -- :comment and ? do not count
    SELECT ':text', a::int, "x:y", :meter_id /* :other */, 'it''s :quoted'
    FROM t WHERE year = :year OR year = :year+1
    """

    assert placeholders(statement) == ["meter_id", "year"]


def test_each_place_of_a_parameter_is_bound_and_the_text_holds_no_value() -> None:
    translated = translate("SELECT a FROM t WHERE b = :x AND c IN (:y, :x) LIMIT :n", {"x": "1", "y": "2", "n": "3"})

    places = {f"${number}": value for number, value in enumerate(translated.values, start=1)}
    assert translated.sql.count("$") == 4
    assert sorted(places.values()) == ["1", "1", "2", "3"]
    assert places[translated.sql.rpartition("LIMIT ")[2]] == "3"
