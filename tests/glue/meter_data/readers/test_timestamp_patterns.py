"""Timestamps by patterns: what Spark 3.5 answered is kept in times_as_spark_reads_them.json, and must not change.

The answers are of `to_timestamp(text, pattern)` with spark.sql.legacy.timeParserPolicy CORRECTED and the time zone UTC,
in milliseconds since 1970: each pattern with all of `texts`, and with texts of its own, which are dates written by the
pattern itself and then damaged. What a pattern does not read is not listed, but for some texts of its own.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.meter_files.records import Column, Records
from meter_data.readers import default, described_times, local_time, rules
from meter_data.readers.description import Description
from meter_data.readers.timestamp_patterns import Pattern, PatternError

KEPT: dict[str, Any] = json.loads((Path(__file__).parent / "times_as_spark_reads_them.json").read_text())
HOUR = 3_600_000

# Patterns that Spark reads and this reader refuses: eras, and full names of zones, which differ between programs.
NOT_IN_USE = {"yyyy-MM-dd G", "G yyyy-MM-dd HH:mm", "yyyy-MM-dd GGGG", "yyyy-MM-dd HH:mm zzzz"}
# Spark refused them only because one of the texts has a year that overflows.
USABLE = {"y", "ddMMy"}
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
OTHERWISE: dict[str, dict[str, int | None]] = {"yyyy-MM-dd HH:mm z": BY_ABBREVIATION, "yyyy-MM-dd HH:mm VV": BY_ZONE}


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


@pytest.mark.parametrize("pattern", sorted({*KEPT["refused"], *NOT_IN_USE} - USABLE))
def test_a_pattern_that_cannot_be_used_is_refused_with_a_sentence(pattern: str) -> None:
    with pytest.raises(PatternError, match=r"\. ?.*\.?$") as refused:
        Pattern(pattern)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("EEE dd.MM.yyyy", "the letter E cannot be used. Leave the day of the week out of the files"),
        ("YYYY-MM-dd", "the letter Y cannot be used. Write y for the year."),
        ("DD.MM.yyyyyyy", "the letter y cannot stand 7 times. Write yyyy."),
        ("yyyy-MM-dd HHH", "the letter H cannot stand 3 times. Write H or HH."),
        ("yyyy-MM-dd V", "the letter V cannot stand 1 times. Write VV."),
        ("yyyy-MM-dd Uhr", "the letter U cannot be used. The letters that can be used are"),
        ("yyyy'T", "an apostrophe opens a text that does not end."),
        ("yyyy]", "it has a ] without a [ in front."),
        ("yyyy-MM-dd HH:mm zzzz", "full names of zones, cannot be used. Write z, or VV for a zone"),
    ],
)
def test_the_sentence_names_the_letter_and_what_to_write(pattern: str, said: str) -> None:
    with pytest.raises(PatternError) as refused:
        Pattern(pattern)
    assert said in str(refused.value)


PIECES = ["yyyy", "yy", "MM", "dd", "HH", "mm", "ss", "S", "SSS", "SSSSSS", "-", ":", " ", "'T'"]


def is_pattern(pieces: list[str]) -> bool:
    """Letters next to the same letters would be another piece."""
    return all(one[0] != other[0] for one, other in pairwise(pieces))


@settings(max_examples=300, deadline=None)
@given(
    pieces=some.lists(some.sampled_from(PIECES), min_size=1, max_size=9).filter(is_pattern),
    texts=some.lists(some.text("0129-: Tt.", max_size=20), max_size=5),
    times=some.lists(some.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)), max_size=10),  # noqa: DTZ001
)
def test_texts_that_are_read_together_are_read_as_alone(
    pieces: list[str], texts: list[str], times: list[datetime]
) -> None:
    pattern = Pattern("".join(pieces))
    codes = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "'T'": "T"}
    written = [
        "".join(
            f"{time:%f}000"[: len(piece)] if "S" in piece else f"{time:{codes.get(piece, piece)}}" for piece in pieces
        )
        for time in times
    ]
    given_texts = [*texts, *written]

    read = pattern.read(pa.array(given_texts, pa.string()))

    alone = [pattern.read_one(text) for text in given_texts]
    assert read.exists.tolist() == [each is not None for each in alone]
    assert read.milliseconds.tolist() == [each or 0 for each in alone]


@settings(deadline=None)
@given(some.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_what_python_writes_is_read_back(time: datetime) -> None:
    expected = (time.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert Pattern("yyyy-MM-dd HH:mm:ss.SSSSSS").read_one(f"{time:%Y-%m-%d %H:%M:%S.%f}") == expected
    minute = time.replace(second=0, microsecond=0).replace(tzinfo=UTC)
    assert Pattern("d MMMM yyyy h:mm a").read_one(f"{time.day} {time:%B %Y %I:%M %p}".replace(" 0", " ")) == round(
        minute.timestamp() * 1000
    )


# ISO 8601 and zones.

# ISO 8601 has more forms of an offset than Spark's cast reads. A line end is part of a text, and no reader's business.
# Before 1970 the clocks of a zone do not matter.
OTHER_ISO = {
    "2013-07-01 00:30\n", "1582-10-10 00:30", "0000-01-01 00:30",
    "2013-07-01T00:30:00+0200", "2013-07-01T00:30:00+02", "2013-07-01T00:30:00-0000", "2013-07-01T00:30:00+00",
    "2013-07-01T00:30:00+0545", "2013-07-01T00:30Z", "2013-07-01T00:30:00UTC", "2013-07-01 00:30:00 UTC",
    "2013-07-01 00:30 UTC", "2013-07-01+00:30",
}  # fmt: skip


@pytest.mark.parametrize("zone", KEPT["iso"])
def test_iso_8601_is_read_as_spark_reads_it(zone: str) -> None:
    expected = {text: answer for text, answer in KEPT["iso"][zone].items() if text not in OTHER_ISO}
    column = Column(pa.array(list(expected), pa.string()), np.arange(len(expected), dtype=np.int32))
    rows = Records(np.arange(len(expected)), {"date_time": column}, np.empty(0, np.int64))

    times = described_times.judge(rows, Description(time_zone=zone), default.REASONS)

    reasons = [None if code == rules.NO_REASON else default.REASONS[code] for code in times.reasons.tolist()]
    instants = [at if holds else None for at, holds in zip(times.instants.tolist(), times.has_instant, strict=True)]
    later = [at if twice else None for at, twice in zip(times.later.tolist(), times.is_ambiguous, strict=True)]
    # Behind the last time is that of a row without one.
    assert (instants.pop(), reasons.pop(), later.pop()) == (None, rules.MALFORMED_TIMESTAMP, None)
    assert dict(zip(expected, zip(instants, reasons, later, strict=True), strict=True)) == {
        text: tuple(answer[1:]) for text, answer in expected.items()
    }


@pytest.mark.parametrize("zone", KEPT["clocks"])
def test_clocks_of_a_zone_are_the_instants_that_spark_gives(zone: str) -> None:
    clocks, instants, exist, later = zip(*KEPT["clocks"][zone], strict=True)
    found = local_time.instants(np.array(clocks), zone)
    assert found.earlier.tolist() == list(instants)
    assert found.exists.tolist() == list(exist)
    assert found.is_ambiguous.tolist() == [each is not None for each in later]
    assert [late for late, twice in zip(found.later.tolist(), found.is_ambiguous, strict=True) if twice] == [
        each for each in later if each is not None
    ]


@pytest.mark.parametrize("name", ["Europe/London", "UTC", "+01:00", "-18:00", "Etc/GMT+5", "GMT"])
def test_zones_are_known_by_their_names(name: str) -> None:
    assert local_time.is_zone(name)


@pytest.mark.parametrize("name", ["London", "", "+1:00", "+18:30", "+19:00", "Europe", "localtime", "../UTC", "CEST"])
def test_other_names_are_no_zones(name: str) -> None:
    assert not local_time.is_zone(name)
