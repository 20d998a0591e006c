"""The ranges of a tuning job's hyperparameters, each mapped to and from the interval [0, 1]."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local_aws.sagemaker.names import invalid, refuse
from local_aws.service import Request

# Auto takes the logarithm where the ends of a range are this far apart.
_WIDE = 100


@dataclass(frozen=True)
class Range:
    """One hyperparameter. A categorical one has values, the others low, high and scaling; all values are texts."""

    name: str
    values: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    whole: bool = False
    scaling: str = "Linear"

    def at(self, unit: float) -> str:
        """The value at a place between 0 and 1."""
        if self.values:
            return self.values[min(int(unit * len(self.values)), len(self.values) - 1)]
        value = min(max(self._stretched(unit), self.low), self.high)
        return str(round(value)) if self.whole else repr(value)

    def _stretched(self, unit: float) -> float:
        if self.whole and self.scaling == "Linear":
            # Each whole number has the same share of the interval.
            return math.floor(self.low + unit * (self.high - self.low + 1))
        match self.scaling:
            case "Logarithmic":
                return self.low * (self.high / self.low) ** unit
            case "ReverseLogarithmic":
                return 1 - (1 - self.low) * ((1 - self.high) / (1 - self.low)) ** unit
        return self.low + unit * (self.high - self.low)


def ranges(given: Request) -> list[Range]:
    """The ranges of a HyperParameterTuningJobConfig's ParameterRanges. Raises ValidationException."""
    refuse(given, "AutoParameters")
    found = [
        Range(entry["Name"], values=tuple(entry["Values"])) for entry in given.get("CategoricalParameterRanges", [])
    ]
    found += [_numeric(entry, int) for entry in given.get("IntegerParameterRanges", [])]
    found += [_numeric(entry, float) for entry in given.get("ContinuousParameterRanges", [])]
    names = [entry.name for entry in found]
    if not names:
        raise invalid("At least one hyperparameter range must be given")
    if len(set(names)) < len(names):
        raise invalid(f"A hyperparameter has two ranges: {', '.join(names)}")
    return found


def combinations(space: Sequence[Range]) -> int:
    """How many a grid of categorical ranges has."""
    return math.prod(len(entry.values) for entry in space)


def _numeric(entry: Request, number: Callable[[str], float]) -> Range:
    name = entry["Name"]
    try:
        low, high = number(entry["MinValue"]), number(entry["MaxValue"])
    except ValueError as error:
        raise invalid(f"The range of {name} is not of its type: {error}") from None
    if not low <= high:
        raise invalid(f"The range of {name} has MinValue {low} above MaxValue {high}")
    scaling = entry.get("ScalingType", "Auto")
    if scaling == "Auto":
        scaling = "Logarithmic" if low > 0 and high / low >= _WIDE else "Linear"
    if scaling == "Logarithmic" and low <= 0:
        raise invalid(f"The range of {name} must be above 0 for Logarithmic scaling")
    if scaling == "ReverseLogarithmic" and (number is int or not 0 <= low <= high < 1):
        raise invalid(f"ReverseLogarithmic scaling is for continuous ranges within [0, 1), which {name} is not")
    return Range(name, low=low, high=high, whole=number is int, scaling=scaling)
