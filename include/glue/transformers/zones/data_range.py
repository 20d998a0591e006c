"""The days that a run looks at, as given or found from what there is. Days and hours are UTC.

An hour is known by its number: whole hours since 1970-01-01 00:00 UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

AUTO = "auto"
# 214 days are seven months: enough for a model of hours and weekdays.
DAYS = 214
# A quarter: longer than a delivery of a part of the fleet is ahead of the others.
COMPARED_DAYS = 90
HOURS_A_DAY = 24
SECONDS_AN_HOUR = 3600
FIRST_DAY = date(1970, 1, 1)

# The rows of aggregated_daily of those of these months (yyyyMM) that it has.
ReadDays = Callable[[set[str]], DataFrame]


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
        """The numbers of its hours."""
        return range(first_hour(self.start), first_hour(self.end))

    @property
    def months(self) -> set[str]:
        """yyyyMM of its days."""
        return {f"{self.start + number * timedelta(days=1):%Y%m}" for number in range((self.end - self.start).days)}


def first_hour(day: date) -> int:
    """The number of a day's first hour."""
    return (day - FIRST_DAY).days * HOURS_A_DAY


def hour_text(hour: int) -> str:
    """An hour by its number, as yyyy-MM-dd HH:mm:ss."""
    return f"{datetime.fromtimestamp(hour * SECONDS_AN_HOUR, UTC):%Y-%m-%d %H:%M:%S}"


def hour_of(text: str) -> int:
    """The number of the hour that hour_text writes so."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // SECONDS_AN_HOUR


def resolve(data_start: str, data_end: str, newest_complete_day: Callable[[], date]) -> DataRange:
    """The range that two texts mean: yyyy-MM-dd, the end exclusive.

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


def newest_complete_day(read: ReadDays, months: Iterable[str], intervals_a_day: int) -> date:
    """The newest day on which at least half as many meters have all intervals as on the best of the 90 days before.

    So a few meters that go on after all others ended, or a delivery that holds a part of the fleet, do not set the end.
    `months` are those that aggregated_daily has, yyyyMM; they are read from the newest on, until a day is found. Raises
    NoCompleteDayError.
    """
    existing = sorted(months, reverse=True)
    for month in existing:
        first = datetime.strptime(month, "%Y%m").date()  # noqa: DTZ007 (a calendar month)
        reach = f"{first - timedelta(days=COMPARED_DAYS):%Y%m}"
        complete = complete_meters(read({near for near in existing if reach <= near <= month}), intervals_a_day)
        of_month = [
            day for day, meters in complete.items() if meters and (day.year, day.month) == (first.year, first.month)
        ]
        for day in sorted(of_month, reverse=True):
            if complete[day] * 2 >= _best(complete, day):
                return day
    raise NoCompleteDayError(
        f"On no day does a meter have all {intervals_a_day} readings, so there is no newest complete day. Give "
        "data_start and data_end; or, if meters are read at other intervals, correct IntervalsPerHour of the "
        "deployment."
    )


def complete_meters(days: DataFrame, intervals_a_day: int) -> dict[date, int]:
    """How many meters have all intervals of a day, from meter_id, date_str and interval_count of aggregated_daily."""
    counted = days.groupBy(sql.to_date("date_str", "yyyyMMdd").alias("day")).agg(
        sql.count_if(sql.col("interval_count") >= intervals_a_day).alias("complete")
    )
    return {row.day: row.complete for row in counted.collect()}


def _best(complete: dict[date, int], day: date) -> int:
    return max(complete.get(day - timedelta(days=before), 0) for before in range(COMPARED_DAYS + 1))


def _date(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DataRangeError(f"{name} is {text!r}, which is no date. Give one such as 2013-06-01.") from None
