"""Hourly values as text of JSON arrays, made for many series at once and cut into parts without writing any twice.

Writing a number takes most of the time of a line, and the lines of a meter share their hours: the longer line of a test
window begins with the shorter one, and the weather is the same for all meters. So the text of each series is made once,
and a part of it is a part of the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.store import Store
from meter_data.series.data_range import hour_text
from meter_data.series.hourly import Floats, Places

NULL = "null"


class SeriesText:
    """Texts of series. Each reaches from a place of its row to another, without the end.

    `values` are rows by hours, NaN is written as null; `whole` writes whole numbers.
    """

    def __init__(self, values: Floats, starts: Places, ends: Places, whole: bool) -> None:
        hours = np.arange(values.shape[1])
        # The chosen cells lie one series behind the other, so that they are the items of one list a series.
        chosen = values[(hours >= starts[:, None]) & (hours < ends[:, None])]
        given = pa.array(chosen, from_pandas=True)
        texts = pc.fill_null((given.cast(pa.int64()) if whole else given).cast(pa.string()), NULL)
        self._starts = starts
        self._offsets = np.concatenate([[0], np.cumsum(np.maximum(ends - starts, 0))])
        lists = pa.ListArray.from_arrays(pa.array(self._offsets, pa.int32()), texts)
        self._texts = pc.binary_join(lists, ",").to_pylist()
        # Where each value's text begins if all stood in one row with a comma behind each. Numbers have one byte a sign.
        lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False).astype(np.int64) + 1
        self._begins = np.concatenate([[0], np.cumsum(lengths)])

    def part(self, row: int, start: int, end: int) -> str:
        """Returns the hours from `start` to `end`, without it, of a row as a JSON array. Places count as in `values`.

        They lie within the series.
        """
        if end <= start:
            return "[]"
        base = self._offsets[row]
        first, last = base + start - self._starts[row], base + end - self._starts[row]
        begin = self._begins[first] - self._begins[base]
        # Without the comma behind the last value.
        return f"[{self._texts[row][begin : self._begins[last] - self._begins[base] - 1]}]"


def line(**members: str | None) -> str:
    """Returns a JSON object of members that are JSON already, in this order, without those that are None."""
    return "{" + ",".join(f'"{name}":{text}' for name, text in members.items() if text is not None) + "}"


def write_lines(store: Store, uri: str, lines: Iterable[str]) -> None:
    """Writes JSON Lines as one object."""
    store.write(uri, "".join(f"{each}\n" for each in lines).encode(), "application/x-ndjson")


def quoted(text: str) -> str:
    """Returns a text as JSON."""
    return json.dumps(text, ensure_ascii=False)


def hour(number: int) -> str:
    """Returns an hour by its number as JSON, "yyyy-MM-dd HH:mm:ss" in UTC."""
    return quoted(hour_text(number))


class WeatherText:
    """Rows of features, each as long as `hours`, as dynamic_feat has them."""

    def __init__(self, rows: list[list[float]], hours: range) -> None:
        values = np.array(rows, float).reshape(len(rows), len(hours))
        ends = np.full(len(rows), len(hours))
        self._count = len(rows)
        self._first = hours.start
        self._texts = SeriesText(values, np.zeros(len(rows), np.int64), ends, whole=False)

    def part(self, start: int, end: int) -> str:
        """Returns the features of the hours from `start` to `end`, by their numbers, without the end."""
        rows = (self._texts.part(row, start - self._first, end - self._first) for row in range(self._count))
        return f"[{','.join(rows)}]"
