"""Opens the meter files of a manifest: their first bytes, their lines, and whether they are still what was listed."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, cast

import pyarrow as pa

from meter_data.lake.store import Store
from meter_data.meter_files import file_kinds, lines
from meter_data.meter_files.lines import File, LineTooLongError, UnreadableFileError
from meter_data.meter_files.manifest import MeterFile

FIRST_BYTES = 64 * 1024
# A header has no more. Of a packed file, so much is unpacked to find it.
LONGEST_HEADER = 64 * 1024
_SEARCHED_BYTES = 64 * 1024
_LINE_END = re.compile(rb"\r\n|\n|\r")


class MissingMeterFileError(ValueError):
    """A file of the manifest is no longer there."""


class ChangedMeterFileError(ValueError):
    """A file of the manifest has other content than it had when it was listed."""


@dataclass(frozen=True)
class Beginning:
    """The beginning of a file's text, unpacked. `is_whole`: the file holds no more."""

    text: bytes
    is_whole: bool


def require_unchanged(store: Store, file: MeterFile) -> None:
    """Raises MissingMeterFileError or ChangedMeterFileError if the file is not what the manifest says.

    Called after the file was read: then all that was read is what the manifest means.
    """
    etag = store.etag(file.uri)
    if etag is None:
        raise MissingMeterFileError(
            f"{file.uri} was listed in the manifest but is no longer there. Put it back and clear raw_to_clean, or "
            "trigger ingest_meter_readings again: the new run leaves it out."
        )
    if etag != file.etag:
        raise ChangedMeterFileError(
            f"{file.uri} has changed since it was listed: its ETag is {etag}, the manifest says {file.etag}. "
            "Trigger ingest_meter_readings again: the new run lists the file as it is now."
        )


def first_bytes(store: Store, file: MeterFile) -> bytes:
    """Returns the first FIRST_BYTES of the file as it is stored. Raises FileNotFoundError."""
    with store.open_stream(file.uri) as stream:
        return stream.read(FIRST_BYTES)


def beginning(begin: bytes, file: MeterFile) -> Beginning:
    """Returns the text of a file of text, plain or gzip, that begins with these bytes.

    Raises UnreadableFileError for a file that is no text, or whose name and content disagree.
    """
    if kind := file_kinds.recognised(begin):
        raise UnreadableFileError(kind.sentence(file.uri))
    if not file_kinds.is_gzip(begin):
        if begin and file.is_gzip:
            raise UnreadableFileError(
                f"{_shown(file.uri)} is no gzip file, whatever its name says. Deliver it under a name without .gz."
            )
        return Beginning(begin, file.size <= len(begin))
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = unpacker.decompress(begin, LONGEST_HEADER)
    except zlib.error as error:
        raise lines.damaged(_shown(file.uri), str(error)) from error
    if not unpacker.eof and not unpacker.unconsumed_tail and file.size <= len(begin):
        raise lines.damaged(_shown(file.uri), "it ends too early")
    if kind := file_kinds.PACKED_TWICE if file_kinds.is_gzip(text) else file_kinds.recognised(text):
        raise UnreadableFileError(kind.sentence(file.uri, packed=True))
    if not file.is_gzip:
        raise UnreadableFileError(
            f"{_shown(file.uri)} is a gzip file, whatever its name says. Deliver it under a name that ends in .gz."
        )
    return Beginning(text, unpacker.eof and not unpacker.unused_data and file.size <= len(begin))


def first_line(begin: bytes, file: MeterFile, encoding: str = file_kinds.UTF_8) -> str | None:
    """Returns the first line of a text file that begins with these bytes, without its end and a byte order mark.

    None if the file holds nothing but spaces and line ends. Bytes that the encoding does not have come as U+FFFD, which
    no reader knows. Raises UnreadableFileError for a file that is no text, or that does not end its first line.
    """
    found = beginning(begin, file)
    text = found.text.removeprefix(lines.BYTE_ORDER_MARK)
    if found.is_whole and not text.strip():
        return None
    line, *rest = _LINE_END.split(text, maxsplit=1)
    if not rest and not found.is_whole:
        raise UnreadableFileError(
            f"The first line of {_shown(file.uri)} does not end within {len(text):,} bytes: it is no header. Deliver "
            "the file as text with one reading a line, below a line with the names of the columns."
        )
    return line.decode(encoding, errors="replace")


def lines_of(store: Store, file: MeterFile) -> File:
    """Returns a file of text, plain or gzip, to be cut into lines; of a part of a file, the lines that begin in it."""
    name = _shown(file.uri)
    if file.end_byte is None:
        return File(name, partial(store.open_stream, file.uri), file.is_gzip)
    return File(name, partial(_open_part, store, file), first_byte=file.first_byte)


def _open_part(store: Store, file: MeterFile) -> BinaryIO:
    """Opens the bytes from the first line that begins in the part to the first line that begins behind it."""
    end_byte = file.size if file.end_byte is None else file.end_byte
    stored = store.open_file(file.uri)
    first = _line_start(stored, file.first_byte, file.uri)
    after = _line_start(stored, end_byte, file.uri) if end_byte < file.size else file.size
    stored.seek(first)
    return cast(BinaryIO, _Bounded(stored, after - first))


def _line_start(stored: pa.NativeFile, position: int, name: str) -> int:
    """Returns where the first line begins that begins at `position` or later; the end of the file if none does.

    A line begins behind a line end. So the first line end is looked for that ends at `position` or later, which is the
    first that begins at position - 1 or later. If position - 1 is the CR of a CRLF, the line begins behind its LF.
    Two parts that meet at `position` get the same answer: no line is in both, and none is lost.
    """
    if position == 0:
        return 0
    at = position - 1
    stored.seek(at)
    while block := stored.read(_SEARCHED_BYTES):
        if found := _LINE_END.search(block):
            is_cut_in_two = found.end() == len(block) and block.endswith(b"\r") and stored.read(1) == b"\n"
            return at + found.end() + (1 if is_cut_in_two else 0)
        at += len(block)
        if at - position > lines.LONGEST_LINE:
            raise LineTooLongError(
                f"{_shown(name)}: the line at byte {position:,} is longer than {lines.LONGEST_LINE:,} bytes. Deliver "
                "the file as text with one reading a line."
            )
    return at


class _Bounded:
    """The next `size` bytes of a file, as a stream."""

    def __init__(self, stored: pa.NativeFile, size: int) -> None:
        self._stored, self._left = stored, size

    def read(self, size: int) -> bytes:
        block = bytes(self._stored.read(min(size, self._left)))
        self._left -= len(block)
        return block

    def __enter__(self) -> _Bounded:
        return self

    def __exit__(self, *_: object) -> None:
        self._stored.close()


def _shown(uri: str) -> str:
    """Returns the name of a file as messages show it."""
    return uri if uri.isprintable() else repr(uri)
