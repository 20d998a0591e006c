"""The hyperparameters of SageMaker's DeepAR: names, defaults and valid values as its documentation lists them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_aws.sagemaker.deepar.errors import ClientError
from local_aws.sagemaker.deepar.frequency import Frequency

LIKELIHOODS = ("student-T", "gaussian", "negative-binomial", "beta", "deterministic-L1")
# Set by SageMaker itself or by a tuning job; they say nothing about the model.
_INTERNAL = ("_kvstore", "_num_gpus", "_num_kv_servers", "_tuning_objective_metric")
# The documentation says ignore; older pages said ignored.
_IGNORE = ("ignore", "ignored")


@dataclass(frozen=True)
class Hyperparameters:
    """The checked values. `cardinality` and `num_dynamic_feat` None mean auto; (), 0 mean ignore.

    `given` are the texts that they were read from.
    """

    time_freq: Frequency
    prediction_length: int
    context_length: int
    epochs: int
    early_stopping_patience: int | None
    mini_batch_size: int
    learning_rate: float
    num_cells: int
    num_layers: int
    likelihood: str
    dropout_rate: float
    embedding_dimension: int
    cardinality: tuple[int, ...] | None
    num_dynamic_feat: int | None
    num_eval_samples: int
    test_quantiles: tuple[float, ...]
    given: dict[str, str] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Hyperparameters:
        """Check the texts that a training job was given. Raises ClientError, which names all that is wrong."""
        unknown = [name for name in given if name not in _RULES and name not in _INTERNAL]
        problems = []
        if unknown:
            names = ", ".join(repr(name) for name in unknown)
            were = "was" if len(unknown) == 1 else "were"
            problems.append(f"Additional properties are not allowed ({names} {were} unexpected)")
        values = {}
        for name, rule in _RULES.items():
            text = given.get(name, rule.default)
            if text is None:
                problems.append(f"{name!r} is a required property")
                continue
            try:
                values[name] = rule.read(text)
            except (ValueError, TypeError):
                problems.append(f"{name}: {text!r} is not {rule.valid}")
        if problems:
            raise ClientError(
                f"Unable to initialize the algorithm. Failed to validate hyperparameters. {'. '.join(problems)}"
            )
        return cls(**values, given=dict(given))

    def batches_per_epoch(self, series: int) -> int:
        """An epoch is one pass over so many series, but ten batches at least."""
        return max(10, -(-series // self.mini_batch_size))


@dataclass(frozen=True)
class _Rule:
    """`default` None: required. `read` raises ValueError or TypeError for a text that is not `valid`."""

    read: Callable[[str], Any]
    valid: str
    default: str | None = None


def _text(text: str) -> str:
    """A training job's hyperparameters are strings, whatever they mean."""
    if not isinstance(text, str):
        raise TypeError
    return text.strip()


def _positive(text: str) -> int:
    text = _text(text)
    # int() would take 1_000 and digits of other scripts.
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise ValueError
    return int(text)


def _patience(text: str) -> int | None:
    return _positive(text) if _text(text) else None


def _real(text: str) -> float:
    text = _text(text)
    # float() would take 0.00_1 and digits of other scripts too.
    if not text.isascii() or "_" in text or not abs(value := float(text)) < float("inf"):
        raise ValueError
    return value


def _learning_rate(text: str) -> float:
    value = _real(text)
    if value <= 0:
        raise ValueError
    return value


def _dropout_rate(text: str) -> float:
    value = _real(text)
    if not 0 <= value < 1:
        raise ValueError
    return value


def _likelihood(text: str) -> str:
    found = [likelihood for likelihood in LIKELIHOODS if likelihood.lower() == _text(text).lower()]
    if not found:
        raise ValueError
    return found[0]


def _cardinality(text: str) -> tuple[int, ...] | None:
    text = _text(text)
    if text == "auto":
        return None
    if text in ("", *_IGNORE):
        return ()
    numbers = json.loads(text)
    if not isinstance(numbers, list) or not numbers:
        raise ValueError
    if not all(type(number) is int and number > 0 for number in numbers):
        raise ValueError
    return tuple(numbers)


def _num_dynamic_feat(text: str) -> int | None:
    text = _text(text)
    if text == "auto":
        return None
    return 0 if text in ("", *_IGNORE) else _positive(text)


def _quantiles(text: str) -> tuple[float, ...]:
    numbers = json.loads(_text(text))
    if not isinstance(numbers, list) or not numbers:
        raise ValueError
    if not all(type(number) is float and 0 < number < 1 for number in numbers):
        raise ValueError
    return tuple(numbers)


_POSITIVE = "a positive integer"
_RULES = {
    "time_freq": _Rule(
        lambda text: Frequency.parse(_text(text)), "an integer followed by M, W, D, H or min, such as 5min"
    ),
    "prediction_length": _Rule(_positive, _POSITIVE),
    "context_length": _Rule(_positive, _POSITIVE),
    "epochs": _Rule(_positive, _POSITIVE),
    "early_stopping_patience": _Rule(_patience, _POSITIVE, ""),
    "mini_batch_size": _Rule(_positive, _POSITIVE, "128"),
    "learning_rate": _Rule(_learning_rate, "a float above 0", "0.001"),
    "num_cells": _Rule(_positive, _POSITIVE, "40"),
    "num_layers": _Rule(_positive, _POSITIVE, "2"),
    "likelihood": _Rule(_likelihood, f"one of {', '.join(LIKELIHOODS)}", "student-T"),
    "dropout_rate": _Rule(_dropout_rate, "a float of at least 0 and below 1", "0.10"),
    "embedding_dimension": _Rule(_positive, _POSITIVE, "10"),
    "cardinality": _Rule(_cardinality, "auto, ignore, or an array of positive integers", "auto"),
    "num_dynamic_feat": _Rule(_num_dynamic_feat, "auto, ignore, or a positive integer", "auto"),
    "num_eval_samples": _Rule(_positive, _POSITIVE, "100"),
    "test_quantiles": _Rule(
        _quantiles, "an array of floats between 0 and 1", "[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]"
    ),
}
