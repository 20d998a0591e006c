"""Meter files of JSON Lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from meter_data.meter_files import lines, records
from meter_data.meter_files.records import Integers, Records

MALFORMED_JSON = "malformed_json"
_ROWS_AT_ONCE = 1_000_000
# A number that stands between the lines of a part while it is read at once. Texts hardly ever hold it.
_BETWEEN = -7_018_316_522_041_873_905


def names(text: bytes) -> tuple[str, ...]:
    """Returns the names of the objects in these lines, in the order in which they come first.

    Other lines are passed over: the last one may be cut off, and malformed ones are counted later.
    """
    found: dict[str, None] = {}
    for line in text.splitlines():
        row = _object(line)
        found.update(dict.fromkeys(row or ()))
    return tuple(found)


def is_array(text: bytes) -> bool:
    """Tells whether a file that begins with this text is one array of JSON, and not JSON Lines."""
    return text.removeprefix(lines.BYTE_ORDER_MARK).lstrip().startswith(b"[")


class JsonLinesFile:
    """A file of JSON Lines, or a part of one; see records.RecordFile.

    `names` are the names of the fields by role. `quantities` are the roles whose numbers are measured values, so that
    they may be rounded. A byte order mark in front of a line is no part of it.
    """

    misshapen = MALFORMED_JSON

    def __init__(self, file: lines.File, names: Mapping[str, str], quantities: Collection[str]) -> None:
        self._file, self._names, self._quantities = file, dict(names), quantities
        self._picker = lines.Picker(file)

    def records(self) -> Iterator[Records]:
        held: list[Records] = []
        number = self._file.first_byte
        for part in lines.parts(self._file):
            held.append(self._read(part, number))
            number += len(held[-1]) + len(held[-1].misshapen)
            if sum(map(len, held)) >= _ROWS_AT_ONCE:
                yield records.joined(held)
                held = []
        if held:
            yield records.joined(held)

    def as_given(self, places: Integers) -> Iterator[Sequence[bytes | str]]:
        for found in self._picker.pick(places - self._file.first_byte):
            yield [line.removeprefix(lines.BYTE_ORDER_MARK) for line in found]

    def _read(self, part: bytes, first: int) -> Records:
        """Reads whole lines, the first of which has the number `first`."""
        all_lines = part.splitlines()
        rows = _objects_at_once(all_lines)
        numbers = np.arange(first, first + len(all_lines))
        misshapen = np.empty(0, np.int64)
        if rows is None:
            each = [_object(line) for line in all_lines]
            is_object = np.array([row is not None for row in each])
            rows = [row for row in each if row is not None]
            numbers, misshapen = numbers[is_object], numbers[~is_object]
        columns = {
            role: records.column_of([row.get(name) for row in rows], role in self._quantities)
            for role, name in self._names.items()
        }
        return Records(numbers, columns, misshapen)


def _objects_at_once(all_lines: list[bytes]) -> list[dict[str, Any]] | None:
    """Returns the objects of lines each of which holds one; None if that is not so, or cannot be told.

    The lines become one array of JSON, with a number between any two that no line holds. If that number stands between
    the elements of the array as often as there are line ends, then no text and no list or object goes over a line end.
    And if exactly one object stands between two of them, each line is an object.
    """
    between = str(_BETWEEN).encode()
    text = b",%s," % between
    whole = b"[" + text.join(all_lines) + b"]"
    if whole.count(between) != len(all_lines) - 1 or lines.BYTE_ORDER_MARK in whole:
        return None
    try:
        found = json.loads(whole)
    except (ValueError, RecursionError):
        return None
    rows = found[::2]
    is_alternating = len(found) == 2 * len(all_lines) - 1 and found[1::2].count(_BETWEEN) == len(all_lines) - 1
    return rows if is_alternating and set(map(type, rows)) == {dict} else None


def _object(line: bytes) -> dict[str, Any] | None:
    """Returns the object of a line; None if the line is no object of JSON."""
    try:
        found = json.loads(line.removeprefix(lines.BYTE_ORDER_MARK).decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
