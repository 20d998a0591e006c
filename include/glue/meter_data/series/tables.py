"""The catalog's tables as the jobs on series read them: only the partitions that hold the days asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from meter_data.lake import crawled_table, meter_row_groups, published
from meter_data.lake.calendar import HOURS_A_DAY
from meter_data.lake.meter_row_groups import MeterRowGroup
from meter_data.lake.published import Published, Values
from meter_data.lake.schemas import INTERVAL
from meter_data.lake.store import Store
from meter_data.series import weather
from meter_data.series.data_range import DataRange, complete_meters, newest_complete_day

READINGS, DAYS, WEATHER = "daily", "aggregated_daily", "weather"


class NoReadingsError(ValueError):
    """The business zone holds nothing of the days asked for."""


@dataclass(frozen=True)
class Tables:
    """The tables of a database. `glue` is a client of boto3."""

    store: Store
    glue: Any
    database: str

    def interval_readings(self, days: DataRange) -> list[MeterRowGroup]:
        """Returns the row groups of `daily`, INT readings, of the partitions that hold these days.

        Raises NoReadingsError.
        """
        known = self._published(READINGS)
        wanted = holding(known, days)
        if not wanted:
            raise NoReadingsError(
                f"The table {READINGS} has no {INTERVAL} readings from {days.start} to {days.end}. Give data_start and "
                "data_end of days that are loaded, or leave both empty for the newest days."
            )
        return self._groups(known, wanted)

    def months(self) -> set[str]:
        """Returns the months (yyyyMM) that aggregated_daily has. Raises NoReadingsError where it has none."""
        found = {values[-1] for values in self._published(DAYS)}
        if not found:
            raise NoReadingsError(f"The table {DAYS} is empty. Load readings first: trigger ingest_meter_readings.")
        return found

    def days(self, months: set[str]) -> list[MeterRowGroup]:
        """Returns the row groups of `aggregated_daily` in these months, as far as it has them.

        Raises NoReadingsError if it has none of them.
        """
        wanted = {(month,) for month in months & self.months()}
        if not wanted:
            raise NoReadingsError(
                f"The table {DAYS} has none of the months {', '.join(sorted(months))}. Trigger aggregate_consumption."
            )
        return self._groups(self._published(DAYS), wanted)

    def newest_complete_day(self, intervals_per_hour: int) -> date:
        """See data_range. Raises NoReadingsError, NoCompleteDayError."""
        intervals_a_day = HOURS_A_DAY * intervals_per_hour

        def complete_of(month: str) -> dict[date, int]:
            return complete_meters(self.store, self.days({month}), intervals_a_day)

        return newest_complete_day(complete_of, self.months(), intervals_a_day)

    def weather(self) -> dict[str, weather.Known]:
        """Returns what the table `weather` knows. Raises MissingWeatherColumnsError."""
        table = crawled_table.describe(self.glue, self.database, WEATHER)
        weather.require_columns(table.columns)
        return weather.known(crawled_table.read(self.store, table, (weather.TIME, *weather.FEATURES)))

    def _published(self, table: str) -> dict[Values, Published]:
        return published.partitions(self.glue, self.database, table)

    def _groups(self, known: dict[Values, Published], wanted: Iterable[Values]) -> list[MeterRowGroup]:
        return meter_row_groups.of_folders(self.store, (known[values].location for values in wanted))


def holding(published: Iterable[Values], days: DataRange) -> set[Values]:
    """Returns the partitions of interval readings that hold any of these days, at grain month (yyyyMM) or day
    (yyyyMMdd).
    """
    first, last = f"{days.start:%Y%m%d}", f"{days.end - timedelta(days=1):%Y%m%d}"
    return {
        (reading_type, value)
        for reading_type, value in published
        if reading_type == INTERVAL and first[: len(value)] <= value <= last[: len(value)]
    }
