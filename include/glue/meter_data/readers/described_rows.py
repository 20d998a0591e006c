"""Judges the rows of described files: which become readings, and why the others are rejects.

A row becomes
- an error reading (ERR, no value) when it has an error code, when its type says so or when its value is the word Null;
  the code is the row's, NULL for the word, UNKNOWN when only the type says it.
- an interval reading (INT) or a register reading (AGG) otherwise, by its type's column or by the description.
- a reject when something is wrong with it: the first of REASONS that applies.

Times become UTC, values kWh. A time that a change of the clocks repeats gets its instant later, when all rows that show
it are known (repeated_hour.py). A time that a change leaves out does not exist, and its row is a reject.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.schemas import ERROR, REGISTER
from meter_data.meter_files.records import Column, Records
from meter_data.readers import described_times, described_values, description, rules
from meter_data.readers.described_times import NONEXISTENT_LOCAL_TIME, Times
from meter_data.readers.described_values import UNKNOWN_UNIT
from meter_data.readers.description import Description
from meter_data.readers.judged import TYPES, AmbiguousTimes, JudgedRows

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int32]

NULL_CODE, UNKNOWN_CODE = "NULL", "UNKNOWN"
LONGEST_CODE = 32
DAY = 24 * 60 * 60 * 1000  # in milliseconds

UNKNOWN_READING_TYPE = "unknown_reading_type"
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
    values = described_values.judge(rows, described, types.places == _REGISTER, REASONS)

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


def _judge_meters(rows: Records) -> _Meters:
    column = rows.columns["meter_id"]
    shown = rules.trimmed_texts(column)
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
    shown = [text.lower() for text in rules.trimmed_texts(column).to_pylist()]
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
    shown = rules.trimmed_texts(column)
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


def _places(shown: pa.StringArray, is_chosen: Mask) -> tuple[pa.StringArray, Codes]:
    """Returns the chosen texts, ascending, each once, and the place of each text there; -1 for the others."""
    chosen = pc.unique(shown.filter(pa.array(is_chosen)))
    chosen = chosen.take(pc.sort_indices(chosen))
    places = pc.fill_null(pc.index_in(shown, value_set=chosen), -1).to_numpy()
    return chosen, np.where(is_chosen, places, -1).astype(np.int32)


def _no_reasons(number: int) -> npt.NDArray[np.uint8]:
    return np.full(number, rules.NO_REASON, np.uint8)
