"""Reads delimited text whose fields may stand in quotation marks, as columns of distinct texts.

`delimited.cut` is the definition. It takes several microseconds a line, so it is asked only about lines that need it.
All other lines are brought into a form without quotation marks, which pyarrow reads:

- A line is plain if it holds no quotation mark.
- A line is regular if its marks, counted from 0 within the line, are as follows. An even one opens a field: it stands
  at the line's beginning or behind a delimiter. An odd one closes it: it stands in front of a delimiter or at the
  line's end. Or an odd one and the even one right behind it are a doubled mark. And the number of marks is even.

So in a regular line the delimiters that separate fields are those with an even number of marks in front of them, and
the fields are what stands between these, without the marks, but with one of each doubled mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.meter_files import delimited, lines, text_columns
from meter_data.meter_files.text_columns import Block, DelimitedLayout, Part

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_CODED = pa.dictionary(pa.int32(), pa.binary())
_MARK, _LF = ord('"'), ord("\n")
_MARK_OF_LINE = re.compile(rb"(?:\A|(?<=[\r\n]))\xef\xbb\xbf")
_NONE: Numbers = np.empty(0, np.int64)
# Control characters, which texts hardly ever hold. Those that a text does not hold can stand for its delimiter.
_STAND_INS = [bytes([code]) for code in (*range(0x1F, 0x0D, -1), *range(1, 9))]


class QuotedText:
    """Reads a file, or a part of one.

    `header` is the line, as it stands in the file, that is no row wherever it stands: files are sometimes pasted
    together. None: every line is a row. After each block, `headers` has the numbers of its lines that are headers. They
    are among the misshapen lines of the block.
    """

    def __init__(self, file: lines.File, layout: DelimitedLayout, header: bytes | None) -> None:
        self._file, self._layout, self._header = file, layout, header
        self._first_line = 0
        self._found: list[Numbers] = []
        self.headers = _NONE

    def blocks(
        self, lines_at_once: int = text_columns.LINES_AT_ONCE, part_bytes: int = lines.PART_BYTES
    ) -> Iterator[Block]:
        """Yields the file in blocks, as text_columns.read does."""
        self._first_line, self._found = 0, []
        for block in text_columns.read(self._file, self._layout, lines_at_once, part_bytes, self._read_part):
            self.headers = np.concatenate([_NONE, *self._found])
            self._found = []
            yield block

    def _read_part(self, text: bytes, layout: DelimitedLayout) -> Part:
        if self._header is None and lines.BYTE_ORDER_MARK in text:
            text = _MARK_OF_LINE.sub(b"", text)
        headers = lines_equal_to(text, self._header) if self._header else _NONE
        part = read_part(text, layout, headers)
        self._found.append(headers + self._first_line)
        self._first_line += part.lines
        return part


def lines_equal_to(text: bytes, line: bytes) -> Numbers:
    """Returns the numbers of the lines that equal `line`, with a byte order mark in front or without."""
    found = []
    number = counted = 0  # the number of the line that begins at `counted`
    at = text.find(line)
    while at >= 0:
        end = at + len(line)
        start = at - len(lines.BYTE_ORDER_MARK) if text.endswith(lines.BYTE_ORDER_MARK, 0, at) else at
        if text[start - 1 : start] in (b"", b"\n", b"\r") and text[end : end + 1] in (b"", b"\n", b"\r"):
            number += lines.count(text[counted:start])
            counted = start
            found.append(number)
        at = text.find(line, end)
    return np.array(found, np.int64)


def read_part(text: bytes, layout: DelimitedLayout, headers: Numbers = _NONE) -> Part:
    """Reads whole lines. Those with the numbers `headers` are misshapen, whatever they hold."""
    if len(headers) == 0 and delimited.MARK not in text and (part := text_columns.read_by_pyarrow(text, layout)):
        return part
    unused = [byte for byte in _STAND_INS if byte not in text][:2]
    if len(unused) < 2 or b"\0" in text:
        return read_exactly(text, layout, headers)
    return _Reading(text, layout, headers, *unused).part() or read_exactly(text, layout, headers)


def read_exactly(text: bytes, layout: DelimitedLayout, headers: Numbers = _NONE) -> Part:
    """Reads whole lines by `delimited.cut`. This is the definition of what `read_part` finds."""
    all_lines = text.splitlines()  # bytes end their lines with LF, CR and CRLF only
    numbers = np.delete(np.arange(len(all_lines)), headers)
    columns, misshapen = _cut(all_lines, numbers, layout)
    return Part(len(all_lines), [[column] for column in columns], np.sort(np.concatenate([headers, misshapen])))


def _cut(all_lines: list[bytes], numbers: Numbers, layout: DelimitedLayout) -> tuple[list[pa.DictionaryArray], Numbers]:
    """Cuts the lines with these numbers. Returns the columns of those that fit, and the numbers of the others."""
    columns: list[list[bytes]] = [[] for _ in layout.places]
    misshapen = []
    for number in numbers.tolist():
        fields = delimited.cut(all_lines[number], layout.delimiter)
        if len(fields) != layout.width:
            misshapen.append(number)
            continue
        for column, place in zip(columns, layout.places, strict=True):
            column.append(fields[place])
    coded = [pa.array(column, pa.binary()).dictionary_encode() for column in columns]
    return coded, np.array(misshapen, np.int64)


class _Reading:
    """Reads the lines of one part, which holds no NUL byte and neither `separator` nor `within`, each of one byte."""

    def __init__(self, text: bytes, layout: DelimitedLayout, headers: Numbers, separator: bytes, within: bytes) -> None:
        # Every line gets a LF as its end. So a line is still there when all that it held were quotation marks.
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._text = text if text.endswith(b"\n") else text + b"\n"
        self._layout, self._headers, self._separator, self._within = layout, headers, separator, within
        self._has_long_delimiter = len(layout.delimiter) > 1
        # A line is cut at its delimiters from the left, and no delimiter holds a line end. So cutting all lines at once
        # finds the same delimiters as cutting one line after the other.
        cut = self._text.replace(layout.delimiter, within) if self._has_long_delimiter else self._text
        self._delimiter = (within if self._has_long_delimiter else layout.delimiter)[0]
        self._characters = np.frombuffer(cut, np.uint8)
        self._ends = np.flatnonzero(self._characters == _LF)
        self._starts = np.append(0, self._ends[:-1] + 1)

    def part(self) -> Part | None:
        """Returns the part; None if pyarrow cannot read it."""
        is_header = np.zeros(len(self._ends), bool)
        is_header[self._headers] = True
        is_irregular = self._irregular()
        easy, hard = np.flatnonzero(~is_irregular & ~is_header), np.flatnonzero(is_irregular & ~is_header)
        bare = self._without_marks(self._chosen(~is_irregular & ~is_header))
        fits = (text_columns.field_counts(bare, self._separator) if bare else _NONE) == self._layout.width
        if not fits.all():
            bare = b"".join(line for line, is_fit in zip(bare.splitlines(True), fits.tolist(), strict=True) if is_fit)
        read: list[list[pa.DictionaryArray]] = [[] for _ in self._layout.places]
        if bare:
            by_pyarrow = text_columns.read_by_pyarrow(bare, replace(self._layout, delimiter=self._separator))
            if by_pyarrow is None:
                return None
            read = [self._restored(chunks) for chunks in by_pyarrow.columns]
        cut, others = _cut(self._text.splitlines() if len(hard) else [], hard, self._layout)
        misshapen = np.sort(np.concatenate([self._headers, easy[~fits], others]))
        if len(hard) > len(others):
            # The lines that were cut one by one go back to their places among the others.
            order = np.argsort(np.concatenate([easy[fits], np.setdiff1d(hard, others)]))
            read = [[_in_order([*chunks, more], order)] for chunks, more in zip(read, cut, strict=True)]
        return Part(len(self._ends), read, misshapen)

    def _irregular(self) -> Mask:
        """Tells which lines hold quotation marks and are not regular."""
        is_irregular = np.zeros(len(self._ends), bool)
        marks = np.flatnonzero(self._characters == _MARK)
        if not len(marks):
            return is_irregular
        first = np.searchsorted(marks, self._starts)  # the number of marks in front of each line
        counts = np.diff(first, append=len(marks))
        line = np.repeat(np.arange(len(counts)), counts)
        is_odd = (np.arange(len(marks)) - first[line]) % 2 == 1
        # The line end in front of the text stands for its beginning.
        bounded = np.concatenate([np.array([_LF], np.uint8), self._characters])
        neighbour = bounded[np.where(is_odd, marks + 2, marks)]  # the next byte of odd marks, the last one of even ones
        # A mark next to an odd one is the even one behind it, and the other way round: no mark is between.
        is_fit = (neighbour == self._delimiter) | (neighbour == _LF) | (neighbour == _MARK)
        is_irregular[line[~is_fit]] = True
        return is_irregular | (counts % 2 == 1)

    def _chosen(self, is_chosen: Mask) -> npt.NDArray[np.uint8]:
        """Returns the characters of these lines."""
        if is_chosen.all():
            return self._characters
        return self._characters[np.repeat(is_chosen, self._ends + 1 - self._starts)]

    def _without_marks(self, characters: npt.NDArray[np.uint8]) -> bytes:
        """Returns plain and regular lines without quotation marks, with `separator` in place of separating delimiters.

        Each line has an even number of marks. So the number of marks in front of a delimiter is as even or odd in the
        whole text as it is in the delimiter's line.
        """
        is_mark = characters == _MARK
        is_separating = characters == self._delimiter
        if not is_mark.any():
            return np.where(is_separating, np.uint8(self._separator[0]), characters).tobytes()
        is_after_odd_number = np.cumsum(is_mark, dtype=np.uint8) % 2 == 1  # of marks, the byte itself included
        is_separating &= ~is_after_odd_number
        is_kept = ~is_mark
        # An even mark right behind another one: the second of a doubled mark.
        is_kept[1:] |= is_mark[1:] & is_mark[:-1] & is_after_odd_number[1:]
        return np.where(is_separating, np.uint8(self._separator[0]), characters)[is_kept].tobytes()

    def _restored(self, chunks: list[pa.DictionaryArray]) -> list[pa.DictionaryArray]:
        """Returns the columns with the delimiters that quoted fields hold, if something else stands for these."""
        if not self._has_long_delimiter:
            return chunks
        return [
            pa.DictionaryArray.from_arrays(
                chunk.indices, pc.replace_substring(chunk.dictionary, self._within, self._layout.delimiter)
            )
            for chunk in chunks
        ]


def _in_order(chunks: list[pa.DictionaryArray], order: Numbers) -> pa.DictionaryArray:
    """Joins the chunks and returns the rows in this order."""
    unified = pa.chunked_array(chunks, type=_CODED).unify_dictionaries().chunks
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in unified])
    return pa.DictionaryArray.from_arrays(pa.array(codes[order]), unified[0].dictionary)
