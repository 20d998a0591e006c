"""Meter files of delimited text: CSV with any delimiter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from meter_data.meter_files import delimited, file_kinds, lines, records
from meter_data.meter_files.quoted_columns import QuotedText
from meter_data.meter_files.records import Column, Integers, Records
from meter_data.meter_files.text_columns import DelimitedLayout

WRONG_FIELD_COUNT = "wrong_field_count"


def names(header: bytes, delimiter: str, encoding: str) -> tuple[str, ...]:
    """Returns the fields of a header, without the spaces around them."""
    cut = delimited.cut(header, encoded(delimiter, encoding))
    return tuple(field.decode(encoding, errors="replace").strip() for field in cut)


def encoded(delimiter: str, encoding: str) -> bytes:
    """Returns the bytes of a delimiter. One that the encoding does not have is found in no line."""
    try:
        return delimiter.encode(encoding)
    except UnicodeEncodeError:
        return delimiter.encode()


class DelimitedFile:
    """A file of delimited text, or a part of one; see records.RecordFile.

    `places` says which field has which role, of `width` fields. `header` is the line that is no row wherever it stands;
    None if the file has no header. Then a byte order mark in front of any line is no part of it.
    """

    misshapen = WRONG_FIELD_COUNT

    def __init__(
        self,
        file: lines.File,
        delimiter: str,
        encoding: str,
        width: int,
        places: Mapping[str, int],
        header: bytes | None,
    ) -> None:
        self._file, self._encoding, self._header = file, encoding, header
        self._roles = dict(places)
        wanted = tuple(sorted(set(places.values())))
        self._layout = DelimitedLayout(encoded(delimiter, encoding), width, wanted)
        self._picker = lines.Picker(file)

    def records(self) -> Iterator[Records]:
        """Yields the rows block by block, headers left out."""
        text = QuotedText(self._file, self._layout, self._header)
        first = self._file.first_byte
        for block in text.blocks():
            columns = [Column(self._decoded(one.distinct), one.codes) for one in block.columns]
            by_role = {role: columns[self._layout.places.index(place)] for role, place in self._roles.items()}
            misshapen = np.setdiff1d(block.misshapen, text.headers, assume_unique=True)
            yield Records(block.line_numbers() + first, by_role, misshapen + first)

    def as_given(self, places: Integers) -> Iterator[Sequence[bytes | str]]:
        """Yields lines. Those of an encoding other than UTF-8 come as texts."""
        for found in self._picker.pick(places - self._file.first_byte):
            if self._header is None:
                found = [line.removeprefix(lines.BYTE_ORDER_MARK) for line in found]
            if self._encoding == file_kinds.UTF_8:
                yield found
            else:
                yield [line.decode(self._encoding, "replace") for line in found]

    def _decoded(self, distinct: pa.BinaryArray) -> pa.StringArray:
        if self._encoding == file_kinds.UTF_8:
            return records.decoded(distinct)
        return pa.array([text.decode(self._encoding, "replace") for text in distinct.to_pylist()], pa.string())
