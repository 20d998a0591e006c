"""The first line of a meter file, plain or gzip, out of its first bytes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

from transformers.zones import file_kinds

BYTE_ORDER_MARK = "\ufeff"
END_OF_LINE = re.compile(rb"\r\n|\n|\r")


class HeaderError(ValueError):
    """A file's first line cannot be read."""


class UnknownHeaderError(ValueError):
    """The transformer does not know the columns of a file."""


def first_line(begin: bytes, name: str, complete: bool, encoding: str = file_kinds.UTF_8) -> str | None:
    """The first line of a file that begins with these bytes; None when it holds nothing but spaces and line ends.

    `complete` says that the bytes are the whole file. Bytes that the encoding does not have come back as U+FFFD: no
    transformer knows them. Raises HeaderError for a file that is no text, whose name and content disagree, or that
    does not end its first line.
    """
    text, whole = unpacked(begin, name, complete)
    text = text.removeprefix(BYTE_ORDER_MARK.encode())
    if whole and not text.strip():
        return None
    line, *rest = END_OF_LINE.split(text, maxsplit=1)
    if not rest and not whole:
        raise HeaderError(f"The first line of {name} does not end within {len(text):,} bytes: it is no header.")
    return line.decode(encoding, errors="replace")


def columns(line: str) -> tuple[str, ...]:
    """The names of the columns of a header, without the spaces around them."""
    return tuple(name.strip() for name in line.split(","))


def require_known(header: tuple[str, ...], known: Iterable[tuple[str, ...]], name: str, transformer: str) -> None:
    """Raise UnknownHeaderError unless the transformer knows the header of the file `name`."""
    known = list(known)
    if header not in known:
        layouts = "\n".join(f"  {', '.join(layout)}" for layout in known)
        raise UnknownHeaderError(
            f"{name} has the columns\n  {', '.join(header)}\nwhich the transformer {transformer} does not know. "
            f"It knows:\n{layouts}\n"
            "Nothing was written. Choose the transformer of these files (parameter transformer of "
            "ingest_meter_readings), correct the file's header, or take the file out of the landing zone."
        )


def unpacked(begin: bytes, name: str, complete: bool = False) -> tuple[bytes, bool]:
    """The text of a file, plain or gzip, that begins with these bytes, and whether it is all of it.

    `complete` says that the bytes are the whole file. Raises HeaderError for a file that is no text, or whose name and
    content disagree.
    """
    if kind := file_kinds.recognised(begin):
        raise HeaderError(kind.sentence(name))
    compressed = name.endswith(".gz")
    if not file_kinds.is_gzip(begin):
        if begin and compressed:
            raise HeaderError(f"{name} is no gzip file, whatever its name says. Deliver it under a name without .gz.")
        return begin, complete
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(begin)
    except zlib.error as error:
        raise HeaderError(f"{name} is a damaged gzip file: {error}. Deliver it anew.") from error
    if kind := file_kinds.recognised(text):
        raise HeaderError(kind.sentence(name, packed=True))
    if not compressed:
        raise HeaderError(f"{name} is a gzip file, whatever its name says. Deliver it under a name ending in .gz.")
    return text, unpacker.eof
