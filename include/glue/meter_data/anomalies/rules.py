"""What a band does not see: a meter that stands still, and a day without any consumption."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meter_data.anomalies.design import Floats

Flags = NDArray[np.bool_]

EQUAL_DAYS = 4
# Readings are given to the Wh.
EQUAL = 0.0005
# A meter that stands still on more of its days than this is meant to, e.g. an unmetered supply.
MOST_STILL = 0.5
# A meter that is at zero on more of its days than this is often empty.
MOST_ZEROS = 0.2


def still(consumption: Floats) -> Flags:
    """(meters, days): days of a run of EQUAL_DAYS or more equal days that follow one another, zeros left out.

    A missing day ends a run. False throughout for a meter of which that is usual.
    """
    found = (run_lengths(consumption) >= EQUAL_DAYS) & (np.abs(consumption) >= EQUAL)
    return found & _at_most(found, consumption, MOST_STILL)


def zero(consumption: Floats) -> Flags:
    """(meters, days): days without consumption; False throughout for a meter of which that is usual."""
    found = np.abs(consumption) < EQUAL
    return found & _at_most(found, consumption, MOST_ZEROS)


def run_lengths(consumption: Floats) -> NDArray[np.int64]:
    """(meters, days): how many equal days the day's run has; 0 where a day is missing."""
    days = consumption.shape[1]
    numbers = np.arange(days)
    with np.errstate(invalid="ignore"):
        begins = np.ones(consumption.shape, dtype=bool)
        begins[:, 1:] = ~(np.abs(np.diff(consumption, axis=1)) < EQUAL)
    ends = np.ones(consumption.shape, dtype=bool)
    ends[:, :-1] = begins[:, 1:]
    first = np.maximum.accumulate(np.where(begins, numbers, 0), axis=1)
    last = np.minimum.accumulate(np.where(ends, numbers, days)[:, ::-1], axis=1)[:, ::-1]
    return np.where(np.isfinite(consumption), last - first + 1, 0)


def _at_most(found: Flags, consumption: Floats, share: float) -> Flags:
    usual: Flags = found.sum(axis=1) <= share * np.isfinite(consumption).sum(axis=1)
    return usual[:, None]
