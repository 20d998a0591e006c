"""Contents of files that are hard to cut into lines and fields, and the definition of their lines."""

from __future__ import annotations

import gzip
import io
import re
from typing import BinaryIO, cast

from hypothesis import strategies as some
from meter_data.meter_files.lines import File

MARK = b"\xef\xbb\xbf"
PIECES = [
    *[b"\n", b"\r", b"\r\n", b",", b",,", b";", b"||", b" ", b"\t", b'"', b'""', b"'", b"\\", b'\\"', b"a", b"bc"],
    # Signs at which other readers end a line, a text or a file.
    *[b"\x0b", b"\x0c", b"\x1a", b"\x1c", b"\x85", "\x85".encode(), "\u2028".encode()],
    *[b"Null", b"NA", b"", b"0.125", b"x" * 40, b"MAC000002,Std,2013-01-01 00:30:00.0000000, 0.219 \r\n"],
    *["é".encode(), "電".encode(), b"1,2,3\n", b",,\n", b"\n\n"],
]
MISLEADING = [b"\0", b"\xff", b"\xc3", MARK]


def contents(*, misleading: bool = True) -> some.SearchStrategy[bytes]:
    """Bytes of files, a few kB at most; `misleading`: with bytes that some readers of CSV do not read rightly."""
    pieces = some.sampled_from(PIECES + MISLEADING) if misleading else some.sampled_from(PIECES)
    joined = some.lists(pieces, max_size=120).map(b"".join)
    return some.one_of(joined, some.binary(max_size=200)) if misleading else joined


def lines_of(content: bytes) -> list[bytes]:
    """The definition: the lines of a file, without their ends."""
    ended = re.split(rb"\r\n|\r|\n", content.removeprefix(MARK))
    return ended if ended[-1] else ended[:-1]


def file_of(content: bytes, *, packed: bool = False, at_once: int | None = None) -> File:
    """A file of this content. Its stream gives `at_once` bytes at most, however many are asked for."""
    stored = gzip.compress(content, mtime=0) if packed else content
    return File("s3://landing/a.csv", lambda: cast(BinaryIO, Stream(stored, at_once)), is_gzip=packed)


class Stream(io.BytesIO):
    """A stream that may give fewer bytes than it is asked for, as streams from a network do."""

    def __init__(self, content: bytes, at_once: int | None = None) -> None:
        super().__init__(content)
        self.at_once = at_once

    def read(self, size: int | None = -1) -> bytes:
        wanted = -1 if size is None else size
        return super().read(wanted if self.at_once is None or wanted < 0 else min(wanted, self.at_once))
