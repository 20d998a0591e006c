"""London rows against the job on Spark: the same readings, error readings and rejects, reason by reason."""

from __future__ import annotations

import datetime
import io
import random
from collections.abc import Sequence
from typing import Any

import pytest
import raw_to_clean
from meter_data.meter_files import lines, text_columns
from meter_data.readers import london, rules
from transformers import london as london_on_spark
from transformers.zones import lines as lines_on_spark

from tests.glue.meter_data.readers.texts import METER_IDS, TIMES, UNDECODABLE, VALUES

DELIVERED = "2015-06-01 12:00:00"
GOOD = (b"MAC000002", b"2013-01-01 00:30:00.0000000", b" 0.219 ")
Found = tuple[str | None, float | None, bool, int | None, str | None]


def content_lines(header: Sequence[str], seed: int) -> list[bytes]:
    """Every listed text in a row that is good otherwise, and in random rows; and lines of other widths."""
    choose = random.Random(seed)  # noqa: S311
    columns = [[text.encode() for text in texts] + UNDECODABLE for texts in (METER_IDS, TIMES, VALUES)]
    rows = [(*GOOD[:at], text, *GOOD[at + 1 :]) for at, column in enumerate(columns) for text in (*column, b" ")]
    for _ in range(2000):
        pairs = zip(GOOD, columns, strict=True)
        parts = [choose.choice([good, good, good, choose.choice(column)]) for good, column in pairs]
        rows.append(tuple(choose.choice([b"", b"", b" ", b"  "]) + part + choose.choice([b"", b" "]) for part in parts))
    others = {"stdorToU": b"Std", "Acorn": b"\xff\x00", "Acorn_grouped": b""}
    layout = london.layout(header)
    found = []
    for row in rows:
        fields = [others.get(name, b"") for name in header]
        for place, text in zip(layout.places, row, strict=True):
            fields[place] = text
        found.append(b",".join(fields))
    found += [b"", b"  ", b"\t", b",", b"," * (len(header) - 1), b"," * len(header), b"x", b'"a,b"', b"\xff", b"\x00"]
    choose.shuffle(found)
    return found


def of_spark(spark: Any, header: Sequence[str], texts: list[bytes]) -> list[Found]:
    """Meter id, kWh, whether it is an error reading, milliseconds and reason. A reject has a reason alone."""
    numbered = spark.createDataFrame([(at, bytearray(text)) for at, text in enumerate(texts)], "at int, bytes binary")
    rows = numbered.selectExpr("at", "CAST(bytes AS string) AS line", f"TIMESTAMP'{DELIVERED}' AS delivered_at")
    judged = raw_to_clean.judge(london_on_spark.transform(lines_on_spark.split(rows, header))).orderBy("at")
    good = "reason IS NULL"
    found = judged.selectExpr(
        f"IF({good}, meter_id, NULL)",
        f"IF({good}, reading_value, NULL)",
        f"{good} AND reading_type = 'ERR' AND error_code = 'NULL'",
        f"IF({good}, unix_millis(reading_date_time), NULL)",
        "reason",
    )
    return [tuple(row) for row in found.collect()]


def of_columns(header: Sequence[str], texts: list[bytes]) -> list[Found]:
    """The same from text columns."""
    file = lines.File("a.csv", lambda: io.BytesIO(b"".join(text + b"\r\n" for text in texts)))
    delivered_at = int(datetime.datetime.fromisoformat(f"{DELIVERED}+00:00").timestamp() * 1000)
    found: dict[int, Found] = {}
    for block in text_columns.read(file, london.layout(header), lines_at_once=500, part_bytes=4000):
        rows = london.judge(block, delivered_at)
        for at, number in enumerate(block.line_numbers().tolist()):
            if rows.reason[at] != rules.NO_REASON:
                found[number] = (None, None, False, None, london.REASONS[rows.reason[at]])
                continue
            meter, time = rows.meter_ids[rows.meter[at]].as_py(), int(rows.times[rows.time[at]])
            is_error = bool(rows.is_error[at])
            found[number] = (meter, None if is_error else float(rows.kwh[at]), is_error, time, None)
        for number in block.misshapen.tolist():
            reason = "empty_line" if not texts[number].strip(b" ") else "wrong_field_count"
            found[number] = (None, None, False, None, reason)
    return [found[number] for number in range(len(texts))]


@pytest.mark.parametrize("header", london.HEADERS, ids=len)
def test_every_row_is_judged_as_on_spark(spark: Any, header: tuple[str, ...]) -> None:
    texts = content_lines(header, seed=len(header))
    wanted = of_spark(spark, header, texts)
    found = of_columns(header, texts)

    assert [row for row in zip(texts, found, wanted, strict=True) if row[1] != row[2]] == []
    shapes = {lines_on_spark.EMPTY_LINE, lines_on_spark.WRONG_FIELD_COUNT}
    assert {row[-1] for row in wanted} == {None, *shapes, *london.REASONS}
    assert {row[2] for row in wanted} == {True, False}


def test_the_layouts_and_reasons_are_those_of_spark() -> None:
    assert london.HEADERS == london_on_spark.HEADERS
    assert (*london_on_spark.REASONS, rules.TIMESTAMP_OUT_OF_RANGE) == london.REASONS
    assert london.LARGEST_KWH == london_on_spark.LARGEST_KWH
