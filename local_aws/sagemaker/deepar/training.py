"""The training loop. SageMaker's words: an epoch is a number of mini-batches, not one pass through all windows."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from local_aws.sagemaker.deepar import data_rules, windows
from local_aws.sagemaker.deepar.errors import AlgorithmError
from local_aws.sagemaker.deepar.hyperparameters import Hyperparameters
from local_aws.sagemaker.deepar.model import Model
from local_aws.sagemaker.deepar.series import Series

SEED = 20131
LARGEST_GRADIENT = 10.0
# The learning rate is halved when the loss has not fallen for so many epochs.
PLATEAU_EPOCHS = 10


@dataclass(frozen=True)
class Epoch:
    """One epoch's end: its number from 0, its mean loss, and whether that is the lowest so far."""

    number: int
    loss: float
    is_best: bool


Report = Callable[[Epoch], None]


def train(
    hyperparameters: Hyperparameters,
    channel: list[Series],
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[Model, float]:
    """The model with the weights of the best epoch, and that epoch's loss; infinite when it was stopped in the first.

    The same for the same data and hyperparameters. `should_stop` is asked after every mini-batch. Raises ClientError
    for a training set that is no use, AlgorithmError when the loss is no number any more.
    """
    features = data_rules.check_training_set(channel, hyperparameters)
    kept = data_rules.usable(channel, hyperparameters.prediction_length)
    torch.manual_seed(SEED)
    model = Model(hyperparameters, features, _mean_absolute(kept))
    loop = _Loop(model, [model.padded(one) for one in kept])
    best, best_loss, since_best = copy.deepcopy(model.network.state_dict()), math.inf, 0
    for number in range(hyperparameters.epochs):
        loss = loop.epoch(should_stop or _never)
        if loss is None:
            break
        since_best = 0 if loss < best_loss else since_best + 1
        if since_best == 0:
            best, best_loss = copy.deepcopy(model.network.state_dict()), loss
        if report:
            report(Epoch(number, loss, since_best == 0))
        if hyperparameters.early_stopping_patience and since_best >= hyperparameters.early_stopping_patience:
            break
    model.network.load_state_dict(best)
    return model, best_loss


class _Loop:
    """Random windows of the series, and the optimiser that learns from them."""

    def __init__(self, model: Model, padded: list[windows.Padded]) -> None:
        self._model = model
        self._padded = padded
        self._round: list[int] = []
        self._random = np.random.default_rng(SEED)
        self._optimiser = torch.optim.Adam(model.network.parameters(), lr=model.hyperparameters.learning_rate)
        self._schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self._optimiser, factor=0.5, patience=PLATEAU_EPOCHS
        )

    def epoch(self, should_stop: Callable[[], bool]) -> float | None:
        """The mean loss of the epoch's mini-batches; None when it was stopped."""
        size = self._model.hyperparameters.mini_batch_size
        self._model.network.train()
        losses = []
        for _ in range(self._model.hyperparameters.batches_per_epoch(len(self._padded))):
            if should_stop():
                return None
            losses.append(self._step(size))
        mean = sum(losses) / len(losses)
        weights = self._model.network.parameters()
        # The last mini-batch's loss was finite before its step, which may have spoilt the weights.
        if not math.isfinite(mean) or not all(bool(one.isfinite().all()) for one in weights):
            raise AlgorithmError("The loss is no number. Use a lower learning_rate or another likelihood.")
        self._schedule.step(mean)
        return mean

    def _step(self, size: int) -> float:
        chosen = [self._window() for _ in range(size)]
        lengths = self._model.past_length, self._model.hyperparameters.prediction_length
        given: dict[str, Any] = windows.inputs(chosen, *lengths) | windows.futures(chosen, *lengths)
        loss = self._model.network.loss(**given).mean()
        self._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.network.parameters(), LARGEST_GRADIENT)
        self._optimiser.step()
        return float(loss.item())

    def _next_series(self) -> windows.Padded:
        """Each series once in every round: so the loss of an epoch does not depend on who happened to be drawn."""
        if not self._round:
            self._round = self._random.permutation(len(self._padded)).tolist()
        return self._padded[self._round.pop()]

    def _window(self) -> tuple[windows.Padded, int]:
        padded = self._next_series()
        last = padded.length - self._model.hyperparameters.prediction_length
        # A series no longer than one forecast has but the window that begins with it.
        return padded, int(self._random.integers(min(1, last), last + 1))


def _mean_absolute(kept: list[Series]) -> float:
    return float(np.abs(np.concatenate([series.known for series in kept])).mean(dtype=np.float64))


def _never() -> bool:
    return False
