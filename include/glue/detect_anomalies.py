"""Unusual days of every meter, judged once and kept.

    --run                names the folder that is written: a new one for every try
    --data_end           yyyy-MM-dd, exclusive, or auto: the day after the newest complete one
    --days               how many days before data_end are looked at
    --country            whose public holidays count, e.g. GB, GB-ENG, US, DE or CN
    --intervals_per_hour
    --with_weather       true or false
    --level              share of ordinary days that the band holds, e.g. 0.98
    --spread_above_rows  rows above which the work is spread over the workers of Spark
    --clean_bucket, --business_bucket, --database

A day is judged when it is complete (see complete_days) and not yet in the published table `anomaly`, once its meter has
28 complete days. What is judged stays as it is, even if readings of that day are corrected later: whoever acted on a
judgement finds it again. Judgements rest on all complete days looked at, those already judged included.

Writes anomaly/run=<run>/month=…, whole months of which the old rows are carried over, and, last,
_summaries/<run>/detect_anomalies.json. Where there is nothing new to judge nothing but the summary is written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import boto3
import numpy as np
from meter_data.anomalies import country_calendar, detection
from meter_data.anomalies.daily_weather import DailyWeather
from meter_data.anomalies.design import design
from meter_data.anomalies.detection import MeterDays, Weather
from meter_data.anomalies.judged_days import Counts
from meter_data.anomalies.judgement import LEAST_HISTORY
from meter_data.lake import date_ranges, meter_row_groups, published
from meter_data.lake import store as lake_store
from meter_data.lake.calendar import HOURS_A_DAY
from meter_data.lake.meter_row_groups import MeterRowGroup
from meter_data.lake.published import Published, Values
from meter_data.lake.store import Store
from meter_data.lake.summaries import summary_uri
from meter_data.runner import failures, work
from meter_data.series import data_range, meters, weather
from meter_data.series.data_range import AUTO, DataRange, NoCompleteDayError
from meter_data.series.tables import NoReadingsError, Tables

JOB = "detect_anomalies"
TABLE, KEY = "anomaly", "month"
OPTIONS = [
    "run",
    "data_end",
    "days",
    "country",
    "intervals_per_hour",
    "with_weather",
    "level",
    "clean_bucket",
    "business_bucket",
    "spread_above_rows",
    "database",
]

# What the summary says when there was nothing to judge.
NOTHING: dict[str, Any] = {
    "partitions": [],
    "judged": 0,
    "kept": 0,
    "incomplete": 0,
    "meters_with_short_history": 0,
    "anomalies": {"high": 0, "low": 0},
    "days": [],
    "notes": [],
}


class SettingsError(ValueError):
    """An argument that no day can be judged by."""


@dataclass(frozen=True)
class Settings:
    """The job's arguments, typed."""

    days: int
    country: str
    intervals_a_day: int
    level: float

    @classmethod
    def of(cls, given: dict[str, str]) -> Settings:
        days, level = int(given["days"]), float(given["level"])
        if days < LEAST_HISTORY:
            raise SettingsError(f"days is {days}. A meter is judged by {LEAST_HISTORY} days at least: give more.")
        if not 0.5 <= level < 1:
            raise SettingsError(f"level is {level}. Give a share from 0.5 to below 1, such as 0.98.")
        return cls(days, given["country"], int(given["intervals_per_hour"]) * HOURS_A_DAY, level)


def main() -> None:
    from awsglue.utils import getResolvedOptions

    detect(getResolvedOptions(sys.argv, OPTIONS), boto3.client("glue"))


def detect(given: dict[str, str], glue: Any, connect: Callable[[], Store] = lake_store.connect) -> None:
    """Judges the new days that the arguments `given` ask for."""
    settings, store = Settings.of(given), connect()
    known = published.partitions(glue, given["database"], TABLE)
    tables = Tables(store, glue, given["database"])
    document: dict[str, Any] = {"run": given["run"], **NOTHING}
    try:
        looked_at = days_before(given["data_end"], settings, tables)
    except (NoReadingsError, NoCompleteDayError) as error:
        document["notes"] = [str(error)]
    else:
        known_weather = read_weather(tables) if given["with_weather"] == "true" else None
        days = tables.days(looked_at.months)
        prefix = f"s3://{given['business_bucket']}/{TABLE}/run={given['run']}/"
        run = Run(store, connect, int(given["spread_above_rows"]), prefix)
        document |= judge_days(run, days, known, looked_at, settings, known_weather)
        document["partitions"] = published.replacing(document["partitions"], known)
    store.write_json(summary_uri(given["clean_bucket"], given["run"], JOB), document)


