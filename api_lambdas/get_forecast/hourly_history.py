"""The hourly series of a meter that a forecast starts from. Hours are numbered from 1970-01-01 00:00 UTC.

An hour is known when it has at least as many interval readings as there are intervals in an hour; its value is their
sum. Any other hour is missing: null, never 0. The series runs from its first known hour to its last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from athena import Athena, text
from model_record import Model

KNOWN_HOURS = (Path(__file__).parent / "known_hours.sql").read_text("utf-8")
LAST_MONTH = (Path(__file__).parent / "last_month.sql").read_text("utf-8")
# The longest of the lags that DeepAR looks back by in hourly series; what lies further back it does not see.
LONGEST_LAG = 721
SECONDS_AN_HOUR = 3600
# What the forecasts of the whole fleet start from where nobody gives a first day: seven months.
DAYS = 214
# Sums of kWh lose what adding in another order may change: a reading is given to the watt-hour or a tenth of it.
DECIMALS = 9


class UnknownMeterError(Exception):
    """There are no interval readings of this meter."""


class NoKnownHourError(Exception):
    """The meter has no complete hour in the days asked for."""


class NegativeConsumptionError(Exception):
    """An hour's sum is below zero, which a model of counts cannot take."""


@dataclass(frozen=True)
class History:
    """`target`: a value in the model's unit, or None, for each hour from `first_hour` on; both ends are known."""

    first_hour: int
    target: list[float | int | None]

    @property
    def next_hour(self) -> int:
        """The hour after the last known one."""
        return self.first_hour + len(self.target)

    @property
    def start(self) -> str:
        """The first hour, as DeepAR reads it."""
        return f"{datetime.fromtimestamp(self.first_hour * SECONDS_AN_HOUR, UTC):%Y-%m-%d %H:%M:%S}"


def read(
    athena: Athena, meter_id: str, model: Model, data_start: date | None, data_end: date | None, deadline: float
) -> History:
    """What is known from `data_start` to `data_end` (exclusive), as much of it as the model looks back.

    Without `data_end` up to the newest readings of the meter, without `data_start` the 214 days before the end. Raises
    UnknownMeterError, NoKnownHourError, NegativeConsumptionError and AthenaUnavailableError.
    """
    end = data_end or _end_of_readings(athena, meter_id, deadline)
    start = data_start or end - timedelta(days=DAYS)
    values = [
        text(meter_id),
        text(f"{start:%Y%m}"),
        text(f"{end - timedelta(days=1):%Y%m%d}"),
        text(f"{start} 00:00:00"),
        text(f"{end} 00:00:00"),
        str(model.intervals_per_hour),
        str(model.context_length + LONGEST_LAG),
    ]
    known = athena.query(KNOWN_HOURS, values, deadline)
    if not known:
        # An unknown meter is told from a meter without readings in these days.
        _end_of_readings(athena, meter_id, deadline)
        raise NoKnownHourError
    if model.counts and any(row["kwh"] < 0 for row in known):
        raise NegativeConsumptionError
    return series(known, model.scale)


def series(known: list[dict[str, Any]], scale: float) -> History:
    """The series of `known`, rows with hour_number and kwh in the order of time; at least one."""
    values = {row["hour_number"]: _in_unit(row["kwh"], scale) for row in known}
    first, last = known[0]["hour_number"], known[-1]["hour_number"]
    return History(first, [values.get(hour) for hour in range(first, last + 1)])


def _in_unit(kwh: float, scale: float) -> float | int:
    """A scale other than 1 makes whole numbers."""
    return round(kwh, DECIMALS) if scale == 1 else round(kwh / scale)


def _end_of_readings(athena: Athena, meter_id: str, deadline: float) -> date:
    """The day after the newest month with readings. Raises UnknownMeterError, AthenaUnavailableError."""
    (row,) = athena.query(LAST_MONTH, [text(meter_id)], deadline)
    if row["month_start"] is None:
        raise UnknownMeterError
    in_next_month = date.fromisoformat(row["month_start"]) + timedelta(days=31)
    return in_next_month.replace(day=1)
