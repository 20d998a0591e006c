"""Each rule against the rule of the jobs on Spark, whose tables must stay the same."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from meter_data.readers import rules
from transformers.zones import fields

from tests.glue.meter_data.readers.texts import METER_IDS, TIMES, UNDECODABLE, VALUES

ALL = sorted({text.encode() for text in METER_IDS + TIMES + VALUES} | set(UNDECODABLE))

# Java's $ also stands before a last line end, and Unicode has more of these than files have. So the rules on Spark take
# such a text for a number or a time, cannot read it, and give a reading without a value or the wrong reason.
LINE_ENDS = ["\x85", "\u2028", "\u2029"]


@pytest.fixture(scope="module")
def of_spark(spark: Any) -> dict[bytes, Any]:
    """What the rules on Spark say about each text."""
    from pyspark.sql import functions as sql

    texts = [*ALL, *(f"{text}{end}".encode() for end in LINE_ENDS for text in ("0.5", "2013-01-01 00:30:00"))]
    text = sql.col("text")
    rows = (
        spark.createDataFrame([(bytearray(each),) for each in texts], "bytes binary")
        .select("bytes", sql.col("bytes").cast("string").alias("untrimmed"))
        .select("bytes", fields.trimmed("untrimmed").alias("text"))
        .select(
            "bytes",
            fields.is_meter_id(text).alias("is_meter_id"),
            fields.meter_id_reason(text).alias("meter_id_reason"),
            fields.is_timestamp(text).alias("has_shape"),
            sql.when(fields.is_timestamp(text), sql.unix_millis(fields.utc_timestamp(text))).alias("milliseconds"),
            fields.is_number(text).alias("is_number"),
            sql.when(fields.is_number(text), text.cast("double")).alias("value"),
            (sql.lower(text) == "null").alias("is_null_word"),
            (text == "").alias("is_empty"),
        )
    )
    return {bytes(row["bytes"]): row for row in rows.collect()}


@pytest.fixture(scope="module")
def texts() -> pa.StringArray:
    return rules.trimmed(rules.decoded(pa.array(ALL, pa.binary())))


def wanted(of_spark: dict[bytes, Any], name: str) -> dict[bytes, Any]:
    return {text: of_spark[text][name] for text in ALL}


def given(answers: Any) -> dict[bytes, Any]:
    return dict(zip(ALL, list(answers), strict=True))


def test_meter_ids_are_judged_as_on_spark(of_spark: dict[bytes, Any], texts: pa.StringArray) -> None:
    order = (rules.MISSING_METER_ID, rules.METER_ID_LOST_DIGITS, rules.INVALID_METER_ID)
    is_id = rules.is_meter_id(texts)
    applies = dict(zip(order, (rules.is_empty(texts), rules.has_lost_digits(texts), ~is_id), strict=True))
    codes = rules.first_reasons(order, len(texts), applies)

    assert given(is_id.tolist()) == wanted(of_spark, "is_meter_id")
    assert given(None if code == rules.NO_REASON else order[code] for code in codes) == wanted(
        of_spark, "meter_id_reason"
    )


def test_times_are_read_as_on_spark(of_spark: dict[bytes, Any], texts: pa.StringArray) -> None:
    times = rules.times(texts)
    milliseconds = [
        int(time) if exists else None for time, exists in zip(times.milliseconds, times.exists, strict=True)
    ]

    assert given(times.has_shape.tolist()) == wanted(of_spark, "has_shape")
    assert given(milliseconds) == wanted(of_spark, "milliseconds")


def test_numbers_are_read_as_on_spark(of_spark: dict[bytes, Any], texts: pa.StringArray) -> None:
    numbers = rules.numbers(texts)
    values = [value if is_number else None for value, is_number in zip(numbers.values, numbers.is_number, strict=True)]

    assert given(numbers.is_number.tolist()) == wanted(of_spark, "is_number")
    assert given(values) == wanted(of_spark, "value")


def test_words_are_found_as_on_spark(of_spark: dict[bytes, Any], texts: pa.StringArray) -> None:
    assert given(rules.is_word(texts, "null").tolist()) == wanted(of_spark, "is_null_word")
    assert given(rules.is_empty(texts).tolist()) == wanted(of_spark, "is_empty")


@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
def test_a_line_end_of_unicode_is_a_fault_that_spark_overlooks(of_spark: dict[bytes, Any], end: str) -> None:
    time, number = f"2013-01-01 00:30:00{end}", f"0.5{end}"

    assert (of_spark[time.encode()]["has_shape"], of_spark[time.encode()]["milliseconds"]) == (True, None)
    assert not rules.times(pa.array([time])).has_shape.any()
    assert (of_spark[number.encode()]["is_number"], of_spark[number.encode()]["value"]) == (True, None)
    assert not rules.numbers(pa.array([number])).is_number.any()


def test_reasons_have_the_same_names_as_on_spark() -> None:
    names = [name for name in vars(fields) if name.isupper() and not name.startswith("_") and name != "LONGEST_CODE"]
    assert {name: getattr(rules, name) for name in names} == {name: getattr(fields, name) for name in names}
