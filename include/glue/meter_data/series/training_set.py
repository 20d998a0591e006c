"""The two steps of a training set: known hours of meters are read once and kept, then written as DeepAR's channels.

Between the steps the sample is chosen, from what the first step says of each meter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake import meter_ranges
from meter_data.lake.columns import coded
from meter_data.lake.meter_ranges import ROWS_AN_ITEM
from meter_data.lake.meter_row_groups import METER, MeterRowGroup
from meter_data.lake.store import Store
from meter_data.series import baselines, hourly, series_text
from meter_data.series.baselines import Losses, Window
from meter_data.series.hourly import Floats, Unit
from meter_data.series.series_text import SeriesText, WeatherText

# Meters of a row group of kept hours: of 214 days 2 MB.
METERS_A_GROUP = 50
# Values of a channel's file, features included: some 100 MB of text, which is made in memory. A file is read by one
# process of a training job.
VALUES_A_FILE = 15_000_000
SERIES_A_FILE = 2000
HOURS = "hours"


@dataclass(frozen=True)
class KnownHours:
    """Item of the first step: these meters (sorted), the row groups that hold them, and where their hours are kept."""

    meters: tuple[str, ...]
    groups: tuple[MeterRowGroup, ...]
    hours: range
    tested: tuple[Window, ...]
    intervals_per_hour: int
    unit: Unit
    uri: str

    @property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)


@dataclass(frozen=True)
class MeterHours:
    """How many known hours a meter has, the first of them (by its number), and where they are kept.

    training: before the test windows. consumption: the sum of absolute values within the test windows.
    """

    training: int
    training_other_than_zero: int
    below_zero: int
    first_hour: int
    consumption: float
    uri: str


@dataclass(frozen=True)
class ChannelFiles:
    """Item of the second step: a file of each channel, of these meters in this order, whose hours are kept at `kept`.

    `features` are the rows of the weather for `hours`, None without.
    """

    meters: tuple[str, ...]
    kept: tuple[str, ...]
    hours: range
    tested: tuple[Window, ...]
    quantiles: tuple[float, ...]
    unit: Unit
    features: tuple[tuple[float, ...], ...] | None
    train: str
    test: str

    @property
    def rows(self) -> int:
        return len(self.meters) * len(self.hours)


@dataclass(frozen=True)
class Written:
    """How many series there are in each channel, and what the baselines lose."""

    series_train: int
    series_test: int
    losses: tuple[Losses, ...]


def items_of_hours(
    readings: dict[str, int], groups: Sequence[MeterRowGroup], training: range, template: KnownHours, folder: str
) -> list[KnownHours]:
    """Returns items that read these meters. `readings` says how many readings each has within the training hours.

    `template` has all that does not depend on the meters.
    """
    ids = sorted(readings)
    if not ids:
        return []
    # As many readings an hour as in training; and a cell for every hour, known or not.
    longer_by = len(template.hours) / len(training)
    weights = np.maximum(np.array([readings[each] for each in ids]) * longer_by, len(template.hours))
    ranges = meter_ranges.cut_by_weight(weights, ROWS_AN_ITEM)
    return [
        replace(
            template,
            meters=tuple(ids[each.start : each.stop]),
            groups=tuple(of_item),
            uri=f"{folder}{number:04d}.parquet",
        )
        for number, (each, of_item) in enumerate(
            zip(ranges, meter_ranges.groups_of_ranges(groups, ids, ranges), strict=True), start=1
        )
    ]


def keep_hours(store: Store, item: KnownHours) -> dict[str, MeterHours]:
    """Reads the known hours of the item's meters and keeps them. Returns a summary of each meter that has any."""
    known = hourly.known_hours(store, item.groups, item.meters, item.hours, item.intervals_per_hour, item.unit)
    first, after = hourly.ends(known)
    has_any = after > 0
    lists = pa.ListArray.from_arrays(
        pa.array(np.arange(0, (has_any.sum() + 1) * len(item.hours), len(item.hours)), pa.int32()),
        pa.array(known[has_any].ravel()),
    )
    meters = [meter for meter, wanted in zip(item.meters, has_any, strict=True) if wanted]
    store.write_parquet(item.uri, pa.table({METER: pa.array(meters, pa.string()), HOURS: lists}), METERS_A_GROUP)
    before = item.tested[0].start - item.hours.start
    training, within = known[:, :before], np.nan_to_num(known[:, before:])
    columns = zip(
        np.isfinite(training).sum(axis=1).tolist(),
        (np.nan_to_num(training) != 0).sum(axis=1).tolist(),
        (np.nan_to_num(known) < 0).sum(axis=1).tolist(),
        (first + item.hours.start).tolist(),
        np.abs(within).sum(axis=1).tolist(),
        strict=True,
    )
    found = zip(item.meters, has_any, columns, strict=True)
    return {meter: MeterHours(*numbers, item.uri) for meter, wanted, numbers in found if wanted}


