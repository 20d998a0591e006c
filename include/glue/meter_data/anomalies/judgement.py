"""The judgement of days: outside the band, or by a rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meter_data.anomalies import rules
from meter_data.anomalies.band import band
from meter_data.anomalies.design import Design, Floats

# Complete days that a meter must have before any is judged: four of each weekday.
LEAST_HISTORY = 28
# What a day counts at least that a rule finds, whether the band holds it or not: as far outside as the band is wide.
LEAST_IMPORTANCE_OF_RULES = 2.0


@dataclass(frozen=True)
class Judgements:
    """(meters, days), of every day, also of those without consumption.

    lower, upper: kWh. anomaly: -1 below, 1 above, 0 as expected; a day that a rule finds inside the band is below or
    above its middle. importance: Band.outside without sign, for days found by rules at least
    LEAST_IMPORTANCE_OF_RULES; 0 where anomaly is 0.
    """

    lower: Floats
    upper: Floats
    anomaly: NDArray[np.int64]
    importance: Floats


def judge(consumption: Floats, design: Design, level: float) -> Judgements:
    """Judge all meters at once. consumption: (meters, days) in kWh, NaN where a day is not complete.

    Each meter must have a day; whether LEAST_HISTORY is kept is the caller's business.
    """
    expected = band(consumption, design, level)
    outside = np.nan_to_num(expected.outside(consumption))
    by_rule = rules.still(consumption) | rules.zero(consumption)
    side = np.where(outside != 0, np.sign(outside), np.where(consumption > expected.middle, 1, -1))
    anomaly = np.where((outside != 0) | by_rule, side, 0).astype(int)
    importance = np.where(by_rule, np.maximum(np.abs(outside), LEAST_IMPORTANCE_OF_RULES), np.abs(outside))
    return Judgements(expected.lower, expected.upper, anomaly, importance)
