"""Results of batch transforms, read line by line, and their rows of the table forecast."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from meter_data.lake.calendar import HOUR, MICROSECONDS
from meter_data.lake.columns import column_of
from meter_data.lake.meter_ranges import cut_by_weight
from meter_data.lake.schemas import INSTANT
from meter_data.lake.store import Store
from meter_data.series.hourly import Floats, Unit

# Rows of a file. A file is made from whole results, so that it may have some more.
ROWS_A_FILE = 2_000_000
ROWS_A_GROUP = 65_536
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_MICROSECONDS_A_SECOND = 1_000_000
_MICROSECONDS_AN_HOUR = HOUR * MICROSECONDS


@dataclass(frozen=True)
class Results:
    """Item: results by the number of their batch, and the file that their rows go to. `meters` are all of them."""

    results: tuple[tuple[int, str], ...]
    meters: int
    quantiles: tuple[str, ...]
    length: int
    unit: Unit
    model_name: str
    uri: str

    @property
    def rows(self) -> int:
        return self.meters * self.length


@dataclass(frozen=True)
class Fault:
    """A line that is no complete forecast, and why."""

    number: int
    meter_id: str | None
    reason: str


@dataclass(frozen=True)
class Read:
    """What an item's results hold: lines by batch, the meters of complete forecasts, faults, and the first and last
    time of a row. Rows are written to `uri` only where there is no fault.
    """

    uri: str
    lines: dict[int, int]
    meters: tuple[str, ...]
    faults: tuple[Fault, ...]
    rows: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class Forecast:
    """Of one meter: values by quantile and hour, from `start` on (UTC)."""

    meter_id: str
    start: datetime
    values: Floats


class _FaultError(ValueError):
    """Why a line is no complete forecast. `meter_id` as far as it is known."""

    def __init__(self, reason: str, meter_id: str | None) -> None:
        super().__init__(reason)
        self.meter_id = meter_id


def write_rows(store: Store, item: Results) -> Read:
    """Reads the item's results and writes their rows, sorted by meter and time, unless a line is faulty."""
    lines, faults, forecasts = dict[int, int](), list[Fault](), list[Forecast]()
    for number, uri in item.results:
        with store.open_stream(uri) as stream:
            texts = stream.read().decode(errors="replace").split("\n")
        # What follows the last line's end is no line.
        of_result = texts[:-1] if not texts[-1] else texts
        lines[number] = len(of_result)
        for text in of_result:
            try:
                forecasts.append(_parsed(text, item.quantiles, item.length))
            except _FaultError as fault:
                faults.append(Fault(number, fault.meter_id, str(fault)))
    found = sorted(forecasts, key=lambda each: (each.meter_id, each.start))
    meters = tuple(each.meter_id for each in found)
    if faults or not found:
        return Read(item.uri, lines, meters, tuple(faults), 0, None, None)
    table = rows_of(found, item.quantiles, item.unit, item.model_name)
    store.write_parquet(item.uri, table, ROWS_A_GROUP)
    starts = [each.start for each in found]
    return Read(
        item.uri, lines, meters, (), table.num_rows, min(starts), max(starts) + (item.length - 1) * timedelta(hours=1)
    )


def items(results: dict[int, str], meters_of: dict[int, int], template: Results, folder: str) -> list[Results]:
    """Returns items of consecutive batches, each for one file in `folder`. `template` has all that they share."""
    numbers = sorted(results)
    rows = np.array([meters_of[number] * template.length for number in numbers])
    return [
        replace(
            template,
            results=tuple((number, results[number]) for number in numbers[each.start : each.stop]),
            meters=sum(meters_of[number] for number in numbers[each.start : each.stop]),
            uri=f"{folder}{place:04d}.parquet",
        )
        for place, each in enumerate(cut_by_weight(rows, ROWS_A_FILE), start=1)
    ]


def rows_of(forecasts: Sequence[Forecast], quantiles: Sequence[str], unit: Unit, model_name: str) -> pa.Table:
    """Returns meter_id, datetime (UTC), a column of kWh for each quantile, and model_name: a row for each meter and
    hour. The forecasts are equally long.
    """
    # (meters, quantiles, hours). Quantiles of one hour are put in order, should they cross.
    values = np.sort(np.stack([each.values for each in forecasts]), axis=1) * unit.scale
    kwh = np.maximum(values, 0.0) if unit.is_whole else values
    hours = values.shape[2]
    starts = np.array([each.start.timestamp() for each in forecasts]).astype(np.int64) * _MICROSECONDS_A_SECOND
    times = (starts[:, None] + np.arange(hours) * _MICROSECONDS_AN_HOUR).ravel()
    ids = pa.array([each.meter_id for each in forecasts], pa.string())
    meters = column_of(ids, np.repeat(np.arange(len(forecasts)), hours))
    columns: dict[str, Any] = {"meter_id": meters.cast(pa.string())}
    columns["datetime"] = pa.array(times).cast(INSTANT)
    for place, quantile in enumerate(quantiles):
        columns[f"p{float(quantile) * 100:.0f}"] = pa.array(kwh[:, place].ravel())
    columns["model_name"] = pa.array([model_name] * len(times), pa.string())
    return pa.table(columns)


def _parsed(text: str, quantiles: Sequence[str], length: int) -> Forecast:
    try:
        line = json.loads(text)
    except ValueError:
        line = None
    if not isinstance(line, dict) or not isinstance(meter_id := line.get("meter_id"), str):
        raise _FaultError("no meter_id", None)
    start = _time(line.get("forecast_start"))
    if start is None:
        raise _FaultError("no forecast_start", meter_id)
    output = line.get("SageMakerOutput")
    by_quantile = output.get("quantiles") if isinstance(output, dict) else None
    values = []
    for quantile in quantiles:
        found = by_quantile.get(quantile) if isinstance(by_quantile, dict) else None
        if not isinstance(found, list):
            raise _FaultError(f"no quantile {quantile}", meter_id)
        if len(found) != length:
            raise _FaultError(f"not {length} values of quantile {quantile}", meter_id)
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in found):
            raise _FaultError(f"no finite number in quantile {quantile}", meter_id)
        values.append(found)
    return Forecast(meter_id, start, np.array(values, np.float64))


def _time(text: Any) -> datetime | None:
    """The time that is written yyyy-MM-dd HH:mm:ss, in UTC."""
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
