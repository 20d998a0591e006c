"""Columns of distinct texts: both readers give what splitting every line at every delimiter gives, for any bytes."""

from __future__ import annotations

import io
import itertools
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as some
from meter_data.meter_files import lines, text_columns
from meter_data.meter_files.text_columns import Block, DelimitedLayout, TextColumn

from tests.glue.meter_data.meter_files.contents import MARK, MISLEADING, PIECES, contents, file_of, lines_of

Row = tuple[int, list[bytes]]
COMMA = DelimitedLayout(b",", 3, (0, 2))


@some.composite
def layouts(draw: Any, delimiters: Sequence[bytes]) -> DelimitedLayout:
    width = draw(some.integers(1, 4))
    places = draw(some.lists(some.integers(0, width - 1), min_size=1, unique=True))
    return DelimitedLayout(draw(some.sampled_from(delimiters)), width, tuple(places))


def defined(content: bytes, layout: DelimitedLayout) -> tuple[list[Row], list[int]]:
    """The definition: number and wanted fields of each row, and the numbers of misshapen lines."""
    fields = [line.split(layout.delimiter) for line in lines_of(content)]
    rows = [
        (at, [parts[place] for place in layout.places]) for at, parts in enumerate(fields) if len(parts) == layout.width
    ]
    return rows, [at for at, parts in enumerate(fields) if len(parts) != layout.width]


def found(blocks: list[Block]) -> tuple[list[Row], list[int]]:
    """What blocks hold, in the form of the definition. Also checks what every block promises."""
    rows: list[Row] = []
    misshapen: list[int] = []
    number = 0
    for block in blocks:
        assert block.first_line == number
        number += block.lines
        columns = [texts(column) for column in block.columns]
        numbers = block.line_numbers().tolist()
        assert len(numbers) == block.rows == len(columns[0])
        rows += [(at, list(row)) for at, row in zip(numbers, zip(*columns, strict=True), strict=True)]
        misshapen += block.misshapen.tolist()
    return rows, misshapen


def texts(column: TextColumn) -> list[bytes]:
    """The text of each row."""
    distinct = column.distinct.to_pylist()
    assert column.distinct.type == pa.binary()
    assert column.codes.dtype == np.int32
    assert len(set(distinct)) == len(distinct)
    assert set(column.codes.tolist()) == set(range(len(distinct))), "a text that no row has"
    return [distinct[code] for code in column.codes.tolist()]


def of_part(part: text_columns.Part) -> tuple[list[list[bytes]], list[int], int]:
    columns = [[text for chunk in chunks for text in chunk.to_pylist()] for chunks in part.columns]
    return columns, part.misshapen.tolist(), part.lines


@settings(deadline=None)
@given(content=contents(), layout=layouts([b",", b";", b"\t", b"||", b'"', b"\0", b"\xff", "é".encode()]))
def test_the_exact_reader_is_its_definition(content: bytes, layout: DelimitedLayout) -> None:
    rows, misshapen = defined(MARK + content, layout)
    columns, numbers, count = of_part(text_columns.read_exactly(content, layout))

    assert columns == [[row[at] for _, row in rows] for at, _ in enumerate(layout.places)]
    assert (numbers, count) == (misshapen, len(rows) + len(misshapen))


@some.composite
def well_shaped(draw: Any) -> tuple[bytes, DelimitedLayout]:
    """A text without misshapen lines, and its layout."""
    layout = draw(layouts([b",", b";", b"\t", b"|", b" ", b'"']))
    signs = (layout.delimiter, b"\n", b"\r")
    fields = some.sampled_from([piece for piece in PIECES + MISLEADING[1:] if not any(sign in piece for sign in signs)])
    rows = some.tuples(*[fields] * layout.width).map(layout.delimiter.join)
    ended = some.tuples(rows, some.sampled_from([b"\n", b"\r", b"\r\n"])).map(b"".join)
    return b"".join(draw(some.lists(ended, min_size=1, max_size=100))) + draw(some.one_of(some.just(b""), rows)), layout


@settings(max_examples=200, deadline=None)
@given(text_and_layout=well_shaped())
def test_pyarrow_gives_the_same_as_the_exact_reader_for_all_bytes_that_it_is_given(
    text_and_layout: tuple[bytes, DelimitedLayout],
) -> None:
    text, layout = text_and_layout
    by_pyarrow = text_columns.read_by_pyarrow(text, layout)

    event("read by pyarrow" if by_pyarrow else "read exactly")
    if by_pyarrow is not None:
        assert of_part(by_pyarrow) == of_part(text_columns.read_exactly(text, layout))


