"""What a file is, told by its first bytes: files that are no rows of text, whatever their names say.

A message about such a file names it, says what it is and what to do. It holds no bytes of the file.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable
from dataclasses import dataclass

UTF_8, WINDOWS_1252 = "utf-8", "windows-1252"

_AS_TEXT = "Ask its sender for the readings as CSV, or as JSON Lines, Parquet, ORC or Avro."
_UNPACK = "Unpack it and deliver the files in it, each alone or packed with gzip under a name that ends in .gz."
_AS_CSV = 'Save its sheet as "CSV UTF-8" and deliver that file.'
_AS_UTF_8 = 'Save it as UTF-8 (a spreadsheet calls that "CSV UTF-8") and deliver that file.'
_BYTES_LOOKED_AT = 1024
# Control characters, but for those of texts. Hive separates fields by \x01, other programs by \x1c to \x1f.
_NO_TEXT = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1a\x01\x1c\x1d\x1e\x1f") | {0x7F}
_UNDEFINED_IN_WINDOWS_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True)
class Kind:
    """What a file is, with its article, and a sentence on what to do with it."""

    what: str
    advice: str

    def sentence(self, name: str, packed: bool = False) -> str:
        """The message about the file `name`, which may hold any sign. `packed`: this kind was found inside of gzip."""
        shown = name if name.isprintable() else repr(name)
        return f"{shown} cannot be read: it is {'a gzip file with ' if packed else ''}{self.what}. {self.advice}"


def _columnar(name: str, ending: str) -> Kind:
    advice = (
        f"Let its name end in {ending}, or set file_format to {ending[1:]}, and load it with the transformer default "
        "(docs/loading-your-files.md)."
    )
    return Kind(name, advice)


EXCEL = Kind("an Excel workbook", _AS_CSV)
OLD_OFFICE = Kind("an Excel workbook of before 2007, or another old Office document", _AS_CSV)
OPEN_DOCUMENT = Kind("an OpenDocument spreadsheet", _AS_CSV)
OFFICE = Kind("an Office document", _AS_TEXT)
ZIP = Kind("a ZIP archive", _UNPACK)
TAR = Kind("a tar archive", _UNPACK)
# What is found inside of gzip.
PACKED_TWICE = Kind("another gzip file", _UNPACK)
PDF = Kind("a PDF document", _AS_TEXT)
IMAGE = Kind("an image", _AS_TEXT)
SQLITE = Kind("an SQLite database", _AS_TEXT)
PARQUET = _columnar("a Parquet file", ".parquet")
ORC = _columnar("an ORC file", ".orc")
AVRO = _columnar("an Avro file", ".avro")
UTF_16 = Kind("text in UTF-16", _AS_UTF_8)
UTF_32 = Kind("text in UTF-32", _AS_UTF_8)
GREEN_BUTTON = Kind("Green Button data in XML (ESPI)", _AS_TEXT)
XML = Kind("an XML document", _AS_TEXT)
HTML = Kind(
    "a web page (HTML)",
    "A download gives one in place of the file when a login has expired: download the file again.",
)
BINARY = Kind("binary data of an unknown kind", _AS_TEXT)


def _other_packing(name: str) -> Kind:
    return Kind(f"a file packed with {name}", _UNPACK)


# The first bytes of files of which no text begins so.
_SIGNATURES = {
    b"%PDF-": PDF,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": OLD_OFFICE,
    b"\x89PNG\r\n": IMAGE,
    b"\xff\xd8\xff": IMAGE,
    b"GIF89a": IMAGE,
    b"SQLite format 3\0": SQLITE,
    b"Obj\x01": AVRO,
    b"BZh91AY&SY": _other_packing("bzip2"),
    b"\xfd7zXZ\0": _other_packing("xz"),
    b"7z\xbc\xaf\x27\x1c": _other_packing("7-Zip"),
    b"Rar!\x1a\x07": _other_packing("RAR"),
    b"\x28\xb5\x2f\xfd": _other_packing("Zstandard"),
    # UTF-32's mark begins with that of UTF-16.
    b"\xff\xfe\0\0": UTF_32,
    b"\0\0\xfe\xff": UTF_32,
    b"\xff\xfe": UTF_16,
    b"\xfe\xff": UTF_16,
}
# The first letters of files that a text may have too: it is one of these only if bytes follow that no text has.
_LETTERS = {b"PAR1": PARQUET, b"ORC": ORC}


def recognised(begin: bytes) -> Kind | None:
    """Returns what a file is that begins with these bytes; None if it may be rows of text, or is packed with gzip."""
    looked_at = begin[:_BYTES_LOOKED_AT]
    for signature, kind in _SIGNATURES.items():
        if begin.startswith(signature):
            return kind
    if begin.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _kind_of_archive(begin)
    if begin[257:262] == b"ustar":
        return TAR
    if is_gzip(begin):
        return None
    if _is_utf_16(looked_at):
        return UTF_16
    if _share(looked_at, _NO_TEXT.__contains__) > 0.05:
        return next((kind for letters, kind in _LETTERS.items() if begin.startswith(letters)), BINARY)
    return _kind_of_markup(begin)


def is_gzip(begin: bytes) -> bool:
    """Whether a file that begins with these bytes is packed with gzip."""
    return begin.startswith(b"\x1f\x8b")


def encoding_of(text: bytes) -> str:
    """Returns the encoding of a text by its first bytes: UTF-8, with damaged bytes or without, or Windows-1252.

    Other encodings of one byte a sign pass for Windows-1252. They differ in letters outside ASCII, which no id, time or
    number has.
    """
    valid = sum(1 for sign in text.decode(UTF_8, errors="ignore") if ord(sign) > 0x7F)
    # Bytes that are no UTF-8. The decoder keeps back a last sign that may be cut off.
    invalid = getincrementaldecoder(UTF_8)(errors="surrogateescape").decode(text)
    number = sum(1 for sign in invalid if "\udc80" <= sign <= "\udcff")
    is_other = number > valid and not _UNDEFINED_IN_WINDOWS_1252.search(text)
    return WINDOWS_1252 if is_other else UTF_8


def _kind_of_archive(begin: bytes) -> Kind:
    """A ZIP archive, or a document of an Office program, which is one with certain files in it."""
    if b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet" in begin[:256]:
        return OPEN_DOCUMENT
    names = [
        begin[found.end() : found.end() + int.from_bytes(found[1], "little")]
        for found in re.finditer(rb"PK\x03\x04[\s\S]{22}([\s\S]{2})[\s\S]{2}", begin)
    ]
    if any(name.startswith(b"xl/") for name in names):
        return EXCEL
    return OFFICE if b"[Content_Types].xml" in names else ZIP


def _kind_of_markup(begin: bytes) -> Kind | None:
    """XML and HTML. Some programs write the names of columns as <NAME>, which is neither."""
    text = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb"<!doctype html|<html[\s>]", text, re.IGNORECASE):
        return HTML
    if re.match(rb"<\?xml\s|<!--|<[\w.-]+(:[\w.-]+)?\s+[\w:.-]+\s*=", text):
        return GREEN_BUTTON if b"naesb.org/espi" in begin else XML
    return None


def _is_utf_16(begin: bytes) -> bool:
    """Whether the bytes, without a mark, are signs of ASCII in UTF-16: every other byte is zero."""
    halves = begin[::2], begin[1::2]
    zeros = sorted(_share(half, lambda byte: byte == 0) for half in halves)
    return len(begin) >= 4 and zeros[0] < 0.1 and zeros[1] > 0.7


def _share(bytes_: bytes, holds: Callable[[int], bool]) -> float:
    return sum(map(holds, bytes_)) / len(bytes_) if bytes_ else 0.0
