"""Reads any extract of a meter data management system that a description can tell how to read.

A row becomes
- an error reading (ERR, no value) when it has an error code, when its type says so or when its value is the word Null;
  the code is the row's, NULL for the word, UNKNOWN when only the type says it.
- an interval reading (INT) or a register reading (AGG) otherwise, by its type's column or by the description.
- a reject when something is wrong with it: the first of REASONS that applies, or of those for rows without fields.

Times become UTC, values kWh. A time that a change of the clocks repeats gets its instant later, when all rows that show
it are known (repeated_hour.py). A time that a change leaves out does not exist, and its row is a reject.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.schemas import ERROR, REGISTER
from meter_data.lake.store import Store
from meter_data.meter_files.manifest import MeterFile
from meter_data.meter_files.records import Column, RecordFile, Records, texts
from meter_data.readers import described_files, described_times, description, rules
from meter_data.readers.described_times import NONEXISTENT_LOCAL_TIME, Times
from meter_data.readers.description import CSV, JSON, PACKED, Description
from meter_data.readers.judged import TYPES, AmbiguousTimes, JudgedRows, Reject

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int32]

NULL_WORD, NULL_CODE, UNKNOWN_CODE = "null", "NULL", "UNKNOWN"
LARGEST_REGISTER_KWH = 1e12
LONGEST_CODE = 32
DAY = 24 * 60 * 60 * 1000  # in milliseconds

UNKNOWN_READING_TYPE, UNKNOWN_UNIT = "unknown_reading_type", "unknown_unit"
INVALID_ERROR_CODE, INVALID_OBIS_CODE = "invalid_error_code", "invalid_obis_code"
# In the order in which they are looked for. The place of a reason here is its code.
REASONS = (
    rules.MISSING_METER_ID,
    rules.METER_ID_LOST_DIGITS,
    rules.INVALID_METER_ID,
    rules.MALFORMED_TIMESTAMP,
    rules.IMPOSSIBLE_TIMESTAMP,
    NONEXISTENT_LOCAL_TIME,
    UNKNOWN_READING_TYPE,
    INVALID_OBIS_CODE,
    INVALID_ERROR_CODE,
    rules.MISSING_VALUE,
    rules.NOT_A_NUMBER,
    UNKNOWN_UNIT,
    rules.NEGATIVE_VALUE,
    rules.VALUE_TOO_LARGE,
    rules.TIMESTAMP_OUT_OF_RANGE,
)

_REGISTER, _ERROR = TYPES.index(REGISTER), TYPES.index(ERROR)
_DECIMALS_OF_MWH, _ROUNDED_BELOW = Decimal("1e-9"), 1e15
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
            yield judge(rows, self._description, self._delivered_at)

    def rejects(self, rows: JudgedRows) -> Iterator[Reject]:
        """Yields the rejected rows of a part. Parts must come in the order of the file."""
        rejected = np.flatnonzero(rows.reason != rules.NO_REASON)
        with_fields = dict(zip(rows.row[rejected].tolist(), rejected.tolist(), strict=True))
        for given in self._file.as_given(sorted([*with_fields, *rows.misshapen.tolist()])):
            if given.place in with_fields:
                yield _reject(given.line, rows, with_fields[given.place])
            else:
                yield Reject(given.line, given.fault or rules.WRONG_FIELD_COUNT, None, None)


def _reject(line: bytes | str, rows: JudgedRows, at: int) -> Reject:
    meter, time = int(rows.meter[at]), int(rows.time[at])
    return Reject(
        line,
        REASONS[rows.reason[at]],
        rows.meter_ids[meter].as_py() if meter >= 0 else None,
        f"{_EPOCH + timedelta(milliseconds=int(rows.times[time])):%Y%m%d}" if time >= 0 else None,
    )


def judge(rows: Records, described: Description, delivered_at: int) -> JudgedRows:
    """Judges rows.

    `delivered_at` is when the file was delivered, in milliseconds since 1970 UTC. No meter file holds readings from
    before 1970, nor from more than a day after its delivery: the clock was wrong.
    """
    meters = _judge_meters(rows)
    times = described_times.judge(rows, described, REASONS)
    types = _judge_types(rows, described)
    obis = _judge_codes(rows, "obis_code", ())
    codes = _judge_codes(rows, "error_code", described.no_error_codes)
    values = _judge_values(rows, described, is_register=types.places == _REGISTER)

    is_error = (types.places == _ERROR) | codes.is_code | values.is_null_word
    if described.missing_value == description.ERROR:
        is_error |= values.is_missing
    is_possible = times.has_instant & (times.instants >= 0) & (times.instants <= delivered_at + DAY)
    out_of_range = np.where(is_possible, rules.NO_REASON, REASONS.index(rules.TIMESTAMP_OUT_OF_RANGE))
    # The first reason of a row is the smallest of the codes of its fields; see rules.first_reasons.
    reason = meters.reasons
    of_fields = (types.reasons, obis.reasons, codes.reasons, np.where(is_error, rules.NO_REASON, values.reasons))
    for reasons in (np.minimum(times.reasons, out_of_range)[times.codes], *of_fields):
        reason = np.minimum(reason, reasons)
    reason = reason.astype(np.uint8)

    distinct_times = np.unique(times.instants[is_possible])
    places = np.where(is_possible, np.searchsorted(distinct_times, times.instants), -1).astype(np.int32)
    error_codes, error = _error_codes(codes, is_error, is_null=values.is_null_word | values.is_missing)
    return JudgedRows(
        row=rows.places,
        meter_ids=meters.ids,
        meter=meters.places,
        times=distinct_times,
        time=places[times.codes],
        # -0 is 0.
        kwh=np.where(is_error, np.nan, np.abs(values.kwh)),
        reading_type=np.where(is_error, _ERROR, types.places).astype(np.uint8),
        obis_codes=obis.codes,
        obis=obis.places,
        error_codes=error_codes,
        error=error,
        reason=reason,
        misshapen=rows.misshapen,
        ambiguous=_ambiguous(times, reason, is_register=types.places == _REGISTER),
    )


def _ambiguous(times: Times, reason: npt.NDArray[np.uint8], is_register: Mask) -> AmbiguousTimes | None:
    if not times.is_ambiguous.any():
        return None
    rows = np.flatnonzero(times.is_ambiguous[times.codes] & (reason == rules.NO_REASON))
    codes = times.codes[rows]
    return AmbiguousTimes(rows, times.clocks[codes], times.later[codes], is_register[rows])


# Each field. The values of a column are judged with an empty text behind them, which a row without a value (-1) has.


@dataclass(frozen=True)
class _Meters:
    """`ids` ascending; for each row the place of its id or -1, and its reason."""

    ids: pa.StringArray
    places: Codes
    reasons: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Types:
    """For each row the place in TYPES, and its reason."""

    places: npt.NDArray[np.uint8]
    reasons: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Codes:
    """`codes` ascending; for each row whether it has a code, its place or -1, and its reason."""

    codes: pa.StringArray
    is_code: Mask
    places: Codes
    reasons: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Values:
    """For each row its kWh, whether the value is the word Null, whether it is missing, and its reason."""

    kwh: npt.NDArray[np.float64]
    is_null_word: Mask
    is_missing: Mask
    reasons: npt.NDArray[np.uint8]


def _judge_meters(rows: Records) -> _Meters:
    column = rows.columns["meter_id"]
    shown = _texts(column)
    is_inexact = np.append(_is_inexact(column), False)
    is_id = rules.is_meter_id(shown) & ~is_inexact
    if pa.types.is_floating(column.distinct.type):  # not a number is how some programs write that there is none
        shown = pc.if_else(pa.array(is_inexact), shown, "")
    # Texts that differ only in the spaces around them name the same meter.
    ids, places = _places(shown, is_id)
    applies = {
        rules.MISSING_METER_ID: rules.is_empty(shown) & ~is_inexact,
        rules.METER_ID_LOST_DIGITS: rules.has_lost_digits(shown) | is_inexact,
        rules.INVALID_METER_ID: ~is_id,
    }
    return _Meters(ids, places[column.codes], rules.first_reasons(REASONS, len(shown), applies)[column.codes])


def _is_inexact(column: Column) -> Mask:
    """Tells which ids are numbers whose digits nobody can be sure of."""
    if pa.types.is_floating(column.distinct.type):
        return ~np.isnan(column.distinct.to_numpy())
    return np.zeros(len(column.distinct), bool) if column.inexact is None else column.inexact


def _judge_types(rows: Records, described: Description) -> _Types:
    column = rows.columns.get("reading_type")
    of_description = TYPES.index(described.reading_type)
    if column is None:
        return _Types(np.full(len(rows), of_description, np.uint8), _no_reasons(len(rows)))
    words = {kind.lower(): kind for kind in TYPES} | dict(described.reading_types)
    known = {"": of_description} | {word: TYPES.index(kind) for word, kind in words.items()}
    shown = [text.lower() for text in _texts(column).to_pylist()]
    places = np.array([known.get(text, of_description) for text in shown], np.uint8)
    is_unknown = np.array([text not in known for text in shown])
    reasons = rules.first_reasons(REASONS, len(shown), {UNKNOWN_READING_TYPE: is_unknown})
    return _Types(places[column.codes], reasons[column.codes])


def _judge_codes(rows: Records, role: str, none: tuple[str, ...]) -> _Codes:
    """Judges codes. The texts `none` are no codes, and the empty text."""
    column = rows.columns.get(role)
    if column is None:
        absent = np.zeros(len(rows), bool)
        return _Codes(pa.array([], pa.string()), absent, np.full(len(rows), -1, np.int32), _no_reasons(len(rows)))
    shown = _texts(column)
    is_code = ~np.isin(np.array(shown.to_pylist(), object), ["", *none])
    is_valid = rules.fits(shown, f"[ -~]{{0,{LONGEST_CODE}}}")
    codes, places = _places(shown, is_code & is_valid)
    reason = INVALID_OBIS_CODE if role == "obis_code" else INVALID_ERROR_CODE
    reasons = rules.first_reasons(REASONS, len(shown), {reason: is_code & ~is_valid})
    return _Codes(codes, is_code[column.codes], places[column.codes], reasons[column.codes])


def _error_codes(codes: _Codes, is_error: Mask, is_null: Mask) -> tuple[pa.StringArray, Codes]:
    """Returns all error codes, ascending, and the place of each row's code; -1 for rows that are no error readings.

    An error reading without a code has NULL if its value is the word or missing, and UNKNOWN if only its type says it.
    """
    if not is_error.any():
        return codes.codes, np.full(len(is_error), -1, np.int32)
    given = codes.codes.to_pylist()
    all_codes = sorted({*given, NULL_CODE, UNKNOWN_CODE})
    places = np.array([*(all_codes.index(code) for code in given), -1], np.int32)
    without = np.where(is_null, all_codes.index(NULL_CODE), all_codes.index(UNKNOWN_CODE))
    error = np.where(codes.is_code, places[codes.places], without)
    return pa.array(all_codes, pa.string()), np.where(is_error, error, -1).astype(np.int32)


def _judge_values(rows: Records, described: Description, is_register: Mask) -> _Values:
    column = rows.columns["value"]
    is_null_word, is_missing, is_number, numbers = _numbers(column, described)
    kwh, is_unknown_unit = _kwh(rows, numbers, described)
    largest = np.where(is_register, LARGEST_REGISTER_KWH, described.largest_kwh)
    applies = {
        rules.MISSING_VALUE: is_missing[column.codes],
        rules.NOT_A_NUMBER: ~is_number[column.codes],
        UNKNOWN_UNIT: is_unknown_unit,
        rules.NEGATIVE_VALUE: kwh < 0,
        rules.VALUE_TOO_LARGE: kwh > largest,
    }
    return _Values(
        kwh, is_null_word[column.codes], is_missing[column.codes], rules.first_reasons(REASONS, len(rows), applies)
    )


def _numbers(column: Column, described: Description) -> tuple[Mask, Mask, Mask, npt.NDArray[np.float64]]:
    """Returns which values are the word Null, are missing, are numbers, and the numbers; the last for no value."""
    kind = column.distinct.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        values = np.append(column.distinct.to_numpy().astype(np.float64), np.nan)
        is_missing = np.arange(len(values)) == len(values) - 1
        is_number = np.isfinite(values)
        return np.zeros(len(values), bool), is_missing, is_number, np.where(is_number, values, np.nan)
    shown = _texts(column)
    if described.decimal_mark == ",":
        # Then a point is no part of a number.
        shown = pc.replace_substring(pc.replace_substring(shown, ".", "#"), ",", ".")
    read = rules.numbers(shown)
    return rules.is_word(shown, NULL_WORD), rules.is_empty(shown), read.is_number, read.values


def _kwh(
    rows: Records, numbers: npt.NDArray[np.float64], described: Description
) -> tuple[npt.NDArray[np.float64], Mask]:
    """Returns the kWh of each row, and which rows have an unknown unit."""
    codes, column = rows.columns["value"].codes, rows.columns.get("unit")
    if column is None:
        return _in_kwh(numbers, described.unit.lower())[codes], np.zeros(len(rows), bool)
    units = [text.lower() or described.unit.lower() for text in _texts(column).to_pylist()]
    kwh, is_unknown = np.full(len(rows), np.nan), np.ones(len(rows), bool)
    for unit in {unit.lower() for unit in description.UNITS}.intersection(units):
        has_unit = np.array([each == unit for each in units])[column.codes]
        kwh[has_unit] = _in_kwh(numbers, unit)[codes[has_unit]]
        is_unknown[has_unit] = False
    return kwh, is_unknown


def _in_kwh(numbers: npt.NDArray[np.float64], unit: str) -> npt.NDArray[np.float64]:
    if unit == "wh":
        return numbers / 1000  # not times 0.001: 219 Wh are 0.219 kWh to the last digit
    if unit == "mwh":
        return np.array([_rounded(number) for number in (numbers * 1000).tolist()])
    return numbers


def _rounded(kwh: float) -> float:
    """Rounds half up to nine decimals, a millionth of a watt-hour, of the shortest text of a number."""
    if not abs(kwh) < _ROUNDED_BELOW:
        return kwh  # no decimals are left, or it is no number
    return float(Decimal(repr(kwh)).quantize(_DECIMALS_OF_MWH, ROUND_HALF_UP))


def _texts(column: Column) -> pa.StringArray:
    """Returns the values as texts without the spaces around them, and the empty text behind them."""
    return pa.concat_arrays([rules.trimmed(texts(column.distinct)), pa.array([""])])


def _places(shown: pa.StringArray, is_chosen: Mask) -> tuple[pa.StringArray, Codes]:
    """Returns the chosen texts, ascending, each once, and the place of each text there; -1 for the others."""
    chosen = pc.unique(shown.filter(pa.array(is_chosen)))
    chosen = chosen.take(pc.sort_indices(chosen))
    places = pc.fill_null(pc.index_in(shown, value_set=chosen), -1).to_numpy()
    return chosen, np.where(is_chosen, places, -1).astype(np.int32)


def _no_reasons(number: int) -> npt.NDArray[np.uint8]:
    return np.full(number, rules.NO_REASON, np.uint8)
