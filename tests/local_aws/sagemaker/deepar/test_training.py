from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch

from local_aws.sagemaker.deepar import training
from local_aws.sagemaker.deepar.errors import AlgorithmError, ClientError
from local_aws.sagemaker.deepar.hyperparameters import LIKELIHOODS
from local_aws.sagemaker.deepar.model import Model
from local_aws.sagemaker.deepar.series import Series
from tests.local_aws.sagemaker.deepar.meters import LEVELS, day, hyperparameters, series

METERS = [series(day(level, 240)) for level in LEVELS]
# So high that the loss goes up and down.
RESTLESS = {"learning_rate": "0.3"}


def same_weights(one: Model, other: Model) -> bool:
    first, second = one.network.state_dict(), other.network.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


def losses(channel: list[Series] = METERS, **given: str) -> list[float]:
    """The loss of each epoch that was run."""
    found: list[float] = []
    training.train(hyperparameters(**given), channel, lambda epoch: found.append(epoch.loss))
    return found


def batches(channel: list[Series], **given: str) -> int:
    """How many mini-batches were trained on."""
    asked = []
    training.train(hyperparameters(**given), channel, should_stop=lambda: bool(asked.append(None)))
    return len(asked)


def after(number: int) -> Callable[[], bool]:
    """Says stop after so many mini-batches."""
    left = iter(range(number))
    return lambda: next(left, None) is None


@pytest.fixture(scope="module")
def restless() -> list[float]:
    return losses(epochs="24", **RESTLESS)


def test_the_rhythm_of_the_day_is_learnt(trained: Model) -> None:
    for level in (70, 250):  # neither was trained on
        truth = np.array(day(level, 264)[-24:], np.float64)
        [paths] = trained.sample([series(day(level, 240))], 50)
        distance = np.abs(np.median(paths, axis=0) - truth).mean()
        of_the_mean = np.abs(level - truth).mean()
        assert distance < of_the_mean / 3


def test_the_80_percent_interval_is_narrower_than_the_day_and_holds_most_of_the_truth(trained: Model) -> None:
    truth = np.array(day(250, 264)[-24:], np.float64)
    [paths] = trained.sample([series(day(250, 240))], 100)
    low, high = np.quantile(paths, [0.1, 0.9], axis=0)
    assert ((low <= truth) & (truth <= high)).mean() > 0.7
    assert (high - low).mean() < (truth.max() - truth.min()) / 2


def test_the_loss_falls() -> None:
    found = losses(epochs="8")
    assert found[-1] < found[0] - 0.5


def test_the_same_training_gives_the_same_weights_whatever_was_drawn_before() -> None:
    one, loss = training.train(hyperparameters(epochs="2"), METERS)
    torch.rand(7)
    np.random.rand(7)
    other, other_loss = training.train(hyperparameters(epochs="2"), METERS)
    assert same_weights(one, other)
    assert loss == other_loss


def test_other_data_give_other_weights() -> None:
    one, _ = training.train(hyperparameters(), METERS)
    other, _ = training.train(hyperparameters(), [*METERS[:-1], series(day(401, 240))])
    assert not same_weights(one, other)


