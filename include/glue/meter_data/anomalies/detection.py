"""The two steps of detect_anomalies: meters are judged by ranges, then each month is written anew with what it had.

Which months have new rows is known only once all meters are judged; and a month that is written anew carries over the
rows of all meters, also of those that nothing is judged of any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from meter_data.anomalies import judged_days
from meter_data.anomalies.design import Design, Floats
from meter_data.anomalies.judged_days import NO_ROW, Counts
from meter_data.anomalies.judgement import LEAST_HISTORY, judge
from meter_data.anomalies.rules import Flags
from meter_data.lake import meter_ranges, table_parts
from meter_data.lake.calendar import number_of_date
from meter_data.lake.columns import coded, column_of, day_numbers, values
from meter_data.lake.meter_ranges import ROWS_AN_ITEM, MeterRange
from meter_data.lake.meter_row_groups import METER, MeterRowGroup
from meter_data.lake.schemas import ANOMALY
from meter_data.lake.store import Store
from meter_data.lake.table_parts import parts, rows_of_meters

# Meters of one regression: of a year some 100,000 rows, whose arrays fit a processor's cache by parts.
METERS_A_CHUNK = 300
# A reader of one meter reads one row group of a file, or two.
ROWS_A_GROUP = 65_536

# Means of the weather, each with a value a day that is looked at; NaN where it is not known.
Weather = tuple[Floats, Floats]


@dataclass(frozen=True)
class MeterDays:
    """Item of the first step: these meters (sorted), the row groups of aggregated_daily and of the published table
    anomaly that hold them, and the folder that new rows go to. `name` is the item's own.
    """

    meters: tuple[str, ...]
    groups: tuple[MeterRowGroup, ...]
    judged: tuple[MeterRowGroup, ...]
    design: Design
    intervals_a_day: int
    level: float
    weather: Weather
    folder: str
    name: str

    @property
    def rows(self) -> int:
        return sum(group.rows for group in (*self.groups, *self.judged))


@dataclass(frozen=True)
class Judged:
    """What an item judged.

    found: (days, 3), how many new rows are -1, 0 and 1. files: of new rows, by month (yyyyMM).
    """

    counts: Counts
    found: NDArray[np.int64]
    files: Mapping[str, MeterRowGroup]


@dataclass(frozen=True)
class Month:
    """Item of the second step: a file of a month, with the rows of a range of meters.

    The rows are in row groups of new rows, and in those that were published before.
    """

    month: str
    meters: MeterRange
    groups: tuple[MeterRowGroup, ...]
    uri: str

    @property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)


def items_of_meters(
    meters: Sequence[str], days: Sequence[MeterRowGroup], judged: Sequence[MeterRowGroup], template: MeterDays
) -> list[MeterDays]:
    """Returns items that judge these meters, sorted. `template` has all that does not depend on the meters."""
    if not meters:
        return []
    expected = meter_ranges.expected_rows([*days, *judged], meters)
    ranges = meter_ranges.cut_by_weight(np.maximum(expected, len(template.design.days)), ROWS_AN_ITEM)
    shared = [meter_ranges.groups_of_ranges(groups, meters, ranges) for groups in (days, judged)]
    return [
        replace(
            template,
            meters=tuple(meters[each.start : each.stop]),
            groups=tuple(of_days),
            judged=tuple(of_judged),
            name=f"{number:04d}.parquet",
        )
        for number, (each, of_days, of_judged) in enumerate(zip(ranges, *shared, strict=True), start=1)
    ]


def judge_meters(store: Store, item: MeterDays) -> Judged:
    """Judges the new days of the item's meters, and writes their rows to a file for each month that has any."""
    first, length = item.design.days[0], len(item.design.days)
    consumption, intervals = _days(store, item, first, length)
    complete = judged_days.complete_days(intervals, item.intervals_a_day)
    is_judged = _judged(store, item, first, length)
    counts = judged_days.count(complete, is_judged, intervals, LEAST_HISTORY)
    rows = judge_rows(np.where(complete, consumption, np.nan), complete & ~is_judged, item.design, item.level)
    table = _table(rows, item.meters, first, item.weather)
    months = np.array([f"{day:%Y%m}" for day in item.design.days])[rows.day]
    files = {}
    for month in np.unique(months).tolist():
        of_month = table.filter(pa.array(months == month))
        uri = f"{item.folder}{month}/{item.name}"
        store.write_parquet(uri, of_month, ROWS_AN_ITEM)
        ids = of_month[METER]
        files[month] = MeterRowGroup(uri, 0, of_month.num_rows, ids[0].as_py(), ids[-1].as_py())
    return Judged(counts, _by_day(rows, length), files)


@dataclass(frozen=True)
class Rows:
    """Judged days in order of meter and day: places of meters and days, and what is said of each."""

    meter: NDArray[np.int64]
    day: NDArray[np.int64]
    consumption: Floats
    lower: Floats
    upper: Floats
    anomaly: NDArray[np.int64]
    importance: Floats


