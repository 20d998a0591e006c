"""Lines cut into fields: quoted ones, broken ones, and long ones that must cost no more than their length."""

from __future__ import annotations

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some
from meter_data.meter_files import delimited

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
    assert cut(line, delimiter) == fields


FIELDS = some.text(alphabet='ab ,";|', max_size=8)
# Signs of which most lines are malformed.
ANY_LINE = some.text(alphabet='a ",', max_size=24)


@given(some.lists(FIELDS, min_size=1, max_size=6))
def test_what_a_writer_of_csv_quotes_is_read_back(fields: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="").writerow(fields)
    assert cut(written.getvalue(), ",") == fields


@given(ANY_LINE)
def test_no_sign_of_a_line_is_lost(line: str) -> None:
    """Whatever the marks mean, what is not a mark or a space stands in the fields, in its order."""
    kept = "".join(cut(line, ",")).replace(",", "")
    assert kept.replace('"', "").replace(" ", "") == "".join(sign for sign in line if sign == "a")


@pytest.mark.parametrize(
    "line",
    ['"' * 1_000_001, '"",' * 350_000, '"a,' * 350_000, '"' + "a,b" * 350_000, 'a"' * 500_000, '"a" ' * 250_000],
)
def test_a_header_of_a_megabyte_is_cut_at_once(line: str) -> None:
    """A pattern that tries again from every quotation mark takes hours."""
    begun = time.process_time()
    cut(line, ",")
    assert time.process_time() - begun < 20


def cut(line: str, delimiter: str) -> list[str]:
    return [field.decode() for field in delimited.cut(line.encode(), delimiter.encode())]
