"""The work of aggregate_consumption: sums of touched days, weeks and months, and completeness.

The work has three steps, each a list of items that do not depend on each other:

1. months: the days of a month from its readings, and its completeness;
2. weeks and months: those of an ISO year or a year, from the days that step 1 has written;
3. the report on the touched dates, from the completeness that step 1 has written.

An item is for all meters, or for a range of meters where all of them would be too many rows. Each item writes one file
of each of its tables, which holds its meters in their order. The files of a partition are named in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from meter_data.consumption import completeness, day_sums, periods, published_tallies
from meter_data.consumption.published_tallies import Load, TalliesFile
from meter_data.consumption.touched_dates import Touched
from meter_data.lake import columns, date_ranges, published, table_parts
from meter_data.lake.calendar import day_of, number_of
from meter_data.lake.meter_ranges import MeterRange, RowGroupOfMeters, cut
from meter_data.lake.published import Published, Values
from meter_data.lake.schemas import AGGREGATED_DAILY, AGGREGATED_MONTHLY, AGGREGATED_WEEKLY, INTERVAL
from meter_data.lake.store import SNAPPY, ZSTD, Store
from meter_data.lake.table_parts import ALL_METERS, Part

READINGS = "daily"
DAILY, WEEKLY, MONTHLY = "aggregated_daily", "aggregated_weekly", "aggregated_monthly"
COMPLETE = "completeness"
KEYS = {DAILY: "month", WEEKLY: "iso_year", MONTHLY: "year", COMPLETE: "month"}
# load_redshift copies all of these but completeness.
CODECS = {DAILY: SNAPPY, WEEKLY: SNAPPY, MONTHLY: SNAPPY, COMPLETE: ZSTD}
HOURS_A_DAY = 24
ROWS_A_GROUP = 131_072

# An item holds a million readings at a time, but the days of all of them, some 8 million / 48. Its grid of meters and
# days is about as large.
READINGS_AN_ITEM = 8_000_000
# A day's row is held whole, where of a reading little remains.
DAYS_AN_ITEM = 1_000_000

# What the catalog publishes: the partitions of each table by their values.
Known = Mapping[str, Mapping[Values, Published]]

ItemT = TypeVar("ItemT")
SummaryT = TypeVar("SummaryT")


class RunWork(Protocol):
    """Works through items, as runner.work.run does."""

    def __call__(self, work: Callable[[Store, ItemT], SummaryT], items: Sequence[ItemT]) -> list[SummaryT]: ...


@dataclass(frozen=True)
class Limits:
    """How many rows an item may read before it is cut into ranges of meters."""

    readings: int = READINGS_AN_ITEM
    days: int = DAYS_AN_ITEM

    @property
    def weight_of_day(self) -> int:
        """As many readings as a row of a day counts."""
        return max(1, self.readings // self.days)


@dataclass(frozen=True)
class Target:
    """A file of a partition of a table: `number` is its place among the partition's files."""

    table: str
    prefix: str
    value: str
    number: int

    @property
    def uri(self) -> str:
        """Where the file lies."""
        return f"{self.prefix}{KEYS[self.table]}={self.value}/{self.number:05d}.parquet"

    def write(self, store: Store, rows: pa.Table) -> Written | None:
        """Writes the file. Nothing is written, and None returned, without rows."""
        if not rows.num_rows:
            return None
        store.write_parquet(self.uri, rows, ROWS_A_GROUP, CODECS[self.table])
        return Written(self, rows.num_rows)


@dataclass(frozen=True)
class Written:
    """A file that was written, and its number of rows."""

    target: Target
    rows: int


@dataclass(frozen=True)
class MonthItem:
    """The days of a month, or its completeness alone if it is not touched.

    month            yyyyMM
    summed_days      the touched dates of the month, as numbers of days since 1970
    readings         the interval readings of these dates and perhaps of others of the month
    days             the published days of the month (aggregated_daily); none if it is not touched
    complete         the published completeness of the month
    days_before, readings_before, complete_before   likewise of the month before: which meters had readings in it
    tallies          of the month
    loaded           the loaded days of the month; None if this item, which has all meters, is to find them
    not_counted      loads whose tallies do not count; None likewise
    """

    month: str
    meters: MeterRange
    rows: int
    intervals_a_day: int
    daily: Target | None
    complete_to: Target
    summed_days: frozenset[int]
    readings: tuple[Part, ...]
    days: tuple[Part, ...]
    complete: tuple[Part, ...]
    days_before: frozenset[int]
    readings_before: tuple[Part, ...]
    complete_before: tuple[Part, ...]
    tallies: tuple[tuple[TalliesFile, Part], ...]
    loaded: frozenset[int] | None = None
    not_counted: frozenset[Load] | None = None


