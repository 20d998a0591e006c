"""What aggregate_consumption must publish, by loops over dicts: the rules as they are written, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

# kWh and error code by meter and time.
Readings = dict[tuple[str, datetime], tuple[float, str | None]]
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Tally:
    """A row of the tallies of a batch."""

    batch: str
    source_file: str
    delivered_at: datetime
    meter: str
    day: date
    readings: int
    rejected: int


@dataclass
class Expected:
    """All tables, of readings whose dates have all been summed; rows as their files have them, without times' zone."""

    readings: Readings
    tallies: list[Tally] = field(default_factory=list)
    intervals_a_day: int = 48

    def daily(self) -> list[tuple]:
        sums, counts = self._days()
        return sorted((meter, f"{day:%Y%m%d}", sums[meter, day], counts[meter, day]) for meter, day in sums)

    def weekly(self) -> list[tuple]:
        return [
            (meter, f"{start:%Y%m%d}", start.isocalendar().week, kwh, count)
            for meter, start, kwh, count in self._periods(lambda day: day - timedelta(days=day.weekday()))
        ]

    def monthly(self) -> list[tuple]:
        return [
            (meter, f"{start:%Y%m%d}", start.month, kwh, count)
            for meter, start, kwh, count in self._periods(lambda day: day.replace(day=1))
        ]

    def completeness(self) -> list[tuple]:
        times: dict[tuple[str, date], list[datetime]] = {}
        for meter, time in sorted(self.readings):
            times.setdefault((meter, time.date()), []).append(time)
        loaded = {day for _, day in times}
        delivered, rejected = self._tallied()
        pairs = set()
        for meter, first_of_month in {(meter, day.replace(day=1)) for meter, day in times}:
            own = [day for who, day in times if who == meter and day.replace(day=1) == first_of_month]
            month_after = (first_of_month + 31 * ONE_DAY).replace(day=1)
            pairs |= {(meter, day) for day in loaded if day.replace(day=1) == first_of_month and day >= min(own)}
            pairs |= {(meter, day) for day in loaded if day.replace(day=1) == month_after}
        loaded_months = {day.replace(day=1) for day in loaded}
        pairs |= {pair for pair, rows in rejected.items() if rows and pair[1].replace(day=1) in loaded_months}
        rows = []
        for meter, day in sorted(pairs):
            own_times = times.get((meter, day), [])
            received = len(own_times)
            rows.append(
                (
                    meter,
                    f"{day:%Y%m%d}",
                    self.intervals_a_day,
                    received,
                    sum(self.readings[meter, time][1] is not None for time in own_times),
                    rejected.get((meter, day), 0),
                    max(delivered.get((meter, day), 0) - received, 0),
                    f"{own_times[0]:%Y-%m-%d %H:%M}" if own_times else None,
                    f"{own_times[-1]:%Y-%m-%d %H:%M}" if own_times else None,
                )
            )
        return rows

    def _days(self) -> tuple[dict[tuple[str, date], float], dict[tuple[str, date], int]]:
        sums: dict[tuple[str, date], float] = {}
        counts: dict[tuple[str, date], int] = {}
        for meter, time in sorted(self.readings):
            key = (meter, time.date())
            sums[key] = sums.get(key, 0.0) + self.readings[meter, time][0]
            counts[key] = counts.get(key, 0) + 1
        return sums, counts

    def _periods(self, start_of) -> list[tuple]:
        days, counts_of_days = self._days()
        sums: dict[tuple[str, date], float] = {}
        counts: dict[tuple[str, date], int] = {}
        for meter, day in sorted(days):
            key = (meter, start_of(day))
            sums[key] = sums.get(key, 0.0) + days[meter, day]
            counts[key] = counts.get(key, 0) + counts_of_days[meter, day]
        return sorted((meter, start, kwh, counts[meter, start]) for (meter, start), kwh in sums.items())

    def _tallied(self) -> tuple[dict[tuple[str, date], int], dict[tuple[str, date], int]]:
        """Rows delivered and rejected, of the last load of each version of a file in a month."""
        delivered: dict[tuple[str, date], int] = {}
        rejected: dict[tuple[str, date], int] = {}
        for tally in self.tallies:
            of_version = [
                other.batch
                for other in self.tallies
                if (other.source_file, other.delivered_at) == (tally.source_file, tally.delivered_at)
                and other.day.replace(day=1) == tally.day.replace(day=1)
            ]
            if tally.batch == max(of_version):
                key = (tally.meter, tally.day)
                delivered[key] = delivered.get(key, 0) + tally.readings
                rejected[key] = rejected.get(key, 0) + tally.rejected
        return delivered, rejected
