"""What SageMaker's DeepAR demands of a data set as a whole, and what it says of one in its log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from local_aws.sagemaker.deepar.errors import ClientError
from local_aws.sagemaker.deepar.hyperparameters import Hyperparameters
from local_aws.sagemaker.deepar.series import Series

MINIMUM_OBSERVATIONS = 300


@dataclass(frozen=True)
class Features:
    """What a model knows of a series beyond its values; () and 0 where it uses none."""

    cardinality: tuple[int, ...]
    num_dynamic_feat: int
    # The fields were there, but the hyperparameters say ignore: a request may give them too.
    ignores_categories: bool = False
    ignores_dynamic: bool = False

    def seen(self, series: Series) -> Series:
        """The series without the fields that the model ignores."""
        return replace(
            series,
            categories=None if self.ignores_categories else series.categories,
            dynamic=None if self.ignores_dynamic else series.dynamic,
        )


def usable(series: Sequence[Series], prediction_length: int) -> list[Series]:
    """The series that are long enough to hold one forecast."""
    return [entry for entry in series if len(entry) >= prediction_length]


def check_training_set(given: Sequence[Series], hyperparameters: Hyperparameters) -> Features:
    """Refuse a training set that cannot be learnt from. Raises ClientError."""
    features = _features(given, hyperparameters)
    check_channel(given, "train", features, hyperparameters)
    long_enough = usable(given, hyperparameters.prediction_length)
    if not long_enough:
        raise ClientError(
            f"No time series of the training set is as long as prediction_length ({hyperparameters.prediction_length})"
        )
    observations = sum(len(entry.known) for entry in long_enough)
    if observations < MINIMUM_OBSERVATIONS:
        raise ClientError(
            f"The training set has {observations} observations in time series of prediction_length or longer; "
            f"at least {MINIMUM_OBSERVATIONS} are needed"
        )
    if not any(entry.known.any() for entry in long_enough):
        raise ClientError("training time series consist of only zeros")
    return features


def check_channel(series: Sequence[Series], channel: str, features: Features, hyperparameters: Hyperparameters) -> None:
    """Compare every series with the features and the likelihood. Raises ClientError, which counts series from 1."""
    for number, entry in enumerate(series, start=1):
        problem = (
            category_problem(entry, features)
            or _dynamic_problem(entry, features, len(entry))
            or _target_problem(entry, hyperparameters.likelihood)
        )
        if problem:
            raise ClientError(f"Time series {number} of data channel '{channel}': {problem}")


def category_problem(entry: Series, features: Features) -> str | None:
    """Why the categories are not those of the model."""
    if features.ignores_categories:
        return None
    given, wanted = entry.categories or (), features.cardinality
    if len(given) != len(wanted):
        return f"'cat' has {len(given)} categories, but {len(wanted)} are expected"
    for position, (value, limit) in enumerate(zip(given, wanted, strict=True)):
        if value >= limit:
            return f"'cat' {position} is {value}, but its cardinality is {limit}: values are 0 to {limit - 1}"
    return None


def _dynamic_problem(entry: Series, features: Features, length: int) -> str | None:
    return dynamic_problem(entry, features, length, "as long as 'target'")


def dynamic_problem(entry: Series, features: Features, length: int, wanted: str) -> str | None:
    """Why the dynamic features are not those of the model; `wanted` says what `length` is."""
    if features.ignores_dynamic:
        return None
    count = 0 if entry.dynamic is None else len(entry.dynamic)
    if count != features.num_dynamic_feat:
        return f"'dynamic_feat' has {count} features, but {features.num_dynamic_feat} are expected"
    if entry.dynamic is not None and entry.dynamic.shape[1] != length:
        return f"'dynamic_feat' has {entry.dynamic.shape[1]} values, but must be {wanted} ({length})"
    return None


def _target_problem(entry: Series, likelihood: str) -> str | None:
    known = entry.known
    if not np.isfinite(known).all():
        return "'target' holds an infinite value"
    if likelihood == "negative-binomial" and ((known < 0).any() or (known != np.floor(known)).any()):
        return "the likelihood negative-binomial needs a target of non-negative integers"
    if likelihood == "beta" and ((known < 0) | (known > 1)).any():
        return "the likelihood beta needs a target between 0 and 1"
    return None


def _features(series: Sequence[Series], hyperparameters: Hyperparameters) -> Features:
    """With auto, the first series decides which features there are, and all of them how many categories."""
    first = series[0]
    cardinality, count = hyperparameters.cardinality, hyperparameters.num_dynamic_feat
    if cardinality is None:
        given = [entry.categories for entry in series if entry.categories is not None]
        width = len(first.categories or ())
        same = [values for values in given if len(values) == width]
        cardinality = tuple(max(values) + 1 for values in zip(*same, strict=True)) if width else ()
    if count is None:
        count = 0 if first.dynamic is None else len(first.dynamic)
    return Features(
        cardinality,
        count,
        ignores_categories=hyperparameters.cardinality == (),
        ignores_dynamic=hyperparameters.num_dynamic_feat == 0,
    )


def statistics(series: Sequence[Series]) -> list[str]:
    """The lines that the log has on a data set."""
    known = np.concatenate([entry.known for entry in series]).astype(np.float64)
    lengths = [len(entry) for entry in series]
    whole = bool((known == np.floor(known)).all())
    missing = sum(lengths) - len(known)
    lines = [
        "Integer time series" if whole else "Real time series",
        f"number of time series: {len(series)}",
        f"number of observations: {len(known)}",
        f"mean target length: {sum(lengths) / len(lengths)}",
    ]
    if len(known):
        lines += [
            f"min/mean/max target: {known.min()}/{known.mean()}/{known.max()}",
            f"mean abs(target): {np.abs(known).mean()}",
        ]
    return [*lines, f"contains missing values: {f'yes ({missing})' if missing else 'no'}"]
