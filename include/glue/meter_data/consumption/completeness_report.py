"""The third step of aggregate_consumption: what its summary says of how complete the touched dates are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from meter_data.consumption.partitions import Written
from meter_data.consumption.shares import Limits, shares_of_days
from meter_data.consumption.touched_dates import Touched
from meter_data.lake import table_parts
from meter_data.lake.columns import coded, day_numbers, sums, values
from meter_data.lake.meter_ranges import MeterRange
from meter_data.lake.schemas import COMPLETENESS
from meter_data.lake.store import Store
from meter_data.lake.table_parts import Part

# The columns of the table completeness that are looked at.
REPORTED = pa.schema(
    [
        COMPLETENESS.field(name)
        for name in ("meter_id", "date_str", "expected", "received", "estimated", "rejected", "duplicates")
    ]
)
WORST_DAYS = 5
_SUMMED = ("expected", "received", "estimated", "rejected", "duplicates", "incomplete_meters")
_TOLD = ("date_str", "expected", "received", "incomplete_meters")


@dataclass(frozen=True)
class ReportItem:
    """The completeness of the touched dates (numbers of days since 1970)."""

    meters: MeterRange
    rows: int
    days: frozenset[int]
    complete: tuple[Part, ...]


def plan(store: Store, touched: Touched, complete: Sequence[Written], limits: Limits) -> list[ReportItem]:
    """Returns the items of the report. `complete` are the files of completeness that were written."""
    days = frozenset().union(*touched.days_by_month.values())
    wanted = [file for file in complete if file.target.value in touched.months]
    rows = sum(file.rows for file in wanted)
    sources = [[file.target.uri for file in wanted]]
    return [
        ReportItem(share.meters, share.rows, days, *share.parts)
        for share in shares_of_days(store, sources, rows, limits)
    ]


def work_on_report(store: Store, item: ReportItem) -> dict[str, Any]:
    """Returns what is said of the meters of a range."""
    rows = table_parts.read(store, item.complete, REPORTED, item.meters)
    return report(_on_days(rows, item.days))


def report(found: pa.Table) -> dict[str, Any]:
    """Returns what `summary` adds up: by date, and of the meters, each of which has all its rows (REPORTED) here."""
    date, meter = coded(found["date_str"]), coded(found["meter_id"])
    expected, received = values(found["expected"]), values(found["received"])
    is_incomplete = received < expected
    columns = {name: values(found[name]) for name in ("estimated", "rejected", "duplicates")}
    # A surplus of a meter and day fills no gap of another.
    columns |= {"expected": expected, "received": np.minimum(received, expected), "incomplete_meters": is_incomplete}
    counts = {name: sums(date.codes, column, len(date.texts)).astype(np.int64) for name, column in columns.items()}
    has_rows = np.bincount(date.codes, minlength=len(date.texts)) > 0
    days = [
        {"date_str": text, **{name: int(counts[name][place]) for name in _SUMMED}}
        for place, text in enumerate(date.texts.to_pylist())
        if has_rows[place]
    ]
    rows_of_meters = np.bincount(meter.codes, minlength=len(meter.texts))
    is_incomplete_meter = sums(meter.codes, is_incomplete, len(meter.texts)) > 0
    is_silent_meter = (rows_of_meters > 0) & (sums(meter.codes, received > 0, len(meter.texts)) == 0)
    return {
        "meters": int(np.count_nonzero(rows_of_meters)),
        "incomplete_meters": int(np.count_nonzero(is_incomplete_meter)),
        "silent_meters": int(np.count_nonzero(is_silent_meter)),
        "days": days,
    }


def summary(reports: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Returns how complete the days of some reports are, each of which is about other meters.

    It holds counts and dates only, so that it may stand in a log.
    """
    found = list(reports)
    by_date: dict[str, dict[str, Any]] = {}
    for day in (day for part in found for day in part["days"]):
        known = by_date.setdefault(day["date_str"], {"date_str": day["date_str"], **dict.fromkeys(_SUMMED, 0)})
        for name in _SUMMED:
            known[name] += day[name]
    days = list(by_date.values())
    worst = sorted(days, key=lambda day: (day["received"] - day["expected"], day["date_str"]))
    return {
        **{name: sum(day[name] for day in days) for name in _SUMMED[:-1]},
        **{name: sum(part[name] for part in found) for name in ("meters", "incomplete_meters", "silent_meters")},
        "days": len(days),
        "incomplete_days": sum(day["incomplete_meters"] > 0 for day in days),
        "worst_days": [
            {name: day[name] for name in _TOLD} for day in worst[:WORST_DAYS] if day["received"] < day["expected"]
        ],
    }


def _on_days(found: pa.Table, days: Collection[int]) -> pa.Table:
    """Returns the rows of a table with date_str that are of these days."""
    return found.filter(pa.array(np.isin(day_numbers(found["date_str"]), list(days))))
