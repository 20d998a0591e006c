"""Sets of dates as closed ranges `yyyyMMdd-yyyyMMdd`, in text joined by commas."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

ONE_DAY = timedelta(days=1)


class DateRangeError(ValueError):
    """A text that is no list of closed ranges of dates."""


def to_ranges(dates: Iterable[date]) -> list[str]:
    """The dates as few ranges as can say it, in order of time."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(set(dates)):
        if ranges and day == ranges[-1][1] + ONE_DAY:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return [f"{first:%Y%m%d}-{last:%Y%m%d}" for first, last in ranges]


def to_dates(text: str) -> set[date]:
    """The dates of a text such as `20130101-20130131,20130301-20130301`."""
    if not text.strip():
        raise DateRangeError("--dates is empty. Give ranges such as 20130101-20130131,20130301-20130301.")
    return {day for part in text.split(",") for day in _days(part.strip())}


def to_date(text: str) -> date:
    """A date written yyyyMMdd."""
    try:
        if len(text) != len("yyyyMMdd"):
            raise ValueError
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a calendar date)
    except ValueError:
        raise DateRangeError(f"{text!r} is no date. A date looks like 20130131.") from None


def _days(part: str) -> list[date]:
    first, hyphen, last = part.partition("-")
    if not hyphen:
        raise DateRangeError(f"{part!r} is no range of dates. A range looks like 20130101-20130131.")
    begin, end = to_date(first), to_date(last)
    if end < begin:
        raise DateRangeError(f"{part!r} ends before it begins. Swap its dates.")
    return [begin + number * ONE_DAY for number in range((end - begin).days + 1)]
