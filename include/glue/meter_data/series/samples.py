"""A sample of meters to train on: the same for the same fleet, whatever the order of its rows.

Meters are taken in the order of a hash of their ids, which has nothing to do with how ids are given out. One that joins
the fleet or leaves it moves at most one other out of the sample or into it.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.calendar import HOURS_A_DAY
from meter_data.lake.columns import coded, days_and_codes, sums, values
from meter_data.lake.meter_row_groups import METER, MeterRowGroup
from meter_data.lake.store import Store
from meter_data.lake.table_parts import parts, slices

# How many known hours meters have within the training hours.
ReadHours = Callable[[list[str]], dict[str, int]]


@dataclass(frozen=True)
class Candidates:
    """Meters with readings in the training hours: how many readings each of the possible ones has, and how many meters
    have too few to be taken.
    """

    readings: dict[str, int]
    impossible: int


@dataclass(frozen=True)
class Sample:
    """The sampled meters in the order of their hash, and how many meters had too few hours to be taken."""

    meters: list[str]
    too_few_hours: int


def candidates(store: Store, groups: Iterable[MeterRowGroup], training: range, fewest_readings: int) -> Candidates:
    """Returns the meters that may have enough known hours, from row groups of aggregated_daily.

    Its counts spare the reading of meters that cannot have them.
    """
    first, last = training.start // HOURS_A_DAY, (training.stop - 1) // HOURS_A_DAY
    found = pa.table({METER: pa.array([], pa.string()), "readings": pa.array([], pa.int64())})
    names = [METER, "date_str", "interval_count"]
    for table in slices(store, parts(groups), names, names[:2]):
        meters = coded(table[METER])
        days, day = days_and_codes(table["date_str"])
        # Whether a day counts is asked once a day, and taken for each of its rows.
        is_within = ((days >= first) & (days <= last))[day]
        meter, counts = meters.codes[is_within], values(table["interval_count"].fill_null(0))[is_within]
        rows = np.bincount(meter, minlength=len(meters.texts))
        total = sums(meter, counts, len(meters.texts)).astype(np.int64)
        of_slice = pa.table({METER: meters.texts, "readings": total}).filter(pa.array(rows > 0))
        found = _summed(pa.concat_tables([found, of_slice]))
    is_possible = pc.greater_equal(found["readings"], fewest_readings)
    possible = found.filter(is_possible)
    readings = dict(zip(possible[METER].to_pylist(), possible["readings"].to_pylist(), strict=True))
    return Candidates(readings, found.num_rows - len(readings))


def draw(found: Candidates, read: ReadHours, meters: int, fewest_hours: int) -> Sample:
    """Returns the first so many meters that have so many known training hours; fewer if there are not as many.

    Readings are read of somewhat more meters than are wanted; of more again, if too many of them have too few hours.
    """
    wanted = meters + meters // 4 + 5
    hours: dict[str, int] = {}
    while True:
        ids = in_hash_order(found.readings, wanted)
        hours |= read([meter_id for meter_id in ids if meter_id not in hours])
        chosen = [meter_id for meter_id in ids if hours.get(meter_id, 0) >= fewest_hours][:meters]
        if len(chosen) == meters or len(ids) < wanted:
            break
        wanted *= 4
    looked_at = ids.index(chosen[-1]) + 1 if chosen and len(chosen) == meters else len(ids)
    return Sample(chosen, found.impossible + looked_at - len(chosen))


def in_hash_order(ids: Iterable[str], count: int) -> list[str]:
    """Returns the first `count` meters in the order of SHA-256 of their ids."""
    return heapq.nsmallest(count, ids, key=lambda meter_id: (hashlib.sha256(meter_id.encode()).digest(), meter_id))


def _summed(table: Any) -> Any:
    summed = table.group_by(METER).aggregate([("readings", "sum")])
    return pa.table({METER: summed[METER], "readings": summed["readings_sum"]})
