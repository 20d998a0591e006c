"""What the fields of a timestamp mean together: the milliseconds since 1970, or that there is no such time.

What a text does not say is the first of January 1970, 00:00:00.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# Fields of a text: what a letter says.
YEAR, MONTH, DAY, DAY_OF_YEAR = "year", "month", "day", "day of the year"
HOUR, CLOCK_HOUR = "hour", "clock hour"
HALF_DAY, HALF_DAY_HOUR, HALF_DAY_CLOCK_HOUR = "half of the day", "hour of the half", "clock hour of the half"
MINUTE, SECOND, NANOSECOND, OFFSET, ZONE = "minute", "second", "nanosecond", "offset", "zone"

# The value of each field that a text says.
Values = dict[str, int | str]

_LARGEST = {
    MONTH: (1, 12), DAY: (1, 31), DAY_OF_YEAR: (1, 366), HOUR: (0, 23), CLOCK_HOUR: (1, 24), HALF_DAY_HOUR: (0, 11),
    HALF_DAY_CLOCK_HOUR: (1, 12), MINUTE: (0, 59), SECOND: (0, 59),
}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Times outside of these years are all the same to the caller: no meter can have read then.
_FARTHEST_MILLISECONDS = 2**61
_GREATEST_OFFSET = 18 * 3600


class ImpossibleError(ValueError):
    """A text says something that cannot be."""


def milliseconds(values: Values) -> int:
    """Returns the milliseconds of the fields. Raises ImpossibleError for a date or time that does not exist."""
    numbers = {name: value for name, value in values.items() if isinstance(value, int)}
    for name, (least, most) in _LARGEST.items():
        if name in numbers and not least <= numbers[name] <= most:
            raise ImpossibleError
    days = _days(numbers.get(YEAR, 1970), numbers.get(MONTH, 1), numbers.get(DAY, 1))
    if DAY_OF_YEAR in numbers:
        first = _days(numbers.get(YEAR, 1970), 1, 1)
        of_year = first + numbers[DAY_OF_YEAR] - 1
        says_other = (MONTH in numbers or DAY in numbers) and of_year != days
        if says_other or of_year >= _days(numbers.get(YEAR, 1970) + 1, 1, 1):
            raise ImpossibleError
        days = of_year
    seconds = days * 86400 + _hour(numbers) * 3600 + numbers.get(MINUTE, 0) * 60 + numbers.get(SECOND, 0)
    if ZONE in values:
        seconds -= _offset_in(str(values[ZONE]), seconds)
    elif OFFSET in values:
        if abs(numbers[OFFSET]) > _GREATEST_OFFSET:
            raise ImpossibleError
        seconds -= numbers[OFFSET]
    exact = seconds * 1000 + numbers.get(NANOSECOND, 0) // 1_000_000
    return max(-_FARTHEST_MILLISECONDS, min(exact, _FARTHEST_MILLISECONDS))


def _hour(numbers: dict[str, int]) -> int:
    """Returns the hour from 0 to 23. Raises ImpossibleError if fields contradict one another."""
    half = numbers.get(HALF_DAY)
    of_half = {numbers[name] % 12 for name in (HALF_DAY_HOUR, HALF_DAY_CLOCK_HOUR) if name in numbers}
    hours = {numbers[name] % 24 for name in (HOUR, CLOCK_HOUR) if name in numbers}
    if len(of_half) > 1:
        raise ImpossibleError
    if half is not None and of_half:
        hours.add(half * 12 + min(of_half))
    if len(hours) > 1:
        raise ImpossibleError
    if not hours:
        return min(of_half) if of_half else 12 * (half or 0)
    (hour,) = hours
    if (half is not None and hour // 12 != half) or (of_half and hour % 12 not in of_half):
        raise ImpossibleError
    return hour


def _days(year: int, month: int, day: int) -> int:
    """Returns the days from 1970-01-01 to a date of any year. Raises ImpossibleError if there is no such date."""
    if abs(year) > 999_999_999:
        raise ImpossibleError
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if (day > (29 if is_leap else 28) and month == 2) or (day > 30 and month in (4, 6, 9, 11)):
        raise ImpossibleError
    # The calendar repeats after 400 years, which have 146,097 days.
    cycles, of_cycle = divmod(year - 1970, 400)
    return cycles * 146_097 + (datetime(1970 + of_cycle, month, day, tzinfo=UTC) - _EPOCH).days


def _offset_in(zone: str, clock: int) -> int:
    """Returns the offset of a zone when it shows a clock, both in seconds. The earlier instant of a repeated hour."""
    if abs(clock) > 200 * 366 * 86400:
        return 0  # no meter can have read then
    shown = (_EPOCH + timedelta(seconds=clock)).replace(tzinfo=ZoneInfo(zone))
    return round((shown.utcoffset() or timedelta()).total_seconds())
