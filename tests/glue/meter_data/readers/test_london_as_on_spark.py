"""London lines against what the job on Spark made of them: the same readings, error readings and rejects.

london_on_spark.json holds its answers, of its last version, with the file delivered on 2015-06-01 12:00 UTC: for each
line (as ISO 8859-1) meter id, kWh, whether it is an error reading, milliseconds since 1970 and reason. A reject has a
reason alone. The lines hold every text of `texts` in a row that is good otherwise and in random rows, bytes that are no
UTF-8, and lines of other widths.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from meter_data.lake.schemas import ERROR, TYPES
from meter_data.meter_files import lines, text_columns
from meter_data.readers import london, rules

DELIVERED_AT = 1_433_160_000_000
ANSWERS = json.loads((Path(__file__).parent / "london_on_spark.json").read_bytes())


def judged(header: tuple[str, ...], texts: list[bytes]) -> list[list[Any]]:
    file = lines.File("a.csv", lambda: io.BytesIO(b"".join(text + b"\r\n" for text in texts)))
    found: dict[int, list[Any]] = {}
    for block in text_columns.read(file, london.layout(header), lines_at_once=100, part_bytes=4000):
        rows = london.judge(block, DELIVERED_AT)
        for at, number in enumerate(rows.row.tolist()):
            if rows.reason[at] != rules.NO_REASON:
                found[number] = [None, None, False, None, london.REASONS[rows.reason[at]]]
                continue
            is_error = TYPES[rows.reading_type[at]] == ERROR
            kwh = None if is_error else float(rows.kwh[at])
            meter, time = rows.meter_ids[int(rows.meter[at])].as_py(), int(rows.times[rows.time[at]])
            found[number] = [meter, kwh, is_error, time, None]
        for number in rows.misshapen.tolist():
            reason = rules.WRONG_FIELD_COUNT if texts[number].strip(b" ") else rules.EMPTY_LINE
            found[number] = [None, None, False, None, reason]
    return [found[number] for number in range(len(texts))]


@pytest.mark.parametrize("answers", ANSWERS, ids=[len(each["header"]) for each in ANSWERS])
def test_every_line_is_judged_as_on_spark(answers: dict[str, Any]) -> None:
    texts = [line.encode("iso-8859-1") for line, *_ in answers["lines"]]
    wanted = [answer for _, *answer in answers["lines"]]

    found = judged(tuple(answers["header"]), texts)

    assert [row for row in zip(texts, found, wanted, strict=True) if row[1] != row[2]] == []


def test_the_answers_are_of_all_layouts_and_kinds() -> None:
    assert tuple(tuple(each["header"]) for each in ANSWERS) == london.HEADERS
    answers = [answer for each in ANSWERS for _, *answer in each["lines"]]
    assert {answer[-1] for answer in answers} == {
        None,
        rules.EMPTY_LINE,
        rules.WRONG_FIELD_COUNT,
        *london.REASONS,
    }
    assert {answer[2] for answer in answers} == {True, False}
