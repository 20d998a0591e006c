"""Reads any extract of a meter data management system that a description can tell how to read.

description.py is what people can say, described_files.py opens a file by it, and described_rows.py judges its rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meter_data.lake.store import Store
from meter_data.meter_files.manifest import MeterFile
from meter_data.meter_files.records import RecordFile
from meter_data.readers import described_files, described_rows, description, rejected_rows
from meter_data.readers.described_rows import REASONS
from meter_data.readers.description import CSV, JSON, PACKED, Description
from meter_data.readers.judged import JudgedRows, Rejects


def reader(document: dict[str, Any], origin: str) -> DefaultReader:
    """Returns the reader of files with this description, which comes from `origin`.

    Raises description.DescriptionError, which is an UnreadableFileError unless it comes from the trigger form.
    """
    return DefaultReader(description.parsed(document, origin))


@dataclass(frozen=True)
class DefaultReader:
    """Reads files of a description; see judged.Reader."""

    description: Description

    def can_be_cut(self, file: MeterFile) -> bool:
        name = file.uri.lower()
        try:
            return not name.endswith(PACKED) and self.description.format_of(file.uri) in (CSV, JSON)
        except description.UnknownFormatError:
            return False

    def open(self, store: Store, file: MeterFile) -> DefaultFile | None:
        found = described_files.opened(store, file, self.description)
        return None if found is None else DefaultFile(found, self.description, file.delivered_at)


class DefaultFile:
    """A described file, or a part of one; see judged.OpenedFile."""

    reasons = REASONS

    def __init__(self, file: RecordFile, described: Description, delivered_at: int) -> None:
        self._file, self._description, self._delivered_at = file, described, delivered_at

    def judged(self) -> Iterator[JudgedRows]:
        for rows in self._file.records():
            yield described_rows.judge(rows, self._description, self._delivered_at)

    def rejects(self, rows: JudgedRows) -> Iterator[Rejects]:
        """Yields the rejected rows of a part. Parts must come in the order of the file."""
        in_file, among_rows = rejected_rows.in_order(rows)
        done = 0
        for found in self._file.as_given(in_file):
            places = among_rows[done : done + len(found)]
            yield rejected_rows.of_lines(found, places, rows, REASONS, self._file.misshapen)
            done += len(found)
