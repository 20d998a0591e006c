"""Unusual days of every meter, judged once and kept.

    --run                names the folder that is written: a new one for every try
    --data_end           yyyy-MM-dd, exclusive, or auto: the day after the newest complete one
    --days               how many days before data_end are looked at
    --country            whose public holidays count, e.g. GB, GB-ENG, US, DE or CN
    --intervals_per_hour
    --with_weather       true or false
    --level              share of ordinary days that the band holds, e.g. 0.98
    --clean_bucket, --business_bucket, --database

A day is judged when it is complete (see complete_days) and not yet in the published table `anomaly`, once its meter has
28 complete days. What is judged stays as it is, even if readings of that day are corrected later: whoever acted on a
judgement finds it again. Judgements rest on all complete days looked at, those already judged included.

Writes anomaly/run=<run>/month=…, whole months of which the old rows are carried over, and, last,
_summaries/<run>/detect_anomalies.json. Where there is nothing new to judge nothing but the summary is written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import boto3
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql
from transformers.anomalies import country_calendar
from transformers.anomalies.chunk import JUDGED, judge_rows
from transformers.anomalies.daily_weather import DailyWeather
from transformers.anomalies.design import design
from transformers.anomalies.judgement import LEAST_HISTORY
from transformers.zones import data_range, date_ranges, failures, judged_days, partitions, storage, weather
from transformers.zones.data_range import AUTO, HOURS_A_DAY, DataRange, NoCompleteDayError
from transformers.zones.lines import small_frame
from transformers.zones.schemas import ANOMALY, names
from transformers.zones.session import configure
from transformers.zones.tables import NoReadingsError, Tables

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
    "database",
]
# Meters of one regression: of a year some 100,000 rows, whose arrays fit a processor's cache by parts.
METERS_A_CHUNK = 300

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

# The published rows of the table anomaly in these months (yyyyMM); None when there are none.
ReadJudged = Callable[[set[str]], DataFrame | None]


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
    from awsglue.context import GlueContext
    from awsglue.utils import getResolvedOptions
    from pyspark import SparkContext

    given = getResolvedOptions(sys.argv, OPTIONS)
    settings = Settings.of(given)
    glue_context = GlueContext(SparkContext.getOrCreate())
    spark = configure(glue_context.spark_session)
    glue = boto3.client("glue")
    tables = Tables(glue_context, glue, given["database"])
    published = partitions.published(glue, given["database"], TABLE)

    def read_judged(months: set[str]) -> DataFrame | None:
        wanted = {values for values in published if values[0] in months}
        return partitions.read(glue_context, given["database"], TABLE, [KEY], wanted) if wanted else None

    document: dict[str, Any] = {"run": given["run"], **NOTHING}
    try:
        looked_at = days_before(given["data_end"], settings, tables)
    except (NoReadingsError, NoCompleteDayError) as error:
        document["notes"] = [str(error)]
    else:
        known = read_weather(tables) if given["with_weather"] == "true" else None
        days = tables.days(looked_at.months)
        zone = f"s3://{given['business_bucket']}"
        if days is not None:
            document |= detect(spark, days, read_judged, looked_at, settings, known, zone, given["run"])
            document["partitions"] = partitions.replacing(document["partitions"], published)
    storage.write_json(boto3.client("s3"), storage.summary_uri(given["clean_bucket"], given["run"], JOB), document)


def days_before(data_end: str, settings: Settings, tables: Tables) -> DataRange:
    """The days that are looked at. Raises NoReadingsError, NoCompleteDayError or DataRangeError."""
    intervals_per_hour = settings.intervals_a_day // HOURS_A_DAY
    end = data_range.resolve(AUTO, data_end, lambda: tables.newest_complete_day(intervals_per_hour)).end
    return DataRange(end - timedelta(days=settings.days), end)


def read_weather(tables: Tables) -> DailyWeather:
    """The weather of all days on which it is known. Raises weather.NoWeatherError."""
    known = DailyWeather.of(weather.read(tables.weather()))
    if not known.temperature or not known.apparent_temperature:
        raise weather.NoWeatherError(
            "The table weather has no temperature. Deliver weather and trigger load_reference_data, or turn "
            "WithWeather off."
        )
    return known


def detect(
    spark: SparkSession,
    days: DataFrame,
    read_judged: ReadJudged,
    looked_at: DataRange,
    settings: Settings,
    known_weather: DailyWeather | None,
    zone: str,
    run: str,
) -> dict[str, Any]:
    """Judge the new days of `days` (aggregated_daily) and write their months below `zone`; what the summary says."""
    dates = [looked_at.start + timedelta(days=number) for number in range(settings.days)]
    holidays = country_calendar.holidays(settings.country)
    number = sql.datediff(sql.to_date("date_str", "yyyyMMdd"), sql.lit(looked_at.start))
    numbered = days.withColumn("day", number).where(sql.col("day").between(0, settings.days - 1))
    complete = judged_days.complete_days(numbered, settings.intervals_a_day)
    given = judged_days.with_judged(complete, read_judged(looked_at.months), looked_at.start)
    counts = judged_days.count(given, LEAST_HISTORY)
    answer: dict[str, Any] = {
        **NOTHING,
        "kept": counts.kept,
        "incomplete": numbered.count() - counts.complete,
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
    shared = design(dates, holidays, known_weather.without_gaps(dates) if known_weather else None)
    # Groups of a hash, not a pivot in Spark: a pivot makes a column of every day, numpy makes the matrix in a moment.
    chunk = sql.pmod(sql.xxhash64("meter_id"), sql.lit(-(-counts.meters // METERS_A_CHUNK)))
    groups = judged_days.of_meters_with_new_days(given).groupBy(chunk)
    judged = groups.applyInPandas(partial(judge_rows, design=shared, level=settings.level), JUDGED).persist()
    rows = rows_of_table(spark, judged, known_weather, dates)
    found = rows.groupBy("ds", "anomaly").count().collect()
    months = {f"{row['ds']:%Y%m}" for row in found}
    answer["partitions"] = write(spark, rows, read_judged(months), f"{zone}/{TABLE}/run={run}/")
    judged.unpersist()
    sums = {sign: sum(row["count"] for row in found if row["anomaly"] == sign) for sign in (-1, 0, 1)}
    return answer | {
        "judged": sum(sums.values()),
        "anomalies": {"high": sums[1], "low": sums[-1]},
        "days": date_ranges.to_ranges(row["ds"] for row in found),
    }


def rows_of_table(spark: SparkSession, judged: DataFrame, known: DailyWeather | None, dates: list[date]) -> DataFrame:
    """Judged days in the columns of the table, with its partition key; the weather is null where it is not known."""
    calendar = [
        {
            "day": number,
            "ds": str(day),
            "temperature": known.temperature.get(day) if known else None,
            "apparenttemperature": known.apparent_temperature.get(day) if known else None,
        }
        for number, day in enumerate(dates)
    ]
    schema = "day int, ds date, temperature double, apparenttemperature double"
    dated = judged.join(sql.broadcast(small_frame(spark, calendar, schema)), "day")
    return dated.select(*names(ANOMALY), sql.date_format("ds", "yyyyMM").alias(KEY))


def write(spark: SparkSession, new: DataFrame, published: DataFrame | None, prefix: str) -> list[dict[str, Any]]:
    """Write the new rows and the published ones of their months; the partitions written."""
    columns = [*names(ANOMALY), KEY]
    rows = new if published is None else new.unionByName(published.select(columns))
    # One task a partition, so one file.
    ordered = rows.repartition(KEY).sortWithinPartitions(KEY, "meter_id", "ds")
    partitions.write(ordered, [KEY], prefix)
    return partitions.written(spark, ANOMALY, [KEY], prefix)


if __name__ == "__main__":
    failures.run(main)
