"""Judges the values of described files, and converts them into kWh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.meter_files.records import Column, Records
from meter_data.readers import description, rules
from meter_data.readers.description import Description

Mask = npt.NDArray[np.bool_]

NULL_WORD = "null"  # in any case
LARGEST_REGISTER_KWH = 1e12
UNKNOWN_UNIT = "unknown_unit"

_DECIMALS_OF_MWH, _ROUNDED_BELOW = Decimal("1e-9"), 1e15


@dataclass(frozen=True)
class Values:
    """For each row its kWh, whether the value is the word Null, whether it is missing, and its reason."""

    kwh: npt.NDArray[np.float64]
    is_null_word: Mask
    is_missing: Mask
    reasons: npt.NDArray[np.uint8]


def judge(rows: Records, described: Description, is_register: Mask, order: Sequence[str]) -> Values:
    """Judges the values of rows. `order` are the reasons, in the order in which they count."""
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
    return Values(
        kwh, is_null_word[column.codes], is_missing[column.codes], rules.first_reasons(order, len(rows), applies)
    )


def _numbers(column: Column, described: Description) -> tuple[Mask, Mask, Mask, npt.NDArray[np.float64]]:
    """Returns which values are the word Null, are missing, are numbers, and the numbers; the last for no value."""
    kind = column.distinct.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        values = np.append(column.distinct.to_numpy().astype(np.float64), np.nan)
        is_missing = np.arange(len(values)) == len(values) - 1
        is_number = np.isfinite(values)
        return np.zeros(len(values), bool), is_missing, is_number, np.where(is_number, values, np.nan)
    shown = rules.trimmed_texts(column)
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
    units = [text.lower() or described.unit.lower() for text in rules.trimmed_texts(column).to_pylist()]
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
