"""Opens meter files by their description: finds their format and columns, and refuses what cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pyarrow as pa

from meter_data.lake.store import Store
from meter_data.meter_files import (
    avro_files,
    columnar_files,
    delimited_files,
    file_kinds,
    json_files,
    lines,
    orc_trial,
    stored_files,
)
from meter_data.meter_files.lines import UnreadableFileError
from meter_data.meter_files.manifest import MeterFile
from meter_data.meter_files.records import RecordFile
from meter_data.readers.description import (
    AVRO,
    CSV,
    JSON,
    ORC,
    PARQUET,
    Description,
    UnknownFormatError,
    delimiter_of,
    position_of,
    require_columns,
)

# Columns that an object of JSON may leave out where they hold nothing.
SPARSE = ("error_code", "obis_code")
# Roles whose numbers are measured.
QUANTITIES = ("value",)
_MAGIC = {PARQUET: b"PAR1", ORC: b"ORC", AVRO: avro_files.MAGIC}
# Types of columns that cannot be read as a text, a number or a time.
_NO_TEXTS = ("fixed", "record", "array", "map", "union", "bytes", "struct", "duration")


def opened(store: Store, file: MeterFile, described: Description) -> RecordFile | None:
    """Returns the file with its columns by role; None for a file that holds nothing.

    Raises UnreadableFileError with a message that says what the file is and what to do.
    """
    begin = stored_files.first_bytes(store, file)
    file_format = _format_of(file, described, begin)
    if file_format == CSV:
        return _delimited(store, file, described, begin)
    if file_format == JSON:
        return _json_lines(store, file, described, begin)
    if not file.size:
        return None
    _require_magic(file, described, begin, file_format)
    if file_format == AVRO:
        return _avro(store, file, described)
    return _columnar(store, file, described, file_format)


def _format_of(file: MeterFile, described: Description, begin: bytes) -> str:
    """Returns the format of the file. One whose name does not tell it may be of a kind that is not read at all."""
    try:
        return described.format_of(file.uri)
    except UnknownFormatError:
        if kind := file_kinds.recognised(begin):
            raise UnreadableFileError(kind.sentence(file.uri)) from None
        raise


def _delimited(store: Store, file: MeterFile, described: Description, begin: bytes) -> RecordFile | None:
    text = stored_files.beginning(begin, file).text
    encoding = file_kinds.encoding_of(text)
    if stored_files.first_line(begin, file, encoding) is None:
        return None
    first = re.split(rb"\r\n|\n|\r", text.removeprefix(lines.BYTE_ORDER_MARK), maxsplit=1)[0]
    delimiter = delimiter_of(described)
    header = delimited_files.names(first, delimiter, encoding)
    if not described.header:
        header = tuple(str(place) for place, _ in enumerate(header, start=1))
    require_columns(described, header, file.uri)
    return delimited_files.DelimitedFile(
        stored_files.lines_of(store, file),
        delimiter,
        encoding,
        len(header),
        _places(described, header),
        first if described.header else None,
    )


def _json_lines(store: Store, file: MeterFile, described: Description, begin: bytes) -> RecordFile | None:
    if stored_files.first_line(begin, file) is None:
        return None
    text = stored_files.beginning(begin, file).text
    if json_files.is_array(text):
        raise UnreadableFileError(
            f"{file.uri} is one JSON array. Deliver JSON Lines: one object a line, no comma between."
        )
    require_columns(described, json_files.names(text), file.uri, SPARSE, exact=True)
    return json_files.JsonLinesFile(stored_files.lines_of(store, file), described.columns, QUANTITIES)


def _avro(store: Store, file: MeterFile, described: Description) -> RecordFile:
    open_file = partial(store.open_stream, file.uri)
    with open_file() as stored:
        kinds = avro_files.header(avro_files.buffered(stored), file.uri).kinds
    header = tuple(kinds)
    require_columns(described, header, file.uri)
    places = _places(described, header)
    _require_readable(file, described, places, tuple(kinds.values()))
    fields = {role: header[place] for role, place in places.items()}
    return avro_files.AvroFile(file.uri, open_file, fields, QUANTITIES)


def _columnar(store: Store, file: MeterFile, described: Description, file_format: str) -> RecordFile:
    open_columns = _opener(store, file, file_format)
    with columnar_files.damaged(file.uri, file_format):
        schema = open_columns().schema
        header = tuple(schema.names)
    require_columns(described, header, file.uri)
    places = _places(described, header)
    _require_readable(file, described, places, tuple(_kind(field.type) for field in schema))
    return columnar_files.ColumnarFile(file.uri, file_format, open_columns, places)


def _opener(store: Store, file: MeterFile, file_format: str) -> Callable[[], columnar_files.Columnar]:
    if file_format == PARQUET:
        return lambda: columnar_files.ParquetColumns(store.open_file(file.uri))
    try:
        with store.open_stream(file.uri) as content:
            copy = orc_trial.tried_copy(content)
    except orc_trial.ProcessEndedError as error:
        said = f"{file.uri} is a damaged orc file: it cannot be unpacked. Deliver it again."
        raise UnreadableFileError(said) from error
    return lambda: columnar_files.OrcColumns(copy)


def _places(described: Description, header: tuple[str, ...]) -> dict[str, int]:
    """Returns the place in the header of each mapped column, by role."""
    found = {role: position_of(name, header) for role, name in described.columns.items()}
    return {role: place for role, place in found.items() if place is not None}


def _require_magic(file: MeterFile, described: Description, begin: bytes, file_format: str) -> None:
    if begin.startswith(_MAGIC[file_format]):
        return
    if kind := file_kinds.recognised(begin):
        raise UnreadableFileError(kind.sentence(file.uri))
    raise UnreadableFileError(
        f"{file.uri} is no {file_format} file, whatever its name or file_format ({described.origin}) says. Set "
        "file_format to what it is, or leave it empty and let the files' names tell."
    )


def _require_readable(file: MeterFile, described: Description, places: dict[str, int], kinds: tuple[str, ...]) -> None:
    for role, place in places.items():
        kind = kinds[place]
        if re.split(r"[<\[]", kind)[0] in _NO_TEXTS:
            raise UnreadableFileError(
                f"The column {described.columns[role]} of {file.uri} is of type {kind}, which cannot be mapped. "
                "Deliver it as a text, a number or a time."
            )


def _kind(kind: pa.DataType) -> str:
    """Returns the name of a type of Parquet or ORC in messages."""
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        return "map" if pa.types.is_map(kind) else "struct"
    if pa.types.is_nested(kind):
        return f"array<{_kind(kind.value_type)}>"
    return str(kind)
