"""JSON Lines: lines that are read all at once are read as each alone."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as some
from meter_data.meter_files import json_files, lines, records
from meter_data.meter_files.json_files import JsonLinesFile
from meter_data.meter_files.records import Column

from tests.glue.meter_data.meter_files.contents import file_of, lines_of

NAMES = {"meter_id": "id", "value": "kwh", "error_code": "code"}
NUMBERS = some.floats(allow_nan=False) | some.integers() | some.sampled_from([0, 1, 2**53, -(2**53), 0.0, 12.0])
CELLS = some.none() | some.booleans() | NUMBERS | some.text(max_size=5) | some.lists(some.integers(0, 9), max_size=2)
OBJECTS = some.dictionaries(some.sampled_from(["id", "kwh", "code", "x"]), CELLS).map(json.dumps)
# Lines that join with their neighbours into something else, or fall apart.
WILD = [
    "",
    " ",
    "{",
    "}",
    '{"id":[1',
    "2]}",
    '{"id":{"x":1}',
    '{"a":1},{"b":2}',
    '{"a":1},0,{"b":2}',
    '{"id":"',
    '"}',
    "7",
]


def values(column: Column) -> list[tuple[Any, bool]]:
    """The text of each row, and whether it is that of a number that may have lost digits."""
    shown = records.texts(column.distinct).to_pylist()
    marks = column.inexact.tolist() if column.inexact is not None else [False] * len(shown)
    if str(column.distinct.type) == "double":
        marks = [True] * len(shown)
    return [(shown[code], marks[code]) if code >= 0 else (None, False) for code in column.codes.tolist()]


@settings(max_examples=300, deadline=None)
@given(some.lists(OBJECTS | some.sampled_from(WILD), min_size=1, max_size=8))
def test_lines_that_are_read_at_once_are_read_as_each_alone(given_lines: list[str]) -> None:
    encoded = [line.encode() for line in given_lines]

    at_once = json_files._objects_at_once(encoded)

    alone = [json_files._object(line) for line in encoded]
    event("at once" if at_once is not None else "alone")
    assert at_once is None or at_once == alone
    if all(row is not None for row in alone):
        assert at_once is not None


@settings(max_examples=200, deadline=None)
@given(
    found=some.lists(OBJECTS | some.sampled_from(WILD), max_size=12),
    end=some.sampled_from(["\n", "\r\n", "\n\ufeff"]),
    packed=some.booleans(),
)
def test_every_line_is_a_row_or_misshapen(found: list[str], end: str, packed: bool) -> None:
    content = end.join(found).encode()
    all_lines = [line.removeprefix(lines.BYTE_ORDER_MARK) for line in lines_of(content)]
    expected = [json_files._object(line) for line in all_lines]

    parts = list(JsonLinesFile(file_of(content, packed=packed), NAMES, ()).records())

    places = [place for part in parts for place in part.places.tolist()]
    misshapen = [place for part in parts for place in part.misshapen.tolist()]
    assert places == [at for at, row in enumerate(expected) if row is not None]
    assert misshapen == [at for at, row in enumerate(expected) if row is None]
    for role, name in NAMES.items():
        cells = [cell for part in parts for cell in values(part.columns[role])]
        rows = [row for row in expected if row is not None]
        texts = [records.json_text(row.get(name)) for row in rows]
        assert cells == [
            (text, records.is_inexact_number(row.get(name))) for text, row in zip(texts, rows, strict=True)
        ]


def test_rows_are_shown_as_they_came() -> None:
    content = b'\xef\xbb\xbf{"id": 1}\n\n[1]\n{"id": 2}'
    file = JsonLinesFile(file_of(content), NAMES, ())
    assert list(file.as_given(np.array([0, 1, 2]))) == [[b'{"id": 1}', b"", b"[1]"]]
    assert list(file.as_given(np.array([3]))) == [[b'{"id": 2}']]


def test_half_of_a_surrogate_pair_is_no_sign_of_a_text() -> None:
    """A question mark in its place would be a code of errors like others."""
    file = JsonLinesFile(file_of(rb'{"id":"M1","kwh":1,"code":"E\ud800"}'), NAMES, ())
    (rows,) = file.records()
    ((code, _),) = values(rows.columns["error_code"])
    assert code is not None
    assert set(code) == {"E", "\ufffd"}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.5, "0.5"), (1e7, "1.0E7"), (12345678.9, "1.23456789E7"), (1e-3, "0.001"), (1e-4, "1.0E-4"),
        (-2.5e-5, "-2.5E-5"), (0.0, "0.0"), (-0.0, "-0.0"), (1e300, "1.0E300"),
        (float("nan"), "NaN"), (float("-inf"), "-Infinity"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_java_writes_them(number: float, text: str) -> None:
    assert records.number_text(number) == text
