"""The meters of the fleet by number, from 1 in the order of meter_id, and the batches that they are cut into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from meter_data.lake.columns import distinct, in_order
from meter_data.lake.meter_row_groups import METER, MeterRowGroup
from meter_data.lake.store import Store
from meter_data.lake.table_parts import parts, slices
from meter_data.series.data_range import AUTO

MOST_BATCHES = 1000


class MeterRangeError(ValueError):
    """meter_start or meter_end name no meters of the fleet."""


class TooManyBatchesError(ValueError):
    """The meters make more batches than a run maps over."""


@dataclass(frozen=True)
class MeterNumbers:
    """Meters by number, both ends included; `notes` say where they differ from what was asked for."""

    start: int
    end: int
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return self.end - self.start + 1

    def batches(self, fleet: Sequence[str], batch_size: int) -> list[list[str]]:
        """Returns these meters, out of all in order, as batches: the first is number 1."""
        chosen = fleet[self.start - 1 : self.end]
        return [list(chosen[begin : begin + batch_size]) for begin in range(0, len(chosen), batch_size)]


def fleet(store: Store, groups: Iterable[MeterRowGroup]) -> list[str]:
    """Returns the ids of all meters in row groups of aggregated_daily, in order: the first is number 1."""
    known = pa.array([], pa.string())
    for table in slices(store, parts(groups), [METER], [METER]):
        known = pa.concat_arrays([known, distinct(table[METER])]).unique()
    ids: list[str] = in_order([known]).to_pylist()
    return ids


def resolve(meter_start: str, meter_end: str, fleet: int) -> MeterNumbers:
    """Returns the numbers that two texts mean in a fleet of so many meters; `auto` is the last.

    Raises MeterRangeError.
    """
    start = _number("meter_start", meter_start)
    end = fleet if meter_end == AUTO else _number("meter_end", meter_end)
    if start > fleet:
        raise MeterRangeError(
            f"meter_start is {start}, but the last of all meters is number {fleet}. Give a smaller one."
        )
    if end < start:
        raise MeterRangeError(f"meter_end {end} lies before meter_start {start}. Swap them, or leave meter_end empty.")
    if end > fleet:
        return MeterNumbers(start, fleet, (f"meter_end {end} is beyond the last meter, which is number {fleet}.",))
    return MeterNumbers(start, end)


def require_few_batches(meters: int, batch_size: int) -> None:
    """Raises TooManyBatchesError, with the batch_size to use, or MeterRangeError for one below 1."""
    if batch_size < 1:
        raise MeterRangeError(f"batch_size is {batch_size}. Give 1 or more.")
    batches = -(-meters // batch_size)
    if batches > MOST_BATCHES:
        raise TooManyBatchesError(
            f"{meters} meters in batches of {batch_size} make {batches} batches; a run has {MOST_BATCHES} at most. "
            f"Trigger it with batch_size {-(-meters // MOST_BATCHES)} or more."
        )


def _number(name: str, given: str) -> int:
    if not given.isdecimal() or int(given) < 1:
        raise MeterRangeError(f"{name} is {given!r}. Meters are numbered from 1: give a whole number.")
    return int(given)
