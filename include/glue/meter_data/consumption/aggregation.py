"""The work of aggregate_consumption: sums of touched days, weeks and months, and completeness.

The work has three steps, each a list of items that do not depend on each other:

1. touched_months: the days of a month from its readings, and its completeness;
2. touched_years: the weeks of an ISO year and the months of a year, from the days that step 1 has written;
3. completeness_report: what is said of the touched dates, from the completeness that step 1 has written.

An item is for all meters, or for a range of meters where all of them would be too many rows; see shares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from meter_data.consumption import completeness_report, published_tallies, touched_months, touched_years
from meter_data.consumption.partitions import COMPLETENESS, KEYS, Known, Written, new_versions
from meter_data.consumption.shares import DEFAULT_LIMITS, Limits
from meter_data.consumption.touched_dates import Touched
from meter_data.lake import date_ranges, published
from meter_data.lake.calendar import HOURS_A_DAY
from meter_data.lake.store import Store

ItemT = TypeVar("ItemT")
SummaryT = TypeVar("SummaryT")


class RunWork(Protocol):
    """Works through items, as runner.work.run does."""

    def __call__(self, work: Callable[[Store, ItemT], SummaryT], items: Sequence[ItemT]) -> list[SummaryT]: ...


def aggregate(
    store: Store,
    known: Known,
    touched: Touched,
    *,
    run: str,
    clean_bucket: str,
    business_bucket: str,
    intervals_per_hour: int,
    run_work: RunWork,
    limits: Limits = DEFAULT_LIMITS,
) -> dict[str, Any]:
    """Writes the tables' new partitions. Returns the summary of the job.

    `known` has `daily` and the four tables, as published when the job began. The summary says of each table which
    partitions were written, and of completeness which others the written ones depend on.
    """
    prefixes = {table: f"s3://{business_bucket}/{table}/run={run}/" for table in KEYS}
    for prefix in prefixes.values():
        store.delete_folder(prefix)  # what a try that was killed may have left
    tallies = published_tallies.find(store, clean_bucket)
    intervals_a_day = intervals_per_hour * HOURS_A_DAY
    months = touched_months.plan(store, known, touched, tallies, prefixes, intervals_a_day, limits)
    of_months = _together(run_work(touched_months.work_on_month, months))
    years = touched_years.plan(store, known, touched, of_months, prefixes, limits)
    of_years = _together(run_work(touched_years.work_on_year, years))
    complete = [file for file in of_months if file.target.table == COMPLETENESS]
    reports = run_work(completeness_report.work_on_report, completeness_report.plan(store, touched, complete, limits))
    tables: dict[str, dict[str, Any]] = {
        table: {
            "prefix": prefix,
            "partitions": published.replacing(new_versions(table, of_months + of_years), known[table]),
        }
        for table, prefix in prefixes.items()
    }
    tables[COMPLETENESS]["read"] = touched_months.read_beside(known, touched)
    return {
        "run": run,
        "tables": tables,
        "dates": date_ranges.to_ranges(touched.dates),
        "completeness": completeness_report.summary(reports) if complete else None,
    }


def _together(found: Iterable[list[Written]]) -> list[Written]:
    return [file for files in found for file in files]