@dataclass(frozen=True)
class PeriodItem:
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


@dataclass(frozen=True)
class ReportItem:
    """The completeness of the touched dates (numbers of days since 1970)."""

    meters: MeterRange
    rows: int
    days: frozenset[int]
    complete: tuple[Part, ...]


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
    limits: Limits = Limits(),
) -> dict[str, Any]:
    """Writes the tables' new partitions. Returns the summary of the job.

    `known` has `daily` and the four tables, as published when the job began.
    """
    prefixes = {table: f"s3://{business_bucket}/{table}/run={run}/" for table in KEYS}
    for prefix in prefixes.values():
        store.delete_folder(prefix)  # what a try that was killed may have left
    tallies = published_tallies.find(store, clean_bucket)
    months = plan_months(store, known, touched, tallies, prefixes, intervals_per_hour * HOURS_A_DAY, limits)
    of_months = _written(run_work(work_on_month, months))
    of_periods = _written(run_work(work_on_period, plan_periods(store, known, touched, of_months, prefixes, limits)))
    complete = [file for file in of_months if file.target.table == COMPLETE]
    reports = run_work(work_on_report, plan_report(store, touched, complete, limits))
    tables = {
        table: {
            "prefix": prefix,
            "partitions": published.replacing(partitions(table, of_months + of_periods), known[table]),
        }
        for table, prefix in prefixes.items()
    }
    return {
        "run": run,
        "tables": tables,
        "dates": date_ranges.to_ranges(touched.dates),
        "completeness": completeness.summary(reports) if complete else None,
    }


def partitions(table: str, files: Iterable[Written]) -> list[dict[str, Any]]:
    """Returns values, location and rows of the partitions of a table that were written, in order of their values."""
    rows: dict[str, int] = {}
    for file in files:
        if file.target.table == table:
            location = file.target.uri.rpartition("/")[0] + "/"
            rows[location] = rows.get(location, 0) + file.rows
    return [
        {"values": [location.rpartition("=")[2].rstrip("/")], "location": location, "rows": count}
        for location, count in sorted(rows.items())
    ]


# The first step: days and completeness, by month.


def plan_months(
    store: Store,
    known: Known,
    touched: Touched,
    tallies: Sequence[TalliesFile],
    prefixes: Mapping[str, str],
    intervals_a_day: int,
    limits: Limits,
) -> list[MonthItem]:
    """Returns the items of the touched months and, where completeness is published, of those after them.

    Which meters are missed in a month depends on the month before.
    """
    after = {month for month in touched.months_after if (month,) in known[COMPLETE]}
    items: list[MonthItem] = []
    for month in sorted(touched.months | after):
        sources = _Sources.of_month(store, known, touched, tallies, month)
        for number, share in enumerate(sources.shares(store, limits)):
            daily = Target(DAILY, prefixes[DAILY], month, number) if month in touched.months else None
            complete_to = Target(COMPLETE, prefixes[COMPLETE], month, number)
            items.append(
                MonthItem(
                    month,
                    intervals_a_day=intervals_a_day,
                    daily=daily,
                    complete_to=complete_to,
                    summed_days=sources.summed_days,
                    days_before=sources.days_before,
                    **share,
                )
            )
    return items


def work_on_month(store: Store, item: MonthItem) -> list[Written]:
    """Writes the days of a month, if it is touched, and its completeness."""
    month = days_of(item.month)
    readings = table_parts.slices(store, item.readings, day_sums.COLUMNS, day_sums.TEXTS)
    summed = day_sums.sum_days(readings, item.summed_days, item.meters)
    written = []
    if item.daily is not None:
        others = table_parts.read(store, item.days, AGGREGATED_DAILY, item.meters)
        days = periods.days_of_month(summed, others, item.summed_days, month)
        written.append(item.daily.write(store, days))

    others = table_parts.read(store, item.complete, completeness.CARRIED, item.meters)
    carried = completeness.carried_over(others, item.summed_days)
    counted = pa.concat_tables([summed.select(completeness.COUNTED.names), carried]).unify_dictionaries()
    loaded = frozenset(counted["day"].unique().to_pylist()) if item.loaded is None else item.loaded
    if loaded:
        rows = completeness.rows(
            month, counted, _meters_before(store, item), _tallied(store, item), loaded, item.intervals_a_day
        )
        written.append(item.complete_to.write(store, rows))
    return [file for file in written if file is not None]


