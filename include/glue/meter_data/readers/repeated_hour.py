"""Tells the two rounds of an hour apart that clocks show twice, because they went back.

Which of two instants a row means follows from the order in which the rows of its meter came. Registers have an order of
their own, because a register and an interval are written for the same time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.schemas import INSTANT

_DAY = 24 * 60 * 60 * 1000  # in milliseconds
_TIME = "reading_date_time"


def decided(table: pa.Table) -> pa.Table:
    """Returns rows whose time is ambiguous, in their order, each with its instant as reading_date_time.

    The columns are those of the clean zone as far as wanted, with the earlier instant as reading_date_time, and
    - wall_clock   int64: what the file says, in milliseconds since 1970 of a clock that shows UTC
    - later        int64: the later instant, milliseconds since 1970 UTC
    - is_register  bool
    - file_order, source_row  int64: rows came in this order

    Of a meter's rows of one wall clock the first to come has the earlier instant, the second the later one. A third and
    a fourth, from a file that was delivered again, repeat that. A wall clock that came once belongs to the second round
    if the clocks had gone back before it: a later wall clock of that day, or the second row of one, came first.
    """
    meter = _meters(table)
    wall_clock = table.column("wall_clock").to_numpy()
    day = wall_clock // _DAY
    came = table.column("source_row").to_numpy(), table.column("file_order").to_numpy()

    # numpy sorts by the last key first.
    by_clock = np.lexsort((*came, wall_clock, meter))
    is_first = _differs(meter[by_clock]) | _differs(wall_clock[by_clock])
    number, numbers = np.empty(len(meter), np.int64), np.empty(len(meter), np.int64)
    number[by_clock], numbers[by_clock] = _numbered(is_first)

    by_day = np.lexsort((*came, day, meter))
    group = np.cumsum(_differs(meter[by_day]) | _differs(day[by_day]), dtype=np.int64)
    latest_before = _largest_before(group, (wall_clock - day * _DAY)[by_day])
    most_before = _largest_before(group, number[by_day])
    went_back = np.empty(len(meter), bool)
    went_back[by_day] = (latest_before > (wall_clock - day * _DAY)[by_day]) | (most_before > 1)

    is_later = np.where(numbers == 1, went_back, number % 2 == 0)
    earlier = table.column(_TIME).cast(pa.int64()).to_numpy()
    instants = np.where(is_later, table.column("later").to_numpy() * 1000, earlier)
    place = table.schema.get_field_index(_TIME)
    return table.set_column(place, table.schema.field(place), pa.array(instants).cast(INSTANT))


def _meters(table: pa.Table) -> npt.NDArray[np.int64]:
    """Returns for each row a number that its meter's rows share, registers apart."""
    ids = pc.dictionary_encode(table.column("meter_id").cast(pa.string())).combine_chunks()
    codes = ids.indices.to_numpy() if len(ids) else np.empty(0, np.int32)
    return codes.astype(np.int64) * 2 + table.column("is_register").to_numpy()


def _differs(values: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Tells which values differ from the one in front of them."""
    return np.append(True, values[1:] != values[:-1])[: len(values)]


def _numbered(is_first: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns for each row its number within its group, from 1, and the number of rows of the group.

    `is_first` tells which rows begin a group.
    """
    starts = np.flatnonzero(is_first)
    sizes = np.diff(starts, append=len(is_first))
    return np.arange(len(is_first)) - np.repeat(starts, sizes) + 1, np.repeat(sizes, sizes)


def _largest_before(group: npt.NDArray[np.int64], values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Returns for each row the largest value among the rows of its group in front of it; -1 for the first row.

    Groups are numbered in ascending order. With the number of its group in front of each value, the largest value so
    far is never one of another group.
    """
    if not len(values):
        return values
    span = int(values.max()) + 2
    so_far = np.maximum.accumulate(group * span + values + 1)
    before = np.append(0, so_far[:-1]) - group * span - 1
    return np.maximum(before, -1)
