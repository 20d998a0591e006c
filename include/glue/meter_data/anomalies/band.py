"""Between which limits a day's consumption is expected, and how far outside it lies.

The regression works on cube roots, on which daily sums of households are about symmetric; signed, so that meters of
solar exports may be negative. Cube roots, the share of residuals that gives the scale, and the local level were chosen
by benchmarks/anomalies.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from meter_data.anomalies.design import Design, Floats
from meter_data.anomalies.regression import fit, quantile

# The scale is that of a normal distribution with the same 90th percentile of absolute residuals: up to a tenth of a
# meter's days may be anomalies. Its median would be as robust, but residuals have longer tails than normal ones, and
# then three times as many ordinary days lie outside.
SCALE_SHARE = 0.9
# Days before and after whose median residual moves the expectation halfway: a guest, a holiday, a new appliance.
LOCAL_DAYS = 3
LOCAL_SHARE = 0.5
# Smallest scale, on cube roots of consumption over the meter's usual day: a meter that is always the same has a band.
LEAST_SCALE = 0.05
# Smallest usual day: 0.01 kWh.
LEAST_USUAL = 0.01


@dataclass(frozen=True)
class Band:
    """(meters, days) in kWh: the limits and the middle, in which the expectation lies."""

    lower: Floats
    middle: Floats
    upper: Floats

    def outside(self, consumption: Floats) -> Floats:
        """0 inside, else the distance to the nearest limit over half of the band's width, all as cube roots.

        Negative below, positive above. Finite: the band is never without width.
        """
        lower, upper, given = np.cbrt(self.lower), np.cbrt(self.upper), np.cbrt(consumption)
        distance = np.maximum(given - upper, 0) - np.maximum(lower - given, 0)
        relative: Floats = 2 * distance / (upper - lower)
        return relative


def band(consumption: Floats, design: Design, level: float) -> Band:
    """The band that holds a share `level` of ordinary days. consumption: (meters, days) in kWh, NaN is missing."""
    usual = _usual(consumption)
    roots = np.cbrt(consumption / usual)
    history = np.isfinite(roots).sum(axis=1)
    expected = fit(roots, design.columns, design.penalties_of(history))
    expected = expected + LOCAL_SHARE * _local_level(roots - expected)
    below, above = _scales(roots - expected)
    width = NormalDist().inv_cdf((1 + level) / 2)
    lower, middle, upper = (
        usual * np.power(limit, 3) for limit in (expected - width * below, expected, expected + width * above)
    )
    # Nothing below zero is expected of a meter that never was.
    positive = np.nan_to_num(consumption).min(axis=1, keepdims=True) >= 0
    lower, middle = (np.where(positive, np.maximum(limit, 0), limit) for limit in (lower, middle))
    return Band(lower, middle, np.maximum(upper, lower + usual * np.power(2 * width * LEAST_SCALE, 3)))


def _usual(consumption: Floats) -> Floats:
    """(meters, 1): the median of absolute consumption, never zero."""
    usual: Floats = np.maximum(quantile(np.abs(consumption), 0.5), LEAST_USUAL)[:, None]
    return usual


def _local_level(residuals: Floats) -> Floats:
    """(meters, days): the median of the residuals of the day and the days around, less the fewer are known.

    So a day among missing ones does not explain itself.
    """
    padded = np.pad(residuals, ((0, 0), (LOCAL_DAYS, LOCAL_DAYS)), constant_values=np.nan)
    window = np.lib.stride_tricks.sliding_window_view(padded, 2 * LOCAL_DAYS + 1, axis=1)
    known = (np.isfinite(window).sum(axis=2) - np.isfinite(residuals)) / (2 * LOCAL_DAYS)
    return known * np.nan_to_num(quantile(window, 0.5))


def _scales(residuals: Floats) -> tuple[Floats, Floats]:
    """(meters, 1) each: scales below and above, halfway between that of the side and that of both."""
    to_deviation = NormalDist().inv_cdf((1 + SCALE_SHARE) / 2)

    def scale(size: Floats) -> Floats:
        found = np.nan_to_num(quantile(size, SCALE_SHARE)) / to_deviation
        at_least: Floats = np.maximum(found, LEAST_SCALE)[:, None]
        return at_least

    both = scale(np.abs(residuals))
    below, above = (scale(np.where(side > 0, side, np.nan)) for side in (-residuals, residuals))
    return np.sqrt(both * below), np.sqrt(both * above)
