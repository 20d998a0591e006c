"""Which ids ingestion takes: those that the API can be asked for, with all of their digits."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from pyspark.sql import functions as sql
from transformers.zones import fields, meter_ids

IDS = [
    *["MAC000002", "1012345678901", "NMI1234567", "DE00056266802AO6G56M11SN51G21M24S", "ES0021000000000001AB1F"],
    *["0000BUG20", "22 0000 4836 192", "1-0:1.8.0*255", "AA:BB:CC:00:11:22", "flat_7~b@site(2)", "M" * 64],
    # Numbers of hexadecimal digits and the like.
    *["12E5", "12E-5", "6102E12345", "1E", "E5", "1.2E", "7.221", "12.0", "7.221.000.000.001"],
]
WITHOUT_DIGITS = ["7.221E+12", "7,222E+12", "7E+12", "7.221e+12", "7.221E12", "7.E12", "5.4144882E+017", "-7.2E+12"]
NO_IDS = [
    *["M" * 65, "M\n", "M\x00", "MÄC2", "M\u00a02", "M\u06602", "M  2", ".", "..", "-", "*", "_", "(1)"],
    *["BUG20/1", "BUG20+7", "#BUG20", "BUG20#7", '="00BUG20"', "'00BUG20", "BUG20%2F1", "100%", "A\\B", '"M1'],
    *["A?B", "A&B", "A;B", "A=B", "A,B", "A$B", "A!B", 'A"B', "A'B", "A`B", "A|B", "A^B", "A<B>", "A[1]", "A{1}"],
]


def reasons(spark: Any, texts: list[str | None]) -> list[str | None]:
    frame = spark.createDataFrame([(at, text) for at, text in enumerate(texts)], "at int, text string")
    text = sql.col("text")
    rows = frame.select("at", fields.meter_id_reason(text).alias("reason"), fields.is_meter_id(text).alias("is_id"))
    found = rows.orderBy("at").collect()
    assert all((row["reason"] is None) == bool(row["is_id"]) for row in found), "the two rules disagree"
    return [row["reason"] for row in found]


def test_an_id_is_taken_or_refused_with_its_reason(spark: Any) -> None:
    wanted = [
        *((text, None) for text in IDS),
        *((text, "meter_id_lost_digits") for text in WITHOUT_DIGITS),
        *((text, "invalid_meter_id") for text in NO_IDS),
        ("", "missing_meter_id"),
        (None, "missing_meter_id"),
    ]
    found = reasons(spark, [text for text, _ in wanted])
    assert [(text, reason) for (text, _), reason in zip(wanted, found, strict=True)] == wanted


LEGAL = string.ascii_letters + string.digits + " ._:~*@()-"
ALMOST = some.text(alphabet=LEGAL + "/%+,\n", min_size=1, max_size=70)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=some.lists(ALMOST, min_size=200, max_size=200))
def test_every_engine_reads_the_definition_in_the_same_way(spark: Any, texts: list[str]) -> None:
    """Spark's against the rules written out: Java and Python anchor patterns differently."""
    found = reasons(spark, texts)

    for text, reason in zip(texts, found, strict=True):
        legal = (
            len(text) <= 64
            and set(text) <= set(LEGAL)
            and text[0] in string.ascii_letters + string.digits
            and not text.endswith(" ")
            and "  " not in text
        )
        number = text.replace(",", ".").lstrip("+-")
        mantissa, exponent = re.split("[eE]", number, maxsplit=1) if "e" in number.lower() else (number, "")
        lost = (
            exponent.lstrip("+-").isdecimal()
            and len(exponent) - len(exponent.lstrip("+-")) <= 1
            and len(text) - len(text.lstrip("+-")) <= 1
            and mantissa.replace(".", "", 1).isdecimal()
            and mantissa[0] != "."
            and ("." in mantissa or exponent[0] == "+")
        )
        assert reason == ("meter_id_lost_digits" if lost else None if legal else "invalid_meter_id"), text


def test_the_page_names_the_signs() -> None:
    page = Path(__file__).resolve().parents[4] / "docs" / "loading-your-files.md"
    signs = [sign for sign in map(chr, range(32, 127)) if re.fullmatch(meter_ids.PATTERN, f"M{sign}1")]
    named = re.search(r"may\s+hold ASCII letters, digits, single spaces and ((?:`[^`]` ?)+)", page.read_text("utf-8"))
    assert named
    written = set(re.findall(r"`([^`])`", named[1]))
    assert written | set(string.ascii_letters + string.digits + " ") == set(signs)
