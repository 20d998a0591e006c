"""The second step of aggregate_consumption: the touched weeks of an ISO year, and the touched months of a year.

Both are summed from days: those of touched months as the first step has written them, others as they are published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from meter_data.consumption import periods
from meter_data.consumption.partitions import (
    DAILY,
    MONTHLY,
    WEEKLY,
    Known,
    Target,
    Written,
    files_of,
    published_partition,
)
from meter_data.consumption.shares import Limits, shares_of_days
from meter_data.consumption.touched_dates import Touched
from meter_data.lake import date_ranges, table_parts
from meter_data.lake.meter_ranges import MeterRange
from meter_data.lake.schemas import AGGREGATED_DAILY, AGGREGATED_MONTHLY, AGGREGATED_WEEKLY
from meter_data.lake.store import Store
from meter_data.lake.table_parts import Part


@dataclass(frozen=True)
class YearItem:
    """The weeks of an ISO year, or the months of a year.

    starts      the first days (yyyyMMdd) of the touched weeks or months
    days        all days of these, in order of time
    published   the published weeks or months of the year
    """

    target: Target
    meters: MeterRange
    rows: int
    starts: tuple[str, ...]
    days: tuple[Part, ...]
    published: tuple[Part, ...]


def plan(
    store: Store,
    known: Known,
    touched: Touched,
    written: Sequence[Written],
    prefixes: Mapping[str, str],
    limits: Limits,
) -> list[YearItem]:
    """Returns the items of the touched ISO years and years. `written` are the files of the first step."""
    mondays_of: dict[str, set[date]] = {}
    for monday in touched.mondays:
        mondays_of.setdefault(str(monday.isocalendar().year), set()).add(monday)
    items: list[YearItem] = []
    for year, mondays in sorted(mondays_of.items()):
        starts = [f"{monday:%Y%m%d}" for monday in mondays]
        days = {monday + number * date_ranges.ONE_DAY for monday in mondays for number in range(7)}
        months = {f"{day:%Y%m}" for day in days}
        target = Target(WEEKLY, prefixes[WEEKLY], year, 0)
        items += _plan_year(store, known, touched, written, months, starts, target, limits)
    for year in sorted({month[:4] for month in touched.months}):
        months = {month for month in touched.months if month.startswith(year)}
        starts = [f"{month}01" for month in months]
        target = Target(MONTHLY, prefixes[MONTHLY], year, 0)
        items += _plan_year(store, known, touched, written, months, starts, target, limits)
    return items


def work_on_year(store: Store, item: YearItem) -> list[Written]:
    """Writes the weeks of an ISO year or the months of a year."""
    days = table_parts.read(store, item.days, AGGREGATED_DAILY, item.meters)
    is_weekly = item.target.table == WEEKLY
    schema, summed = (AGGREGATED_WEEKLY, periods.weeks) if is_weekly else (AGGREGATED_MONTHLY, periods.months)
    others = table_parts.read(store, item.published, schema, item.meters)
    return item.target.write(store, summed(days, item.starts, others))


def _plan_year(
    store: Store,
    known: Known,
    touched: Touched,
    written: Sequence[Written],
    months: set[str],
    starts: Sequence[str],
    target: Target,
    limits: Limits,
) -> list[YearItem]:
    """The items of a year whose touched periods have their days in these months."""
    days: list[str] = []
    rows = 0
    # The order of the months is that of the days of a meter.
    for month in sorted(months):
        if month in touched.months:
            new = [file for file in written if file.target.table == DAILY and file.target.value == month]
            days += [file.target.uri for file in new]
            rows += sum(file.rows for file in new)
        else:
            others = published_partition(known, DAILY, month)
            days += files_of(store, others)
            rows += sum(partition.rows for partition in others)
    replaced = published_partition(known, target.table, target.value)
    rows += sum(partition.rows for partition in replaced)
    shares = shares_of_days(store, [days, files_of(store, replaced)], rows, limits)
    return [
        YearItem(replace(target, number=number), share.meters, share.rows, tuple(sorted(starts)), *share.parts)
        for number, share in enumerate(shares)
    ]
