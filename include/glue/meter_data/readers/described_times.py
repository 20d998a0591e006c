"""Reads the times of described files: by ISO 8601, by a pattern, as a number since 1970, or as a time of the format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.meter_files.records import CLOCK, INSTANT, Records, texts
from meter_data.readers import rules
from meter_data.readers.description import EPOCHS, Description
from meter_data.readers.timestamps import local_time
from meter_data.readers.timestamps.pattern import Pattern

Milliseconds = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NONEXISTENT_LOCAL_TIME = "nonexistent_local_time"

_OFFSET = r"(?:Z| ?UTC|[+-][0-9]{2}(?::?[0-9]{2})?)"
_ISO = rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,9}})?)?{_OFFSET}?"
_WITH_OFFSET = rf":.*{_OFFSET}"
_EPOCH = r"[0-9]{1,14}(\.[0-9]{1,9})?"
_DATE_AND_MINUTE = len("yyyy-MM-ddTHH:mm")
_GREATEST_OFFSET = 18 * 60
_A_MINUTE = 60_000  # in milliseconds


@dataclass(frozen=True)
class Read:
    """What n texts or values say of a time.

    `has_shape` tells whether a text can be a time at all, `exists` whether that date and time exist too. `is_clock`
    tells whether it is the time of a local clock, and not an instant. `milliseconds` since 1970, of the clock or UTC.
    """

    has_shape: Mask
    exists: Mask
    is_clock: Mask
    milliseconds: Milliseconds


@dataclass(frozen=True)
class Times:
    """The times of all rows. `codes` has an entry a row: the place of its time in the other arrays.

    `instants` are milliseconds since 1970 UTC; they mean nothing without `has_instant`. `clocks` are what local clocks
    show then. Where `is_ambiguous` holds they show it twice, and `later` is the later one of the two instants.
    `reasons` are the codes of what is wrong, without regard to the date.
    """

    codes: npt.NDArray[np.int64]
    has_instant: Mask
    instants: Milliseconds
    clocks: Milliseconds
    is_ambiguous: Mask
    later: Milliseconds
    reasons: npt.NDArray[np.uint8]


def judge(rows: Records, described: Description, order: Sequence[str]) -> Times:
    """Judges the times of rows. `order` are the reasons, in the order in which they count."""
    codes, given = _given(rows)
    read = _read(given, described)
    local = local_time.instants(read.milliseconds, described.time_zone)
    shows_a_clock = read.exists & read.is_clock
    applies = {
        rules.MALFORMED_TIMESTAMP: ~read.has_shape,
        rules.IMPOSSIBLE_TIMESTAMP: ~read.exists,
        NONEXISTENT_LOCAL_TIME: shows_a_clock & ~local.exists,
    }
    return Times(
        codes=codes,
        has_instant=read.exists,
        instants=np.where(read.is_clock, local.earlier, read.milliseconds),
        clocks=read.milliseconds,
        is_ambiguous=shows_a_clock & local.is_ambiguous,
        later=local.later,
        reasons=rules.first_reasons(order, len(read.exists), applies),
    )


def _given(rows: Records) -> tuple[npt.NDArray[np.int64], pa.Array]:
    """Returns for each row the place of its time, and the distinct times as they are given: null if there is none."""
    if "date_time" in rows.columns:
        column = rows.columns["date_time"]
        with_none = pa.concat_arrays([column.distinct, pa.nulls(1, column.distinct.type)])
        return np.where(column.codes < 0, len(column.distinct), column.codes).astype(np.int64), with_none
    days, clocks = rules.trimmed_texts(rows.columns["date"]), rules.trimmed_texts(rows.columns["time"])
    # Rows without a date or a time of day have the last text, which is empty.
    day = np.where(rows.columns["date"].codes < 0, len(days) - 1, rows.columns["date"].codes)
    clock = np.where(rows.columns["time"].codes < 0, len(clocks) - 1, rows.columns["time"].codes)
    pairs, codes = np.unique(day.astype(np.int64) * len(clocks) + clock, return_inverse=True)
    first, second = days.take(pa.array(pairs // len(clocks))), clocks.take(pa.array(pairs % len(clocks)))
    return codes, pc.binary_join_element_wise(first, second, " ")


def _read(given: pa.Array, described: Description) -> Read:
    if pa.types.is_date(given.type) and described.timestamp_pattern not in EPOCHS:
        given = given.cast(CLOCK)  # its midnight
    if pa.types.is_timestamp(given.type):
        is_there = pc.is_valid(given).to_numpy(zero_copy_only=False)
        milliseconds = pc.fill_null(given.cast(pa.int64()), 0).to_numpy()
        return Read(is_there, is_there, np.full(len(given), given.type != INSTANT), milliseconds)
    pattern = described.timestamp_pattern
    if pattern in EPOCHS:
        return _read_epochs(given, EPOCHS[pattern])
    shown = rules.trimmed(pc.fill_null(texts(given), ""))
    if pattern is None:
        return _read_iso(shown)
    reader = Pattern(pattern)
    read = reader.read(shown)
    return Read(read.exists, read.exists, np.full(len(shown), not reader.has_offset), read.milliseconds)


def _read_epochs(given: pa.Array, unit: int) -> Read:
    """Reads numbers since 1970, each of `unit` milliseconds. What is finer than a millisecond is dropped."""
    if pa.types.is_floating(given.type):  # as digits: 1372635000.25, not 1.37263500025E9
        numbers = [None if value is None else _digits(value) for value in given.to_pylist()]
        given = pa.array(numbers, pa.string())
    shown = rules.trimmed(pc.fill_null(texts(given), ""))
    has_shape = rules.fits(shown, _EPOCH)
    milliseconds = np.zeros(len(shown), np.int64)
    found = shown.filter(pa.array(has_shape))
    is_whole = ~rules.fits(found, r".*\..*")
    values = np.zeros(len(found), np.int64)
    values[is_whole] = found.filter(pa.array(is_whole)).cast(pa.int64()).to_numpy() * unit
    values[~is_whole] = [int(Decimal(text) * unit) for text in found.filter(pa.array(~is_whole)).to_pylist()]
    milliseconds[has_shape] = values
    return Read(has_shape, has_shape, np.zeros(len(shown), bool), milliseconds)


def _digits(value: float) -> str:
    return format(Decimal(repr(value)).normalize(), "f") if np.isfinite(value) else "NaN"


def _read_iso(shown: pa.StringArray) -> Read:
    """Reads ISO 8601 with a date and a time of day: seconds, their fraction and an offset may be left out."""
    has_shape = rules.fits(shown, _ISO)
    found = shown.filter(pa.array(has_shape))
    has_offset = rules.fits(found, f".*{_WITH_OFFSET}")
    offsets = np.zeros(len(found), np.int64)
    is_offset = np.ones(len(found), bool)
    if has_offset.any():
        split = pc.extract_regex(found.filter(pa.array(has_offset)), rf"(?P<body>.*:[0-9.]+)(?P<offset>{_OFFSET})\z")
        minutes = np.array([_minutes(text) for text in split.field("offset").to_pylist()])
        offsets[has_offset] = minutes
        is_offset[has_offset] = np.abs(minutes) <= _GREATEST_OFFSET
        bodies = pc.replace_with_mask(found, pa.array(has_offset), split.field("body"))
    else:
        bodies = found
    is_short = pc.equal(pc.binary_length(bodies), _DATE_AND_MINUTE)
    bodies = pc.if_else(is_short, pc.binary_join_element_wise(bodies, ":00", ""), bodies)
    times = rules.times(pc.utf8_replace_slice(bodies, 10, 11, " "))
    exists, is_clock = np.zeros(len(shown), bool), np.ones(len(shown), bool)
    milliseconds = np.zeros(len(shown), np.int64)
    exists[has_shape] = times.exists & is_offset
    is_clock[has_shape] = ~has_offset
    milliseconds[has_shape] = np.where(times.exists, times.milliseconds - offsets * _A_MINUTE, 0)
    return Read(has_shape, exists, is_clock, milliseconds)


def _minutes(offset: str) -> int:
    """Returns the minutes of Z, UTC, +01, +0130 or +01:30; more than any offset has if it has too many minutes."""
    if offset.lstrip(" ") in ("Z", "UTC"):
        return 0
    digits = offset[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if minutes > 59:
        return 2 * _GREATEST_OFFSET
    return -(hours * 60 + minutes) if offset[0] == "-" else hours * 60 + minutes
