"""The newest history of meters as DeepAR reads it, cut into batches: one JSON Lines object a batch, one line a meter.

    --batch              names the data of the run
    --data_start, --data_end    yyyy-MM-dd, the end exclusive, or auto: the 214 days up to the newest complete one
    --meter_start, --meter_end  numbers of meters in the order of their ids, both included; meter_end auto is the last
    --batch_size         meters of a batch
    --prediction_length, --context_length    hours
    --scale              kWh that a value of the series stands for: 0.001 (whole Wh) or 1
    --intervals_per_hour
    --with_weather       true or false: whether the deployment has weather
    --weather            JSON: the features that the current model was trained with, or null
    --spread_above_rows  rows above which the work is spread over the workers of Spark
    --clean_bucket, --working_bucket, --database

A series ends with the meter's last known hour, and its forecast starts with the next. A meter's line depends on its own
readings (and the weather) alone. A meter without a known hour has no line; it still counts for its batch, so that a
batch may hold fewer lines than batch_size, and one without any line has no object.

Deletes what lies in forecast/<batch>/, the results of earlier transforms included, and writes
forecast/<batch>/batches/<nnnn>.jsonl and, last, _summaries/<batch>/prepare_forecast_batches.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import boto3
from meter_data.lake import store as lake_store
from meter_data.lake.store import Store
from meter_data.lake.summaries import summary_uri
from meter_data.runner import failures, work
from meter_data.series import data_range, forecast_batches, hourly, meters, weather
from meter_data.series.data_range import DataRange
from meter_data.series.forecast_batches import BatchFiles, Written
from meter_data.series.hourly import Unit
from meter_data.series.meters import MeterNumbers
from meter_data.series.tables import Tables
from meter_data.series.weather import Filled, WeatherMismatchError

JOB = "prepare_forecast_batches"
OPTIONS = [
    "batch",
    "data_start",
    "data_end",
    "meter_start",
    "meter_end",
    "batch_size",
    "prediction_length",
    "context_length",
    "scale",
    "intervals_per_hour",
    "with_weather",
    "weather",
    "spread_above_rows",
    "clean_bucket",
    "working_bucket",
    "database",
]
# The longest of the lags that DeepAR looks back by in hourly series; what lies further back it does not see.
LONGEST_LAG = 721


class NothingToForecastError(ValueError):
    """No meter of the range has any known hour in the days."""


@dataclass(frozen=True)
class Settings:
    """The job's arguments, typed. Lengths are hours."""

    batch_size: int
    prediction_length: int
    context_length: int
    intervals_per_hour: int
    unit: Unit

    @classmethod
    def of(cls, given: dict[str, str]) -> Settings:
        names = ("batch_size", "prediction_length", "context_length", "intervals_per_hour")
        return cls(**{name: int(given[name]) for name in names}, unit=Unit(float(given["scale"])))


def main() -> None:
    from awsglue.utils import getResolvedOptions

    prepare(getResolvedOptions(sys.argv, OPTIONS), boto3.client("glue"))


def prepare(given: dict[str, str], glue: Any, connect: Callable[[], Store] = lake_store.connect) -> None:
    """Writes the batches that the arguments `given` ask for."""
    settings = Settings.of(given)
    store = connect()
    tables = Tables(store, glue, given["database"])
    days = data_range.resolve(
        given["data_start"], given["data_end"], lambda: tables.newest_complete_day(settings.intervals_per_hour)
    )
    fleet = meters.fleet(store, tables.days(tables.months()))
    chosen = meters.resolve(given["meter_start"], given["meter_end"], len(fleet))
    meters.require_few_batches(chosen.count, settings.batch_size)
    notes = list(chosen.notes)
    weather_hours = range(days.hours.start, days.hours.stop + settings.prediction_length)
    features = None
    if record := wanted_weather(given["weather"], given["with_weather"] == "true", notes):
        features = weather.filled(tables.weather(), weather.features_of(record), weather_hours)
    uri = f"s3://{given['working_bucket']}/forecast/{given['batch']}/"
    every = BatchFiles(
        (),
        days.hours,
        settings.intervals_per_hour,
        settings.unit,
        settings.context_length + LONGEST_LAG,
        settings.prediction_length,
        tuple(map(tuple, features.rows)) if features else None,
        weather_hours,
        f"{uri}batches/",
    )
    batches = chosen.batches(fleet, settings.batch_size)
    items = forecast_batches.items(batches, fleet, tables.interval_readings(days), every)
    store.delete_folder(uri)
    found = work.run(forecast_batches.write_batches, items, int(given["spread_above_rows"]), connect)
    written = [each for of_item in found for each in of_item]
    if settings.unit.is_whole and (below_zero := sum(each.below_zero for each in written)):
        store.delete_folder(uri)
        hourly.refuse_negative(below_zero, min(each.negative_meter for each in written if each.negative_meter))
    document = summary(given["batch"], chosen, days, settings, written, notes, features)
    store.write_json(summary_uri(given["clean_bucket"], given["batch"], JOB), document)


def wanted_weather(record: str, with_weather: bool, notes: list[str]) -> dict[str, Any] | None:
    """Returns the model's record of its features, None for a model without. May add a note.

    Raises WeatherMismatchError.
    """
    features: dict[str, Any] | None = json.loads(record)
    if features is not None and not with_weather:
        raise WeatherMismatchError(
            "The current model was trained with weather, but WithWeather of the deployment is off. Turn it on, or "
            "train a model without: trigger train_forecast_model with force."
        )
    if features is None and with_weather:
        notes.append("The current model was trained without weather, so none is used. Train a new one to use it.")
    return features


def summary(
    batch: str,
    chosen: MeterNumbers,
    days: DataRange,
    settings: Settings,
    written: Iterable[Written],
    notes: list[str],
    features: Filled | None,
) -> dict[str, Any]:
    """Returns what the job did: `meters` have a line, those `without_readings` have none.

    Raises NothingToForecastError if nothing was written.
    """
    found = list(written)
    if not found:
        raise NothingToForecastError(
            "None of the meters has a known hour in these days. Give data_start and data_end of days that are loaded, "
            "or leave both empty for the newest days."
        )
    batches: dict[int, dict[str, Any]] = {}
    for each in sorted(found, key=lambda each: each.number):
        entry = batches.setdefault(each.number, {"number": each.number, "uri": each.uri, "meters": 0})
        entry["meters"] += each.meters
    with_readings = sum(entry["meters"] for entry in batches.values())
    last_start = max(each.last_start for each in found)
    hours = range(min(each.first_hour for each in found), last_start + settings.prediction_length)
    return {
        "batch": batch,
        "meters": with_readings,
        "batches": list(batches.values()),
        "without_readings": chosen.count - with_readings,
        "data_start": f"{days.start}",
        "data_end": f"{days.end}",
        "notes": notes,
        "weather": features and features.summary(hours),
    }


if __name__ == "__main__":
    failures.run(main)
