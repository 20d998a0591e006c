"""Dates whose readings have changed, and the months and weeks whose sums change with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from meter_data.lake.calendar import number_of_date
from meter_data.lake.date_ranges import ONE_DAY


@dataclass(frozen=True)
class Touched:
    """Touched dates and what holds them: months as yyyyMM, weeks by their Mondays, and the days of all these weeks.

    months_before and months_after are those next to touched months that are not touched themselves. days_by_month has
    the touched dates of each touched month, as numbers of days since 1970.
    """

    dates: set[date]
    months: set[str] = field(init=False)
    months_before: set[str] = field(init=False)
    months_after: set[str] = field(init=False)
    mondays: set[date] = field(init=False)
    days_of_weeks: set[date] = field(init=False)
    days_by_month: dict[str, frozenset[int]] = field(init=False)

    def __post_init__(self) -> None:
        mondays = {day - day.weekday() * ONE_DAY for day in self.dates}
        days_of_weeks = {monday + number * ONE_DAY for monday in mondays for number in range(7)}
        firsts = {day.replace(day=1) for day in self.dates}
        months = {f"{first:%Y%m}" for first in firsts}
        object.__setattr__(self, "months", months)
        object.__setattr__(self, "months_before", {f"{first - ONE_DAY:%Y%m}" for first in firsts} - months)
        object.__setattr__(self, "months_after", {f"{first + 31 * ONE_DAY:%Y%m}" for first in firsts} - months)
        object.__setattr__(self, "mondays", mondays)
        object.__setattr__(self, "days_of_weeks", days_of_weeks)
        by_month: dict[str, set[int]] = {}
        for day in self.dates:
            by_month.setdefault(f"{day:%Y%m}", set()).add(number_of_date(day))
        object.__setattr__(self, "days_by_month", {month: frozenset(days) for month, days in by_month.items()})
