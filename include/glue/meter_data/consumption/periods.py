"""Sums days to ISO weeks and calendar months, kWh by meter."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import pyarrow as pa

from meter_data.lake.calendar import date_text, day_of, number_of
from meter_data.lake.columns import coded, column_of, days_and_codes, in_order, sums, values
from meter_data.lake.schemas import AGGREGATED_DAILY, AGGREGATED_MONTHLY, AGGREGATED_WEEKLY


def week_start(day: int) -> str:
    """Returns the Monday (yyyyMMdd) of a day's ISO week; days are numbers since 1970."""
    return date_text(day - day_of(day).weekday())


def month_start(day: int) -> str:
    """Returns the first day (yyyyMMdd) of a day's month."""
    return f"{day_of(day):%Y%m}01"


def week_of_year(start: str) -> int:
    """Returns the ISO week of a date (yyyyMMdd)."""
    return day_of(number_of(start)).isocalendar().week


def month_of_year(start: str) -> int:
    """Returns the month, 1 to 12, of a date (yyyyMMdd)."""
    return int(start[4:6])


def weeks(days: pa.Table, mondays: Collection[str], published: pa.Table) -> pa.Table:
    """Returns AGGREGATED_WEEKLY: the weeks of these Mondays from their days, the others as published.

    `days` have AGGREGATED_DAILY with texts as dictionaries. Of each meter they are in order of time, in which they are
    added. The rows are in order of meter and week.
    """
    return _periods(days, week_start, set(mondays), published, AGGREGATED_WEEKLY, week_of_year)


def months(days: pa.Table, firsts: Collection[str], published: pa.Table) -> pa.Table:
    """Returns AGGREGATED_MONTHLY, as `weeks` does: the months of these first days, the others as published."""
    return _periods(days, month_start, set(firsts), published, AGGREGATED_MONTHLY, month_of_year)


def _periods(
    days: pa.Table,
    start_of: Callable[[int], str],
    summed: set[str],
    published: pa.Table,
    schema: pa.Schema,
    number_in_year: Callable[[str], int],
) -> pa.Table:
    _, start_name, number_name, *_ = schema.names
    day_meter = coded(days["meter_id"])
    old_meter, old_start = coded(published["meter_id"]), coded(published[start_name])
    meters = in_order([day_meter.texts, old_meter.texts])
    starts = in_order([pa.array(sorted(summed), pa.string()), old_start.texts])
    place_of = {text: place for place, text in enumerate(starts.to_pylist())}

    # As in completeness: a grid with a line a meter and a column a period. Published weeks and summed ones never share
    # a cell, as those that are summed are left out of what is published.
    dates, date = days_and_codes(days["date_str"])
    period = np.array([place_of[text] if (text := start_of(day)) in summed else -1 for day in dates.tolist()], np.int64)
    is_summed = (period >= 0)[date] if len(dates) else np.zeros(0, bool)
    day_cell = (day_meter.places_among(meters) * len(starts))[is_summed] + period[date[is_summed]]
    is_kept = np.array([text not in summed for text in old_start.texts.to_pylist()], bool)[old_start.codes]
    old_cell = (old_meter.places_among(meters) * len(starts) + old_start.places_among(starts))[is_kept]

    cells = len(meters) * len(starts)
    consumption = sums(day_cell, values(days["consumption"])[is_summed], cells)
    # Floating point is exact for counts.
    interval_count = sums(day_cell, values(days["interval_count"])[is_summed], cells).astype(np.int32)
    has_row = np.bincount(day_cell, minlength=cells) > 0
    consumption[old_cell] = values(published["consumption"])[is_kept]
    interval_count[old_cell] = values(published["interval_count"])[is_kept]
    has_row[old_cell] = True

    kept = np.flatnonzero(has_row)
    numbers = np.array([number_in_year(text) for text in starts.to_pylist()], np.int32)
    place = kept % len(starts) if len(starts) else kept
    line = kept // len(starts) if len(starts) else kept
    columns = {
        "meter_id": column_of(meters, line).cast(pa.string()),
        start_name: column_of(starts, place).cast(pa.string()),
        number_name: pa.array(numbers[place]),
        "consumption": pa.array(consumption[kept]),
        "interval_count": pa.array(interval_count[kept]),
    }
    return pa.Table.from_pydict(columns, schema=schema)


def days_of_month(summed: pa.Table, published: pa.Table, summed_days: Collection[int], month: range) -> pa.Table:
    """Returns AGGREGATED_DAILY of a month: its summed days, and the others as published; in order of meter and day.

    `summed` has DAY_SUMS, `published` has AGGREGATED_DAILY with texts as dictionaries, and `month` has the days of the
    month; days are numbers since 1970.
    """
    new_meter, old_meter = coded(summed["meter_id"]), coded(published["meter_id"])
    meters = in_order([new_meter.texts, old_meter.texts])
    dates, date = days_and_codes(published["date_str"])
    is_kept = ~np.isin(dates, list(summed_days))[date]
    meter = np.concatenate([new_meter.places_among(meters), old_meter.places_among(meters)[is_kept]])
    day = np.concatenate([values(summed["day"]), dates[date[is_kept]]])
    consumption = np.concatenate([values(summed["consumption"]), values(published["consumption"])[is_kept]])
    counts = np.concatenate([values(summed["received"]), values(published["interval_count"])[is_kept]])
    order = np.argsort(meter * len(month) + (day - month.start))
    texts = pa.array([date_text(day) for day in month], pa.string())
    columns = {
        "meter_id": column_of(meters, meter[order]).cast(pa.string()),
        "date_str": column_of(texts, day[order] - month.start).cast(pa.string()),
        "consumption": pa.array(consumption[order]),
        "interval_count": pa.array(counts[order].astype(np.int32)),
    }
    return pa.Table.from_pydict(columns, schema=AGGREGATED_DAILY)
