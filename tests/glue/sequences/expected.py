"""What the tables must hold, in plain Python: the newest value of each reading, and sums by hand.

Of the rows of one meter, type and time the newest delivery wins, then the later file by its URI, then the later row of
that file. Against a reading that is published already, rows of the same delivery win.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tests.glue.sequences.deliveries import BadRow, MeterFile, Row

Key = tuple[str, str, datetime]
Tables = dict[str, list[tuple[Any, ...]]]
INTERVALS = 48


@dataclass(frozen=True)
class Version:
    """A file as it was loaded: where from, and when it had been delivered there."""

    uri: str
    delivered_at: datetime
    file: MeterFile


class Expected:
    """`published` are the batches whose readings count, in the order of publishing. `tallied` are the versions whose
    bad rows and duplicates count.
    """

    def __init__(self, published: Iterable[Iterable[Version]], tallied: Iterable[Version]) -> None:
        self.newest: dict[Key, tuple[datetime, float | None]] = {}
        for batch in published:
            # A later one of these replaces an earlier one of the same time, and so does a later row in its file.
            for version in sorted(batch, key=lambda version: (version.delivered_at, version.uri)):
                for row in readings(version.file):
                    self._take(row, version.delivered_at)
        self._tallied = set(tallied)

    def tables(self) -> Tables:
        """Rows of each table, sorted; `duplicates` is the last column of completeness, delivered_at that of daily."""
        daily = [
            (meter, kind, moment, value, kind_error(kind), delivered_at)
            for (meter, kind, moment), (delivered_at, value) in self.newest.items()
        ]
        tables = {
            "daily": daily,
            "aggregated_daily": self._sums(lambda day: f"{day:%Y%m%d}"),
            "aggregated_weekly": self._sums(lambda day: f"{day - timedelta(days=day.weekday()):%Y%m%d}"),
            "aggregated_monthly": self._sums(lambda day: f"{day:%Y%m}01"),
            "completeness": self._completeness(),
        }
        return {table: sorted(rows, key=repr) for table, rows in tables.items()}

    def bad_rows(self) -> list[BadRow]:
        """All that was refused and can be attributed, each as often as it was loaded."""
        rows = [row for version in self._tallied for row in version.file.rows]
        return [row for row in rows if isinstance(row, BadRow) and row.is_attributed]

    def newest_rows(self) -> list[Row]:
        """One row for each reading."""
        return [
            Row(meter, moment, None if value is None else int(value * 8))
            for (meter, _, moment), (_, value) in self.newest.items()
        ]

    def _take(self, row: Row, delivered_at: datetime) -> None:
        key = (row.meter, "ERR" if row.value is None else "INT", row.moment)
        found = self.newest.get(key)
        if found is None or delivered_at >= found[0]:
            self.newest[key] = (delivered_at, row.value)

    def _intervals(self) -> list[tuple[str, datetime, float]]:
        return [(meter, at, value) for (meter, kind, at), (_, value) in self.newest.items() if kind == "INT"]

    def _sums(self, period_of: Any) -> list[tuple[Any, ...]]:
        sums: dict[tuple[str, str], list[float]] = defaultdict(list)
        for meter, moment, value in self._intervals():
            sums[meter, period_of(moment.date())].append(value)
        return [(meter, period, sum(values), len(values)) for (meter, period), values in sums.items()]

    def _completeness(self) -> list[tuple[Any, ...]]:
        """meter, day, expected, received, estimated, rejected, first, last, duplicates."""
        times: dict[tuple[str, date], list[datetime]] = defaultdict(list)
        for meter, moment, _ in self._intervals():
            times[meter, moment.date()].append(moment)
        rejected = Counter((row.meter, row.moment.date()) for row in self.bad_rows())
        delivered = Counter(
            (row.meter, row.moment.date())
            for version in self._tallied
            for row in readings(version.file)
            if row.value is not None
        )
        loaded = {day for _, day in times}
        months = {month(day) for day in loaded}
        meters = {meter for meter, _ in times}
        days = {(meter, day) for meter in meters for day in loaded if is_expected(meter, day, times)}
        days |= {(meter, day) for meter, day in rejected if month(day) in months}
        rows = []
        for meter, day in days:
            found = times.get((meter, day), [])
            duplicates = max(delivered[meter, day] - len(found), 0)
            first, last = min(found, default=None), max(found, default=None)
            told = (INTERVALS, len(found), 0, rejected[meter, day], first, last, duplicates)
            rows.append((meter, f"{day:%Y%m%d}", *told))
        return rows


def is_expected(meter: str, day: date, times: dict[tuple[str, date], list[datetime]]) -> bool:
    """From the meter's first reading of the month on; all month when it had readings in the month before."""
    own = {its_day for its_meter, its_day in times if its_meter == meter}
    last_month = month(day.replace(day=1) - timedelta(days=1))
    return any(month(its_day) == last_month or (month(its_day) == month(day) and its_day <= day) for its_day in own)


def month(day: date) -> str:
    return f"{day:%Y%m}"


def kind_error(kind: str) -> str | None:
    return "NULL" if kind == "ERR" else None


def readings(file: MeterFile) -> list[Row]:
    return [row for row in file.rows if isinstance(row, Row)]
