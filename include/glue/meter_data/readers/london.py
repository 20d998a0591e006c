"""Reads Low Carbon London: half-hourly kWh of households, in the three layouts in which the data set goes round.

A row becomes
- an interval reading when it has a value. A time off the half-hour grid makes no difference: the energy was metered,
  and leaving it out would falsify the day's sum.
- an error reading, without a value, when its value is the word Null, on the grid or off it.
- a reject otherwise, with the first of REASONS that applies.

Times are UTC all year. Tariff and Acorn columns are not used, so whatever they hold is no fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.meter_files.text_columns import Block, DelimitedLayout
from meter_data.readers import rules

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


@dataclass(frozen=True)
class JudgedRows:
    """The rows of a block, judged. Arrays named in the singular have an entry a row.

    meter_ids   pa.StringArray, ascending, each id once
    meter       int32: the place of the row's id in meter_ids, or -1 if the row has no id that is valid
    times       int64, milliseconds since 1970 UTC, ascending, each once
    time        int32: the place of the row's time in times, or -1 if it has no time at which a meter can have read
    kwh         float64: energy of the interval, not-a-number for error readings; means nothing if there is a reason
    is_error    bool: whether the row is an error reading; means nothing if there is a reason
    reason      uint8: the place in REASONS of the first reason to reject the row, or rules.NO_REASON

    As meter_ids and times are ascending, rows ordered by the codes `meter` and `time` are ordered by meter and time.
    """

    meter_ids: pa.StringArray
    meter: npt.NDArray[np.int32]
    times: npt.NDArray[np.int64]
    time: npt.NDArray[np.int32]
    kwh: npt.NDArray[np.float64]
    is_error: npt.NDArray[np.bool_]
    reason: npt.NDArray[np.uint8]


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
        meter_ids=meters.ids,
        meter=meters.places[meter.codes],
        times=times.instants,
        time=times.places[time.codes],
        kwh=values.kwh[value.codes],
        is_error=values.is_error[value.codes],
        reason=reason,
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
    """For each distinct text its kWh, whether it is the word Null, and its reason."""

    kwh: npt.NDArray[np.float64]
    is_error: npt.NDArray[np.bool_]
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
    # -0 is 0.
    return _Values(np.abs(numbers.values), is_error, rules.first_reasons(REASONS, len(texts), applies))
