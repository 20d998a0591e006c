"""Windows of series as the network takes them: what was before a moment, and the prediction_length after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas
import torch
from gluonts.time_feature import time_features_from_frequency_str

from local_aws.sagemaker.deepar.frequency import Frequency
from local_aws.sagemaker.deepar.series import Series, Values

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Padded:
    """A series behind `past_length` unobserved steps: values, whether observed, and features (steps, features)."""

    values: Values
    observed: Values
    features: Values
    cat: tuple[int, ...]
    length: int


def pad(series: Series, past_length: int, prediction_length: int, frequency: Frequency) -> Padded:
    """The series with the features of its steps and of the prediction_length steps after it."""
    steps = len(series.target) + prediction_length
    rows = [_calendar(series.start, steps, frequency.text), _age(steps)[None, :]]
    if series.dynamic is not None:
        # The channels of a training give no features beyond the target; no window of theirs reaches there.
        missing = steps - series.dynamic.shape[1]
        rows.append(np.pad(series.dynamic, ((0, 0), (0, missing))))
    features = np.concatenate(rows).T.astype(np.float32)
    observed = np.isfinite(series.target)
    empty = np.zeros(past_length, np.float32)
    return Padded(
        np.concatenate([empty, np.where(observed, series.target, 0).astype(np.float32)]),
        np.concatenate([empty, observed.astype(np.float32)]),
        np.concatenate([np.zeros((past_length, features.shape[1]), np.float32), features]),
        series.categories or (),
        len(series.target),
    )


def inputs(windows: Iterable[tuple[Padded, int]], past_length: int, prediction_length: int) -> Tensors:
    """The network's inputs for windows whose forecast begins at a step of their series."""
    chosen = list(windows)
    return {
        "feat_static_cat": torch.tensor([padded.cat or (0,) for padded, _ in chosen], dtype=torch.long),
        "feat_static_real": torch.zeros(len(chosen), 1),
        "past_time_feat": _stack(padded.features[at : at + past_length] for padded, at in chosen),
        "past_target": _stack(padded.values[at : at + past_length] for padded, at in chosen),
        "past_observed_values": _stack(padded.observed[at : at + past_length] for padded, at in chosen),
        "future_time_feat": _stack(
            padded.features[at + past_length : at + past_length + prediction_length] for padded, at in chosen
        ),
    }


def futures(windows: Iterable[tuple[Padded, int]], past_length: int, prediction_length: int) -> Tensors:
    """What came after, for windows that lie within their series."""
    spans = [(padded, slice(at + past_length, at + past_length + prediction_length)) for padded, at in windows]
    return {
        "future_target": _stack(padded.values[span] for padded, span in spans),
        "future_observed_values": _stack(padded.observed[span] for padded, span in spans),
    }


def _stack(arrays: Iterable[Values]) -> torch.Tensor:
    return torch.from_numpy(np.stack(list(arrays)))


def _calendar(start: pandas.Period, steps: int, frequency: str) -> Values:
    index = pandas.period_range(start, periods=steps, freq=start.freq)
    return np.stack([feature(index) for feature in time_features_from_frequency_str(frequency)])


def _age(steps: int) -> Values:
    return np.log10(2.0 + np.arange(steps))
