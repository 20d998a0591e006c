"""The results of a run's batch transforms as rows of the table forecast: kWh by meter and hour.

    --batch              names the data of the run
    --model_name         is written into each row
    --scale              kWh that a value of the model stands for: 0.001 (Wh) or 1
    --quantiles          0.1,0.5,0.9; as columns p10, p50, p90
    --prediction_length  hours
    --spread_above_rows  rows above which the work is spread over the workers of Spark
    --clean_bucket, --working_bucket, --business_bucket, --database

Reads the summary of prepare_forecast_batches and forecast/<batch>/transformed/<nnnn>.jsonl.out. A batch whose transform
has failed is simply not there: the others are stored, and the summary names it. A batch that is there must be whole:
one complete forecast for each of its meters.

Quantiles of one hour are put in order, should they cross; those of a model of counts are 0 at least. Writes
forecast/run=<batch>/, sorted by meter and time, in place of what an earlier try wrote there, and, last,
_summaries/<batch>/store_forecasts.json.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from meter_data.lake import store as lake_store
from meter_data.lake.store import Store
from meter_data.lake.summaries import summary_uri
from meter_data.runner import failures, work
from meter_data.series import forecast_results, numbered_files
from meter_data.series.forecast_results import Read, Results
from meter_data.series.hourly import Unit

JOB, PREPARED_BY = "store_forecasts", "prepare_forecast_batches"
OPTIONS = [
    "batch",
    "model_name",
    "scale",
    "quantiles",
    "prediction_length",
    "clean_bucket",
    "working_bucket",
    "business_bucket",
    "spread_above_rows",
]
TIME = "%Y-%m-%d %H:%M:%S"
# So many bad lines are told, no more.
MOST_TOLD = 3
CLEAR = "Clear transform_batch of this batch, with its downstream tasks"


class NoForecastsError(ValueError):
    """No transform of the run has left a result."""


class BadForecastError(ValueError):
    """A line of a result is not one meter's complete forecast."""


class IncompleteBatchError(ValueError):
    """A result has another number of lines than its batch has meters, or a meter twice."""


def main() -> None:
    from awsglue.utils import getResolvedOptions

    store_rows(getResolvedOptions(sys.argv, OPTIONS))


def store_rows(given: dict[str, str], connect: Callable[[], Store] = lake_store.connect) -> None:
    """Writes the rows that the arguments `given` ask for."""
    batch, store = given["batch"], connect()
    prepared = store.read_json(summary_uri(given["clean_bucket"], batch, PREPARED_BY))
    meters_of = {entry["number"]: entry["meters"] for entry in prepared["batches"]}
    working = f"s3://{given['working_bucket']}/forecast/{batch}/"
    results = numbered_files.found(store, f"{working}transformed/")
    stored = {number: uri for number, uri in results.items() if number in meters_of}
    require_results(stored)
    # Rows become the table's only once all results are known to be whole: until then what an earlier try wrote stays.
    every = Results(
        (),
        0,
        tuple(given["quantiles"].split(",")),
        int(given["prediction_length"]),
        Unit(float(given["scale"])),
        given["model_name"],
        "",
    )
    store.delete_folder(f"{working}rows/")
    items = forecast_results.items(stored, meters_of, every, f"{working}rows/")
    read = work.run(forecast_results.write_rows, items, int(given["spread_above_rows"]), connect)
    require_whole(read, {number: meters_of[number] for number in stored})
    uri = f"s3://{given['business_bucket']}/forecast/run={batch}/"
    store.delete_folder(uri)
    for each in read:
        with store.open_stream(each.uri) as stream:
            store.write(uri + each.uri.rpartition("/")[2], stream.read())
    store.delete_folder(f"{working}rows/")
    store.write_json(summary_uri(given["clean_bucket"], batch, JOB), summary(batch, meters_of, stored, read, uri))


def require_results(stored: dict[int, str]) -> None:
    """Raises NoForecastsError if there is no result."""
    if not stored:
        raise NoForecastsError(
            "No transform of the run has left a result, so there is nothing to store. See why transform_batch failed; "
            "clear it with its downstream tasks."
        )


def require_whole(read: Iterable[Read], meters_of: dict[int, int]) -> None:
    """Raises BadForecastError or IncompleteBatchError unless each batch holds one forecast for each of its meters."""
    found = list(read)
    if bad := [fault for each in found for fault in each.faults][:MOST_TOLD]:
        told = "; ".join(f"batch {fault.number:04d}, meter {fault.meter_id}: {fault.reason}" for fault in bad)
        raise BadForecastError(f"Results hold lines that are no complete forecast ({told}). {CLEAR}.")
    forecasts = Counter(meter_id for each in found for meter_id in each.meters)
    if twice := [meter_id for meter_id, count in forecasts.items() if count > 1][:MOST_TOLD]:
        raise IncompleteBatchError(f"There is more than one forecast of meter {', '.join(twice)}. {CLEAR}.")
    counted = {number: lines for each in found for number, lines in each.lines.items()}
    for number, meters in meters_of.items():
        if counted[number] != meters:
            raise IncompleteBatchError(
                f"The result of batch {number:04d} has {counted[number]} forecasts; the batch has {meters} "
                f"meters. {CLEAR}."
            )


def summary(
    batch: str, meters_of: dict[int, int], stored: Iterable[int], read: Iterable[Read], uri: str
) -> dict[str, Any]:
    """Returns what lies in the folder, and which batches of the run it holds."""
    found = list(read)
    return {
        "batch": batch,
        "uri": uri,
        "rows": sum(each.rows for each in found),
        "meters": sum(len(each.meters) for each in found),
        "first": f"{min(each.first for each in found if each.first):{TIME}}",
        "last": f"{max(each.last for each in found if each.last):{TIME}}",
        "batches_stored": sorted(stored),
        "batches_missing": sorted(set(meters_of) - set(stored)),
    }


if __name__ == "__main__":
    failures.run(main)
