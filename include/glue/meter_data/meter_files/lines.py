"""Cuts a meter file, plain or gzip, into lines with bounded memory.

A line ends with LF, CR or CRLF. The last line may lack its end. Lines are numbered from 0, a header included. A byte
order mark at the very beginning of a file belongs to no line. Everything else keeps its bytes, whatever they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Bytes read at once. A part of this many bytes holds at most as many lines, so the memory for its lines is bounded too.
PART_BYTES = 4 * 1024 * 1024
# Lines that are picked at once. They are lines of one part, so their bytes are bounded too.
PICKED_AT_ONCE = 65_536
# Bytes without the line's end. The rows of meter files have less than a thousandth of it.
LONGEST_LINE = 1024 * 1024
# Bytes of a gzip file that are unpacked at once: to 4 MB at most.
PACKED_BYTES = 4 * 1024
# gzip packs up to 1032 bytes into one. Rows of meters differ at least in their times, which takes a few bytes a row:
# they pack to a hundredth at best. What packs better is one sign again and again, a bomb that would fill any memory or
# take hours. The first megabyte is let through, because so little cannot do harm.
MOST_UNPACKED_A_PACKED_BYTE, UNPACKED_BYTES_WITHOUT_LIMIT = 500, 1024 * 1024


class UnreadableFileError(ValueError):
    """A file cannot be read. The message names the file, says what it is and what to do."""


class LineTooLongError(UnreadableFileError):
    """A line is longer than LONGEST_LINE."""


class DamagedGzipError(UnreadableFileError):
    """The content of a gzip file ends too early or is no gzip data."""


class GzipBombError(UnreadableFileError):
    """A gzip file unpacks to far more bytes than readings could."""


@dataclass(frozen=True)
class File:
    """A file that can be opened as often as needed.

    `name` is what messages call it. `open` returns a stream of its bytes as they are stored, from the beginning. A file
    with `is_gzip` is unpacked while it is read; it may consist of several gzip members. With `first_byte` above 0 the
    stream is a part of a larger file, of whole lines, and cannot begin with a byte order mark.
    """

    name: str
    open: Callable[[], BinaryIO]
    is_gzip: bool = False
    first_byte: int = 0


def parts(file: File, size: int = PART_BYTES, longest: int = LONGEST_LINE) -> Generator[bytes, None, None]:
    """Yields the text of the file in parts of whole lines; only the last line of the last part may lack its end.

    No part is empty. A part has at most `size` bytes more than the longest line that is allowed, with its end. Raises
    LineTooLongError for a line of more than `longest` bytes, DamagedGzipError and GzipBombError.
    """
    rest, position = b"", 0
    with file.open() as stored:
        for block in _blocks(file, stored, size):
            text = rest + block
            if (start := _start_of_long_line(text, longest)) is not None:
                where = f" of the part that begins at byte {file.first_byte:,}" if file.first_byte else " of the text"
                raise LineTooLongError(
                    f"{file.name}: the line that begins at byte {position + start:,}{where} is longer than "
                    f"{longest:,} bytes. Deliver the file as text with one reading a line."
                )
            cut = _end_of_whole_lines(text)
            part, rest = text[:cut], text[cut:]
            if position == 0:
                part = _without_mark(part, file)
            if part:
                yield part
            position += cut
    if position == 0:
        rest = _without_mark(rest, file)
    if rest:
        yield rest


def count(part: bytes) -> int:
    """Returns the number of lines of a part, as many as `part.splitlines()` has."""
    ends = part.count(b"\n")
    if b"\r" in part:
        ends += part.count(b"\r") - part.count(b"\r\n")
    return ends if part.endswith((b"\n", b"\r")) or not part else ends + 1


class Picker:
    """Picks lines of a file by their numbers, in one pass: what was read is not read again."""

    def __init__(self, file: File, size: int = PART_BYTES) -> None:
        self._parts = parts(file, size)
        self._first, self._lines = 0, list[bytes]()  # the lines of the part in hand, and the number of their first

    def pick(self, numbers: npt.NDArray[np.int64]) -> Iterator[list[bytes]]:
        """Yields the lines with these numbers, without their ends, in lists of up to PICKED_AT_ONCE lines of a part.

        `numbers` are ascending and distinct, and larger than all that were asked for before. Numbers beyond the end of
        the file are passed over. The file is read no further than to the last of the lines. Raises what `parts` raises.
        """
        at = 0
        while at < len(numbers):
            if numbers[at] >= self._first + len(self._lines) and not self._read_part_with(int(numbers[at])):
                return
            end = int(np.searchsorted(numbers, self._first + len(self._lines)))
            for start in range(at, end, PICKED_AT_ONCE):
                wanted = numbers[start : min(start + PICKED_AT_ONCE, end)] - self._first
                yield [self._lines[number] for number in wanted.tolist()]
            at = end

    def _read_part_with(self, number: int) -> bool:
        """Reads the next part, and cuts it into lines if it holds the line. Returns False at the end of the file."""
        after = self._first + len(self._lines)
        self._lines = []
        for part in self._parts:
            self._first, after = after, after + count(part)
            if number < after:
                self._lines = part.splitlines()
                return True
        self._first = after
        return False


def _blocks(file: File, stored: BinaryIO, size: int) -> Iterator[bytes]:
    """Yields the text of the file in blocks of up to `size` bytes, none of them empty."""
    if file.is_gzip:
        yield from _gathered(_unpacked(file.name, stored), size)
        return
    while block := stored.read(size):
        yield block


def _unpacked(name: str, stored: BinaryIO) -> Iterator[bytes]:
    """Yields what a gzip file of one or several members holds, piece by piece."""
    member, is_begun = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), False
    packed, unpacked = 0, 0
    for block in _packed_blocks(stored):
        packed += len(block)
        while block:
            if not is_begun and packed > len(block):
                block = block.lstrip(b"\0")  # zeros may fill up the end of a member
                if not block:
                    break
            is_begun = True
            try:
                text = member.decompress(block)
            except zlib.error as error:
                raise damaged(name, str(error)) from error
            unpacked += len(text)
            if unpacked > max(UNPACKED_BYTES_WITHOUT_LIMIT, packed * MOST_UNPACKED_A_PACKED_BYTE):
                raise GzipBombError(
                    f"{name} unpacks to more than {MOST_UNPACKED_A_PACKED_BYTE} times its bytes: one sign again and "
                    "again, but no readings. Ask its sender for the file that was meant."
                )
            yield text
            block = member.unused_data
            if member.eof:
                member, is_begun = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), False
    if is_begun or not packed:
        raise damaged(name, "it ends too early" if packed else "it is empty")


def _packed_blocks(stored: BinaryIO) -> Iterator[bytes]:
    """Reads much at once, because each read may be a request, and yields little at once."""
    while much := stored.read(PART_BYTES):
        for start in range(0, len(much), PACKED_BYTES):
            yield much[start : start + PACKED_BYTES]


def _gathered(texts: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Joins short texts to blocks of `size` bytes at least, and cuts long ones."""
    held: list[bytes] = []
    length = 0
    for text in texts:
        for start in range(0, len(text), size):
            held.append(text[start : start + size])
            length += len(held[-1])
            if length >= size:
                yield b"".join(held)
                held, length = [], 0
    if length:
        yield b"".join(held)