def items_of_channels(sample: Sequence[str], kept: dict[str, MeterHours], template: ChannelFiles) -> list[ChannelFiles]:
    """Returns items that write the sample, in its order, as few files. `template`'s train and test are folders."""
    lines = 1 + len(template.tested)
    values = len(template.hours) * lines * (1 + len(template.features or ()))
    most = max(1, min(SERIES_A_FILE, VALUES_A_FILE // values))
    starts = range(0, len(sample), most)
    return [
        replace(
            template,
            meters=tuple(sample[start : start + most]),
            kept=tuple(sorted({kept[meter].uri for meter in sample[start : start + most]})),
            train=f"{template.train}{number:04d}.json",
            test=f"{template.test}{number:04d}.json",
        )
        for number, start in enumerate(starts, start=1)
    ]


def write_channels(store: Store, item: ChannelFiles) -> Written:
    """Writes a file of each channel, and scores the baselines on the test windows of its meters.

    A test line reaches up to its window's last hour, which DeepAR tests on, known or not. A window without any known
    hour of a meter is left out: there is nothing to test.
    """
    known = _kept_hours(store, item)
    hours, count = item.hours, len(item.hours)
    first, _ = hourly.ends(known)
    before = item.tested[0].start - hours.start
    # Trained on is what is known before the test windows, from the first known hour to the last.
    _, train_after = hourly.ends(known[:, :before])
    text = SeriesText(known, first, np.full(len(known), count), item.unit.is_whole)
    features = WeatherText([list(row) for row in item.features], hours) if item.features is not None else None
    has_window = [
        np.isfinite(known[:, each.start - hours.start : each.end - hours.start]).any(axis=1) for each in item.tested
    ]

    def line(row: int, end: int) -> str:
        start = int(first[row])
        return series_text.line(
            start=series_text.hour(hours.start + start),
            target=text.part(row, start, end),
            dynamic_feat=features.part(hours.start + start, hours.start + end) if features else None,
        )

    # A meter is sampled for its known hours before the windows, so each has some.
    train = [line(row, int(train_after[row])) for row in range(len(known))]
    test = [
        line(row, window.end - hours.start)
        for row in range(len(known))
        for window, is_there in zip(item.tested, has_window, strict=True)
        if is_there[row]
    ]
    series_text.write_lines(store, item.train, train)
    series_text.write_lines(store, item.test, test)
    # In parts, as the look back at every hour of the week needs several times the memory of the hours.
    step = max(1, ROWS_AN_ITEM // count)
    losses = [
        each
        for begin in range(0, len(known), step)
        for each in baselines.losses(known[begin : begin + step], hours.start, item.tested, item.quantiles)
    ]
    return Written(len(train), len(test), tuple(losses))


def _kept_hours(store: Store, item: ChannelFiles) -> Floats:
    """Returns (meters, hours) of the item's meters, in its order."""
    wanted = pa.array(item.meters, pa.string())
    found = np.full((len(item.meters), len(item.hours)), np.nan)
    for uri in item.kept:
        table = store.read_parquet(uri)
        place = coded(table[METER]).places_among(wanted)
        is_wanted = place >= 0
        hours = pc.list_flatten(table.filter(pa.array(is_wanted))[HOURS]).to_numpy()
        found[place[is_wanted]] = hours.reshape(-1, len(item.hours))
    return found