@settings(max_examples=200, deadline=None)
@given(content=contents(), layout=layouts([b",", b";", b'"']))
def test_pyarrow_is_given_no_bytes_that_mislead_it(content: bytes, layout: DelimitedLayout) -> None:
    by_pyarrow = text_columns.read_by_pyarrow(content, layout)

    if by_pyarrow is not None:
        assert of_part(by_pyarrow) == of_part(text_columns.read_exactly(content, layout))


@settings(max_examples=200, deadline=None)
@given(
    content=contents(),
    layout=layouts([b",", b";", b"||"]),
    part_bytes=some.integers(1, 100),
    lines_at_once=some.integers(1, 20),
    packed=some.booleans(),
)
def test_a_file_of_any_bytes_is_read_as_defined(
    content: bytes, layout: DelimitedLayout, part_bytes: int, lines_at_once: int, packed: bool
) -> None:
    blocks = list(text_columns.read(file_of(content, packed=packed), layout, lines_at_once, part_bytes))

    assert found(blocks) == defined(content, layout)


@pytest.mark.parametrize("seed", range(20))
def test_long_fields_beside_short_ones_are_read_as_defined(seed: int) -> None:
    """pyarrow passes over long fields many bytes at a time, depending on how long the fields before them were."""
    choose = random.Random(seed)  # noqa: S311
    signs = [b"a", b"0", b" ", b'"', b"\\", "é".encode()] + [b"\0"] * (seed % 4 == 0)
    fields = [b"".join(choose.choices(signs, k=choose.choice([0, 1, 7, 8, 16, 33, 200]))) for _ in range(3000)]
    ends = [b",", b",", b",", b"\n", b"\r\n"]
    layout = DelimitedLayout(b",", 2, (0, 1))
    content = b"".join(field + choose.choice(ends) for field in fields)
    if seed % 2:  # without misshapen lines
        content = b"\n".join(line for line in lines_of(content) if line.count(b",") == 1)

    assert found(list(text_columns.read(file_of(content), layout, 100, 5000))) == defined(content, layout)


LONDON = b"LCLid,Std,DateTime\r\n" + b"MAC000002,Std,2013-01-01 00:30:00.0000000\r\n" * 3


@pytest.mark.parametrize(
    "content",
    [
        LONDON,
        LONDON.replace(b"\r\n", b"\n"),
        LONDON.replace(b"\r\n", b"\r"),
        LONDON + b'"MAC000002",Std,"',
        LONDON + "MÄC2,Std,x\n".encode(),
        LONDON + b"MAC\xff2,\xff,x\n",
        LONDON + b",,\n,Std,\r,,x",
    ],
)
def test_usual_texts_are_read_by_pyarrow(content: bytes) -> None:
    assert text_columns.read_by_pyarrow(content, COMMA) is not None


@pytest.mark.parametrize(
    "content",
    [
        LONDON + b"MAC\x00002,Std,x\n",
        LONDON + b"too,few\n",
        LONDON + b"one,field,too,many",
        LONDON + b"too,few\none,field,too,many\n",
        LONDON + b"\r\n",
        LONDON.replace(b"\r\n", b"\r\r\n"),
        MARK + LONDON,
        b"",
    ],
    ids=["NUL", "narrow", "wide", "both", "empty line", "empty lines between", "mark", "nothing"],
)
def test_a_text_that_may_mislead_pyarrow_is_left_to_the_exact_reader(content: bytes) -> None:
    assert text_columns.read_by_pyarrow(content, COMMA) is None


