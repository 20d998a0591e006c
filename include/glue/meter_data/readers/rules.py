"""Rules on texts of meter files: what they mean, and why some mean nothing.

Each function takes distinct texts as an array of n strings and returns an answer for each, so that a text is judged
once, however many rows hold it. The rules are exact: no text is read generously, and a pattern must fit the whole text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.meter_files import records
from meter_data.meter_files.records import Column
from meter_data.readers import meter_ids
from meter_data.readers.timestamps import digits

Mask = npt.NDArray[np.bool_]

# Why a line cannot be cut into fields.
EMPTY_LINE, WRONG_FIELD_COUNT = "empty_line", "wrong_field_count"
MISSING_METER_ID, INVALID_METER_ID = "missing_meter_id", "invalid_meter_id"
METER_ID_LOST_DIGITS = "meter_id_lost_digits"
MALFORMED_TIMESTAMP, IMPOSSIBLE_TIMESTAMP = "malformed_timestamp", "impossible_timestamp"
TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"
MISSING_VALUE, NOT_A_NUMBER = "missing_value", "not_a_number"
NEGATIVE_VALUE, VALUE_TOO_LARGE = "negative_value", "value_too_large"

# The code of a text or row that has no reason to be rejected. It is larger than the code of any reason.
NO_REASON = 255

_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_TIMESTAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
_TIMESTAMP_SECONDS = len("yyyy-MM-dd HH:mm:ss")
_WITH_MILLISECONDS = _TIMESTAMP_SECONDS + 3


@dataclass(frozen=True)
class Times:
    """Timestamps of n texts.

    `has_shape` tells whether a text has the shape of a timestamp, `exists` whether that date and time exist too.
    `milliseconds` (int64) since 1970-01-01 00:00:00 UTC; 0 where the time does not exist.
    """

    has_shape: Mask
    exists: Mask
    milliseconds: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Numbers:
    """Numbers of n texts: `values` (float64) is not-a-number where `is_number` does not hold."""

    is_number: Mask
    values: npt.NDArray[np.float64]


def decoded(texts: pa.BinaryArray) -> pa.StringArray:
    """Returns the bytes as text in UTF-8. Bytes that are no UTF-8 become U+FFFD, which no rule accepts."""
    try:
        return texts.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([text.decode(errors="replace") for text in texts.to_pylist()], pa.string())


def trimmed(texts: pa.StringArray) -> pa.StringArray:
    """Returns the texts without the spaces around them. Tabs and other white space stay."""
    return pc.utf8_trim(texts, characters=" ")


def trimmed_texts(column: Column) -> pa.StringArray:
    """Returns the texts of a column's values, trimmed, and the empty text behind them, which the place -1 means."""
    return pa.concat_arrays([trimmed(records.texts(column.distinct)), pa.array([""])])


def is_empty(texts: pa.StringArray) -> Mask:
    """Tells which texts have no characters."""
    return _mask(pc.equal(texts, ""))


def is_word(texts: pa.StringArray, word: str) -> Mask:
    """Tells which texts are this word of ASCII letters, in upper or lower case."""
    return _mask(pc.equal(pc.ascii_lower(texts), word.lower()))


def has_lost_digits(texts: pa.StringArray) -> Mask:
    """Tells which texts are meter ids that a program has rounded, such as 7.221E+12."""
    return fits(texts, meter_ids.LOST_DIGITS)


def is_meter_id(texts: pa.StringArray) -> Mask:
    """Tells which texts are meter ids, as meter_ids defines them, with all of their digits."""
    is_short = _mask(pc.less_equal(pc.utf8_length(texts), meter_ids.LONGEST))
    return fits(texts, meter_ids.PATTERN) & is_short & ~has_lost_digits(texts)


def times(texts: pa.StringArray) -> Times:
    """Reads `yyyy-MM-dd HH:mm:ss`, with a fraction of 1 to 9 digits or without, as UTC.

    What is finer than a millisecond is dropped. Years 0000 to 9999 of the Gregorian calendar exist; leap seconds and
    the hour 24 do not.
    """
    has_shape = fits(texts, _TIMESTAMP)
    found_exists, found_milliseconds = _read_timestamps(texts.filter(pa.array(has_shape)))
    exists, milliseconds = np.zeros(len(texts), bool), np.zeros(len(texts), np.int64)
    exists[has_shape] = found_exists
    milliseconds[exists] = found_milliseconds[found_exists]
    return Times(has_shape, exists, milliseconds)


def numbers(texts: pa.StringArray) -> Numbers:
    """Reads decimal numbers, with a decimal point or an exponent of 1 to 3 digits or without.

    Names such as NaN and Infinity are no numbers. A number that is too large for float64 is infinite.
    """
    is_number = fits(texts, _NUMBER)
    values = np.full(len(texts), np.nan)
    # Python's float, because Arrow's cast refuses some of these texts and differs between versions.
    values[is_number] = [float(text) for text in texts.filter(pa.array(is_number)).to_pylist()]
    return Numbers(is_number, values)


def first_reasons(order: Sequence[str], size: int, applies: Mapping[str, Mask]) -> npt.NDArray[np.uint8]:
    """Returns for each of `size` texts the code of the first reason that applies, or NO_REASON.

    The code of a reason is its place in `order`. `applies` tells for some of the reasons which texts have them. The
    first reason that applies is the one with the smallest code. So the smallest of several codes, those of a row's
    texts for instance, is again the code of the first reason.
    """
    first = np.full(size, NO_REASON, np.uint8)
    for reason, mask in applies.items():
        first[mask] = np.minimum(first[mask], order.index(reason))
    return first


def _read_timestamps(texts: pa.StringArray) -> tuple[Mask, npt.NDArray[np.int64]]:
    """Returns for texts that have the shape of a timestamp whether the time exists, and its milliseconds since 1970.

    Where the time does not exist, the milliseconds mean nothing.
    """
    seconds = pc.utf8_slice_codeunits(texts, 0, _TIMESTAMP_SECONDS)
    first_decimals = pc.utf8_slice_codeunits(texts, _TIMESTAMP_SECONDS + 1, _TIMESTAMP_SECONDS + 4)
    padded = pc.binary_join_element_wise(seconds, pc.utf8_rpad(first_decimals, 3, "0"), "")
    # Now every text has the same 22 bytes of ASCII, yyyy-MM-dd HH:mm:ssSSS, so they make a matrix of 22 columns.
    same_width = padded.cast(pa.binary()).cast(pa.binary(_WITH_MILLISECONDS))
    characters = np.frombuffer(same_width.buffers()[1] or b"", np.uint8, len(texts) * _WITH_MILLISECONDS)
    read = characters.reshape(-1, _WITH_MILLISECONDS) - np.uint8(ord("0"))
    columns = [(0, 4), (5, 2), (8, 2), (11, 2), (14, 2), (17, 2), (19, 3)]  # from year to millisecond
    return digits.milliseconds(*(digits.number(read, first, length) for first, length in columns))


def fits(texts: pa.StringArray, pattern: str) -> Mask:
    """Tells which texts fit the pattern of RE2 as a whole. Unlike $, \\z never stands before a last line end."""
    return _mask(pc.match_substring_regex(texts, rf"\A(?:{pattern})\z"))


def _mask(booleans: pa.BooleanArray) -> Mask:
    return np.asarray(booleans.to_numpy(zero_copy_only=False), dtype=bool)
