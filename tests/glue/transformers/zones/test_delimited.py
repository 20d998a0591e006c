"""Lines cut into fields: quoted ones, broken ones, and long ones that must cost no more than their length."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from pyspark.sql import functions as sql
from transformers.zones import delimited

LINES = [
    # line, delimiter, fields
    ('"Meter","When","kWh",,', ",", ["Meter", "When", "kWh", "", ""]),
    ("Meter,When,kWh,,", ",", ["Meter", "When", "kWh", "", ""]),
    ('"BUG21Q","2024-03-04 00:00","0.5",,', ",", ["BUG21Q", "2024-03-04 00:00", "0.5", "", ""]),
    ("", ",", [""]),
    ('""', ",", [""]),
    ('"",""', ",", ["", ""]),
    ('"a,b",c', ",", ["a,b", "c"]),
    ('"a,""b"",c"', ",", ['a,"b",c']),
    ('"a"",b"', ",", ['a",b']),
    ('"a,"",b",c', ",", ['a,",b', "c"]),
    ('""""', ",", ['"']),
    (' "a;b" ;c', ";", ["a;b", "c"]),
    ('"a||b"||c|d', "||", ["a||b", "c|d"]),
    ('"a\tb"\tc', "\t", ["a\tb", "c"]),
    ('M2,5" pipe,1', ",", ["M2", '5" pipe', "1"]),
    # A field that goes on after its end, and one that never ends.
    ('"M1"x,"a,b"', ",", ['"M1"x', "a,b"]),
    ('"a,b"x,c', ",", ['"a', 'b"x', "c"]),
    ('"M1,2013,1', ",", ['"M1', "2013", "1"]),
    ('"', ",", ['"']),
    ('"a" "b",c', ",", ['a" "b', "c"]),
]


@pytest.mark.parametrize(("line", "delimiter", "fields"), LINES)
def test_a_line_is_cut_at_the_delimiters_outside_of_quoted_fields(line: str, delimiter: str, fields: list[str]) -> None:
    assert delimited.cut(line, delimiter) == fields


@pytest.mark.parametrize("delimiter", sorted({delimiter for _, delimiter, _ in LINES}))
def test_spark_cuts_a_line_in_the_same_way(spark: Any, delimiter: str) -> None:
    cases = [(line, fields) for line, sign, fields in LINES if sign == delimiter]
    assert cut_by_spark(spark, [line for line, _ in cases], delimiter) == [fields for _, fields in cases]


FIELDS = some.text(alphabet='ab ,";|', max_size=8)
# Signs of which most lines are malformed.
ANY_LINE = some.text(alphabet='a ",', max_size=24)


@given(some.lists(FIELDS, min_size=1, max_size=6))
def test_what_a_writer_of_csv_quotes_is_read_back(fields: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="").writerow(fields)
    assert delimited.cut(written.getvalue(), ",") == fields


@given(ANY_LINE)
def test_no_sign_of_a_line_is_lost(line: str) -> None:
    """Whatever the marks mean, what is not a mark or a space stands in the fields, in its order."""
    kept = "".join(delimited.cut(line, ",")).replace(",", "")
    assert kept.replace('"', "").replace(" ", "") == "".join(sign for sign in line if sign == "a")


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=some.lists(ANY_LINE, min_size=200, max_size=200))
def test_spark_and_python_agree_on_any_line(spark: Any, lines: list[str]) -> None:
    assert cut_by_spark(spark, lines, ",") == [delimited.cut(line, ",") for line in lines]


@pytest.mark.parametrize(
    "line",
    ['"' * 1_000_001, '"",' * 350_000, '"a,' * 350_000, '"' + "a,b" * 350_000, 'a"' * 500_000, '"a" ' * 250_000],
)
def test_a_header_of_a_megabyte_is_cut_at_once(line: str) -> None:
    """A pattern that tries again from every quotation mark takes hours."""
    begun = time.process_time()
    delimited.cut(line, ",")
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("line", ['"' * 9_999, '"",' * 3_333, '"a,' * 3_333, '"' + "a,b" * 3_333, 'a"' * 5_000])
def test_a_row_of_ten_thousand_signs_needs_no_stack(spark: Any, line: str) -> None:
    assert cut_by_spark(spark, [line], ",") == [delimited.cut(line, ",")]


def test_rows_of_ten_thousand_empty_fields_are_cut_in_time(spark: Any) -> None:
    """A spreadsheet writes a delimiter for each column that was ever used. With an array of fields it takes 50 s."""
    begun = time.monotonic()
    fields = cut_by_spark(spark, ['""' + "," * 9_990] * 20, ",")
    assert time.monotonic() - begun < 25
    assert [len(each) for each in fields] == [9_991] * 20


def cut_by_spark(spark: Any, lines: list[str], delimiter: str) -> list[list[str]]:
    frame = spark.createDataFrame([(at, line) for at, line in enumerate(lines)], "at int, line string")
    fields = sql.transform(delimited.cut_column(sql.col("line"), delimiter), delimited.unquoted)
    return [row["fields"] for row in frame.select("at", fields.alias("fields")).orderBy("at").collect()]
