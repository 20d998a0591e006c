"""What follows from an instant in UTC: its date, ISO week, hour and minute. Each day is worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MINUTE = 60 * 1000  # in milliseconds, as are all instants here
HOUR = 60 * MINUTE
HOURS_A_DAY = 24
DAY = HOURS_A_DAY * HOUR
MICROSECONDS = 1000  # in a millisecond: Parquet files have microseconds
_EPOCH = date(1970, 1, 1)

Milliseconds = npt.NDArray[np.int64]


class Days:
    """The days from the first to the last of some instants (milliseconds since 1970, UTC), and what each day is.

    Attributes with an entry a day: `date_str` (yyyyMMdd), `months` (since January 1970), and in `numbers` iso_year,
    week_of_year, day_of_month, month and year, all int32.
    """

    def __init__(self, instants: Milliseconds) -> None:
        first, last = (int(instants.min()) // DAY, int(instants.max()) // DAY) if len(instants) else (0, -1)
        days = [day_of(number) for number in range(first, last + 1)]
        weeks = [day.isocalendar() for day in days]
        self.first = first
        self.date_str = pa.array([f"{day:%Y%m%d}" for day in days], pa.string())
        self.months = np.array([(day.year - 1970) * 12 + day.month - 1 for day in days], np.int32)
        numbers = {
            "iso_year": [week.year for week in weeks],
            "week_of_year": [week.week for week in weeks],
            "day_of_month": [day.day for day in days],
            "month": [day.month for day in days],
            "year": [day.year for day in days],
        }
        self.numbers = {name: np.array(values, np.int32) for name, values in numbers.items()}

    def places(self, instants: Milliseconds) -> npt.NDArray[np.int32]:
        """Returns the place of each instant's day among these days."""
        return (instants // DAY - self.first).astype(np.int32)

    def columns(self, instants: Milliseconds, names: Sequence[str]) -> dict[str, pa.Array]:
        """Returns those columns of the clean and business zones that follow from the instants, an entry an instant.

        `names` are date_str (a dictionary), iso_year, week_of_year, day_of_month, month, year, hour, minute, or others,
        which are passed over.
        """
        place = self.places(instants)
        found: dict[str, pa.Array] = {}
        for name in names:
            if name == "date_str":
                found[name] = pa.DictionaryArray.from_arrays(pa.array(place), self.date_str)
            elif name in self.numbers:
                found[name] = pa.array(self.numbers[name][place])
            elif name == "hour":
                found[name] = pa.array((instants % DAY // HOUR).astype(np.int32))
            elif name == "minute":
                found[name] = pa.array((instants % HOUR // MINUTE).astype(np.int32))
        return found


def day_of(number: int) -> date:
    """Returns the date of a number of days since 1970."""
    return _EPOCH + timedelta(days=number)


def date_text(number: int) -> str:
    """Returns the date of a number of days since 1970, written yyyyMMdd."""
    return f"{day_of(number):%Y%m%d}"


def number_of(date_str: str) -> int:
    """Returns the number of days from 1970 to a date written yyyyMMdd."""
    return number_of_date(date(int(date_str[:4]), int(date_str[4:6]), int(date_str[6:])))


def number_of_date(day: date) -> int:
    """Returns the number of days from 1970 to a date."""
    return (day - _EPOCH).days


def days_of(month: str) -> range:
    """Returns the days of a month (yyyyMM), as numbers since 1970."""
    first = number_of(f"{month}01")
    return range(first, number_of_date(day_of(first + 31).replace(day=1)))


def month_text(months: int) -> str:
    """Returns yyyyMM of a number of months since January 1970."""
    return f"{1970 + months // 12:04d}{months % 12 + 1:02d}"
