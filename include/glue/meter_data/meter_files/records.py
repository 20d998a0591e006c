"""Rows of meter files of any format, as columns of distinct values: what the rules on rows are given.

Each value is judged once, however many rows hold it. The rules see no format: a column is texts, numbers or times.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

# From here on neighbouring whole numbers share one floating-point number, which many programs keep numbers in.
FIRST_INEXACT = 2**53
# Types of distinct values.
CLOCK, INSTANT = pa.timestamp("ms"), pa.timestamp("ms", "UTC")
_PLACE = pa.int32()
# Texts that stand for rows, and their characters, that are held at once.
_SHOWN_AT_ONCE, _CHARACTERS_AT_ONCE = 10_000, 16 * 1024 * 1024


@dataclass(frozen=True)
class Column:
    """One field of all rows.

    `distinct` holds each value once, and no null: texts (string), whole numbers (int64), other numbers (float64), dates
    (date32), instants (INSTANT) or times of a local clock (CLOCK). `codes` (int32) has an entry a row: the place of its
    value in `distinct`, or -1 if the row has none. `inexact` tells which of the values are texts of numbers that may
    have lost digits on their way; None if there are no such values.
    """

    distinct: pa.Array
    codes: npt.NDArray[np.int32]
    inexact: Mask | None = None


@dataclass(frozen=True)
class Records:
    """Consecutive rows of a file.

    `places` (int64, ascending) are the rows' places in the file; a line's number for text. `columns` are by role.
    `misshapen` (int64, ascending) are the places of further rows that have no fields.
    """

    places: npt.NDArray[np.int64]
    columns: Mapping[str, Column]
    misshapen: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.places)


class RecordFile(Protocol):
    """A meter file whose columns are known."""

    @property
    def misshapen(self) -> str:
        """Why a row that is not empty has no fields."""

    def records(self) -> Iterator[Records]:
        """Yields the rows of the file in bounded parts. Raises UnreadableFileError."""

    def as_given(self, places: Integers) -> Iterator[Sequence[bytes | str]]:
        """Yields the rows at these places, ascending, and behind all that were asked for before.

        They come in lists of bounded length: the bytes of lines of text, or the texts that stand for other rows.
        """


def column(values: pa.Array | pa.ChunkedArray) -> Column:
    """Returns values of an Arrow type as a column. Raises pa.ArrowInvalid for a time outside of all calendars."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(whole, pa.ChunkedArray):  # without any chunk
        whole = pa.array([], values.type)
    if pa.types.is_float16(whole.type):  # which Arrow cannot encode
        whole = whole.cast(pa.float32())
    coded = whole if pa.types.is_dictionary(whole.type) else pc.dictionary_encode(whole)
    codes = pc.fill_null(coded.indices.cast(_PLACE), -1).to_numpy(zero_copy_only=False)
    distinct = _simplified(coded.dictionary)
    if distinct.null_count:
        codes, distinct = _without_nulls(codes, distinct)
    return Column(distinct, codes)


