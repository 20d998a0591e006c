"""Delimited text with quotation marks: the fast reader finds what the rule for one line finds, for any bytes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as some
from meter_data.meter_files import delimited, lines, quoted_columns
from meter_data.meter_files.quoted_columns import QuotedText
from meter_data.meter_files.text_columns import DelimitedLayout, Part

from tests.glue.meter_data.meter_files.contents import contents, file_of, lines_of

DELIMITERS = [b",", b";", b"\t", b"||", b'a"'[:1], "€".encode(), b"\xa6", b"\x1f", b"\x1f\x1e"]


def of_part(part: Part) -> tuple[list[list[bytes]], list[int], int]:
    columns = [[text for chunk in chunks for text in chunk.to_pylist()] for chunks in part.columns]
    return columns, part.misshapen.tolist(), part.lines


def defined(text: bytes, layout: DelimitedLayout, headers: list[int]) -> tuple[list[list[bytes]], list[int], int]:
    """The definition: the wanted fields of each row, the misshapen lines, and how many lines there are."""
    fields = [delimited.cut(line, layout.delimiter) for line in text.splitlines()]
    is_row = [len(parts) == layout.width and at not in headers for at, parts in enumerate(fields)]
    rows = [parts for parts, holds in zip(fields, is_row, strict=True) if holds]
    columns = [[row[place] for row in rows] for place in layout.places]
    return columns, [at for at, holds in enumerate(is_row) if not holds], len(fields)


@some.composite
def texts(draw: Any) -> tuple[bytes, DelimitedLayout]:
    """Lines most of which are well formed and quoted, with some of any signs between, and their layout."""
    delimiter = draw(some.sampled_from(DELIMITERS))
    width = draw(some.integers(1, 4))
    places = draw(some.lists(some.integers(0, width - 1), min_size=1, unique=True))
    bare = some.sampled_from([b"", b"a", b" a ", b"0,5", b"M1", b"\xe9", "é".encode(), b"\xff", b"\x1f"])
    inner = some.sampled_from(
        [
            b"",
            b"a",
            b'""',
            b'a ""b""',
            b'""""',
            delimiter + b'""',
            b"0,5",
            b"a" + delimiter + b"b",
            delimiter,
            b" ",
            b"\x1f",
            b"\x1e",
        ]
    )
    quoted = inner.map(lambda text: b'"' + text + b'"')
    odd = some.sampled_from([b'"', b'""', b'a"b', b' "a"', b'"a" ', b'"a""b"', b'"a', b'b"', b"\xef\xbb\xbf", b"\0"])
    usual = some.one_of(bare, quoted)
    fields = draw(some.sampled_from([usual, some.one_of(usual, usual, usual, odd)]))
    row = some.lists(fields, min_size=width, max_size=width).map(delimiter.join)
    wild = some.lists(fields, max_size=5).map(delimiter.join)
    line = draw(some.sampled_from([row, some.one_of(row, row, row, wild)]))
    ended = some.tuples(line, some.sampled_from([b"\n", b"\r\n", b"\r"])).map(b"".join)
    found = draw(some.lists(ended, min_size=1, max_size=40))
    return b"".join(found) + draw(some.one_of(some.just(b""), line)), DelimitedLayout(delimiter, width, tuple(places))


@settings(max_examples=400, deadline=None)
@given(text_and_layout=texts(), data=some.data())
def test_well_formed_lines_and_others_are_read_as_defined(
    text_and_layout: tuple[bytes, DelimitedLayout], data: Any
) -> None:
    text, layout = text_and_layout
    count = lines.count(text)
    headers = sorted(data.draw(some.sets(some.integers(0, count - 1), max_size=2))) if count else []

    part = quoted_columns.read_part(text, layout, np.array(headers, np.int64))

    event("with marks" if b'"' in text else "without")
    assert of_part(part) == defined(text, layout, headers)


@settings(max_examples=300, deadline=None)
@given(
    text=some.binary(min_size=1, max_size=60) | some.text('a ",|\n\r', min_size=1, max_size=60).map(str.encode),
    width=some.integers(1, 4),
)
def test_any_bytes_are_read_as_defined(text: bytes, width: int) -> None:
    for delimiter in (b",", b"||"):
        layout = DelimitedLayout(delimiter, width, (0,))
        assert of_part(quoted_columns.read_part(text, layout)) == defined(text, layout, [])


