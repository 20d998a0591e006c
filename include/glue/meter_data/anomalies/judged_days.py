"""Which days of which meters detect_anomalies looks at, and which of them it judges.

Days are the columns of arrays (meters, days), counted from the first day that a run looks at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meter_data.anomalies.rules import Flags

MINUTES_A_DAY = 24 * 60
# A day of which aggregated_daily has no row.
NO_ROW = -1
# A number of intervals that no day has.
NONE = -2


@dataclass(frozen=True)
class Counts:
    """meters: those with days to judge. short: meters with new days, but too few days in all. kept: judged days.

    complete: complete days, judged or not. incomplete: days with a row that are not complete.
    """

    meters: int = 0
    short: int = 0
    kept: int = 0
    complete: int = 0
    incomplete: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.meters + other.meters,
            self.short + other.short,
            self.kept + other.kept,
            self.complete + other.complete,
            self.incomplete + other.incomplete,
        )


def complete_days(intervals: NDArray[np.int32], intervals_a_day: int) -> Flags:
    """Returns which days have all their readings. `intervals`: (meters, days), NO_ROW where there is none.

    All readings are the deployment's `intervals_a_day`, or as many as the meter usually has, if it has them on at least
    half of its days and they cut a day into equal parts: meters of one fleet may be read at several intervals.
    """
    has_row = intervals != NO_ROW
    own = _usual_intervals(intervals, has_row)
    return has_row & ((intervals == intervals_a_day) | (intervals == own[:, None]))


def count(complete: Flags, is_judged: Flags, intervals: NDArray[np.int32], least_history: int) -> Counts:
    """Returns what there is in (meters, days)."""
    history = complete.sum(axis=1)
    judged = (complete & is_judged).sum(axis=1)
    has_new, is_short = history > judged, history < least_history
    days = int(history.sum())
    return Counts(
        meters=int((has_new & ~is_short).sum()),
        short=int((has_new & is_short).sum()),
        kept=int(judged.sum()),
        complete=days,
        incomplete=int((intervals != NO_ROW).sum()) - days,
    )


def _usual_intervals(intervals: NDArray[np.int32], has_row: Flags) -> NDArray[np.int64]:
    """(meters,): how many intervals each meter usually has; NONE, which no day has, where there is no such number."""
    usual = np.full(len(intervals), NONE, np.int64)
    meter, _ = np.nonzero(has_row)
    if not len(meter):
        return usual
    # One number says meter and number of intervals. On how many days is it so?
    base = int(intervals.max()) + 1
    pairs, days = np.unique(meter * base + intervals[has_row], return_counts=True)
    of_meter, number = np.divmod(pairs, base)
    # In order of meter, days and number: a meter's last pair is its most frequent one, of equals the largest.
    order = np.lexsort((number, days, of_meter))
    last = np.append(np.diff(of_meter[order]) > 0, True)
    of_meter, number, days = (values[order][last] for values in (of_meter, number, days))
    is_regular = (days * 2 >= has_row.sum(axis=1)[of_meter]) & (number > 0)
    is_regular &= MINUTES_A_DAY % np.maximum(number, 1) == 0
    usual[of_meter[is_regular]] = number[is_regular]
    return usual