def test_a_line_of_too_many_fields_never_reaches_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some versions of pyarrow would write beyond their memory, which may end the process or not."""
    given: list[bytes] = []

    def read_csv(text: pa.Buffer, *_: Any) -> pa.Table:
        given.append(text.to_pybytes())
        raise pa.ArrowInvalid

    monkeypatch.setattr(text_columns.csv, "read_csv", read_csv)
    for wide in (b"a,b,c,d\n", b"a,b,c\r\na,b\r\na,b,c,d", b"a,b,c\r" + b"," * 40_000 + b"\r"):
        assert text_columns.read_by_pyarrow(wide, COMMA) is None
    assert text_columns.read_by_pyarrow(b"a,b,c\n", COMMA) is None
    assert given == [b"a,b,c\n"]


def test_an_empty_line_of_one_field_is_read_by_pyarrow() -> None:
    part = text_columns.read_by_pyarrow(b"a\n\r\nb\n", DelimitedLayout(b",", 1, (0,)))
    assert part is not None
    assert of_part(part) == ([[b"a", b"", b"b"]], [], 3)


@pytest.mark.parametrize("delimiter", [b"||", b"\0", b"\xff", "é".encode()])
def test_a_delimiter_that_pyarrow_does_not_know_is_left_to_the_exact_reader(delimiter: bytes) -> None:
    layout = DelimitedLayout(delimiter, 2, (0, 1))
    assert text_columns.read_by_pyarrow(b"a" + delimiter + b"b\n", layout) is None


def test_an_answer_that_does_not_account_for_every_line_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_columns.csv, "read_csv", lambda *_, **__: pa.table({"0": coded(b"a"), "2": coded(b"c")}))

    assert text_columns.read_by_pyarrow(b"a,b,c\n", COMMA) is not None
    assert text_columns.read_by_pyarrow(b"a,b,c\nd,e,f\n", COMMA) is None


def test_blocks_hold_as_many_lines_as_asked_for_and_those_of_one_part() -> None:
    blocks = list(text_columns.read(file_of(b"a,b,c\n" * 1000), COMMA, lines_at_once=100, part_bytes=60))

    assert [block.lines for block in blocks] == [100] * 10
    assert [block.first_line for block in blocks] == list(range(0, 1000, 100))


def test_misshapen_lines_count_for_the_size_of_a_block() -> None:
    blocks = list(text_columns.read(file_of(b"\n" * 1000), COMMA, lines_at_once=100, part_bytes=50))

    assert [(block.lines, block.rows) for block in blocks] == [(100, 0)] * 10


def test_a_line_of_very_many_fields_is_one_misshapen_line() -> None:
    wide = b"," * (lines.LONGEST_LINE - 1)
    for suffix in (b"\n", b"\0\n"):
        (block,) = text_columns.read(file_of(b"a,b,c\n" + wide + suffix + b"d,e,f\n"), COMMA)
        assert block.misshapen.tolist() == [1]
        assert block.line_numbers().tolist() == [0, 2]


def test_a_line_that_is_too_long_is_refused_by_both_readers() -> None:
    for content in (b"x" * (lines.LONGEST_LINE + 1), b"\0" * (lines.LONGEST_LINE + 1)):
        with pytest.raises(lines.LineTooLongError, match="a.csv"):
            list(text_columns.read(file_of(b"a,b,c\n" + content + b"\n"), COMMA))


def test_no_more_of_a_file_is_read_than_a_block_needs() -> None:
    read = itertools.count()

    class Counted(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            next(read)
            return super().read(size)

    file = lines.File("a.csv", lambda: Counted(b"a,b,c\n" * 1000))
    next(text_columns.read(file, COMMA, lines_at_once=20, part_bytes=60))

    assert next(read) == 2


def test_headers_that_were_pasted_into_a_file_are_found() -> None:
    content = b"id,x,time\n1,x,2\nid,x,time\n2,id,time\nid,other,time\n" + MARK + b"id,x,time\n"
    (block,) = text_columns.read(file_of(content), COMMA)

    assert text_columns.rows_holding(block, [b"id", b"time"]).tolist() == [0, 2, 4]
    assert text_columns.rows_holding(block, [MARK + b"id", b"time"]).tolist() == [5]
    assert text_columns.rows_holding(block, [b"absent", b"time"]).tolist() == []


@pytest.mark.parametrize("delimiter", [b"", b"\n", b"\r", b"a\n"])
def test_a_delimiter_that_ends_lines_is_refused(delimiter: bytes) -> None:
    with pytest.raises(ValueError, match="cannot separate"):
        DelimitedLayout(delimiter, 2, (0,))


@pytest.mark.parametrize("places", [(), (2,), (-1,), (0, 0)])
def test_places_that_are_no_fields_are_refused(places: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="are not different fields among 2"):
        DelimitedLayout(b",", 2, places)


def coded(*column: bytes) -> pa.DictionaryArray:
    return pa.array(column, pa.binary()).dictionary_encode()