def damaged(name: str, fault: str) -> DamagedGzipError:
    """Returns the error that says what is wrong with a gzip file."""
    return DamagedGzipError(f"{name} is a damaged gzip file: {fault}. Deliver the file again.")


def _without_mark(part: bytes, file: File) -> bytes:
    return part if file.first_byte else part.removeprefix(BYTE_ORDER_MARK)


def _end_of_whole_lines(text: bytes) -> int:
    """Returns how many bytes of `text` are whole lines, when more text may follow.

    A CR that is the last byte ends no line yet: the LF of the same line end may follow.
    """
    after_lf = text.rfind(b"\n") + 1
    after_cr = text.rfind(b"\r", after_lf, len(text) - 1) + 1
    return max(after_lf, after_cr)


def _start_of_long_line(text: bytes, longest: int) -> int | None:
    """Returns where the first line of more than `longest` bytes begins; None if there is none.

    `text` begins with a line. The loop jumps from line end to line end: a line that begins at `start` and is short
    enough has its end within the next longest + 1 bytes. All lines that end in front of the last such end are short
    too, so it is enough to jump to the last one, and the loop looks at few bytes.
    """
    start = 0
    while len(text) - start > longest:
        window = start, start + longest + 1
        end = text.rfind(b"\n", *window)
        if end < 0:
            end = text.rfind(b"\r", *window)
        if end < 0:
            return start
        start = end + 1
    return None
