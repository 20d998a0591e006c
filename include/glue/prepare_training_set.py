"""Hourly series of a sample of meters as DeepAR's train and test channel, and how well forecasts without a model do.

    --run                names the folder that is written: a new one for every try
    --data_start, --data_end    yyyy-MM-dd, the end exclusive, or auto: the 214 days up to the newest complete one
    --training_samples   how many meters
    --prediction_length, --context_length    hours
    --test_windows       how many windows of prediction_length hours, up to data_end, are kept for the test
    --quantiles          0.1,0.5,0.9
    --scale              kWh that a value of the series stands for: 0.001 (whole Wh) or 1
    --intervals_per_hour
    --with_weather       true or false
    --spread_above_rows  rows above which the work is spread over the workers of Spark
    --clean_bucket, --working_bucket, --database

The sample are the first meters, in the order of a hash of their ids, that have prediction_length known hours before the
test windows. So it is the same for the same fleet, and a meter that is added moves at most one other out.

Writes training/<run>/train/ (series up to the first window), training/<run>/test/ (a line for each meter and window,
up to the window's end), training/<run>/baseline.json and, last, _summaries/<run>/prepare_training_set.json. Known hours
lie in training/<run>/known/ meanwhile.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from meter_data.lake import store as lake_store
from meter_data.lake.store import Store
from meter_data.lake.summaries import summary_uri
from meter_data.runner import failures, work
from meter_data.series import baselines, data_range, hourly, samples, training_set, weather
from meter_data.series.baselines import Window
from meter_data.series.data_range import DataRange
from meter_data.series.hourly import Unit
from meter_data.series.tables import Tables
from meter_data.series.training_set import ChannelFiles, KnownHours, MeterHours

JOB = "prepare_training_set"
OPTIONS = [
    "run",
    "data_start",
    "data_end",
    "training_samples",
    "prediction_length",
    "context_length",
    "test_windows",
    "quantiles",
    "scale",
    "intervals_per_hour",
    "with_weather",
    "spread_above_rows",
    "clean_bucket",
    "working_bucket",
    "database",
]
# What DeepAR wants over all series of the train channel.
FEWEST_OBSERVATIONS = 300


class TrainingRangeError(ValueError):
    """The days leave nothing to train on before the test windows."""


class TooFewObservationsError(ValueError):
    """The training set has fewer known hours than DeepAR accepts."""


class NoConsumptionError(ValueError):
    """Every known hour of the training set is zero."""


@dataclass(frozen=True)
class Settings:
    """The job's arguments, typed. Lengths are hours."""

    training_samples: int
    prediction_length: int
    context_length: int
    test_windows: int
    quantiles: tuple[float, ...]
    intervals_per_hour: int
    unit: Unit

    @classmethod
    def of(cls, given: dict[str, str]) -> Settings:
        quantiles = tuple(float(quantile) for quantile in given["quantiles"].split(","))
        lengths = {name: int(given[name]) for name in ("training_samples", "prediction_length", "context_length")}
        return cls(
            **lengths,
            test_windows=int(given["test_windows"]),
            quantiles=quantiles,
            intervals_per_hour=int(given["intervals_per_hour"]),
            unit=Unit(float(given["scale"])),
        )


def main() -> None:
    from awsglue.utils import getResolvedOptions

    prepare(getResolvedOptions(sys.argv, OPTIONS), boto3.client("glue"))


