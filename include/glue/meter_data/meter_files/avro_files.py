"""Meter files of Avro.

The container is read here: its header says the schema, and its blocks are unpacked by pyarrow and the standard library.
fastavro decodes the records of a block. It is given a schema without logical types, so a time comes as the number that
the file holds, and one that no calendar has harms no other row.
"""

from __future__ import annotations

import bz2
import io
import json
import lzma
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa

from meter_data.lake.store import is_of_s3
from meter_data.meter_files import records
from meter_data.meter_files.lines import UnreadableFileError
from meter_data.meter_files.records import Column, Integers, Records

MAGIC = b"Obj\x01"
_ROWS_AT_ONCE = 500_000
# Writers make blocks of some 10 kB to some MB.
_LARGEST_BLOCK, _LARGEST_HEADER = 256 * 1024 * 1024, 16 * 1024 * 1024
_SYNC_BYTES = 16
_BUFFER_BYTES = 1024 * 1024
# What fastavro and the codecs raise for bytes that they cannot read.
_DAMAGES = (ValueError, EOFError, LookupError, TypeError, OverflowError, OSError, zlib.error, lzma.LZMAError)


@dataclass(frozen=True)
class Header:
    """The header of an Avro file. `kinds` are the types of the fields of its records by name, in their order.

    A type is a logical type if the field has one, a decimal with its scale: decimal-3.
    """

    schema: dict[str, Any]
    codec: str
    sync: bytes
    kinds: dict[str, str]


class _NoAvroError(ValueError):
    """The bytes are not what Avro defines."""


def header(stream: BinaryIO, name: str) -> Header:
    """Reads the header of the file `name`. Raises UnreadableFileError."""
    try:
        metadata = _metadata(stream)
        schema = json.loads(metadata[b"avro.schema"])
        codec = metadata.get(b"avro.codec", b"null").decode()
        sync = _exactly(stream, _SYNC_BYTES)
        is_record = isinstance(schema, dict) and schema["type"] == "record"
        kinds = {each["name"]: _kind(each["type"]) for each in schema["fields"]} if is_record else {}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableFileError(f"{name} has no readable Avro header. Deliver it again.") from error
    if not is_record:
        raise UnreadableFileError(f"The rows of {name} are no records. Deliver an Avro file of records.")
    if codec not in _UNPACKERS:
        known = ", ".join(_UNPACKERS)
        raise UnreadableFileError(
            f"{name} is packed with the codec {codec}, which cannot be read. Deliver it with one of {known}."
        )
    return Header(schema, codec, sync, kinds)


class AvroFile:
    """An Avro file; see records.RecordFile.

    `open_file` opens it, `name` is what messages call it, `fields` are the names of the fields by role, `quantities`
    the roles whose numbers are measured values.
    """

    misshapen = ""  # there are no such rows

    def __init__(
        self, name: str, open_file: Callable[[], BinaryIO], fields: Mapping[str, str], quantities: Collection[str]
    ) -> None:
        self._name, self._open, self._fields, self._quantities = name, open_file, dict(fields), quantities
        self._given = enumerate(self._rows())

    def records(self) -> Iterator[Records]:
        first = 0
        with self._open() as stored:
            kinds = header(buffered(stored), self._name).kinds
        if lacking := sorted(set(self._fields.values()) - set(kinds)):
            raise UnreadableFileError(f"{self._name} has no field {lacking[0]}. Deliver it again.")
        for rows in _chunks(self._rows()):
            columns = {
                role: _column([row[field] for row in rows], kinds[field], role in self._quantities)
                for role, field in self._fields.items()
            }
            yield Records(np.arange(first, first + len(rows)), columns, np.empty(0, np.int64))
            first += len(rows)

    def as_given(self, places: Integers) -> Iterator[Sequence[bytes | str]]:
        """Yields records as JSON. A value of bytes is a text of one character for each byte, as Avro has it."""
        return records.in_lists(self._shown(places))

    def _shown(self, places: Integers) -> Iterator[str]:
        for place in places.tolist():
            number, row = next(self._given)
            while number < place:
                number, row = next(self._given)
            yield _ENCODER.encode(row)

    def _rows(self) -> Iterator[dict[str, Any]]:
        import fastavro

        with self._open() as stored:
            stream = buffered(stored)
            head = header(stream, self._name)
            begin = _header_of_block(head)
            while True:
                try:
                    block = _block(stream, head)
                    if block is None:
                        return
                    yield from cast(Iterator[dict[str, Any]], fastavro.reader(io.BytesIO(begin + block + head.sync)))
                except (*_DAMAGES, fastavro.schema.SchemaParseException) as error:
                    if is_of_s3(error):
                        raise
                    said = f"{self._name} is a damaged Avro file: {error}. Deliver it again."
                    raise UnreadableFileError(said) from error


def _column(values: list[Any], kind: str, is_quantity: bool) -> Column:
    """Returns the values of a field of a type as a column."""
    logical, _, unit = kind.rpartition("-")
    if logical in ("timestamp", "local-timestamp") and unit in ("millis", "micros"):
        times = pa.array(values, pa.int64()).cast(pa.timestamp("ms" if unit == "millis" else "us"))
        zoned = pa.timestamp(times.type.unit, "UTC" if logical == "timestamp" else None)
        return records.column(times.cast(zoned))
    if logical == "decimal":
        return records.column_of([value and _decimal_text(value, int(unit)) for value in values])
    if kind == "date":
        return records.column(pa.array(values, pa.int32()).cast(pa.date32()))
    numbers = {"float": pa.float32(), "double": pa.float64(), "int": pa.int64(), "long": pa.int64()}
    if kind in numbers:
        return records.column(pa.array(values, numbers[kind]))
    return records.column_of(values, is_quantity)