def _meters_before(store: Store, item: MonthItem) -> pa.Array:
    """The meters that had readings in the month before, by its readings or, on other days, by what is published."""
    published_rows = table_parts.read(store, item.complete_before, completeness.CARRIED, item.meters)
    carried = completeness.carried_over(published_rows, item.days_before)
    readings = table_parts.slices(store, item.readings_before, ("meter_id", "date_str"), ("meter_id", "date_str"))
    found = day_sums.meters_on(readings, item.days_before, item.meters)
    return pa.concat_arrays([found, columns.distinct(carried["meter_id"])]).unique()


def _tallied(store: Store, item: MonthItem) -> pa.Table:
    not_counted = item.not_counted
    if not_counted is None:
        not_counted = published_tallies.superseded(store, [file for file, _ in item.tallies])
    return published_tallies.by_day(store, item.tallies, not_counted, item.meters)


@dataclass(frozen=True)
class _Sources:
    """The files that the items of a month read, by their field in MonthItem, and the rows of each as catalogued."""

    month: str
    summed_days: frozenset[int]
    days_before: frozenset[int]
    files: dict[str, list[str]]
    rows: dict[str, int]
    tallies: list[TalliesFile] = field(default_factory=list)

    @classmethod
    def of_month(
        cls, store: Store, known: Known, touched: Touched, tallies: Iterable[TalliesFile], month: str
    ) -> _Sources:
        before = f"{date_ranges.to_date(month + '01') - date_ranges.ONE_DAY:%Y%m}"
        summed_days = touched.days_by_month.get(month, frozenset())
        days_before = touched.days_by_month.get(before, frozenset())
        wanted = {
            "readings": _readings(known, summed_days, month) if summed_days else [],
            "days": _partition(known[DAILY], month) if month in touched.months else [],
            "complete": _partition(known[COMPLETE], month),
            "readings_before": _readings(known, days_before, before) if days_before else [],
            "complete_before": _partition(known[COMPLETE], before),
        }
        files = {name: _files(store, found) for name, found in wanted.items()}
        rows = {name: sum(partition.rows for partition in found) for name, found in wanted.items()}
        return cls(month, summed_days, days_before, files, rows, [file for file in tallies if file.month == month])

    def shares(self, store: Store, limits: Limits) -> list[dict[str, Any]]:
        """What differs between the items of the month: one for all meters, or one for each range of meters."""
        weights = {name: 1 if name.startswith("readings") else limits.weight_of_day for name in self.files}
        if sum(self.rows[name] * weights[name] for name in self.files) <= limits.readings:
            whole = {name: table_parts.whole(uris) for name, uris in self.files.items()}
            tallies = tuple((file, Part(file.uri)) for file in self.tallies)
            rows = sum(self.rows[name] for name in ("readings", "days", "complete"))
            return [{"meters": ALL_METERS, "rows": rows, "tallies": tallies, **whole}]

        groups = {name: table_parts.row_groups(store, uris) for name, uris in self.files.items()}
        of_tallies = table_parts.row_groups(store, [file.uri for file in self.tallies])
        weighed = [group for name, found in groups.items() for group in table_parts.weighted(found, weights[name])]
        weighed += table_parts.weighted(of_tallies, limits.weight_of_day)
        ranges = cut(weighed, limits.readings)
        # What is true of the whole month is found here, for no range shows it.
        common = {"loaded": self._loaded(store), "not_counted": published_tallies.superseded(store, self.tallies)}
        return [
            {
                "meters": meters,
                "rows": sum(_rows(groups[name], meters) for name in ("readings", "days", "complete")),
                "tallies": tuple(
                    (file, part) for file in self.tallies for part in _of_file(of_tallies, meters, file.uri)
                ),
                **{name: table_parts.parts(found, meters) for name, found in groups.items()},
                **common,
            }
            for meters in ranges
        ]

    def _loaded(self, store: Store) -> frozenset[int]:
        """The loaded days of the month: summed days with readings, and other days of which readings are published."""
        readings = table_parts.slices(store, table_parts.whole(self.files["readings"]), ("date_str",), ("date_str",))
        summed = day_sums.days_of(readings, self.summed_days)
        columns = ("date_str", "received")
        complete = table_parts.slices(store, table_parts.whole(self.files["complete"]), columns, ("date_str",))
        others = set(days_of(self.month)) - self.summed_days
        return frozenset(summed | day_sums.days_of((completeness.with_readings(table) for table in complete), others))


def _readings(known: Known, days: Iterable[int], month: str) -> list[Published]:
    """The partitions that hold interval readings of days of a month: one, or at grain day one for each day."""
    values = [month, *(f"{day_of(day):%Y%m%d}" for day in sorted(days))]
    found = (known[READINGS].get((INTERVAL, value)) for value in values)
    return [partition for partition in found if partition]


