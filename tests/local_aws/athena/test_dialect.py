"""Athena's SQL means here what it means there. Expected values are worked out by hand."""

from __future__ import annotations

import pytest

from tests.local_aws.athena.conftest import Lake


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("7e0 / 2", "3.5"),
        ("7 % 2", "1"),
        ("true", "true"),
        ("'a''b'", "a'b"),
        ("1e10", "1.0E10"),
        ("12345678e0", "1.2345678E7"),
        ("1234567e0", "1234567.0"),
        ("1e-4", "1.0E-4"),
        ("DECIMAL '1.50'", "1.50"),
        ("DATE '2013-01-31'", "2013-01-31"),
        ("TIMESTAMP '2013-01-31 00:30:00'", "2013-01-31 00:30:00.000"),
        ("date_diff('day', DATE '2013-01-01', DATE '2013-02-01')", "31"),
        ("date_add('month', 1, DATE '2013-01-31')", "2013-02-28"),
        ("DATE '2013-01-31' - INTERVAL '31' DAY", "2012-12-31"),
        ("date_trunc('month', DATE '2013-01-31')", "2013-01-01"),
        ("date_trunc('day', TIMESTAMP '2013-01-31 00:30:00')", "2013-01-31 00:00:00.000"),
        ("date_format(TIMESTAMP '2013-01-31 00:30:00', '%Y-%m-%d')", "2013-01-31"),
        ("date_parse('20130131', '%Y%m%d')", "2013-01-31 00:00:00.000"),
        ("year_of_week(DATE '2013-12-30')", "2014"),
        ("week(DATE '2013-12-30')", "1"),
        ("CAST('12' AS integer) + 1", "13"),
        ("TRY_CAST('x' AS integer)", None),
        ("COALESCE(NULL, 'a')", "a"),
        ("substr('201301', 1, 4)", "2013"),
        ("ARRAY[1, 2]", "[1, 2]"),
    ],
)
def test_an_expression_has_athenas_value(lake: Lake, expression: str, value: str | None) -> None:
    assert lake.rows(f"SELECT {expression}") == [(value,)]


def test_the_quotient_of_columns_of_whole_numbers_is_whole(lake: Lake) -> None:
    assert lake.rows("SELECT sum(hour) / count(*) FROM daily WHERE reading_type = 'INT'") == [("7",)]


def test_columns_without_a_name_are_numbered_and_names_are_lower_case(lake: Lake) -> None:
    query = lake.start('SELECT 1, meter_id AS "Meter", count(*) FROM daily GROUP BY meter_id')
    lake.finish(query)

    header = lake.athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"][0]["Data"]

    assert [cell["VarCharValue"] for cell in header] == ["_col0", "meter", "_col2"]


def test_result_types_are_athenas(lake: Lake) -> None:
    query = lake.start(
        "SELECT meter_id, reading_value, reading_date_time, hour, count(*), true FROM daily GROUP BY 1, 2, 3, 4"
    )
    lake.finish(query)

    columns = lake.athena.get_query_results(QueryExecutionId=query)["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]

    assert [column["Type"] for column in columns] == ["varchar", "double", "timestamp", "integer", "bigint", "boolean"]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELEC 1", "SYNTAX_ERROR: line 1:7: mismatched input '1'"),
        ("SELECT 1; SELECT 2", "SYNTAX_ERROR: one statement is expected"),
        ("SELECT nope FROM daily", "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"),
        ("SELECT 1 FROM nope", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.{database}.nope' does not exist"),
        ("SELECT 1 FROM nowhere.daily", "SCHEMA_NOT_FOUND: line 1:23: Schema 'nowhere' does not exist"),
        ("SELECT 1 FROM daily WHERE hour = '1'", "TYPE_MISMATCH: line 1:27: Cannot apply operator: integer = varchar"),
        ("SELECT 1 FROM daily WHERE month IN (201301)", "TYPE_MISMATCH: line 1:27: Cannot apply operator: varchar IN"),
        ("SELECT CAST(meter_id AS integer) FROM daily", "INVALID_CAST_ARGUMENT: "),
        ("SELECT no_such_function(1)", "FUNCTION_NOT_FOUND: "),
        ("SELECT * FROM read_text('/etc/hostname')", "FUNCTION_NOT_FOUND: Table function"),
        ("CREATE TABLE copied AS SELECT 1", "NOT_SUPPORTED: local_aws runs queries (SELECT, WITH) only, not CREATE"),
        ("DROP TABLE daily", "NOT_SUPPORTED: local_aws runs queries (SELECT, WITH) only, not DROP"),
    ],
)
def test_a_wrong_query_fails_with_the_reason(lake: Lake, sql: str, reason: str) -> None:
    assert lake.failure(sql).startswith(reason.format(database=lake.database))


def test_a_failed_query_says_that_it_was_the_users_mistake(lake: Lake) -> None:
    status = lake.run("SELECT nope FROM daily")["Status"]

    assert status["AthenaError"]["ErrorCategory"] == 2
    assert status["AthenaError"]["ErrorMessage"] == status["StateChangeReason"]
