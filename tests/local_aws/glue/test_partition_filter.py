from __future__ import annotations

import pytest

from local_aws.glue.partition_filter import compiled
from local_aws.service import ServiceError

KEYS = [{"Name": "reading_type", "Type": "string"}, {"Name": "year", "Type": "int"}]


@pytest.mark.parametrize(
    ("expression", "matching"),
    [
        ("reading_type = 'INT'", {("INT", "2013"), ("INT", "2014"), ("INT", "900")}),
        ("reading_type='INT' AND year=2013", {("INT", "2013")}),
        ("READING_TYPE = 'ERR' or year = 2014", {("ERR", "2013"), ("INT", "2014")}),
        ("year > 1000 and year <= 2013", {("INT", "2013"), ("ERR", "2013")}),
        ("year < '1000'", {("INT", "900")}),
        ("year in (2014, 900)", {("INT", "2014"), ("INT", "900")}),
        ("reading_type not in ('INT', 'AGG')", {("ERR", "2013")}),
        ("reading_type <> 'INT'", {("ERR", "2013")}),
        ("not (reading_type = 'INT' or year = 2014)", {("ERR", "2013")}),
        ("year between 2014 and 2020", {("INT", "2014")}),
        ("reading_type like 'I%'", {("INT", "2013"), ("INT", "2014"), ("INT", "900")}),
        ("reading_type like 'E_R'", {("ERR", "2013")}),
        ("2013 = year and 'ERR' = reading_type", {("ERR", "2013")}),
        ("reading_type = 'it''s'", set()),
    ],
)
def test_a_condition_finds_the_partitions_it_describes(expression: str, matching: set[tuple[str, str]]) -> None:
    partitions = [("INT", "2013"), ("INT", "2014"), ("INT", "900"), ("ERR", "2013")]
    matches = compiled(expression, KEYS)
    assert {values for values in partitions if matches(values)} == matching


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("reading_type = ", "parse|Unsupported"),
        ("meter_id = 'x'", "meter_id.*no partition key"),
        ("upper(reading_type) = 'INT'", "Unsupported"),
        ("reading_type", "Unsupported"),
        ("year = 'soon'", "no number"),
        ("year in (select 1)", "Unsupported"),
    ],
)
def test_what_is_no_condition_on_keys_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(ServiceError, match=reason) as caught:
        compiled(expression, KEYS)
    assert caught.value.code == "InvalidInputException"
