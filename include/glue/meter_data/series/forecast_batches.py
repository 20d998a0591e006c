"""Batches of meters as DeepAR reads them to forecast: their newest history, one JSON Lines object a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from meter_data.lake import meter_ranges
from meter_data.lake.meter_ranges import ROWS_AN_ITEM
from meter_data.lake.meter_row_groups import MeterRowGroup
from meter_data.lake.store import Store
from meter_data.series import hourly, numbered_files, series_text
from meter_data.series.hourly import Floats, Unit
from meter_data.series.series_text import SeriesText, WeatherText


@dataclass(frozen=True)
class Block:
    """Meters (sorted) of one batch, and the row groups that hold them: what is in memory at a time."""

    number: int
    meters: tuple[str, ...]
    groups: tuple[MeterRowGroup, ...]


@dataclass(frozen=True)
class BatchFiles:
    """Item: whole batches, as blocks in the order of their meters.

    No hour is taken that lies `longest` hours or more before a meter's last known one. `features` are the rows of the
    weather for `weather_hours`, None without; they reach over the `prediction_length` hours that are forecast.
    """

    blocks: tuple[Block, ...]
    hours: range
    intervals_per_hour: int
    unit: Unit
    longest: int
    prediction_length: int
    features: tuple[tuple[float, ...], ...] | None
    weather_hours: range
    folder: str

    @property
    def rows(self) -> int:
        return sum(group.rows for block in self.blocks for group in block.groups)


@dataclass(frozen=True)
class Written:
    """What was written of a batch, or of some of its meters: lines, and the hours (by number) that the first series
    starts with and the last forecast. below_zero: how many hours are, and the first meter that has some.
    """

    number: int
    uri: str
    meters: int
    first_hour: int
    last_start: int
    below_zero: int
    negative_meter: str | None


def items(
    batches: Sequence[Sequence[str]], fleet: Sequence[str], groups: Sequence[MeterRowGroup], template: BatchFiles
) -> list[BatchFiles]:
    """Returns items that write these batches, the first of which is number 1. `fleet` are all meters, sorted.

    `template` has all that does not depend on the meters.
    """
    rows = dict(zip(fleet, meter_ranges.expected_rows(groups, fleet), strict=True))
    # Every hour has a cell, known or not.
    weights = [np.maximum([rows[meter] for meter in batch], len(template.hours)) for batch in batches]
    ids = [meter for batch in batches for meter in batch]
    blocks = _blocks(batches, weights, ids, groups)
    together = meter_ranges.cut_by_weight(np.array([each.sum() for each in weights]), ROWS_AN_ITEM)
    return [
        replace(template, blocks=tuple(block for block in blocks if block.number - 1 in numbers))
        for numbers in together
    ]


def write_batches(store: Store, item: BatchFiles) -> list[Written]:
    """Writes the item's batches. A meter without a known hour has no line, a batch without a line no object."""
    features = None
    if item.features is not None:
        features = WeatherText([list(row) for row in item.features], item.weather_hours)
    found: list[Written] = []
    for number in sorted({block.number for block in item.blocks}):
        uri = numbered_files.uri_of(item.folder, number)
        lines: list[str] = []
        for block in item.blocks:
            if block.number == number:
                of_block, written = _lines(store, item, block, features, uri)
                lines += of_block
                found += written
        if lines:
            series_text.write_lines(store, uri, lines)
    return found


def _blocks(
    batches: Sequence[Sequence[str]], weights: Sequence[Floats], ids: Sequence[str], groups: Sequence[MeterRowGroup]
) -> list[Block]:
    """Cuts each batch into blocks of ROWS_AN_ITEM at most."""
    numbers, ranges, begin = list[int](), list[range](), 0
    for number, (batch, of_batch) in enumerate(zip(batches, weights, strict=True), start=1):
        for each in meter_ranges.cut_by_weight(of_batch, ROWS_AN_ITEM):
            numbers.append(number)
            ranges.append(range(begin + each.start, begin + each.stop))
        begin += len(batch)
    of_blocks = meter_ranges.groups_of_ranges(groups, ids, ranges)
    return [
        Block(number, tuple(ids[each.start : each.stop]), tuple(of_block))
        for number, each, of_block in zip(numbers, ranges, of_blocks, strict=True)
    ]


def _lines(
    store: Store, item: BatchFiles, block: Block, features: WeatherText | None, uri: str
) -> tuple[list[str], list[Written]]:
    known = hourly.known_hours(store, block.groups, block.meters, item.hours, item.intervals_per_hour, item.unit)
    first, after = _newest(known, item.longest)
    text = SeriesText(known, first, after, item.unit.is_whole)
    begin = item.hours.start
    lines, rows = [], np.flatnonzero(after)
    for row in rows:
        start, end = int(first[row]), int(after[row])
        dynamic_feat = features.part(begin + start, begin + end + item.prediction_length) if features else None
        lines.append(
            series_text.line(
                meter_id=series_text.quoted(block.meters[row]),
                start=series_text.hour(begin + start),
                target=text.part(row, start, end),
                forecast_start=series_text.hour(begin + end),
                dynamic_feat=dynamic_feat,
            )
        )
    if not lines:
        return [], []
    # NaN, an hour that is not known, is not below zero.
    in_series = np.arange(known.shape[1]) >= first[:, None]
    below_zero = ((known < 0) & in_series).sum(axis=1)
    negative = [block.meters[row] for row in np.flatnonzero(below_zero)]
    written = Written(
        block.number,
        uri,
        len(lines),
        begin + int(first[rows].min()),
        begin + int(after[rows].max()),
        int(below_zero.sum()),
        min(negative, default=None),
    )
    return lines, [written]


def _newest(known: Floats, longest: int) -> tuple[hourly.Places, hourly.Places]:
    """The place of the first and after the last of the newest known hours of each meter. A series begins with a known
    hour, also where it is cut.
    """
    first, after = hourly.ends(known)
    earliest = np.maximum(first, after - longest)
    is_known = np.isfinite(known) & (np.arange(known.shape[1]) >= earliest[:, None])
    return is_known.argmax(axis=1), after
