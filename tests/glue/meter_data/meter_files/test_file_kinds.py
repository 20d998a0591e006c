"""What a file is by its first bytes, and what the message says about it."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as some
from meter_data.meter_files import file_kinds, stored_files
from meter_data.meter_files.lines import UnreadableFileError
from meter_data.meter_files.manifest import MeterFile

ROWS = "Point,Start,kWh\r\nM1,2024-03-04 00:00,0.5\r\n" * 20


def archive(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, ROWS)
    return packed.getvalue()


def spreadsheet() -> bytes:
    """As OpenDocument wants it: the first file is not packed and says what the archive is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        file.writestr("content.xml", "<x/>")
    return packed.getvalue()


def tar() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as file:
        member = tarfile.TarInfo("usage.csv")
        member.size = len(ROWS)
        file.addfile(member, io.BytesIO(ROWS.encode()))
    return packed.getvalue()


def columnar(module: object, tmp: io.BytesIO) -> bytes:
    module.write_table(pa.table({"id": [f"M{at}" for at in range(100)], "kwh": [at / 7 for at in range(100)]}), tmp)  # type: ignore[attr-defined]
    return tmp.getvalue()


def first_line(content: bytes, uri: str) -> str | None:
    return stored_files.first_line(content, MeterFile(uri, "etag", len(content), 0))


FILES = {
    "a ZIP archive": archive("usage.csv"),
    "an Excel workbook": archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/worksheets/sheet1.xml"),
    "an OpenDocument spreadsheet": spreadsheet(),
    "an Office document": archive("[Content_Types].xml", "word/document.xml"),
    "an Excel workbook of before 2007, or another old Office document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    + bytes(500),
    "a PDF document": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\n",
    "an image": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a tar archive": tar(),
    "a file packed with xz": lzma.compress(ROWS.encode()),
    "a Parquet file": columnar(parquet, io.BytesIO()),
    "an ORC file": columnar(orc, io.BytesIO()),
    "an Avro file": b"Obj\x01\x04\x14avro.codec\x08null",
    "text in UTF-32": ROWS.encode("utf-32"),
    "an XML document": b'\xef\xbb\xbf\n<?xml version="1.0"?>\n<usage><reading/></usage>',
    "Green Button data in XML (ESPI)": b'<feed xmlns="http://naesb.org/espi"><entry/></feed>',
    "a web page (HTML)": b"<!DOCTYPE html>\n<html><body>Please log in</body></html>",
    "binary data of an unknown kind": bytes(range(256)) * 4,
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_no_text_is_named_as_what_it_is(what: str) -> None:
    content = FILES[what]
    with pytest.raises(UnreadableFileError) as refused:
        first_line(content, "s3://landing/readings/usage.csv")

    message = str(refused.value)
    assert message.startswith(f"s3://landing/readings/usage.csv cannot be read: it is {what}. ")
    assert message.endswith(".")
    assert message.isascii()
    assert message.isprintable()


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("name", ["usage.csv.gz", "usage.csv"])
def test_gzip_is_looked_into(what: str, name: str) -> None:
    """Whoever packs an archive is not told to name it .gz, or to unpack it and no more."""
    with pytest.raises(UnreadableFileError) as refused:
        first_line(gzip.compress(FILES[what]), f"s3://landing/{name}")

    assert str(refused.value).startswith(f"s3://landing/{name} cannot be read: it is a gzip file with {what}. ")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_recognised_with_a_mark_and_without(encoding: str) -> None:
    kind = file_kinds.recognised(ROWS.encode(encoding))
    assert kind is file_kinds.UTF_16


@pytest.mark.parametrize(
    "text",
    [
        *["", "\ufeff", "\r\n", ROWS, f"\ufeff{ROWS}", "Zählpunkt;Zeit;kWh\n", "电表,时间\n", "1;2;3\n"],
        # Texts that begin like files of other kinds.
        *["PAR1,PAR2\n1,2\n", "ORC,Time\n", "BZh,a\n", "PK,a\n", "%PDF,a\n", "<TICKER>,<DATE>,<TIME>\n", "GIF8,a\n"],
        *['{"Point":"M1"}\n', "M1\t2024\t1\n", "M1\x012024\x011\n", "M1\x1f2024\x1f1\x1e"],
        *["x" * 3000, f"{ROWS}\x1a", "Point,Start\nM1,\x00\n" + ROWS],
    ],
)
def test_text_is_text(text: str) -> None:
    assert file_kinds.recognised(text.encode()) is None


@given(some.text(min_size=1))
def test_a_name_of_any_signs_gives_a_message_in_one_line(name: str) -> None:
    assert file_kinds.ZIP.sentence(name).isprintable()


@given(some.binary(max_size=300))
def test_any_bytes_are_recognised_or_text(begin: bytes) -> None:
    kind = file_kinds.recognised(begin)
    assert kind is None or kind.what


@pytest.mark.parametrize(
    ("begin", "encoding"),
    [
        (b"", "utf-8"),
        (b"Point;Start\n", "utf-8"),
        ("Zählpunkt;Zeit\n".encode(), "utf-8"),
        ("Zählpunkt;Zeit;Prüfung\n".encode("cp1252"), "windows-1252"),
        ("Preis €;Zähler\nM1;2\n".encode("cp1252"), "windows-1252"),
        # A header alone whose only letter outside ASCII is near its end.
        ("Zeit;Qualität\n".encode("cp1252"), "windows-1252"),
        # The last sign is cut off, or one byte of a text is damaged.
        ("Point;Straße".encode()[:-2], "utf-8"),
        ("Zähler;Größe\n".encode() + b"M\xff1;1\n" + b"M1;1\n", "utf-8"),
        # Bytes that Windows-1252 does not have.
        (b"Z\x81hler;Zeit\nM1;1\n", "utf-8"),
    ],
)
def test_the_encoding_of_a_text_is_told_by_its_first_bytes(begin: bytes, encoding: str) -> None:
    assert file_kinds.encoding_of(begin) == encoding