def days_before(data_end: str, settings: Settings, tables: Tables) -> DataRange:
    """Returns the days that are looked at. Raises NoReadingsError, NoCompleteDayError or DataRangeError."""
    intervals_per_hour = settings.intervals_a_day // HOURS_A_DAY
    end = data_range.resolve(AUTO, data_end, lambda: tables.newest_complete_day(intervals_per_hour)).end
    return DataRange(end - timedelta(days=settings.days), end)


def read_weather(tables: Tables) -> DailyWeather:
    """Returns the weather of all days on which it is known. Raises weather.NoWeatherError."""
    known = DailyWeather.of(tables.weather())
    if not known.temperature or not known.apparent_temperature:
        raise weather.NoWeatherError(
            "The table weather has no temperature. Deliver weather and trigger load_reference_data, or turn "
            "WithWeather off."
        )
    return known


@dataclass(frozen=True)
class Run:
    """How a run reads and writes: below `prefix`, spread when its items have more than `spread_above_rows` rows."""

    store: Store
    connect: Callable[[], Store]
    spread_above_rows: int
    prefix: str


def judge_days(
    run: Run,
    days: Sequence[MeterRowGroup],
    known: dict[Values, Published],
    looked_at: DataRange,
    settings: Settings,
    known_weather: DailyWeather | None,
) -> dict[str, Any]:
    """Judges the new days in row groups of aggregated_daily and writes their months. Returns what the summary says.

    `known` are the published partitions of the table anomaly.
    """
    dates = [looked_at.start + timedelta(days=number) for number in range(settings.days)]
    holidays = country_calendar.holidays(settings.country)
    judged_before = {
        month: meter_row_groups.of_folders(run.store, [known[(month,)].location])
        for month in sorted(looked_at.months)
        if (month,) in known
    }
    every = MeterDays(
        (),
        (),
        (),
        design(dates, holidays, known_weather.without_gaps(dates) if known_weather else None),
        settings.intervals_a_day,
        settings.level,
        weather_of(known_weather, dates),
        f"{run.prefix}judged/",
        "",
    )
    run.store.delete_folder(run.prefix)
    items = detection.items_of_meters(
        meters.fleet(run.store, days), days, [group for groups in judged_before.values() for group in groups], every
    )
    found = work.run(detection.judge_meters, items, run.spread_above_rows, run.connect)
    counts = sum((each.counts for each in found), Counts())
    judgements = sum((each.found for each in found), np.zeros((settings.days, 3), np.int64))
    answer: dict[str, Any] = {
        **NOTHING,
        "kept": counts.kept,
        "incomplete": counts.incomplete,
        "meters_with_short_history": counts.short,
        "data_start": str(looked_at.start),
        "data_end": str(looked_at.end),
        "country": settings.country,
        "level": settings.level,
        "weather": known_weather.summary(dates) if known_weather else None,
    }
    if years := country_calendar.unknown_years(dates):
        answer["notes"] = [f"The holidays of {', '.join(map(str, years))} are not known: all days count as ordinary."]
    if not counts.meters:
        return answer
    months = detection.items_of_months([each.files for each in found], judged_before, run.prefix)
    written = work.run(detection.write_month, months, run.spread_above_rows, run.connect)
    run.store.delete_folder(f"{run.prefix}judged/")
    rows = [((item.month,), rows) for item, rows in zip(months, written, strict=True)]
    low, usual, high = judgements.sum(axis=0).tolist()
    return answer | {
        "partitions": published.new_versions(rows, lambda values: f"{run.prefix}{KEY}={values[0]}/"),
        "judged": low + usual + high,
        "anomalies": {"high": high, "low": low},
        "days": date_ranges.to_ranges(dates[day] for day in np.flatnonzero(judgements.any(axis=1))),
    }


def weather_of(known: DailyWeather | None, dates: Sequence[date]) -> Weather:
    """Returns the weather that stands beside a day's judgement: a mean a day, NaN where it is not known."""
    temperature, apparent = (known.temperature, known.apparent_temperature) if known else ({}, {})
    return (
        np.array([temperature.get(day, np.nan) for day in dates]),
        np.array([apparent.get(day, np.nan) for day in dates]),
    )


if __name__ == "__main__":
    failures.run(main)
