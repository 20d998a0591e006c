"""Forecasts that need no model, scored on the same windows and by the same measure as DeepAR's test channel.

Seasonal naive: the newest known value of the same hour of the week before the window (a week before, else two, …); the
mean of the meter's known hours before the window where there is none; the same number for every quantile. Climatology:
the quantiles, interpolated, of all known values of the same hour of the week before the window; where there is none, of
all known hours before it.

wQuantileLoss[q] = 2 · Σ max(q·(y − ŷ), (q − 1)·(y − ŷ)) / Σ |y|, over all known hours of all windows and meters: the
weighted quantile loss of Amazon SageMaker's developer guide, "DeepAR Forecasting Algorithm", which reports its mean
over the quantiles as test:mean_wQuantileLoss. RMSE, in the unit of the values, is that of the naive value and of the
mean of the hour of the week.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from meter_data.series.hourly import Floats

HOURS_A_WEEK = 168


class EmptyTestWindowsError(ValueError):
    """The test windows hold no consumption, so that no loss can be weighted by it."""


@dataclass(frozen=True)
class Window:
    """Hours by number from `start`, without `end`; `window` is its number from 1."""

    window: int
    start: int
    end: int


def windows(end: int, count: int, length: int) -> list[Window]:
    """`count` windows of `length` hours, one after the other, the last up to `end`."""
    return [
        Window(number, end - (count - number + 1) * length, end - (count - number) * length)
        for number in range(1, count + 1)
    ]


@dataclass(frozen=True)
class Losses:
    """Sums over known hours of windows: of absolute values, of hours, and of what forecasts miss.

    `pinball` is by quantile, `squares` a single sum; for each forecast its own.
    """

    size: float
    hours: int
    naive_pinball: tuple[float, ...]
    naive_squares: float
    climatology_pinball: tuple[float, ...]
    climatology_squares: float


def losses(known: Floats, first_hour: int, tested: Sequence[Window], quantiles: Sequence[float]) -> list[Losses]:
    """Returns the sums of each window, for these meters.

    `known`: (meters, hours) from first_hour on, NaN where an hour is missing.
    """
    return [_losses_of(known, first_hour, window, quantiles) for window in tested]


def require_consumption(size: float) -> None:
    """Raises EmptyTestWindowsError unless the absolute values of the windows add up to more than nothing."""
    if not size:
        raise EmptyTestWindowsError(
            "The test windows hold no consumption: no sampled meter has any known hour above zero in them. Give a "
            "data_end up to which readings are loaded, or leave it empty for the newest complete day."
        )


def score(found: Iterable[Losses], quantiles: Sequence[float]) -> dict[str, dict[str, Any]]:
    """Returns seasonal_naive and climatology, each with mean_wQuantileLoss, wQuantileLoss by quantile and RMSE.

    Raises EmptyTestWindowsError.
    """
    parts = list(found)
    size, hours = math.fsum(each.size for each in parts), sum(each.hours for each in parts)
    require_consumption(size)

    def scored(pinball: list[tuple[float, ...]], squares: list[float]) -> dict[str, Any]:
        sums = [math.fsum(each[place] for each in pinball) for place in range(len(quantiles))]
        of_quantile = {str(quantile): 2 * total / size for quantile, total in zip(quantiles, sums, strict=True)}
        return {
            "mean_wQuantileLoss": math.fsum(of_quantile.values()) / len(of_quantile),
            "wQuantileLoss": of_quantile,
            "RMSE": math.sqrt(math.fsum(squares) / hours),
        }

    return {
        "seasonal_naive": scored([each.naive_pinball for each in parts], [each.naive_squares for each in parts]),
        "climatology": scored(
            [each.climatology_pinball for each in parts], [each.climatology_squares for each in parts]
        ),
    }


def _losses_of(known: Floats, first_hour: int, window: Window, quantiles: Sequence[float]) -> Losses:
    start, end = window.start - first_hour, window.end - first_hour
    actual = known[:, start:end]
    # Which hour of the week each hour of the window is, counted as the columns of the history are.
    slots = np.arange(start, end) % HOURS_A_WEEK
    history = _by_week(known[:, :start])
    of_slot = _looked_back(history, quantiles)
    # Few meters need the second look, at all hours alike, which costs as much as all the rest.
    is_lacking = ~np.isfinite(of_slot.newest[:, slots]).all(axis=1)
    of_meter = _looked_back(known[is_lacking, :start, None], quantiles)

    def expected(found: Floats, of_all_hours: Floats) -> Floats:
        """By the hour of the week; what the meter does at any hour where that one was never known."""
        at = found[..., slots]
        lacking = at[..., is_lacking, :]
        at[..., is_lacking, :] = np.where(np.isfinite(lacking), lacking, of_all_hours)
        return at

    naive = expected(of_slot.newest, of_meter.mean)
    mean = expected(of_slot.mean, of_meter.mean)
    at = expected(of_slot.quantiles, of_meter.quantiles)
    # A meter without any known hour before the window has no forecast, so that none is scored.
    is_scored = np.isfinite(actual) & np.isfinite(naive)
    y = actual[is_scored]
    return Losses(
        size=float(np.abs(y).sum()),
        hours=len(y),
        naive_pinball=tuple(_pinball(each, y, naive[is_scored]) for each in quantiles),
        naive_squares=float(((y - naive[is_scored]) ** 2).sum()),
        climatology_pinball=tuple(_pinball(each, y, at[place][is_scored]) for place, each in enumerate(quantiles)),
        climatology_squares=float(((y - mean[is_scored]) ** 2).sum()),
    )


def _pinball(quantile: float, y: Floats, forecast: Floats) -> float:
    error = y - forecast
    return float(np.maximum(quantile * error, (quantile - 1) * error).sum())


def _by_week(known: Floats) -> Floats:
    """(meters, weeks, hours of the week): hours in order, the last week filled up with missing ones."""
    meters, hours = known.shape
    weeks = -(-hours // HOURS_A_WEEK)
    padded = np.full((meters, weeks * HOURS_A_WEEK), np.nan)
    padded[:, :hours] = known
    return padded.reshape(meters, weeks, HOURS_A_WEEK)


@dataclass(frozen=True)
class _LookedBack:
    """What was known of each slot of each meter: (meters, slots), for quantiles (quantiles, meters, slots).

    NaN where nothing was known.
    """

    newest: Floats
    mean: Floats
    quantiles: Floats


def _looked_back(history: Floats, quantiles: Sequence[float]) -> _LookedBack:
    """Looks along the second axis of (meters, times, slots), the oldest first."""
    meters, times, slots = history.shape
    if not times:
        nothing = np.full((meters, slots), np.nan)
        return _LookedBack(nothing, nothing, np.full((len(quantiles), meters, slots), np.nan))
    is_known = np.isfinite(history)
    count = is_known.sum(axis=1)
    # On reversed times argmax finds the newest known one. Where none is known it finds the newest, which is NaN.
    newest = times - 1 - is_known[:, ::-1].argmax(axis=1)
    with np.errstate(invalid="ignore"):
        mean = np.where(is_known, history, 0.0).sum(axis=1) / count
    ordered = np.sort(history, axis=1)  # missing ones come last, so that the known ones are the first `count`

    def at(place: np.ndarray) -> Floats:
        found: Floats = np.take_along_axis(ordered, np.maximum(place, 0)[:, None], axis=1)[:, 0]
        return found

    def interpolated(quantile: float) -> Floats:
        """Between its neighbours in proportion, as numpy's quantile has it."""
        position = (count - 1) * quantile
        below = np.floor(position).astype(np.int64)
        lower, upper = at(below), at(np.ceil(position).astype(np.int64))
        return lower + (position - below) * (upper - lower)

    return _LookedBack(
        np.take_along_axis(history, newest[:, None], axis=1)[:, 0],
        mean,
        np.stack([interpolated(each) for each in quantiles]),
    )