def _partition(known: Mapping[Values, Published], value: str) -> list[Published]:
    return [known[(value,)]] if (value,) in known else []


def _files(store: Store, found: Iterable[Published]) -> list[str]:
    return [uri for partition in found for uri in store.parquet_files(partition.location)]


def _rows(groups: Iterable[RowGroupOfMeters], meters: MeterRange) -> int:
    return sum(group.rows for group in groups if table_parts.overlaps(group, meters))


def _of_file(groups: Iterable[RowGroupOfMeters], meters: MeterRange, uri: str) -> tuple[Part, ...]:
    return table_parts.parts((group for group in groups if group.uri == uri), meters)


# The second step: weeks and months, by year.


def plan_periods(
    store: Store,
    known: Known,
    touched: Touched,
    written: Sequence[Written],
    prefixes: Mapping[str, str],
    limits: Limits,
) -> list[PeriodItem]:
    """Returns the items of the touched ISO years and years. `written` are the files of the first step."""
    mondays_of: dict[str, set[date]] = {}
    for monday in touched.mondays:
        mondays_of.setdefault(str(monday.isocalendar().year), set()).add(monday)
    items: list[PeriodItem] = []
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


def work_on_period(store: Store, item: PeriodItem) -> list[Written]:
    """Writes the weeks of an ISO year or the months of a year."""
    days = table_parts.read(store, item.days, AGGREGATED_DAILY, item.meters)
    if item.target.table == WEEKLY:
        rows = periods.weeks(days, item.starts, table_parts.read(store, item.published, AGGREGATED_WEEKLY, item.meters))
    else:
        others = table_parts.read(store, item.published, AGGREGATED_MONTHLY, item.meters)
        rows = periods.months(days, item.starts, others)
    written = item.target.write(store, rows)
    return [written] if written else []


def _plan_year(
    store: Store,
    known: Known,
    touched: Touched,
    written: Sequence[Written],
    months: set[str],
    starts: Sequence[str],
    target: Target,
    limits: Limits,
) -> list[PeriodItem]:
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
            others = _partition(known[DAILY], month)
            days += _files(store, others)
            rows += sum(partition.rows for partition in others)
    replaced = _partition(known[target.table], target.value)
    rows += sum(partition.rows for partition in replaced)
    sources = [days, _files(store, replaced)]
    return [
        PeriodItem(
            Target(target.table, target.prefix, target.value, number),
            meters,
            rows_of_range,
            tuple(sorted(starts)),
            *found,
        )
        for number, (meters, rows_of_range, found) in enumerate(_cut_days(store, sources, rows, limits))
    ]


# The third step: what is said of the touched dates.


def plan_report(store: Store, touched: Touched, complete: Sequence[Written], limits: Limits) -> list[ReportItem]:
    """Returns the items of the report. `complete` are the files of completeness that were written."""
    days = frozenset().union(*touched.days_by_month.values())
    wanted = [file for file in complete if file.target.value in touched.months]
    rows = sum(file.rows for file in wanted)
    sources = [[file.target.uri for file in wanted]]
    return [
        ReportItem(meters, rows_of_range, days, *found)
        for meters, rows_of_range, found in _cut_days(store, sources, rows, limits)
    ]


def work_on_report(store: Store, item: ReportItem) -> dict[str, Any]:
    """Returns what is said of the meters of a range."""
    rows = table_parts.read(store, item.complete, completeness.REPORTED, item.meters)
    return completeness.report(completeness.on_days(rows, item.days))


def _cut_days(
    store: Store, sources: Sequence[Sequence[str]], rows: int, limits: Limits
) -> list[tuple[MeterRange, int, list[tuple[Part, ...]]]]:
    """Ranges of meters for files of days: about how many rows each has, and its parts of each list of files."""
    if rows <= limits.days:
        return [(ALL_METERS, rows, [table_parts.whole(uris) for uris in sources])]
    groups = [table_parts.row_groups(store, uris) for uris in sources]
    ranges = cut([group for found in groups for group in found], limits.days)
    return [
        (meters, sum(_rows(found, meters) for found in groups), [table_parts.parts(found, meters) for found in groups])
        for meters in ranges
    ]


def days_of(month: str) -> range:
    """Returns the days of a month (yyyyMM), as numbers since 1970."""
    first = number_of(month + "01")
    after = date_ranges.to_date(month + "01") + 31 * date_ranges.ONE_DAY
    return range(first, number_of(f"{after:%Y%m}01"))


def _written(found: Iterable[list[Written]]) -> list[Written]:
    return [file for files in found for file in files]