@settings(max_examples=100, deadline=None)
@given(content=contents(), part_bytes=some.integers(1, 100), lines_at_once=some.integers(1, 20))
def test_a_file_is_read_in_blocks_with_the_lines_that_are_headers(
    content: bytes, part_bytes: int, lines_at_once: int
) -> None:
    all_lines = lines_of(content)
    header = all_lines[0] if all_lines else b""
    layout = DelimitedLayout(b",", 2, (0, 1))
    reading = QuotedText(file_of(content), layout, header)

    rows, misshapen, headers = [], [], []
    for block in reading.blocks(lines_at_once, part_bytes):
        columns = [[column.distinct[code].as_py() for code in column.codes.tolist()] for column in block.columns]
        rows += list(zip(block.line_numbers().tolist(), *columns, strict=True))
        misshapen += block.misshapen.tolist()
        headers += reading.headers.tolist()

    mark = lines.BYTE_ORDER_MARK
    is_header = [bool(header) and line in (header, mark + header) for line in all_lines]
    cut = [delimited.cut(line, b",") for line in all_lines]
    assert headers == [at for at, holds in enumerate(is_header) if holds]
    expected = [(at, *cut[at]) for at in range(len(cut)) if len(cut[at]) == 2 and not is_header[at]]
    assert rows == expected
    assert misshapen == sorted(set(range(len(cut))) - {at for at, *_ in expected})


QUOTED = b'"M1","2013-01-01 00:30:00","0,5"\r\n'


@pytest.mark.parametrize(
    "text",
    [
        QUOTED * 3,
        QUOTED.replace(b",", b";").replace(b"0;5", b"0,5") * 3,
        QUOTED.replace(b'"M1"', b"M1") * 3 + QUOTED[:-2],
        QUOTED + b'"bad"\n"too","many","of",them\r\n' + QUOTED,
    ],
)
def test_usual_quoted_lines_are_not_cut_one_by_one(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(quoted_columns.delimited, "cut", lambda *_: pytest.fail("a line was cut alone"))
    delimiter = b";" if b";" in text else b","
    part = quoted_columns.read_part(text, DelimitedLayout(delimiter, 3, (0, 2)))
    columns, misshapen, _ = of_part(part)
    assert set(columns[0]) == {b"M1"}
    assert set(columns[1]) == {b"0,5"}
    assert len(columns[0]) + len(misshapen) == lines.count(text)


def test_one_odd_line_does_not_slow_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    cut, asked = delimited.cut, []

    def noted(line: bytes, delimiter: bytes) -> list[bytes]:
        asked.append(line)
        return cut(line, delimiter)

    monkeypatch.setattr(quoted_columns.delimited, "cut", noted)
    odd = b'M2,5" pipe,1\n'
    part = quoted_columns.read_part(QUOTED * 2 + odd + QUOTED, DelimitedLayout(b",", 3, (1, 0)))
    assert asked == [odd[:-1]]
    assert of_part(part)[0][1] == [b"M1", b"M1", b"M2", b"M1"]


@pytest.mark.parametrize(
    "line",
    [b'"' * 1_000_001, b'"",' * 350_000, b'"a,' * 350_000, b'"' + b"a,b" * 350_000, b'a"' * 500_000, b'"a" ' * 250_000],
)
def test_a_line_of_a_megabyte_is_cut_at_once(line: bytes) -> None:
    """A pattern that tries again from every quotation mark takes hours."""
    begun = time.process_time()
    quoted_columns.read_part(line, DelimitedLayout(b",", 3, (0,)))
    assert time.process_time() - begun < 20


def test_a_part_of_headers_alone_is_read_in_one_pass() -> None:
    begun = time.process_time()
    found = quoted_columns.lines_equal_to(b"a,b,c\n" * 500_000, b"a,b,c")
    assert len(found) == 500_000
    assert time.process_time() - begun < 20