def prepare(given: dict[str, str], glue: Any, connect: Callable[[], Store] = lake_store.connect) -> None:
    """Writes the training set that the arguments `given` ask for."""
    settings = Settings.of(given)
    store = connect()
    tables = Tables(store, glue, given["database"])
    days = data_range.resolve(
        given["data_start"], given["data_end"], lambda: tables.newest_complete_day(settings.intervals_per_hour)
    )
    tested = windows_of(days, settings)
    groups = tables.interval_readings(days)
    training = range(days.hours.start, tested[0].start)
    fewest_hours = settings.prediction_length
    candidates = samples.candidates(
        store, tables.days(days.months), training, fewest_hours * settings.intervals_per_hour
    )
    features = None
    if given["with_weather"] == "true":
        known_weather = tables.weather()
        features = weather.filled(known_weather, weather.statistics(known_weather, training), days.hours)
    uri, spread_above_rows = f"s3://{given['working_bucket']}/training/{given['run']}/", int(given["spread_above_rows"])
    store.delete_folder(uri)
    kept: dict[str, MeterHours] = {}
    times = itertools.count(1)

    def read(ids: list[str]) -> dict[str, int]:
        """Keeps the hours of these meters; how many of them are known before the test windows."""
        wanted = {meter_id: candidates.readings[meter_id] for meter_id in ids}
        every = KnownHours((), (), days.hours, tuple(tested), settings.intervals_per_hour, settings.unit, "")
        items = training_set.items_of_hours(wanted, groups, training, every, f"{uri}known/{next(times)}/")
        for found in work.run(training_set.keep_hours, items, spread_above_rows, connect):
            kept.update(found)
        return {meter_id: kept[meter_id].training for meter_id in ids if meter_id in kept}

    sample = samples.draw(candidates, read, settings.training_samples, fewest_hours)
    observations, first_hour = observations_of({meter_id: kept[meter_id] for meter_id in sample.meters}, settings)
    shared = tuple(map(tuple, features.rows)) if features else None
    template = ChannelFiles(
        (), (), days.hours, tuple(tested), settings.quantiles, settings.unit, shared, f"{uri}train/", f"{uri}test/"
    )
    items = training_set.items_of_channels(sample.meters, kept, template)
    written = work.run(training_set.write_channels, items, spread_above_rows, connect)
    store.delete_folder(f"{uri}known/")
    series_test = sum(each.series_test for each in written)
    baseline = {
        "run": given["run"],
        "scale": settings.unit.scale,
        "unit": settings.unit.name,
        "quantiles": list(settings.quantiles),
        "prediction_length": settings.prediction_length,
        "context_length": settings.context_length,
        "intervals_per_hour": settings.intervals_per_hour,
        "test_windows": settings.test_windows,
        "data_start": f"{days.start}",
        "data_end": f"{days.end}",
        "train_end": data_range.hour_text(tested[0].start),
        "meters": len(sample.meters),
        "series_train": sum(each.series_train for each in written),
        "series_test": series_test,
        "observations": observations,
        **baselines.score((losses for each in written for losses in each.losses), settings.quantiles),
        "weather": features and features.summary(range(first_hour, days.hours.stop)),
        "dropped": {
            "meters_with_too_few_hours": sample.too_few_hours,
            "test_windows_without_readings": len(sample.meters) * len(tested) - series_test,
        },
    }
    store.write_json(f"{uri}baseline.json", baseline)
    places = {"train": f"{uri}train/", "test": f"{uri}test/", "baseline": f"{uri}baseline.json"}
    store.write_json(summary_uri(given["clean_bucket"], given["run"], JOB), {**baseline, **places})


def windows_of(days: DataRange, settings: Settings) -> list[Window]:
    """Returns the test windows at the end of these days.

    Raises TrainingRangeError if too little is left before them.
    """
    tested = baselines.windows(days.hours.stop, settings.test_windows, settings.prediction_length)
    if not tested:
        raise TrainingRangeError("test_windows is 0. Give 1 or more: a model is judged by them.")
    if tested[0].start - days.hours.start < settings.prediction_length:
        raise TrainingRangeError(
            f"From {days.start} to {days.end}, exclusive, there are {len(days.hours)} hours; {settings.test_windows} "
            f"test windows of {settings.prediction_length} hours leave less than one such length to train on. Give an "
            "earlier data_start, fewer test_windows or a shorter forecast_period."
        )
    return tested


def observations_of(sample: dict[str, MeterHours], settings: Settings) -> tuple[int, int]:
    """Returns how many known hours there are to train on, and the first of all known hours.

    Raises NegativeConsumptionError, TooFewObservationsError, NoConsumptionError or EmptyTestWindowsError for meters
    that no model can be trained on.
    """
    found = list(sample.values())
    if settings.unit.is_whole:
        below_zero = {meter_id: hours.below_zero for meter_id, hours in sample.items() if hours.below_zero}
        hourly.refuse_negative(sum(below_zero.values()), min(below_zero, default=None))
    observations = sum(hours.training for hours in found)
    if observations < FEWEST_OBSERVATIONS:
        raise TooFewObservationsError(
            f"The training set has {observations} known hours; DeepAR needs {FEWEST_OBSERVATIONS}, of meters that have "
            f"at least {settings.prediction_length} each before the test windows. Give an earlier data_start, more "
            "training_samples or fewer test_windows. If meters are read at other intervals than "
            f"{settings.intervals_per_hour} an hour, correct IntervalsPerHour of the deployment."
        )
    if not any(hours.training_other_than_zero for hours in found):
        raise NoConsumptionError(
            f"All {observations} known hours of the sampled meters are zero: nothing can be learnt from them. Give "
            "more training_samples, or days on which the meters were in use."
        )
    baselines.require_consumption(sum(hours.consumption for hours in found))
    return observations, min(hours.first_hour for hours in found)


if __name__ == "__main__":
    failures.run(main)
