"""Hourly sums of meters from their interval readings.

An hour is known when it has at least as many readings as there are intervals in an hour; its value is their sum. Any
other hour is missing, never 0. A series runs from its first known hour to its last. Hours are numbers, see data_range;
values stand in the unit of the model: kWh / scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.calendar import HOUR, MICROSECONDS
from meter_data.lake.columns import sums, values
from meter_data.lake.meter_row_groups import MeterRowGroup
from meter_data.lake.schemas import INSTANT
from meter_data.lake.store import Store
from meter_data.lake.table_parts import parts, rows_of_meters

# Sums of kWh lose what adding in another order may change: a reading is given to the watt-hour or a tenth of it.
SUM_DIGITS = 9
_MICROSECONDS_AN_HOUR = HOUR * MICROSECONDS

# (meters, hours): a value for each known hour, NaN for any other.
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


class NegativeConsumptionError(ValueError):
    """An hour's sum is below zero, which a likelihood of counts cannot have."""


@dataclass(frozen=True)
class Unit:
    """What one of the model's values is: `scale` kWh. A scale other than 1 makes whole numbers."""

    scale: float

    @property
    def name(self) -> str:
        """kWh, Wh or a text such as "0.01 kWh"."""
        return {1.0: "kWh", 0.001: "Wh"}.get(self.scale, f"{self.scale} kWh")

    @property
    def is_whole(self) -> bool:
        return self.scale != 1

    def of(self, kwh: Floats) -> Floats:
        """Returns kWh in this unit, half units rounded away from zero."""
        if not self.is_whole:
            return np.round(kwh, SUM_DIGITS)
        scaled = kwh / self.scale
        whole = np.trunc(scaled)
        # The fraction that is left is exact, so that a half is a half. numpy's own rounding takes halves to even.
        return np.where(np.abs(scaled - whole) >= 0.5, whole + np.sign(scaled), whole)


def known_hours(
    store: Store,
    groups: Iterable[MeterRowGroup],
    ids: Sequence[str],
    hours: range,
    intervals_per_hour: int,
    unit: Unit,
) -> Floats:
    """Returns the hourly sums of these meters within `hours`, from row groups of interval readings.

    The array has a row for each meter, in the order of `ids`, and a column for each hour; NaN where an hour is missing.
    A reading belongs to the hour in which its interval starts (UTC).
    """
    cells, readings = [np.array([], np.int64)], [np.array([])]
    for places, table in rows_of_meters(store, parts(groups), ids, ["reading_date_time", "reading_value"]):
        kwh = values(table["reading_value"].cast(pa.float64()))
        hour = _hours(table["reading_date_time"]) - hours.start
        # NaN is no reading: it is what numpy makes of null.
        is_wanted = (hour >= 0) & (hour < len(hours)) & np.isfinite(kwh)
        # One number says meter and hour: all hours of the first meter come first, then those of the next.
        cells.append((places * len(hours) + hour)[is_wanted])
        readings.append(kwh[is_wanted])
    cell, count = np.concatenate(cells), len(ids) * len(hours)
    is_known = np.bincount(cell, minlength=count) >= intervals_per_hour
    found = np.where(is_known, unit.of(sums(cell, np.concatenate(readings), count)), np.nan)
    return found.reshape(len(ids), len(hours))


def ends(known: Floats) -> tuple[Places, Places]:
    """Returns for each meter the place of its first known hour, and the place after its last one.

    Both are 0 where no hour is known.
    """
    is_known = np.isfinite(known)
    any_known = is_known.any(axis=1)
    # argmax finds the first True; on the reversed hours it counts how many are missing after the last one.
    first = is_known.argmax(axis=1)
    after = np.where(any_known, known.shape[1] - is_known[:, ::-1].argmax(axis=1), 0)
    return first, after


def _hours(times: pa.ChunkedArray) -> Places:
    """The number of the hour of each time; a missing time is in hour -1 at the latest, outside of any range."""
    micro = pc.fill_null(times.cast(INSTANT).cast(pa.int64()), -1)
    found: Places = values(micro) // _MICROSECONDS_AN_HOUR
    return found


def refuse_negative(hours: int, meter_id: str | None) -> None:
    """Raises NegativeConsumptionError if any of `hours` below zero were counted; `meter_id` is one that has some."""
    if hours:
        raise NegativeConsumptionError(
            f"{hours} hourly sums are below zero, among them some of meter {meter_id}: it seems to feed in. The "
            "likelihood negative-binomial knows counts only. Train with the likelihood student-T or gaussian."
        )
