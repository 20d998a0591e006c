"""Sets of dates as closed ranges `yyyyMMdd-yyyyMMdd`, the form in which jobs, events and arguments carry them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

ONE_DAY = timedelta(days=1)


class DateRangeError(ValueError):
    """A text that is no closed range of dates, or a range that ends before it begins."""


def merge(ranges: Iterable[str]) -> list[str]:
    """The union, in order of time, as few ranges as can say it."""
    merged: list[tuple[date, date]] = []
    for first, last in sorted(_parse(text) for text in ranges):
        if merged and first <= merged[-1][1] + ONE_DAY:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return [_text(first, last) for first, last in merged]


def between(first: str | None, last: str | None, known: Iterable[str]) -> list[str]:
    """The part of `known` from `first` to `last` (`yyyy-MM-dd`, both included); an open side means as far as known."""
    begin = date.fromisoformat(first) if first else date.min
    end = date.fromisoformat(last) if last else date.max
    if end < begin:
        raise DateRangeError(f"first_date {first} is after last_date {last}. Swap them.")
    clipped = ((max(begin, start), min(end, stop)) for start, stop in map(_parse, known))
    return merge(_text(start, stop) for start, stop in clipped if start <= stop)


def of_partitions(months: Iterable[str]) -> list[str]:
    """The dates that partitions hold whose value is a month (`yyyyMM`) or, at grain day, a day (`yyyyMMdd`)."""
    return merge(_text(*_span(value)) for value in months)


def months(ranges: Iterable[str]) -> set[str]:
    """The calendar months touched, `yyyyMM`."""
    return {f"{day:%Y%m}" for day in _days(ranges)}


def years(ranges: Iterable[str]) -> set[str]:
    """The calendar years touched, `yyyy`."""
    return {f"{day:%Y}" for day in _days(ranges)}


def iso_years(ranges: Iterable[str]) -> set[str]:
    """The years of the ISO weeks touched, `yyyy`: 2013-12-30 is in week 1 of 2014."""
    return {f"{day.isocalendar().year:04}" for day in _days(ranges)}


def count(ranges: Iterable[str]) -> int:
    """How many days these ranges hold; one that is in several of them counts once."""
    return sum(1 for _ in _days(merge(ranges)))


def _days(ranges: Iterable[str]) -> Iterator[date]:
    for first, last in map(_parse, ranges):
        for number in range((last - first).days + 1):
            yield first + number * ONE_DAY


def _span(value: str) -> tuple[date, date]:
    if len(value) == len("yyyyMMdd"):
        return _date(value), _date(value)
    first = _date(f"{value}01")
    return first, (first + 31 * ONE_DAY).replace(day=1) - ONE_DAY


def _parse(text: str) -> tuple[date, date]:
    first, hyphen, last = text.partition("-")
    if not hyphen:
        raise DateRangeError(f"{text!r} is no range of dates. A range looks like 20130101-20130131.")
    begin, end = _date(first), _date(last)
    if end < begin:
        raise DateRangeError(f"{text!r} ends before it begins.")
    return begin, end


def _date(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a calendar date)
    except ValueError:
        raise DateRangeError(f"{text!r} is no date. A date looks like 20130131.") from None


def _text(first: date, last: date) -> str:
    return f"{first:%Y%m%d}-{last:%Y%m%d}"
