"""Which hyperparameters a tuning job tries next. Seeded: the same job, data and container give the same tries.

Random      uniform in each range's scale.
Grid        every combination of the categorical ranges.
Bayesian    a small tree-structured Parzen estimator (Bergstra et al. 2011, "Algorithms for hyper-parameter
            optimization"), ranges taken as independent: after a few random tries, of CANDIDATES drawn near the better
            quarter of the tries the one whose density there exceeds that of the others most. SageMaker fits a Gaussian
            process instead; both prefer what did well, neither gives the other's numbers.
Hyperband   draws like Random and trains every try to its end. SageMaker's stops weak tries early by their metric; an
            algorithm that publishes its objective only at the end gives nothing to stop by.

No combination is tried twice; where all are tried, the search ends.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from collections.abc import Sequence

from local_aws.sagemaker.search_space import Range

Units = tuple[float, ...]

RANDOM_TRIES = 4
CANDIDATES = 24
_BETTER_SHARE = 0.25
_ATTEMPTS = 100


class Search:
    """Ask `next`, and tell the objective of a try (less is better) as soon as it is known."""

    def __init__(self, strategy: str, space: Sequence[Range], seed: str) -> None:
        self._strategy = strategy
        self._space = space
        self._random = random.Random(hashlib.sha256(seed.encode()).hexdigest())  # noqa: S311 (no secret)
        self._grid = itertools.product(*(entry.values for entry in space))
        self._units: dict[tuple[str, ...], Units] = {}
        self._results: dict[tuple[str, ...], float] = {}

    def next(self) -> dict[str, str] | None:
        """Hyperparameters not tried yet; None when there are no more."""
        if self._strategy == "Grid":
            values = next(self._grid, None)
            return None if values is None else self._named(values)
        for _ in range(_ATTEMPTS):
            units = self._likely() if self._strategy == "Bayesian" else self._anywhere()
            values = self._values(units)
            if values not in self._units:
                self._units[values] = units
                return self._named(values)
        return None

    def tell(self, hyperparameters: dict[str, str], objective: float) -> None:
        self._results[tuple(hyperparameters[entry.name] for entry in self._space)] = objective

    def _named(self, values: Sequence[str]) -> dict[str, str]:
        return {entry.name: value for entry, value in zip(self._space, values, strict=True)}

    def _values(self, units: Units) -> tuple[str, ...]:
        return tuple(entry.at(unit) for entry, unit in zip(self._space, units, strict=True))

    def _anywhere(self) -> Units:
        return tuple(self._random.random() for _ in self._space)

    def _likely(self) -> Units:
        if len(self._results) < RANDOM_TRIES:
            return self._anywhere()
        ordered = [self._units[values] for values in sorted(self._results, key=self._results.__getitem__)]
        count = math.ceil(_BETTER_SHARE * len(ordered))
        better, worse = ordered[:count], ordered[count:]
        candidates = [self._near(self._random.choice(better), len(better)) for _ in range(CANDIDATES)]
        return max(candidates, key=lambda units: _log_density(units, better) - _log_density(units, worse))

    def _near(self, center: Units, count: int) -> Units:
        width = _width(count)
        return tuple(min(max(self._random.gauss(place, width), 0.0), 1.0) for place in center)


def _width(count: int) -> float:
    """Of a window around each of so many points in [0, 1]: narrower the more there are (Scott's rule)."""
    return 0.3 * count**-0.2


def _log_density(units: Units, points: Sequence[Units]) -> float:
    """Sum over the ranges of the log of a mixture: one normal window around each point, and a flat one."""
    width = _width(len(points))
    total = 0.0
    for number, place in enumerate(units):
        windows = (math.exp(-(((place - point[number]) / width) ** 2) / 2) for point in points)
        total += math.log((1 + sum(windows) / (width * math.sqrt(2 * math.pi))) / (len(points) + 1))
    return total
