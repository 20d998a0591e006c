"""Timestamps by patterns: what Spark 3.5 answered is kept in times_as_spark_reads_them.json, and must not change.

The answers are of `to_timestamp(text, pattern)` with spark.sql.legacy.timeParserPolicy CORRECTED and the time zone UTC,
in milliseconds since 1970: each pattern with all of `texts`, and with texts of its own, which are dates written by the
pattern itself and then damaged. What a pattern does not read is not listed, but for some texts of its own.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.readers.timestamps.pattern import Pattern

KEPT: dict[str, Any] = json.loads((Path(__file__).parents[1] / "times_as_spark_reads_them.json").read_text())
HOUR = 3_600_000

# Patterns that Spark reads and this reader refuses: eras, and full names of zones, which differ between programs.
NOT_IN_USE = {"yyyy-MM-dd G", "G yyyy-MM-dd HH:mm", "yyyy-MM-dd GGGG", "yyyy-MM-dd HH:mm zzzz"}
# Abbreviations: Spark takes EST for the clock of New York, which shows EDT in July, and BST for that of Bougainville.
BY_ABBREVIATION: dict[str, int | None] = {
    "2013-07-01 00:30 CET": 1372638600000 - HOUR,
    "2013-07-01 00:30 BST": 1372638600000 - HOUR,
    "2013-07-01 00:30 CST": 1372638600000 + 6 * HOUR,
    "2013-01-01 00:30 CDT": 1357000200000 + 5 * HOUR,
    "2013-07-01 00:30 EST": 1372638600000 + 5 * HOUR,
    "2013-07-01 00:30 PST": 1372638600000 + 8 * HOUR,
    "2013-07-01 00:30 MST": 1372638600000 + 7 * HOUR,
    "2013-07-01 00:30 EET": 1372638600000 - 2 * HOUR,
    "2013-07-01 00:30 IST": None,
    "2013-07-01 00:30 MSK": None,
    "2013-07-01 00:30 Etc/GMT+5": 1372638600000 + 5 * HOUR,
    "2013-10-27 01:30 BST": 1382837400000 - HOUR,
    "2013-11-03 01:30 CST": 1383442200000 + 6 * HOUR,
    "2013-11-03 01:30 EST": 1383442200000 + 5 * HOUR,
    "2013-10-27 02:30 CET": 1382841000000 - HOUR,
}
# Names of zones that Java does not know by themselves.
BY_ZONE: dict[str, int | None] = {
    "2013-07-01 00:30 EST": 1372638600000 + 5 * HOUR,
    "2013-07-01 00:30 MST": 1372638600000 + 7 * HOUR,
    "2013-07-01 00:30 HST": 1372638600000 + 10 * HOUR,
    "2013-11-03 01:30 EST": 1383442200000 + 5 * HOUR,
    "2013-03-10 02:30 EST": 1362882600000 + 5 * HOUR,
}
# Spark lets the year take the digits of the fraction, and so reads no text at all by this pattern.
BY_DIGITS_ALONE: dict[str, int | None] = {
    "20130701003000000": 1372638600000,
    "20130131120000000": 1359633600000,
    "20240229235959999": 1709251199999,
    "20131027130509050": 1382879109050,
    "19991231114530123": 946640730123,
    "20261109090703500": 1794215223500,
    "20130701003000123": 1372638600123,
}
OTHERWISE: dict[str, dict[str, int | None]] = {
    "yyyy-MM-dd HH:mm z": BY_ABBREVIATION,
    "yyyy-MM-dd HH:mm VV": BY_ZONE,
    "yyyyMMddHHmmssSSS": BY_DIGITS_ALONE,
}


@pytest.mark.parametrize("pattern", [pattern for pattern in KEPT["patterns"] if pattern not in NOT_IN_USE])
def test_a_pattern_reads_what_spark_reads(pattern: str) -> None:
    of_pattern = KEPT["patterns"][pattern]
    texts = list(dict.fromkeys([*KEPT["texts"], *of_pattern["read"], *of_pattern["not_read"]]))
    expected = {text: of_pattern["read"].get(text) for text in texts} | OTHERWISE.get(pattern, {})

    reader = Pattern(pattern)
    read = reader.read(pa.array(texts, pa.string()))

    answers = zip(texts, read.exists.tolist(), read.milliseconds.tolist(), strict=True)
    found = {text: milliseconds if exists else None for text, exists, milliseconds in answers}
    assert found == expected
    assert {text: reader.read_one(text) for text in texts} == expected


def test_the_kept_answers_are_many() -> None:
    assert len(KEPT["patterns"]) > 200
    assert sum(len(each["read"]) for each in KEPT["patterns"].values()) > 2000


@settings(deadline=None)
@given(some.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_what_python_writes_is_read_back(time: datetime) -> None:
    expected = (time.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert Pattern("yyyy-MM-dd HH:mm:ss.SSSSSS").read_one(f"{time:%Y-%m-%d %H:%M:%S.%f}") == expected
    milliseconds = Pattern("yyyyMMddHHmmssSSS")
    text = f"{time:%Y%m%d%H%M%S%f}"[:-3]
    assert milliseconds.read_one(text) == milliseconds.read(pa.array([text])).milliseconds[0] == expected
    assert milliseconds.read_one(text[:-4]) is None
    minute = time.replace(second=0, microsecond=0).replace(tzinfo=UTC)
    assert Pattern("d MMMM yyyy h:mm a").read_one(f"{time.day} {time:%B %Y %I:%M %p}".replace(" 0", " ")) == round(
        minute.timestamp() * 1000
    )
