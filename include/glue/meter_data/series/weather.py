"""Hourly weather as features of a model: standardised, and without a gap.

A feature's missing hour gets the mean of the same hour of the year (month, day and hour) over all years in which it is
known; where that is never known, the mean of the hour of day in that month; where that is not either, the mean of the
training range, which is 0 once standardised. The weather is one for all meters, some ten thousand hours at most, so
that it is worked out once, before any meter's line. Hours are numbers, see data_range; UTC.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from meter_data.lake.crawled_table import Columns
from meter_data.series.data_range import SECONDS_AN_HOUR, hour_text

TIME = "time"
FEATURES = ("temperature", "apparenttemperature", "humidity")
# A standardised value to a thousandth of a thousandth: the rest is noise that makes lines long.
DIGITS = 6

# A feature's known values by hour.
Known = Mapping[int, float]


class MissingWeatherColumnsError(ValueError):
    """The table weather lacks a column that a model is made of."""


class NoWeatherError(ValueError):
    """The table weather does not say what the weather was in the training range."""


class WeatherMismatchError(ValueError):
    """The model wants weather in another way than the deployment gives it."""


@dataclass(frozen=True)
class Feature:
    """A column of the table weather, and its mean and standard deviation in the training range."""

    name: str
    mean: float
    std: float


@dataclass(frozen=True)
class Filled:
    """Standardised features: a row of values for each, a value for each of `hours`.

    Those `unknown` have at least one value that is a mean; `last_known` is the newest hour that is known.
    """

    hours: range
    features: tuple[Feature, ...]
    rows: list[list[float]]
    unknown: frozenset[int]
    last_known: int

    def summary(self, used: range) -> dict[str, Any]:
        """Returns features, the last known hour, and how many of the hours that are used have a mean for a value."""
        return {
            "features": [asdict(feature) for feature in self.features],
            "last_known": hour_text(self.last_known),
            "hours_filled": sum(hour in used for hour in self.unknown),
        }


def require_columns(columns: Iterable[str]) -> None:
    """Raises MissingWeatherColumnsError unless the columns, in lower case, hold TIME and FEATURES."""
    if missing := [name for name in (TIME, *FEATURES) if name not in columns]:
        raise MissingWeatherColumnsError(
            f"The table weather has no column {' and no column '.join(missing)}. It needs {TIME} (hourly, UTC), "
            f"{', '.join(FEATURES)}; it has {', '.join(sorted(columns))}. Deliver files with these columns and trigger "
            "load_reference_data, or turn WithWeather off."
        )


def known(table: Columns) -> dict[str, Known]:
    """Returns the known values of each of FEATURES. Rows without a time are passed over.

    `time` is a timestamp or a text that begins yyyy-MM-dd HH:mm:ss. Of several rows of an hour the mean is taken.
    """
    hours = [_hour_of(value) for value in table[TIME]]
    found: dict[str, Known] = {}
    for name in FEATURES:
        of_hour: dict[int, list[float]] = {}
        for hour, given in zip(hours, table[name], strict=True):
            value = _number(given)
            if hour is not None and value is not None:
                of_hour.setdefault(hour, []).append(value)
        means = {hour: math.fsum(values) / len(values) for hour, values in of_hour.items() if _finite(values)}
        found[name] = dict(sorted(means.items()))
    return found


def statistics(known: Mapping[str, Known], training: range) -> tuple[Feature, ...]:
    """Returns mean and standard deviation (of a population) of what is known of the training hours.

    Raises NoWeatherError.
    """
    return tuple(
        _feature(name, [values[hour] for hour in training if hour in values], training)
        for name, values in known.items()
    )


def features_of(record: Mapping[str, Any]) -> tuple[Feature, ...]:
    """Returns the features that a model was trained with, as its record says, in its order."""
    return tuple(Feature(entry["name"], entry["mean"], entry["std"]) for entry in record["features"])


def filled(known: Mapping[str, Known], features: Sequence[Feature], hours: range) -> Filled:
    """Returns these features for each of these hours. Raises NoWeatherError if one is not known at all."""
    rows: list[list[float]] = []
    unknown: set[int] = set()
    for feature in features:
        values = known[feature.name]
        if not values:
            raise NoWeatherError(
                f"The table weather has no {feature.name}. Deliver it and trigger load_reference_data."
            )
        missing = [hour for hour in hours if hour not in values]
        unknown.update(missing)
        means = _means_of(values, missing)
        raw = (values[hour] if hour in values else means.get(hour, feature.mean) for hour in hours)
        rows.append([round((value - feature.mean) / feature.std, DIGITS) for value in raw])
    last_known = min(max(known[feature.name]) for feature in features)
    return Filled(hours, tuple(features), rows, frozenset(unknown), last_known)


def _hour_of(value: Any) -> int | None:
    """The number of an hour, of a time or of its text, which may still be quoted as it stands in a file."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace('"', "").strip())
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    return math.floor(moment.timestamp()) // SECONDS_AN_HOUR


def _number(value: Any) -> float | None:
    """A number, or the number that a text is; None for anything else."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _finite(values: Iterable[float]) -> bool:
    return all(math.isfinite(value) for value in values)


def _feature(name: str, values: list[float], training: range) -> Feature:
    if not values:
        raise NoWeatherError(
            f"The table weather has no {name} from {hour_text(training.start)} to {hour_text(training.stop)}, the "
            "training range. Deliver the weather of these days and trigger load_reference_data, or turn WithWeather "
            "off."
        )
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    # A constant stays 0, not 0 / 0.
    return Feature(name, mean, deviation or 1.0)


def _means_of(values: Known, missing: Iterable[int]) -> dict[int, float]:
    """The mean of the hour of the year, else that of the hour of day in the month, for those hours that have one."""
    times = {hour: _calendar(hour) for hour in missing}
    if not times:
        return {}
    of_year: dict[tuple[int, int, int], list[float]] = {}
    of_month: dict[tuple[int, int], list[float]] = {}
    for hour, value in values.items():
        month, day, hour_of_day = _calendar(hour)
        of_year.setdefault((month, day, hour_of_day), []).append(value)
        of_month.setdefault((month, hour_of_day), []).append(value)
    found = {hour: of_year.get(time) or of_month.get((time[0], time[2])) for hour, time in times.items()}
    return {hour: math.fsum(like) / len(like) for hour, like in found.items() if like}


def _calendar(hour: int) -> tuple[int, int, int]:
    time = datetime.fromtimestamp(hour * SECONDS_AN_HOUR, UTC)
    return time.month, time.day, time.hour
