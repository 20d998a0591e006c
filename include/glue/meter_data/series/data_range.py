"""The days that a run looks at, as given or found from what there is. Days and hours are UTC.

An hour is known by its number: whole hours since 1970-01-01 00:00 UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from meter_data.lake.calendar import HOURS_A_DAY, day_of, number_of_date
from meter_data.lake.columns import days_and_codes, values
from meter_data.lake.meter_row_groups import MeterRowGroup
from meter_data.lake.store import Store
from meter_data.lake.table_parts import parts, slices

AUTO = "auto"
# 214 days are seven months: enough for a model of hours and weekdays.
DAYS = 214
# A quarter: longer than a delivery of a part of the fleet is ahead of the others.
COMPARED_DAYS = 90
SECONDS_AN_HOUR = 3600

# How many meters have all intervals of each day of a month (yyyyMM) of aggregated_daily.
CompleteMeters = Callable[[str], dict[date, int]]


class DataRangeError(ValueError):
    """data_start or data_end is no date, or they hold no day."""


class NoCompleteDayError(ValueError):
    """There is no day of which a meter has all readings."""


@dataclass(frozen=True)
class DataRange:
    """Whole days from `start`, without `end`."""

    start: date
    end: date

    @property
    def hours(self) -> range:
        """Returns the numbers of its hours."""
        return range(first_hour(self.start), first_hour(self.end))

    @property
    def months(self) -> set[str]:
        """yyyyMM of its days."""
        return {f"{self.start + number * timedelta(days=1):%Y%m}" for number in range((self.end - self.start).days)}


def first_hour(day: date) -> int:
    """Returns the number of a day's first hour."""
    return number_of_date(day) * HOURS_A_DAY


def hour_text(hour: int) -> str:
    """Returns an hour by its number as yyyy-MM-dd HH:mm:ss."""
    return f"{datetime.fromtimestamp(hour * SECONDS_AN_HOUR, UTC):%Y-%m-%d %H:%M:%S}"


def hour_of(text: str) -> int:
    """Returns the number of the hour that hour_text writes so."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // SECONDS_AN_HOUR


def resolve(data_start: str, data_end: str, newest_complete_day: Callable[[], date]) -> DataRange:
    """Returns the range that two texts mean: yyyy-MM-dd, the end exclusive.

    `auto` as end is the day after the newest complete one, as start 214 days before the end. Raises DataRangeError.
    """
    end = newest_complete_day() + timedelta(days=1) if data_end == AUTO else _date("data_end", data_end)
    start = end - timedelta(days=DAYS) if data_start == AUTO else _date("data_start", data_start)
    if start >= end:
        raise DataRangeError(
            f"data_start {start} does not lie before data_end {end}, which is exclusive. Give an earlier data_start, "
            "or leave both empty for the newest days."
        )
    return DataRange(start, end)


def newest_complete_day(complete_of: CompleteMeters, months: Iterable[str], intervals_a_day: int) -> date:
    """Returns the newest day on which at least half as many meters have all intervals as on the best of the 90 before.

    So a few meters that go on after all others ended, or a delivery that holds a part of the fleet, do not set the end.
    `months` are the months that aggregated_daily has, yyyyMM. They are read from the newest on, each once, until a day
    is found. Raises NoCompleteDayError.
    """
    existing = sorted(months, reverse=True)
    by_month: dict[str, dict[date, int]] = {}
    for month in existing:
        first = datetime.strptime(month, "%Y%m").date()  # noqa: DTZ007 (a calendar month)
        reach = f"{first - timedelta(days=COMPARED_DAYS):%Y%m}"
        near = [each for each in existing if reach <= each <= month]
        by_month |= {each: complete_of(each) for each in near if each not in by_month}
        complete = {day: meters for each in near for day, meters in by_month[each].items()}
        for day in sorted(by_month[month], reverse=True):
            if complete[day] and complete[day] * 2 >= _best(complete, day):
                return day
    raise NoCompleteDayError(
        f"On no day does a meter have all {intervals_a_day} readings, so there is no newest complete day. Give "
        "data_start and data_end; or, if meters are read at other intervals, correct IntervalsPerHour of the "
        "deployment."
    )


def complete_meters(store: Store, groups: Iterable[MeterRowGroup], intervals_a_day: int) -> dict[date, int]:
    """Returns how many meters have all intervals of each day, from row groups of aggregated_daily."""
    found: dict[date, int] = {}
    for table in slices(store, parts(groups), ["date_str", "interval_count"], ["date_str"]):
        days, codes = days_and_codes(table["date_str"])
        counts = values(table["interval_count"].fill_null(0))
        # Counted by the codes of the days: a row's day is a small number, and no text of a day is looked at twice.
        complete = np.bincount(codes[counts >= intervals_a_day], minlength=len(days))
        for number, meters in zip(days.tolist(), complete.tolist(), strict=True):
            found[day_of(number)] = found.get(day_of(number), 0) + meters
    return found


def _best(complete: dict[date, int], day: date) -> int:
    return max(complete.get(day - timedelta(days=before), 0) for before in range(COMPARED_DAYS + 1))


def _date(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DataRangeError(f"{name} is {text!r}, which is no date. Give one such as 2013-06-01.") from None
