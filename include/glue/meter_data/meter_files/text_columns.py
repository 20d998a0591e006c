"""Reads a delimited file as columns of distinct texts, so that each text is judged once however many rows hold it.

Every line is one row. A line is cut at every delimiter: quotation marks are bytes like others, and no byte is changed.
A line with another number of fields than the layout has is misshapen: it is in no column, but its number is kept.

Two readers do the same work. pyarrow's reader of CSV is fast, but it is not right for every text. The exact reader is
right by its definition, `line.split(delimiter)`, and takes several times as long. As no line depends on another one,
the choice is made for each part of a few million bytes: pyarrow reads a part only if nothing that misleads it is there.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

from meter_data.meter_files import lines

# A block holds no more lines than this, and those of one part.
LINES_AT_ONCE = 1_000_000
_CODED = pa.dictionary(pa.int32(), pa.binary())


@dataclass(frozen=True)
class DelimitedLayout:
    """How lines are cut: `width` fields between delimiters of one or more bytes.

    `places` are the fields to read, each once, counted from 0, in the order in which blocks hold their columns.
    """

    delimiter: bytes
    width: int
    places: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.delimiter or b"\r" in self.delimiter or b"\n" in self.delimiter:
            raise ValueError(f"{self.delimiter!r} cannot separate the fields of a line.")
        is_inside = all(0 <= place < self.width for place in self.places)
        if not self.places or not is_inside or len(set(self.places)) < len(self.places):
            raise ValueError(f"{self.places} are not different fields among {self.width}.")


@dataclass(frozen=True)
class TextColumn:
    """One field of all rows of a block.

    `distinct` (pa.BinaryArray) holds each text once, in no particular order, and no text that no row has. `codes` has
    an entry a row: the place of its text in `distinct`.
    """

    distinct: pa.BinaryArray
    codes: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Block:
    """Consecutive lines of a file: `lines` of them, from the line with the number `first_line`.

    `columns` has a column for each place of the layout. Its rows are the lines that are not misshapen, in their order.
    `misshapen` has the numbers of the other lines, ascending. Lines are numbered within the file, from 0.
    """

    first_line: int
    lines: int
    columns: tuple[TextColumn, ...]
    misshapen: npt.NDArray[np.int64]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.lines - len(self.misshapen)

    def line_numbers(self) -> npt.NDArray[np.int64]:
        """Returns the number of each row's line."""
        numbers = np.arange(self.first_line, self.first_line + self.lines)
        return np.delete(numbers, self.misshapen - self.first_line)


@dataclass(frozen=True)
class Part:
    """What was read of one part: the chunks of each column, and the misshapen lines, counted from the part's first."""

    lines: int
    columns: list[list[pa.DictionaryArray]]
    misshapen: npt.NDArray[np.int64]


def read(
    file: lines.File,
    layout: DelimitedLayout,
    lines_at_once: int = LINES_AT_ONCE,
    part_bytes: int = lines.PART_BYTES,
    read_part: Callable[[bytes, DelimitedLayout], Part] | None = None,
) -> Iterator[Block]:
    """Yields the file in blocks of at least `lines_at_once` lines, the last block of what is left.

    `read_part` reads whole lines; by default each line is cut at every delimiter. Memory is bounded by one block.
    Raises lines.LineTooLongError and lines.DamagedGzipError.
    """
    held: list[Part] = []
    first_line, held_lines = 0, 0
    for text in lines.parts(file, part_bytes):
        held.append((read_part or _read_part)(text, layout))
        held_lines += held[-1].lines
        if held_lines >= lines_at_once:
            yield _block(held, first_line)
            first_line, held_lines, held = first_line + held_lines, 0, []
    if held:
        yield _block(held, first_line)


def rows_holding(block: Block, texts: Sequence[bytes]) -> npt.NDArray[np.int64]:
    """Returns which rows of the block, counted from 0, hold exactly these texts: one text for each column.

    With the names of a header it finds headers that were pasted into a file. If the layout does not read all fields,
    the rows found may still differ from the header in the others: compare their lines, which `lines.pick` gives.
    """
    holds = np.ones(block.rows, bool)
    for column, text in zip(block.columns, texts, strict=True):
        code = column.distinct.index(pa.scalar(text, pa.binary())).as_py()  # -1, which no row has, if absent
        holds &= column.codes == code
    return np.flatnonzero(holds)


def _read_part(text: bytes, layout: DelimitedLayout) -> Part:
    return read_by_pyarrow(text, layout) or read_exactly(text, layout)


