"""Reads Low Carbon London: half-hourly kWh of households, in the three layouts in which the data set goes round.

A row becomes
- an interval reading when it has a value. A time off the half-hour grid makes no difference: the energy was metered,
  and leaving it out would falsify the day's sum.
- an error reading, without a value, when its value is the word Null, on the grid or off it.
- a reject otherwise, with the first of REASONS that applies.

Times are UTC all year. Tariff and Acorn columns are not used, so whatever they hold is no fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.schemas import ERROR, INTERVAL, TYPES
from meter_data.lake.store import Store
from meter_data.meter_files import lines, stored_files, text_columns
from meter_data.meter_files.lines import UnreadableFileError
from meter_data.meter_files.manifest import MeterFile
from meter_data.meter_files.text_columns import Block, DelimitedLayout
from meter_data.readers import rejected_rows, rules
from meter_data.readers.judged import JudgedRows, Rejects

# Without the spaces around the names.
HEADERS = (
    ("LCLid", "stdorToU", "DateTime", "KWH/hh (per half hour)"),
    ("LCLid", "stdorToU", "DateTime", "KWH/hh (per half hour)", "Acorn", "Acorn_grouped"),
    ("LCLid", "tstp", "energy(kWh/hh)"),
)
METER, TIMES, VALUES = "LCLid", ("DateTime", "tstp"), ("KWH/hh (per half hour)", "energy(kWh/hh)")
DELIMITER = b","

NULL_WORD = "null"  # in any case
LARGEST_KWH = 1000.0  # in half an hour: 2 MW, more than any low-voltage supply gives
DAY = 24 * 60 * 60 * 1000  # in milliseconds

# In the order in which they are looked for. The place of a reason here is its code.
REASONS = (
    rules.MISSING_METER_ID,
    rules.METER_ID_LOST_DIGITS,
    rules.INVALID_METER_ID,
    rules.MALFORMED_TIMESTAMP,
    rules.IMPOSSIBLE_TIMESTAMP,
    rules.MISSING_VALUE,
    rules.NOT_A_NUMBER,
    rules.NEGATIVE_VALUE,
    rules.VALUE_TOO_LARGE,
    rules.TIMESTAMP_OUT_OF_RANGE,
)

_NONE: pa.StringArray = pa.array([], pa.string())
_ERROR_CODES = pa.array([NULL_WORD.upper()])


def reader(description: dict[str, Any], origin: str) -> LondonReader:
    """Returns the reader; see readers. It needs no description."""
    return LondonReader()


@dataclass(frozen=True)
class LondonReader:
    """Reads London files, plain or gzip; see judged.Reader."""

    def can_be_cut(self, file: MeterFile) -> bool:
        return not file.is_gzip

    def open(self, store: Store, file: MeterFile) -> LondonFile | None:
        line = stored_files.first_line(stored_files.first_bytes(store, file), file)
        if line is None:
            return None
        header = tuple(name.strip() for name in line.split(DELIMITER.decode()))
        if header not in HEADERS:
            raise UnreadableFileError(_unknown_header(file.uri, header))
        return LondonFile(stored_files.lines_of(store, file), line.encode(), layout(header), file.delivered_at)


class LondonFile:
    """A London file, or a part of one; see judged.OpenedFile.

    `header` is its first line, without a byte order mark. Lines that equal it are no rows, wherever they stand: files
    are sometimes pasted together, each with its header, and with its byte order mark.
    """

    reasons = REASONS

    def __init__(self, file: lines.File, header: bytes, layout: DelimitedLayout, delivered_at: int) -> None:
        self._file = file
        self._headers = (header, lines.BYTE_ORDER_MARK + header)
        self._layout = layout
        self._delivered_at = delivered_at
        self._picker = lines.Picker(file)

    def judged(self) -> Iterator[JudgedRows]:
        """Yields the rows block by block. Headers below the first line are among the rejected rows."""
        for block in text_columns.read(self._file, self._layout):
            rows = judge(block, self._delivered_at)
            if not self._file.first_byte and not block.first_line:
                rows = _without_first(rows)
            yield replace(rows, row=rows.row + self._file.first_byte, misshapen=rows.misshapen + self._file.first_byte)

    def rejects(self, rows: JudgedRows) -> Iterator[Rejects]:
        """Yields the rejected rows of a part, headers left out. Parts must come in the order of the file."""
        in_file, among_rows = rejected_rows.in_order(rows)
        done = 0
        for found in self._picker.pick(in_file - self._file.first_byte):
            places = among_rows[done : done + len(found)]
            is_row = np.array([line not in self._headers for line in found])
            lines_left = found if is_row.all() else list(compress(found, is_row.tolist()))
            yield self._rejects_of(lines_left, places[is_row], rows)
            done += len(found)

    def _rejects_of(self, found: list[bytes], places: npt.NDArray[np.int64], rows: JudgedRows) -> Rejects:
        """Returns rejected lines. `places` are those among the rows, -1 for misshapen lines.

        Of misshapen lines, meter and time are looked for where the header has them.
        """
        rejects = rejected_rows.of_lines(found, places, rows, REASONS, rules.WRONG_FIELD_COUNT)
        is_misshapen = places < 0
        if not is_misshapen.any():
            return rejects
        cut = [line.split(DELIMITER, self._layout.width) for line in compress(found, is_misshapen.tolist())]
        meter_place, time_place, _ = self._layout.places
        meters = _judge_meters(_fields(cut, meter_place))
        times = _judge_times(_fields(cut, time_place), latest=self._delivered_at + DAY)
        mask = pa.array(is_misshapen)
        return replace(
            rejects,
            meter_ids=pc.replace_with_mask(rejects.meter_ids, mask, rejected_rows.texts(meters.ids, meters.places)),
            dates=pc.replace_with_mask(rejects.dates, mask, rejected_rows.dates(times.instants, times.places)),
        )


def layout(header: Sequence[str]) -> DelimitedLayout:
    """Returns how lines below one of HEADERS are cut: the fields meter, time and value, in this order."""
    names = list(header)
    (time,) = (name for name in TIMES if name in names)
    (value,) = (name for name in VALUES if name in names)
    return DelimitedLayout(DELIMITER, len(names), (names.index(METER), names.index(time), names.index(value)))


def judge(block: Block, delivered_at: int) -> JudgedRows:
    """Judges the rows of a block that was read by `layout`.

    `delivered_at` is when the file was delivered, in milliseconds since 1970 UTC. No meter file holds readings from
    before 1970, nor from more than a day after its delivery: the clock was wrong.
    """
    meter, time, value = block.columns
    meters = _judge_meters(meter.distinct)
    times = _judge_times(time.distinct, latest=delivered_at + DAY)
    values = _judge_values(value.distinct)
    # The first reason of a row is the smallest code of its three texts; see rules.first_reasons.
    reason = np.minimum(meters.reasons[meter.codes], times.reasons[time.codes])
    reason = np.minimum(reason, values.reasons[value.codes])
    return JudgedRows(
        row=block.line_numbers(),
        meter_ids=meters.ids,
        meter=meters.places[meter.codes],
        times=times.instants,
        time=times.places[time.codes],
        kwh=values.kwh[value.codes],
        reading_type=values.types[value.codes],
        obis_codes=_NONE,
        obis=np.full(block.rows, -1, np.int32),
        error_codes=_ERROR_CODES,
        error=values.errors[value.codes],
        reason=reason,
        misshapen=block.misshapen,
    )


@dataclass(frozen=True)
class _Meters:
    """`ids` ascending; for each distinct text its place in `ids` or -1, and its reason."""

    ids: pa.StringArray
    places: npt.NDArray[np.int32]
    reasons: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Times:
    """`instants` ascending; for each distinct text its place in `instants` or -1, and its reason."""

    instants: npt.NDArray[np.int64]
    places: npt.NDArray[np.int32]
    reasons: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Values:
    """For each distinct text its kWh, its place in TYPES, that in _ERROR_CODES or -1, and its reason."""

    kwh: npt.NDArray[np.float64]
    types: npt.NDArray[np.uint8]
    errors: npt.NDArray[np.int32]
    reasons: npt.NDArray[np.uint8]


def _judge_meters(distinct: pa.BinaryArray) -> _Meters:
    texts = rules.trimmed(rules.decoded(distinct))
    is_id = rules.is_meter_id(texts)
    # Texts that differ only in the spaces around them name the same meter.
    ids = pc.unique(texts.filter(pa.array(is_id)))
    ids = ids.take(pc.sort_indices(ids))
    places = pc.fill_null(pc.index_in(texts, value_set=ids), -1).to_numpy()
    applies = {
        rules.MISSING_METER_ID: rules.is_empty(texts),
        rules.METER_ID_LOST_DIGITS: rules.has_lost_digits(texts),
        rules.INVALID_METER_ID: ~is_id,
    }
    return _Meters(ids, places, rules.first_reasons(REASONS, len(texts), applies))


def _judge_times(distinct: pa.BinaryArray, latest: int) -> _Times:
    times = rules.times(rules.trimmed(rules.decoded(distinct)))
    is_in_range = (times.milliseconds >= 0) & (times.milliseconds <= latest)
    is_possible = times.exists & is_in_range
    # Texts that differ only in their fractions may mean the same millisecond.
    instants = np.unique(times.milliseconds[is_possible])
    places = np.where(is_possible, np.searchsorted(instants, times.milliseconds), -1).astype(np.int32)
    applies = {
        rules.MALFORMED_TIMESTAMP: ~times.has_shape,
        rules.IMPOSSIBLE_TIMESTAMP: ~times.exists,
        rules.TIMESTAMP_OUT_OF_RANGE: ~is_in_range,
    }
    return _Times(instants, places, rules.first_reasons(REASONS, len(distinct), applies))


def _judge_values(distinct: pa.BinaryArray) -> _Values:
    texts = rules.trimmed(rules.decoded(distinct))
    numbers = rules.numbers(texts)
    is_error = rules.is_word(texts, NULL_WORD)
    applies = {
        rules.MISSING_VALUE: rules.is_empty(texts),
        rules.NOT_A_NUMBER: ~numbers.is_number & ~is_error,
        rules.NEGATIVE_VALUE: numbers.values < 0,
        rules.VALUE_TOO_LARGE: numbers.values > LARGEST_KWH,
    }
    types = np.where(is_error, TYPES.index(ERROR), TYPES.index(INTERVAL)).astype(np.uint8)
    errors = np.where(is_error, 0, -1).astype(np.int32)
    # -0 is 0.
    return _Values(np.abs(numbers.values), types, errors, rules.first_reasons(REASONS, len(texts), applies))


def _without_first(rows: JudgedRows) -> JudgedRows:
    """Returns the rows but for the first, which is the file's header."""
    names = ("row", "meter", "time", "kwh", "reading_type", "obis", "error", "reason")
    return replace(rows, **{name: getattr(rows, name)[1:] for name in names})


def _fields(cut: Iterable[list[bytes]], place: int) -> pa.BinaryArray:
    """Returns the field at a place of each line, empty where the line is too short."""
    return pa.array([fields[place] if place < len(fields) else b"" for fields in cut], pa.binary())


def _unknown_header(uri: str, header: tuple[str, ...]) -> str:
    """The message about a file whose columns are others. The first line of a file without header is not quoted."""
    shown = uri if uri.isprintable() else repr(uri)
    known = "\n".join(f"  {', '.join(each)}" for each in HEADERS)
    if any(
        name and any(sign.isdigit() for sign in name) and not any(sign.isalpha() for sign in name) for name in header
    ):
        begins = "begins with a line that holds numbers, so it is no header of columns. The transformer london wants"
    elif not any(header):
        begins = "begins with a line without names of columns. The transformer london wants"
    else:
        begins = f"has the columns\n  {', '.join(header)}\nwhich the transformer london does not know. It knows"
    return (
        f"{shown} {begins}:\n{known}\n"
        "Choose the transformer of these files (parameter transformer of ingest_meter_readings, or a file "
        "_transformer.json beside them; docs/loading-your-files.md), or correct the file's header."
    )
