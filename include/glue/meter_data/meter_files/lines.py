"""Cuts a meter file, plain or gzip, into lines with bounded memory.

A line ends with LF, CR or CRLF. The last line may lack its end. Lines are numbered from 0, a header included. A byte
order mark at the very beginning of a file belongs to no line. Everything else keeps its bytes, whatever they are.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Bytes read at once. A part of this many bytes holds at most as many lines, so the memory for its lines is bounded too.
PART_BYTES = 4 * 1024 * 1024
# Bytes without the line's end. The rows of meter files have less than a thousandth of it.
LONGEST_LINE = 1024 * 1024


class UnreadableFileError(ValueError):
    """A file cannot be read to its end. The message names the file and says what to do."""


class LineTooLongError(UnreadableFileError):
    """A line is longer than LONGEST_LINE."""


class DamagedGzipError(UnreadableFileError):
    """The content of a gzip file ends too early or is no gzip data."""


@dataclass(frozen=True)
class File:
    """A file that can be opened as often as needed.

    `name` is what messages call it. `open` returns a stream of its bytes as they are stored, from the beginning. A file
    with `is_gzip` is unpacked while it is read; it may consist of several gzip members.
    """

    name: str
    open: Callable[[], BinaryIO]
    is_gzip: bool = False


def parts(file: File, size: int = PART_BYTES, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """Yields the text of the file in parts of whole lines; only the last line of the last part may lack its end.

    No part is empty. A part has at most `size` bytes more than the longest line that is allowed, with its end. Raises
    LineTooLongError for a line of more than `longest` bytes, and DamagedGzipError.
    """
    rest, position = b"", 0
    with _unpacked(file) as stream:
        while block := _read(stream, size, file.name):
            text = rest + block
            if (start := _start_of_long_line(text, longest)) is not None:
                raise LineTooLongError(
                    f"{file.name}: the line that begins at byte {position + start:,} of the text is longer than "
                    f"{longest:,} bytes. Deliver the file as text with one reading a line."
                )
            cut = _end_of_whole_lines(text)
            part, rest = text[:cut], text[cut:]
            if position == 0:
                part = part.removeprefix(BYTE_ORDER_MARK)
            if part:
                yield part
            position += cut
    if position == 0:
        rest = rest.removeprefix(BYTE_ORDER_MARK)
    if rest:
        yield rest


def count(part: bytes) -> int:
    """Returns the number of lines of a part, as many as `part.splitlines()` has."""
    ends = part.count(b"\n")
    if b"\r" in part:
        ends += part.count(b"\r") - part.count(b"\r\n")
    return ends if part.endswith((b"\n", b"\r")) or not part else ends + 1


def pick(file: File, numbers: Iterable[int], size: int = PART_BYTES) -> Iterator[tuple[int, bytes]]:
    """Yields number and bytes, without the line's end, of the lines with these numbers.

    `numbers` are ascending and distinct. Numbers beyond the end of the file are passed over. The file is read no
    further than to the last of the lines. Raises LineTooLongError and DamagedGzipError.
    """
    wanted = iter(numbers)
    number, first = next(wanted, None), 0
    if number is None:
        return
    for part in parts(file, size):
        after = first + count(part)
        if number < after:
            in_part = part.splitlines()
            while number < after:
                yield number, in_part[number - first]
                if (number := next(wanted, None)) is None:
                    return
        first = after


@contextmanager
def _unpacked(file: File) -> Iterator[BinaryIO]:
    with file.open() as stored:
        whole = cast(BinaryIO, _WholeReads(stored))
        if not file.is_gzip:
            yield whole
            return
        with gzip.open(whole) as text:
            yield cast(BinaryIO, text)


class _WholeReads:
    """A stream that gives as many bytes as it is asked for, unless it ends.

    Streams from a network may give fewer. gzip takes that for the end of the file in some places.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        found: list[bytes] = []
        while size > 0 and (block := self._stream.read(size)):
            found.append(block)
            size -= len(block)
        return found[0] if len(found) == 1 else b"".join(found)


def _read(stream: BinaryIO, size: int, name: str) -> bytes:
    try:
        return stream.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedGzipError(f"{name} is a damaged gzip file: {error}. Deliver the file again.") from error


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