def column_of(values: list[Any], is_quantity: bool = False) -> Column:
    """Returns values as JSON has them as a column: texts, numbers, truth values, lists, objects or None.

    Numbers of a quantity become float64. Other whole numbers become texts of their digits.
    """
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {str}:
        return column(_texts_of(values))
    is_finite = kinds <= {float} and all(value is None or math.isfinite(value) for value in values)
    if is_finite or (is_quantity and kinds <= {float, int}):
        return column(pa.array([None if value is None else _float(value) for value in values], pa.float64()))
    texts = column(_texts_of([json_text(value) for value in values]))
    # A text and a number that read the same differ in this: the number may have lost digits.
    is_inexact = [is_inexact_number(value) for value in values]
    if not any(is_inexact):
        return texts
    marked = pa.array(is_inexact)
    pairs = texts.codes.astype(np.int64) * 2 + marked.to_numpy(zero_copy_only=False)
    pairs[texts.codes < 0] = -1
    used, places = np.unique(pairs, return_inverse=True)
    has_none = int(len(used) > 0 and used[0] == -1)
    used = used[has_none:]
    return Column(texts.distinct.take(pa.array(used // 2)), (places - has_none).astype(np.int32), used % 2 == 1)


def is_inexact_number(value: Any) -> bool:
    """Tells whether a value of JSON is a number whose digits nobody can be sure of."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) >= FIRST_INEXACT


def json_text(value: Any) -> str | None:
    """Returns the text that stands for a value of JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        # In quotation marks, as JSON has no such number: the word is no meter's id.
        return number_text(value) if math.isfinite(value) else f'"{number_text(value)}"'
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def number_text(value: float) -> str:
    """Returns a floating-point number as Java and Spark write it: 0.5, 1.0E7, NaN."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    number = Decimal(repr(value))
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    return f"{'-' if value < 0 else ''}{digits[0]}.{digits[1:] or '0'}E{number.adjusted()}"


def decoded(texts: pa.BinaryArray) -> pa.StringArray:
    """Returns the bytes as text in UTF-8. Bytes that are no UTF-8 become U+FFFD, which no rule accepts."""
    try:
        return texts.cast(pa.string())
    except pa.ArrowInvalid:
        shown = [None if text is None else text.decode(errors="replace") for text in texts.to_pylist()]
        return pa.array(shown, pa.string())


def texts(distinct: pa.Array) -> pa.StringArray:
    """Returns the texts that stand for the values of a column."""
    kind = distinct.type
    if pa.types.is_string(kind):
        return distinct
    if pa.types.is_floating(kind):
        return pa.array([number_text(value) for value in distinct.to_pylist()], pa.string())
    if pa.types.is_timestamp(kind):
        return pc.replace_substring_regex(pc.replace_substring(iso_texts(distinct), "T", " "), r"\.?0*\z", "")
    return distinct.cast(pa.string())


def iso_texts(times: pa.TimestampArray) -> pa.StringArray:
    """Returns times as 2013-07-01T00:30:00.125, those with a zone in UTC."""
    milliseconds = _milliseconds(times).cast(pa.int64())
    # By numpy, because Arrow would ask the operating system for its list of zones.
    shown = np.datetime_as_string(pc.fill_null(milliseconds, 0).to_numpy().astype("datetime64[ms]"), unit="ms")
    return pa.array(shown.tolist(), pa.string(), mask=pc.is_null(times).to_numpy(False))


def in_lists(shown: Iterable[str]) -> Iterator[list[str]]:
    """Yields texts in lists of bounded length and of bounded characters."""
    held: list[str] = []
    characters = 0
    for text in shown:
        held.append(text)
        characters += len(text)
        if len(held) >= _SHOWN_AT_ONCE or characters >= _CHARACTERS_AT_ONCE:
            yield held
            held, characters = [], 0
    if held:
        yield held


def joined(parts: Sequence[Records]) -> Records:
    """Joins consecutive parts, which have the same columns."""
    if len(parts) == 1:
        return parts[0]
    return Records(
        np.concatenate([part.places for part in parts]),
        {role: _joined([part.columns[role] for part in parts]) for role in parts[0].columns},
        np.concatenate([part.misshapen for part in parts]),
    )


def _joined(columns: Iterable[Column]) -> Column:
    filled = [one for one in columns if len(one.codes)]
    if not filled:
        return Column(pa.array([], pa.string()), np.empty(0, np.int32))
    kinds = {one.distinct.type for one in filled if len(one.distinct)}
    values = [one.distinct if len(kinds) <= 1 else texts(one.distinct) for one in filled]
    kind = pa.string() if len(kinds) != 1 else kinds.pop()
    marks = [_marks(one) if kind == pa.string() else np.zeros(len(one.distinct), bool) for one in filled]
    ends = np.cumsum([len(one) for one in values])
    starts = [0, *ends[:-1].tolist()]
    # A value is told from the same value in another part by where it comes from; then equal ones are put together.
    everything = pa.concat_arrays([one.cast(kind) for one in values])
    marked = np.concatenate(marks)
    coded = pc.dictionary_encode(everything)
    place = coded.indices.to_numpy().astype(np.int64) * 2 + marked
    used, places = np.unique(place, return_inverse=True)
    codes = [
        np.where(one.codes < 0, -1, places[start + np.maximum(one.codes, 0)]) if len(one.distinct) else one.codes
        for one, start in zip(filled, starts, strict=True)
    ]
    is_inexact = used % 2 == 1
    distinct = coded.dictionary.take(pa.array(used // 2))
    return Column(distinct, np.concatenate(codes).astype(np.int32), is_inexact if is_inexact.any() else None)


def _marks(column: Column) -> Mask:
    """Tells which values, as texts, are those of numbers that may have lost digits."""
    if column.inexact is not None:
        return column.inexact
    if pa.types.is_floating(column.distinct.type):
        return np.isfinite(column.distinct.to_numpy())
    return np.zeros(len(column.distinct), bool)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of more digits than any float has
        return math.inf if value > 0 else -math.inf


def _texts_of(values: list[Any]) -> pa.StringArray:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can write as an escape
        encoded = [value and value.encode("utf-8", "surrogatepass") for value in values]
        return decoded(pa.array(encoded, pa.binary()))


def _simplified(distinct: pa.Array) -> pa.Array:
    """Returns the values in one of the types of columns."""
    kind = distinct.type
    if pa.types.is_timestamp(kind):
        return _milliseconds(distinct)
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        # The number that the shortest text of it means: 0.219, not 0.21899999678134918.
        shown = distinct.to_numpy(zero_copy_only=False).astype(str)
        return pa.array(shown.astype(np.float64), pa.float64(), mask=pc.is_null(distinct).to_numpy(False))
    if pa.types.is_integer(kind):
        return distinct.cast(pa.string() if pa.types.is_uint64(kind) else pa.int64())
    if pa.types.is_float64(kind) or pa.types.is_date32(kind):
        return distinct
    if pa.types.is_date64(kind):
        return distinct.cast(pa.date32())
    if _is_bytes(kind):  # texts too: nobody has looked yet whether they are UTF-8
        return decoded(distinct.cast(pa.binary()))
    return distinct.cast(pa.string())


def _is_bytes(kind: pa.DataType) -> bool:
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return is_text or pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)


def _milliseconds(times: pa.TimestampArray) -> pa.TimestampArray:
    """Returns times without what is finer than a millisecond, also before 1970."""
    a_millisecond = {"s": 1, "ms": 1, "us": 1000, "ns": 1_000_000}[times.type.unit]
    kind = INSTANT if times.type.tz else CLOCK
    counts = times.cast(pa.int64())
    if times.type.unit == "s":
        return pc.multiply_checked(counts, 1000).cast(kind)
    numbers = pc.fill_null(counts, 0).to_numpy() // a_millisecond
    return pa.array(numbers, pa.int64(), mask=pc.is_null(times).to_numpy(False)).cast(kind)


def _without_nulls(codes: npt.NDArray[np.int32], distinct: pa.Array) -> tuple[npt.NDArray[np.int32], pa.Array]:
    is_null = pc.is_null(distinct).to_numpy(zero_copy_only=False)
    places = np.where(is_null, -1, np.cumsum(~is_null) - 1).astype(np.int32)
    return np.where(codes < 0, -1, places[codes]), distinct.drop_null()
