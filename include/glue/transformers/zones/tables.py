"""The catalog's tables as the forecasting jobs read them: only the partitions that hold the days asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pyspark.sql import DataFrame

from transformers.zones import partitions
from transformers.zones.data_range import HOURS_A_DAY, DataRange, newest_complete_day
from transformers.zones.partitions import Values
from transformers.zones.schemas import INTERVAL

READINGS, DAYS, WEATHER = "daily", "aggregated_daily", "weather"
READINGS_KEYS, DAYS_KEYS = ["reading_type", "month"], ["month"]


class NoReadingsError(ValueError):
    """The business zone holds nothing of the days asked for."""


@dataclass(frozen=True)
class Tables:
    """The tables of a database; `glue` is a boto3 client."""

    glue_context: Any
    glue: Any
    database: str

    def interval_readings(self, days: DataRange) -> DataFrame:
        """The table `daily`, INT readings, of the partitions that hold these days. Raises NoReadingsError."""
        wanted = holding(self._published(READINGS), days)
        if not wanted:
            raise NoReadingsError(
                f"The table {READINGS} has no {INTERVAL} readings from {days.start} to {days.end}. Give data_start and "
                "data_end of days that are loaded, or leave both empty for the newest days."
            )
        return partitions.read(self.glue_context, self.database, READINGS, READINGS_KEYS, wanted)

    def months(self) -> set[str]:
        """The months (yyyyMM) that aggregated_daily has. Raises NoReadingsError where it has none."""
        found = {values[-1] for values in self._published(DAYS)}
        if not found:
            raise NoReadingsError(f"The table {DAYS} is empty. Load readings first: trigger ingest_meter_readings.")
        return found

    def days(self, months: set[str]) -> DataFrame:
        """The table `aggregated_daily` of those of these months that it has. Raises NoReadingsError if it has none."""
        wanted = {(month,) for month in months & self.months()}
        if not wanted:
            raise NoReadingsError(
                f"The table {DAYS} has none of the months {', '.join(sorted(months))}. Trigger aggregate_consumption."
            )
        return partitions.read(self.glue_context, self.database, DAYS, DAYS_KEYS, wanted)

    def newest_complete_day(self, intervals_per_hour: int) -> date:
        """See data_range. Raises NoReadingsError, NoCompleteDayError."""
        return newest_complete_day(self.days, self.months(), HOURS_A_DAY * intervals_per_hour)

    def weather(self) -> DataFrame:
        """The whole table `weather`, as its crawler found it."""
        return self.glue_context.create_data_frame.from_catalog(database=self.database, table_name=WEATHER)

    def _published(self, table: str) -> set[Values]:
        return set(partitions.published(self.glue, self.database, table))


def holding(published: Iterable[Values], days: DataRange) -> set[Values]:
    """The partitions of interval readings that hold any of these days, at grain month (yyyyMM) or day (yyyyMMdd)."""
    first, last = f"{days.start:%Y%m%d}", f"{days.end - timedelta(days=1):%Y%m%d}"
    return {
        (reading_type, value)
        for reading_type, value in published
        if reading_type == INTERVAL and first[: len(value)] <= value <= last[: len(value)]
    }