@pytest.mark.parametrize(
    ("count", "size", "wanted"), [(1, "1", 10), (10, "1", 10), (11, "1", 11), (11, "2", 10), (23, "2", 12)]
)
def test_an_epoch_has_a_mini_batch_for_so_many_series_but_ten_at_least(count: int, size: str, wanted: int) -> None:
    channel = [series(day(100, 300 // count + 24)) for _ in range(count)]
    assert batches(channel, epochs="2", mini_batch_size=size) == 2 * wanted


def test_the_weights_of_the_best_epoch_are_kept(restless: list[float]) -> None:
    ended = max(number for number in range(1, len(restless)) if restless[number] > min(restless[:number]))
    best = restless.index(min(restless[:ended]))
    whole, loss = training.train(hyperparameters(epochs=str(ended + 1), **RESTLESS), METERS)
    until_best, _ = training.train(hyperparameters(epochs=str(best + 1), **RESTLESS), METERS)
    assert loss == restless[best]
    assert same_weights(whole, until_best)


@pytest.mark.parametrize("patience", [1, 2, 3])
def test_training_ends_when_the_loss_has_not_fallen_for_as_many_epochs(restless: list[float], patience: int) -> None:
    ended = next(
        number + 1
        for number in range(patience, len(restless))
        if min(restless[: number - patience + 1]) <= min(restless[number - patience + 1 : number + 1])
    )
    assert ended < len(restless), "it would end anyhow: this shows nothing"
    found = losses(epochs="24", early_stopping_patience=str(patience), **RESTLESS)
    assert found == restless[:ended]


def test_epochs_are_reported_with_their_number_and_whether_they_are_the_best(restless: list[float]) -> None:
    epochs: list[training.Epoch] = []
    training.train(hyperparameters(epochs="24", **RESTLESS), METERS, epochs.append)
    assert [epoch.number for epoch in epochs] == list(range(24))
    assert [epoch.is_best for epoch in epochs] == [
        loss < min(restless[:number], default=math.inf) for number, loss in enumerate(restless)
    ]


def test_a_stop_within_an_epoch_keeps_the_weights_of_those_before() -> None:
    stopped, loss = training.train(hyperparameters(epochs="9"), METERS, should_stop=after(25))
    two, two_loss = training.train(hyperparameters(epochs="2"), METERS)
    assert same_weights(stopped, two)
    assert loss == two_loss


def test_a_stop_in_the_first_epoch_has_no_loss() -> None:
    _, loss = training.train(hyperparameters(), METERS, should_stop=after(3))
    assert loss == math.inf


@pytest.mark.parametrize(("likelihood", "learning_rate"), [("negative-binomial", "1000"), ("gaussian", "1e30")])
def test_a_training_that_diverges_fails_as_the_algorithms_fault(likelihood: str, learning_rate: str) -> None:
    with pytest.raises(AlgorithmError, match="AlgorithmError: The loss is no number. Use a lower learning_rate"):
        training.train(hyperparameters(epochs="5", likelihood=likelihood, learning_rate=learning_rate), METERS)


def test_weights_that_the_very_last_step_spoils_are_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The losses are finite: each is that of the weights before its step."""
    steps = iter(range(10))

    def spoil_the_tenth(parameters: Iterable[torch.nn.Parameter], _: float) -> None:
        if next(steps) == 9:
            for parameter in parameters:
                parameter.grad = torch.full_like(parameter, math.nan)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", spoil_the_tenth)
    with pytest.raises(AlgorithmError):
        training.train(hyperparameters(epochs="1"), METERS)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_each_likelihood_learns_from_a_series_with_a_gap_and_forecasts_at_its_level(likelihood: str) -> None:
    """Shares of a limit, from 0 to 1, both included; whole numbers where the likelihood counts."""
    unit = 1 if likelihood == "negative-binomial" else 200
    target: list[Any] = [value / unit for value in day(100, 240)]
    if likelihood == "beta":
        target[30], target[31] = 0, 1
    target[100:105] = [None] * 5
    model, loss = training.train(
        hyperparameters(epochs="6", likelihood=likelihood), [series(target), series(target[24:])]
    )
    assert math.isfinite(loss)
    [paths] = model.sample([series(target)], 50)
    assert np.isfinite(paths).all()
    assert np.median(paths) == pytest.approx(100 / unit, rel=0.5)


def test_samples_lie_where_their_likelihood_does() -> None:
    def paths(likelihood: str, unit: int) -> Any:
        channel = [series([value / unit for value in day(100, 240)])] * 2
        model, _ = training.train(hyperparameters(likelihood=likelihood), channel)
        return model.sample(channel[:1], 50)[0]

    counts = paths("negative-binomial", 1)
    assert (counts >= 0).all()
    assert (counts == np.floor(counts)).all()
    shares = paths("beta", 200)
    assert ((shares >= 0) & (shares <= 1)).all()
    points = paths("deterministic-L1", 1)
    np.testing.assert_allclose(points, np.broadcast_to(points[0], points.shape), rtol=1e-5)
    spread = paths("gaussian", 1)
    assert (spread.std(axis=0) > 0).all()


def test_series_shorter_than_the_forecast_are_not_trained_on() -> None:
    with_short, _ = training.train(hyperparameters(), [*METERS, series([10_000] * 23)])
    without, _ = training.train(hyperparameters(), METERS)
    assert same_weights(with_short, without)


def test_a_series_as_long_as_the_forecast_is_trained_on() -> None:
    model, loss = training.train(hyperparameters(), [series(day(level, 24)) for level in range(100, 120)])
    assert math.isfinite(loss)
    assert model.sample([series(day(100, 24))], 2).shape == (1, 2, 24)


@pytest.mark.parametrize("frequency", ["5min", "30min", "2H", "1D", "1W", "1M"])
def test_other_granularities_can_be_trained_on_and_forecast(frequency: str) -> None:
    values = hyperparameters(time_freq=frequency)
    one = Series.read({"start": "2013-01-01 00:00:00", "target": day(100, 300)}, values.time_freq)
    model, loss = training.train(values, [one])
    assert math.isfinite(loss)
    assert np.isfinite(model.sample([one], 2)).all()


def test_dynamic_features_reach_the_model() -> None:
    """A target that follows its feature alone, in which no hour is like another."""
    random = np.random.default_rng(3)
    feature = (random.random(424) < 0.5).astype(float)
    target = [round(20 + 200 * value) for value in feature]
    values = hyperparameters(epochs="12")
    model, _ = training.train(values, [series(target[:400], dynamic_feat=[feature[:400].tolist()])])
    [paths] = model.sample([series(target[:400], dynamic_feat=[feature.tolist()])], 50)
    median = np.median(paths, axis=0)
    assert median[feature[400:] == 1].min() > median[feature[400:] == 0].max()


def test_categories_reach_the_model() -> None:
    """What the history does not tell is in the category: 0 sleeps and 1 works in the hours to come."""
    quiet, busy = [10] * 24, [200] * 24
    values = hyperparameters(epochs="8", context_length="1", cardinality="[2]")
    channel = [
        series([None] * 24 + target, cat=[cat]) for cat, target in ((0, quiet), (1, busy)) for _ in range(10)
    ]  # fmt: skip
    model, _ = training.train(values, channel)
    low, high = model.sample([series([], cat=[0]), series([], cat=[1])], 50)
    assert np.median(low) < 60 < np.median(high)


def test_a_training_set_that_is_no_use_is_refused() -> None:
    with pytest.raises(ClientError, match="at least 300 are needed"):
        training.train(hyperparameters(), [series(day(100, 240))])
