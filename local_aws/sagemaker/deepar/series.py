"""One time series, as a line of a channel or an instance of a request gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas

from local_aws.sagemaker.deepar.frequency import Frequency

Values = npt.NDArray[np.float32]


class SeriesError(ValueError):
    """A record that is no series; the message names the field and what is wrong with it."""


@dataclass(frozen=True)
class Series:
    """`target`: [n], nan where a value is missing. `dynamic`: [features, n], or longer where the future is known."""

    start: pandas.Period
    target: Values
    categories: tuple[int, ...] | None = None
    dynamic: Values | None = None

    def __len__(self) -> int:
        return len(self.target)

    @property
    def known(self) -> Values:
        """The values that are not missing."""
        return self.target[~np.isnan(self.target)]

    @classmethod
    def read(cls, record: object, frequency: Frequency) -> Series:
        """A JSON object with start, target and, optionally, cat and dynamic_feat. Raises SeriesError."""
        if not isinstance(record, Mapping):
            raise SeriesError("a time series must be a JSON object")
        for field in ("start", "target"):
            if field not in record:
                raise SeriesError(f"the field '{field}' is missing")
        categories = None if record.get("cat") is None else _categories(record["cat"])
        dynamic = None if record.get("dynamic_feat") is None else _dynamic(record["dynamic_feat"])
        return cls(_start(record["start"], frequency), _target(record["target"]), categories, dynamic)


def _start(value: object, frequency: Frequency) -> pandas.Period:
    if not isinstance(value, str):
        raise SeriesError(f"the field 'start' must be a string of the format YYYY-MM-DD HH:MM:SS, not {_shown(value)}")
    try:
        return frequency.start(value)
    except ValueError as error:
        wanted = "it must have the format YYYY-MM-DD HH:MM:SS, without a time zone"
        raise SeriesError(f"the field 'start' cannot be read ({error}): {wanted}") from None


def _target(value: object) -> Values:
    if not isinstance(value, list):
        raise SeriesError(f"the field 'target' must be an array of numbers, not {_shown(value)}")
    return _numbers([float("nan") if entry is None or entry == "NaN" else entry for entry in value], "target")


def _categories(value: object) -> tuple[int, ...]:
    categories = value if isinstance(value, list) else [value]
    if not categories or not all(type(entry) is int and entry >= 0 for entry in categories):
        raise SeriesError(f"the field 'cat' must be an array of integers from 0 on, not {_shown(value)}")
    return tuple(categories)


def _dynamic(value: object) -> Values:
    if not isinstance(value, list) or not value or not all(isinstance(row, list) for row in value):
        raise SeriesError(f"the field 'dynamic_feat' must be an array of arrays of numbers, not {_shown(value)}")
    if len({len(row) for row in value}) > 1:
        raise SeriesError(f"the arrays of 'dynamic_feat' differ in length: {', '.join(str(len(row)) for row in value)}")
    rows = []
    for number, row in enumerate(value):
        if None in row or "NaN" in row:
            raise SeriesError(f"'dynamic_feat' {number} has missing values, which are not supported")
        rows.append(_numbers(row, "dynamic_feat"))
        if not np.isfinite(rows[-1]).all():
            raise SeriesError(f"'dynamic_feat' {number} has missing values, which are not supported")
    return np.stack(rows)


def _numbers(entries: list[Any], field: str) -> Values:
    wrong = next((entry for entry in entries if type(entry) not in (int, float)), None)
    if wrong is not None:
        raise SeriesError(f"the field '{field}' must be an array of numbers, but holds {_shown(wrong)}")
    try:
        values = np.array(entries, dtype=np.float64)
    except OverflowError:
        raise SeriesError(f"the field '{field}' holds a number that no float can be") from None
    if (np.abs(values[~np.isnan(values)]) > np.finfo(np.float32).max).any():
        raise SeriesError(f"the field '{field}' holds a number beyond 32 bit floats")
    return values.astype(np.float32)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