def _decimal_text(value: bytes, scale: int) -> str:
    """Returns a decimal, whose bytes are a whole number, the highest first."""
    return format(Decimal(int.from_bytes(value, "big", signed=True)).scaleb(-scale), "f")


def _kind(declared: Any) -> str:
    if isinstance(declared, list):
        kinds = [kind for kind in declared if kind != "null"]
        return _kind(kinds[0]) if len(kinds) == 1 else "union"
    if isinstance(declared, dict):
        written_as = _kind(declared["type"])
        if declared.get("logicalType") == "decimal" and written_as == "bytes":
            return f"decimal-{declared.get('scale', 0)}"
        return str(declared.get("logicalType") or written_as) if written_as != "fixed" else written_as
    return str(declared)


def _without_logical_types(declared: Any) -> Any:
    if isinstance(declared, list):
        return [_without_logical_types(each) for each in declared]
    if isinstance(declared, dict):
        return {name: _without_logical_types(each) for name, each in declared.items() if name != "logicalType"}
    return declared


# The container.


def buffered(stored: BinaryIO) -> BinaryIO:
    """Returns the stream, read in large pieces: a request to S3 for every few bytes would take hours."""
    return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, stored), _BUFFER_BYTES))


def _metadata(stream: BinaryIO) -> dict[bytes, bytes]:
    """Reads the map in the header: blocks of pairs, each with its number in front, the last with the number 0."""
    if _exactly(stream, len(MAGIC)) != MAGIC:
        raise _NoAvroError("it does not begin as Avro does")
    found: dict[bytes, bytes] = {}
    while pairs := _long(stream):
        if pairs < 0:  # the size of the block follows
            pairs = -pairs
            _long(stream)
        for _ in range(pairs):
            name = _exactly(stream, _size(stream, _LARGEST_HEADER))
            found[name] = _exactly(stream, _size(stream, _LARGEST_HEADER))
    return found


def _header_of_block(head: Header) -> bytes:
    """Returns the header of an Avro file of the same records, not packed and without logical types."""
    metadata = {b"avro.schema": json.dumps(_without_logical_types(head.schema)).encode(), b"avro.codec": b"null"}
    pairs = b"".join(_sized(name) + _sized(value) for name, value in metadata.items())
    return MAGIC + _as_long(len(metadata)) + pairs + _as_long(0) + head.sync


def _block(stream: BinaryIO, head: Header) -> bytes | None:
    """Reads a block. Returns it not packed, with its number of records and its size in front; None at the end."""
    begin = stream.read(1)
    if not begin:
        return None
    number = _long(stream, begin)
    packed = _exactly(stream, _size(stream, _LARGEST_BLOCK))
    if _exactly(stream, _SYNC_BYTES) != head.sync:
        raise _NoAvroError("a block does not end where it should")
    unpacked = _UNPACKERS[head.codec](packed)
    # Every record of a meter has at least a byte. So a block cannot make more records than it has bytes.
    if not 0 <= number <= len(unpacked):
        raise _NoAvroError("a block says a number of records that it cannot hold")
    return _as_long(number) + _as_long(len(unpacked)) + unpacked


def _inflated(packed: bytes) -> bytes:
    return _bounded(zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, _LARGEST_BLOCK + 1))


def _of_snappy(packed: bytes) -> bytes:
    """Unpacks a block of snappy, which has four bytes of a checksum behind it and its size in front."""
    size = shift = 0
    for byte in packed[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    if size > _LARGEST_BLOCK:
        raise _NoAvroError("a block is too large")
    return pa.decompress(packed[:-4], size, codec="snappy", asbytes=True)


def _of_zstandard(packed: bytes) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
        return _bounded(stream.read(_LARGEST_BLOCK + 1))


def _bounded(unpacked: bytes) -> bytes:
    if len(unpacked) > _LARGEST_BLOCK:
        raise _NoAvroError("a block is too large")
    return unpacked


_UNPACKERS: dict[str, Callable[[bytes], bytes]] = {
    "null": bytes,
    "deflate": _inflated,
    "snappy": _of_snappy,
    "zstandard": _of_zstandard,
    "bzip2": lambda packed: _bounded(bz2.BZ2Decompressor().decompress(packed, _LARGEST_BLOCK + 1)),
    "xz": lambda packed: _bounded(lzma.LZMADecompressor().decompress(packed, _LARGEST_BLOCK + 1)),
}


def _exactly(stream: BinaryIO, size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise _NoAvroError("it ends too early")
    return found


def _size(stream: BinaryIO, largest: int) -> int:
    size = _long(stream)
    if not 0 <= size <= largest:
        raise _NoAvroError(f"it says a size of {size:,} bytes")
    return size


def _long(stream: BinaryIO, begin: bytes = b"") -> int:
    """Reads a number of seven bits a byte, the lowest first, its sign in the lowest bit."""
    value = shift = 0
    byte = begin or _exactly(stream, 1)
    while byte[0] & 0x80:
        value |= (byte[0] & 0x7F) << shift
        shift += 7
        if shift > 63:
            raise _NoAvroError("a number is too long")
        byte = _exactly(stream, 1)
    value |= byte[0] << shift
    return (value >> 1) ^ -(value & 1)


def _as_long(value: int) -> bytes:
    """Returns a number that is not negative as Avro writes it."""
    value <<= 1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _sized(content: bytes) -> bytes:
    return _as_long(len(content)) + content


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while chunk := list(islice(rows, _ROWS_AT_ONCE)):
        yield chunk


def _json_value(value: Any) -> Any:
    return value.decode("iso-8859-1") if isinstance(value, bytes) else str(value)


# json.dumps would make one for each row.
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=_json_value)
