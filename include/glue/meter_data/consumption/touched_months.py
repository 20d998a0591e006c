"""The first step of aggregate_consumption: the days of touched months, and completeness.

A month's days are summed from its readings. Its completeness follows from them too, so both are written by one item.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from meter_data.consumption import completeness, day_sums, periods, published_tallies
from meter_data.consumption.partitions import (
    COMPLETENESS,
    DAILY,
    Known,
    Target,
    Written,
    files_of,
    published_partition,
    published_readings,
)
from meter_data.consumption.published_tallies import Load, TalliesFile
from meter_data.consumption.shares import Limits, rows_of
from meter_data.consumption.touched_dates import Touched
from meter_data.lake import columns, date_ranges, meter_row_groups, table_parts
from meter_data.lake.calendar import days_of
from meter_data.lake.meter_ranges import ALL_METERS, MeterRange, cut
from meter_data.lake.meter_row_groups import weighted
from meter_data.lake.schemas import AGGREGATED_DAILY
from meter_data.lake.store import Store
from meter_data.lake.table_parts import Part


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


# Planning.


def plan(
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
    items: list[MonthItem] = []
    for month in sorted(_months(known, touched)):
        sources = _Sources.of_month(store, known, touched, tallies, month)
        for number, share in enumerate(sources.shares(store, limits)):
            daily = Target(DAILY, prefixes[DAILY], month, number) if month in touched.months else None
            complete_to = Target(COMPLETENESS, prefixes[COMPLETENESS], month, number)
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


def read_beside(known: Known, touched: Touched) -> list[dict[str, Any]]:
    """Returns values and location of the completeness of months beside those that are planned; None: not published.

    The month before was read. A month after that is not published is not planned. Were either published by another run
    before this run's partitions are, then one of two months would not know which meters the other has.
    """
    beside = (touched.months_before | touched.months_after) - _months(known, touched)
    published = known[COMPLETENESS]
    return [
        {"values": [month], "location": published[month,].location if (month,) in published else None}
        for month in sorted(beside)
    ]


def _months(known: Known, touched: Touched) -> set[str]:
    """The touched months and, of those after them, the ones whose completeness is published."""
    return touched.months | {month for month in touched.months_after if (month,) in known[COMPLETENESS]}


@dataclass(frozen=True)
class _Sources:
    """The files that the items of a month read, by their field in MonthItem, and the rows of each as catalogued."""

    month: str
    summed_days: frozenset[int]
    days_before: frozenset[int]
    files: dict[str, list[str]]
    rows: dict[str, int]
    tallies: list[TalliesFile]

    @classmethod
    def of_month(
        cls, store: Store, known: Known, touched: Touched, tallies: Iterable[TalliesFile], month: str
    ) -> _Sources:
        before = f"{date_ranges.to_date(month + '01') - date_ranges.ONE_DAY:%Y%m}"
        summed_days = touched.days_by_month.get(month, frozenset())
        days_before = touched.days_by_month.get(before, frozenset())
        wanted = {
            "readings": published_readings(known, summed_days, month) if summed_days else [],
            "days": published_partition(known, DAILY, month) if month in touched.months else [],
            "complete": published_partition(known, COMPLETENESS, month),
            "readings_before": published_readings(known, days_before, before) if days_before else [],
            "complete_before": published_partition(known, COMPLETENESS, before),
        }
        files = {name: files_of(store, found) for name, found in wanted.items()}
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

        groups = {name: meter_row_groups.of_files(store, uris) for name, uris in self.files.items()}
        of_tallies = meter_row_groups.of_files(store, [file.uri for file in self.tallies])
        tallies_file = {file.uri: file for file in self.tallies}
        weighed = [group for name, found in groups.items() for group in weighted(found, weights[name])]
        weighed += weighted(of_tallies, limits.weight_of_day)
        # What is true of the whole month is found here, for no range shows it.
        common = {"loaded": self._loaded(store), "not_counted": published_tallies.superseded(store, self.tallies)}
        return [
            {
                "meters": meters,
                "rows": sum(rows_of(groups[name], meters) for name in ("readings", "days", "complete")),
                "tallies": tuple((tallies_file[part.uri], part) for part in table_parts.parts(of_tallies, meters)),
                **{name: table_parts.parts(found, meters) for name, found in groups.items()},
                **common,
            }
            for meters in cut(weighed, limits.readings)
        ]

    def _loaded(self, store: Store) -> frozenset[int]:
        """The loaded days of the month: summed days with readings, and other days of which readings are published."""
        readings = table_parts.slices(store, table_parts.whole(self.files["readings"]), ("date_str",), ("date_str",))
        summed = day_sums.days_of(readings, self.summed_days)
        names = ("date_str", "received")
        complete = table_parts.slices(store, table_parts.whole(self.files["complete"]), names, ("date_str",))
        others = set(days_of(self.month)) - self.summed_days
        return frozenset(summed | day_sums.days_of((completeness.with_readings(table) for table in complete), others))


# Working.


def work_on_month(store: Store, item: MonthItem) -> list[Written]:
    """Writes the days of a month, if it is touched, and its completeness."""
    month = days_of(item.month)
    readings = table_parts.slices(store, item.readings, day_sums.COLUMNS, day_sums.TEXTS)
    summed = day_sums.sum_days(readings, item.summed_days, item.meters)
    written: list[Written] = []
    if item.daily is not None:
        others = table_parts.read(store, item.days, AGGREGATED_DAILY, item.meters)
        days = periods.days_of_month(summed, others, item.summed_days, month)
        written += item.daily.write(store, days)

    others = table_parts.read(store, item.complete, completeness.CARRIED, item.meters)
    carried = completeness.carried_over(others, item.summed_days)
    counted = pa.concat_tables([summed.select(completeness.COUNTED.names), carried]).unify_dictionaries()
    loaded = frozenset(counted["day"].unique().to_pylist()) if item.loaded is None else item.loaded
    if loaded:
        rows = completeness.rows(
            month, counted, _meters_before(store, item), _tallied(store, item), loaded, item.intervals_a_day
        )
        written += item.complete_to.write(store, rows)
    return written


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