def judge_rows(consumption: Floats, is_new: Flags, design: Design, level: float) -> Rows:
    """Returns the judgements of the days that are new. Both are (meters, days); a day that is not complete is NaN.

    Nothing is said of a meter that has fewer than LEAST_HISTORY days.
    """
    # Not a number is no consumption.
    is_finite = np.isfinite(consumption)
    given, wanted = np.where(is_finite, consumption, np.nan), is_new & is_finite
    chosen = np.flatnonzero((is_finite.sum(axis=1) >= LEAST_HISTORY) & wanted.any(axis=1))
    empty = np.array([])
    found = [Rows(empty.astype(int), empty.astype(int), empty, empty, empty, empty.astype(int), empty)]
    for begin in range(0, len(chosen), METERS_A_CHUNK):
        meters = chosen[begin : begin + METERS_A_CHUNK]
        judgements, of_chunk = judge(given[meters], design, level), wanted[meters]
        at, day = np.nonzero(of_chunk)
        found.append(
            Rows(
                meters[at],
                day,
                given[meters][of_chunk],
                judgements.lower[of_chunk],
                judgements.upper[of_chunk],
                judgements.anomaly[of_chunk],
                judgements.importance[of_chunk],
            )
        )
    names = Rows.__dataclass_fields__
    return Rows(**{name: np.concatenate([getattr(each, name) for each in found]) for name in names})


def items_of_months(
    new: Sequence[Mapping[str, MeterRowGroup]], published: Mapping[str, Sequence[MeterRowGroup]], prefix: str
) -> list[Month]:
    """Returns items that write each month of which there are new rows to `month=…/` below `prefix`."""
    items: list[Month] = []
    for month in sorted({month for files in new for month in files}):
        of_new = [files[month] for files in new if month in files]
        items += _of_month(month, [*of_new, *published.get(month, ())], prefix)
    return items


def write_month(store: Store, item: Month) -> int:
    """Writes the item's rows, sorted by meter and day. Returns how many."""
    rows = table_parts.read(store, parts(item.groups), ANOMALY, item.meters)
    # Texts are compared once for each distinct meter; its rank stands for it in all its rows.
    meter, day = coded(rows[METER]).in_order().codes, values(rows["ds"].cast(pa.int32()))
    ordered = rows.take(pa.array(np.lexsort((day, meter))))
    store.write_parquet(item.uri, ordered.cast(ANOMALY), ROWS_A_GROUP)
    return int(ordered.num_rows)


def _days(store: Store, item: MeterDays, first: date, length: int) -> tuple[Floats, NDArray[np.int32]]:
    """(meters, days): consumption in kWh and number of intervals."""
    consumption = np.full((len(item.meters), length), np.nan)
    intervals = np.full(consumption.shape, NO_ROW, np.int32)
    names = ["date_str", "consumption", "interval_count"]
    for places, table in rows_of_meters(store, parts(item.groups), item.meters, names, ["date_str"]):
        days = day_numbers(table["date_str"]) - number_of_date(first)
        within = (days >= 0) & (days < length)
        at = (places[within], days[within])
        consumption[at] = values(table["consumption"])[within]
        intervals[at] = values(pc.fill_null(table["interval_count"], NO_ROW))[within]
    return consumption, intervals


def _judged(store: Store, item: MeterDays, first: date, length: int) -> Flags:
    """(meters, days): whether a day is in the published table anomaly."""
    is_judged = np.zeros((len(item.meters), length), bool)
    for places, table in rows_of_meters(store, parts(item.judged), item.meters, ["ds"]):
        days = values(table["ds"].cast(pa.int32())) - number_of_date(first)
        within = (days >= 0) & (days < length)
        is_judged[places[within], days[within]] = True
    return is_judged


def _table(rows: Rows, meters: Sequence[str], first: date, weather: Weather) -> pa.Table:
    """Rows as the table has them; the weather is null where it is not known."""
    columns: dict[str, Any] = {
        METER: column_of(pa.array(meters, pa.string()), rows.meter).cast(pa.string()),
        "ds": pa.array((rows.day + number_of_date(first)).astype(np.int32)).cast(pa.date32()),
        "consumption": pa.array(rows.consumption),
        "yhat_lower": pa.array(rows.lower),
        "yhat_upper": pa.array(rows.upper),
        "anomaly": pa.array(rows.anomaly.astype(np.int32)),
        "importance": pa.array(rows.importance),
        "temperature": pa.array(weather[0][rows.day], from_pandas=True),
        "apparenttemperature": pa.array(weather[1][rows.day], from_pandas=True),
    }
    return pa.table(columns, schema=ANOMALY)


def _by_day(rows: Rows, length: int) -> NDArray[np.int64]:
    """(days, 3): how many rows of each day are -1, 0 and 1."""
    # One number says day and judgement, so that one count serves both.
    found: NDArray[np.int64] = np.bincount(rows.day * 3 + rows.anomaly + 1, minlength=3 * length).reshape(length, 3)
    return found


def _of_month(month: str, groups: Sequence[MeterRowGroup], prefix: str) -> list[Month]:
    """One item, or as many as the month's rows need, each for a range of meters."""
    return [
        Month(
            month,
            meters,
            tuple(group for group in groups if meters.overlaps(group)),
            f"{prefix}month={month}/{number:04d}.parquet",
        )
        for number, meters in enumerate(meter_ranges.cut(groups, ROWS_AN_ITEM), start=1)
    ]