def read_by_pyarrow(text: bytes, layout: DelimitedLayout) -> Part | None:
    """Reads whole lines by pyarrow. Returns None for a text that must be read exactly."""
    rows = _rows_for_pyarrow(text, layout)
    if rows is None:
        return None
    names = [str(place) for place in range(layout.width)]
    wanted = [names[place] for place in layout.places]
    try:
        table = csv.read_csv(
            pa.py_buffer(text),
            # One block: with several, pyarrow would refuse lines that are longer than a block.
            csv.ReadOptions(use_threads=False, column_names=names, block_size=len(text) + 1),
            csv.ParseOptions(
                delimiter=layout.delimiter.decode(),
                quote_char=False,
                double_quote=False,
                escape_char=False,
                newlines_in_values=False,
                ignore_empty_lines=False,
            ),
            csv.ConvertOptions(
                check_utf8=False,
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, _CODED),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != rows:
        return None
    return Part(table.num_rows, [table.column(name).chunks for name in wanted], np.empty(0, np.int64))


def _rows_for_pyarrow(text: bytes, layout: DelimitedLayout) -> int | None:
    """Returns how many rows pyarrow must find in the text, None if something in it is known to mislead pyarrow.

    - A NUL byte can make it pass over a delimiter nearby (apache/arrow GH-50481).
    - It drops a byte order mark wherever the text that it is given begins.
    - Its delimiters are single characters of ASCII.
    - A misshapen line stops it, or reaches a handler that fails on bytes that are no UTF-8. It takes an empty line for
      a row of empty fields. Before version 20, a line with too many fields makes it write beyond its memory
      (GH-45497), which can end the process: so such a line must never reach it.
    """
    if len(layout.delimiter) != 1 or not layout.delimiter.isascii() or layout.delimiter == b"\0":
        return None
    if b"\0" in text or text.startswith(lines.BYTE_ORDER_MARK):
        return None
    counts = field_counts(text, layout.delimiter)
    return len(counts) if (counts == layout.width).all() else None


def field_counts(text: bytes, delimiter: bytes) -> npt.NDArray[np.int64]:
    """Returns how many fields each line has. `delimiter` is one byte."""
    characters = np.frombuffer(text, np.uint8)
    is_end = characters == ord("\n")
    if b"\r" in text:
        is_before_lf = np.append(is_end[1:], False)
        is_end |= (characters == ord("\r")) & ~is_before_lf  # a CR before a LF is the first half of one line end
    # The delimiters and line ends in their order, and where the line ends are among them.
    is_end_among_marks = is_end[np.flatnonzero(is_end | (characters == ord(delimiter)))]
    ends = np.flatnonzero(is_end_among_marks)
    if not text.endswith((b"\n", b"\r")):
        ends = np.append(ends, len(is_end_among_marks))  # the end that the last line lacks
    # A line has one delimiter less than fields, so from line end to line end are as many steps as the line has fields.
    return np.diff(ends, prepend=-1)


def read_exactly(text: bytes, layout: DelimitedLayout) -> Part:
    """Reads whole lines by Python's own `split`. This is the definition of what both readers find."""
    columns: list[list[bytes]] = [[] for _ in layout.places]
    misshapen = array("q")
    all_lines = text.splitlines()  # bytes end their lines with LF, CR and CRLF only
    for number, line in enumerate(all_lines):
        # One cut more than a row has would show that a line is too wide, and a line of a million fields costs no more.
        fields = line.split(layout.delimiter, layout.width)
        if len(fields) != layout.width:
            misshapen.append(number)
            continue
        for column, place in zip(columns, layout.places, strict=True):
            column.append(fields[place])
    coded = [[pa.array(column, pa.binary()).dictionary_encode()] for column in columns]
    return Part(len(all_lines), coded, np.array(misshapen, np.int64))


def _block(parts: list[Part], first_line: int) -> Block:
    """Joins consecutive parts, the first of which begins with the line `first_line`."""
    misshapen, number = [], first_line
    for part in parts:
        misshapen.append(part.misshapen + number)
        number += part.lines
    columns = zip(*(part.columns for part in parts), strict=True)
    joined = tuple(_joined([chunk for chunks in column for chunk in chunks]) for column in columns)
    return Block(first_line, number - first_line, joined, np.concatenate(misshapen))


def _joined(chunks: list[pa.DictionaryArray]) -> TextColumn:
    """Joins the chunks of a column. Each chunk has distinct texts of its own; afterwards all share one list of them."""
    if not chunks:
        return TextColumn(pa.array([], pa.binary()), np.empty(0, np.int32))
    unified = pa.chunked_array(chunks, type=_CODED).unify_dictionaries().chunks
    return TextColumn(unified[0].dictionary, np.concatenate([chunk.indices.to_numpy() for chunk in unified]))
