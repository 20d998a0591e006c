"""Anomalies put into series, and where they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SPIKE, DIP, ZERO, FLAT = 1, 2, 3, 4
KINDS = {"spike": SPIKE, "dip": DIP, "zero run": ZERO, "flat run": FLAT}
TRIES = 200


@dataclass(frozen=True)
class Kind:
    """Of each kind one in so many days of a meter; of shortest to longest days, changed by `change`."""

    label: int
    one_in: int
    shortest: int
    longest: int
    change: Callable[[NDArray[np.float64]], NDArray[np.float64]]


PLAN = [
    Kind(SPIKE, 90, 1, 1, lambda days: 3 * days),
    Kind(DIP, 90, 1, 1, lambda days: 0.1 * days),
    Kind(ZERO, 180, 2, 5, np.zeros_like),
    Kind(FLAT, 180, 4, 8, lambda days: np.full_like(days, days[0])),
]


def inject(consumption: NDArray[np.float64], seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A changed copy and the labels: 0 for a day as it was, else that of its kind.

    Anomalies lie on days that are complete and not zero, and do not touch one another.
    """
    random = np.random.default_rng(seed)
    changed, labels = consumption.copy(), np.zeros(consumption.shape, dtype=np.int64)
    for meter in range(len(consumption)):
        known = int(np.isfinite(consumption[meter]).sum())
        for kind in PLAN:
            for _ in range(max(1, round(known / kind.one_in))):
                length = int(random.integers(kind.shortest, kind.longest + 1))
                place = _free_place(consumption[meter], labels[meter], length, random)
                if place is not None:
                    changed[meter, place] = kind.change(consumption[meter, place])
                    labels[meter, place] = kind.label
    return changed, labels


def _free_place(
    days: NDArray[np.float64], labels: NDArray[np.int64], length: int, random: np.random.Generator
) -> slice | None:
    for _ in range(TRIES):
        first = int(random.integers(0, len(days) - length + 1))
        place, with_neighbours = slice(first, first + length), slice(max(first - 1, 0), first + length + 1)
        if (days[place] > 0).all() and (labels[with_neighbours] == 0).all():
            return place
    return None
