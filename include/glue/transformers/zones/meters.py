"""The meters of the fleet by number, from 1 in the order of meter_id, and the batches that they are cut into."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sql

from transformers.zones.data_range import AUTO

MOST_BATCHES = 1000


class MeterRangeError(ValueError):
    """meter_start or meter_end name no meters of the fleet."""


class TooManyBatchesError(ValueError):
    """The meters make more batches than a run maps over."""


@dataclass(frozen=True)
class MeterRange:
    """Meters by number, both ends included; `notes` say where it differs from what was asked for."""

    start: int
    end: int
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return self.end - self.start + 1

    def batch_of(self, number: Column, batch_size: int) -> Column:
        """The number of a meter's batch, from 1."""
        return (sql.floor((number - self.start) / batch_size) + 1).cast("int")


def numbered(days: DataFrame) -> DataFrame:
    """meter_id and number of all meters in aggregated_daily."""
    # All in one task: they are no more than some millions of short texts, and a number knows all before it.
    return days.select("meter_id").distinct().withColumn("number", sql.row_number().over(Window.orderBy("meter_id")))


def resolve(meter_start: str, meter_end: str, fleet: int) -> MeterRange:
    """The range that two texts mean in a fleet of so many meters; `auto` is the last. Raises MeterRangeError."""
    start = _number("meter_start", meter_start)
    end = fleet if meter_end == AUTO else _number("meter_end", meter_end)
    if start > fleet:
        raise MeterRangeError(
            f"meter_start is {start}, but the last of all meters is number {fleet}. Give a smaller one."
        )
    if end < start:
        raise MeterRangeError(f"meter_end {end} lies before meter_start {start}. Swap them, or leave meter_end empty.")
    if end > fleet:
        return MeterRange(start, fleet, (f"meter_end {end} is beyond the last meter, which is number {fleet}.",))
    return MeterRange(start, end)


def require_few_batches(meters: int, batch_size: int) -> None:
    """Raise TooManyBatchesError, with the batch_size to use, or MeterRangeError for one below 1."""
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
