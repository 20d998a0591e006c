"""What meters that are not like the others give in training and in inference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from local_aws.sagemaker.deepar import scoring, training
from local_aws.sagemaker.deepar.model import Model
from local_aws.sagemaker.deepar.series import Series
from tests.local_aws.sagemaker.deepar.meters import LEVELS, day, hyperparameters, series

LEVEL, HOURS, HORIZON = 150, 240, 24
WEEK = 168
# The mean absolute target of the fleet that the fixture trains on is about this.
AVERAGE = sum(LEVELS) / len(LEVELS)


def truth(begin: int) -> Any:
    """The hours after `begin` of the meter of LEVEL."""
    return np.array(day(LEVEL, begin + HORIZON)[begin:], np.float64)


def gap_of_five_hours() -> Series:
    target = day(LEVEL, HOURS)
    target[HOURS - 14 : HOURS - 9] = [None] * 5
    return series(target)


def joined_late() -> Series:
    """Ten days of the fleet are past; it has been there for the last 30 hours of them."""
    return series(day(LEVEL, HOURS)[HOURS - 30 :], start="2026-01-09 18:00:00")


def silent_last_week(known: int = HOURS) -> Series:
    return series(day(LEVEL, known) + [None] * WEEK)


def zeros() -> Series:
    return series([0] * HOURS)


SPECIAL = {
    "gap of five hours": gap_of_five_hours(),
    "joined late": joined_late(),
    "silent last week": silent_last_week(),
    "all zeros": zeros(),
}


@pytest.fixture(scope="module")
def fleet() -> Model:
    """Trained on ordinary meters and on each of the special ones."""
    ordinary = [series(day(level, HOURS + WEEK)) for level in LEVELS]
    return training.train(hyperparameters(epochs="30"), [*ordinary, *SPECIAL.values()])[0]


def median(model: Model, instance: Series) -> Any:
    [paths] = model.sample([instance], 100)
    assert np.isfinite(paths).all()
    return np.median(paths, axis=0)


def distance(forecast: Any, real: Any) -> float:
    """The mean absolute error in shares of the level; the mean of the day as forecast has 0.57."""
    return float(np.abs(forecast - real).mean() / LEVEL)


@pytest.mark.parametrize("name", SPECIAL)
def test_a_special_meter_among_ordinary_ones_leaves_the_training_finite(name: str) -> None:
    ordinary = [series(day(level, HOURS)) for level in (100, 200)]
    model, loss = training.train(hyperparameters(epochs="2"), [*ordinary, SPECIAL[name]])
    assert math.isfinite(loss)
    assert np.isfinite(model.sample([*ordinary, *SPECIAL.values()], 5)).all()


@pytest.mark.parametrize("name", SPECIAL)
def test_a_special_meter_in_the_test_channel_leaves_the_scores_finite(fleet: Model, name: str) -> None:
    found = scoring.score(fleet, [SPECIAL[name], series(day(LEVEL, HOURS))])
    assert "mean_wQuantileLoss" in found
    assert np.isfinite(list(found.values())).all()


def test_a_week_without_a_reading_in_the_test_channel_is_not_scored(fleet: Model) -> None:
    assert scoring.score(fleet, [SPECIAL["silent last week"]]) == {}
    both = scoring.score(fleet, [series(day(LEVEL, HOURS)), SPECIAL["silent last week"]])
    # What the loss is divided by is the ordinary meter's day alone.
    compared = both["mean_absolute_QuantileLoss"] / both["mean_wQuantileLoss"]
    assert compared == pytest.approx(truth(HOURS - HORIZON).sum())


def test_a_gap_of_five_hours_moves_the_forecast_little(fleet: Model) -> None:
    whole = median(fleet, series(day(LEVEL, HOURS)))
    with_gap = median(fleet, gap_of_five_hours())
    assert distance(whole, truth(HOURS)) < 0.2
    assert distance(with_gap, truth(HOURS)) < 0.35


def test_a_gap_is_no_consumption_of_zero(fleet: Model) -> None:
    """What is known in the context, and nothing else, is the scale of the forecast."""
    gap = gap_of_five_hours()
    known = [value for value in day(LEVEL, HOURS)[-24:-14] + day(LEVEL, HOURS)[-9:] if value is not None]
    padded = fleet.padded(gap)
    _, _, scale = fleet.network.scaler(torch.tensor(padded.values[-24:]), torch.tensor(padded.observed[-24:]))
    assert len(known) == 19
    assert float(scale) == pytest.approx(sum(known) / 19)


def test_a_meter_that_joined_late_is_forecast_at_its_own_level_in_the_rhythm_of_the_others(fleet: Model) -> None:
    forecast = median(fleet, joined_late())
    assert forecast.mean() == pytest.approx(LEVEL, rel=0.5)
    assert distance(forecast, truth(HOURS)) < 0.5


def test_a_meter_of_three_hours_is_forecast(fleet: Model) -> None:
    forecast = median(fleet, series(day(LEVEL, HOURS)[-3:], start="2026-01-10 21:00:00"))
    assert 0.2 * LEVEL < forecast.mean() < 4 * LEVEL


def test_a_meter_without_a_reading_in_the_last_week_given_to_its_last_reading_is_forecast_from_there(
    fleet: Model,
) -> None:
    """As training and batches give it: the forecast begins in the hour after the last reading, here at 12 o'clock."""
    known = HOURS - WEEK + 12
    assert distance(median(fleet, series(day(LEVEL, known))), truth(known)) < 0.25


def test_a_week_of_missing_values_before_the_forecast_gives_one_between_nothing_and_the_fleets_level(
    fleet: Model,
) -> None:
    forecast = median(fleet, silent_last_week())
    assert (forecast >= 0).all()
    assert 0.01 * AVERAGE < forecast.mean() < 2 * AVERAGE


def test_a_meter_of_zeros_is_forecast_at_nearly_zero(fleet: Model) -> None:
    [paths] = fleet.sample([zeros()], 100)
    assert np.quantile(paths, 0.9, axis=0).max() < 0.02 * AVERAGE
    assert (paths >= 0).all()


def test_a_meter_that_stopped_at_zero_a_day_ago_is_finite(fleet: Model) -> None:
    forecast = median(fleet, series(day(LEVEL, HOURS) + [0] * 24))
    assert (forecast >= 0).all()
    assert forecast.mean() < LEVEL


@pytest.mark.parametrize("target", [[], [None], [None] * 1000], ids=["no hour", "an hour", "a thousand hours"])
def test_a_meter_without_any_reading_has_a_forecast_not_above_the_fleets(fleet: Model, target: list[None]) -> None:
    forecast = median(fleet, series(target))
    assert (forecast >= 0).all()
    assert 0.01 * AVERAGE < forecast.mean() < 3 * AVERAGE


def test_special_meters_move_no_forecast_of_the_meter_beside_them(fleet: Model) -> None:
    ordinary = series(day(LEVEL, HOURS))
    among = fleet.sample([*SPECIAL.values(), ordinary], 10)
    np.testing.assert_array_equal(among[-1], fleet.sample([ordinary], 10)[0])
