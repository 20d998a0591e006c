"""Judged days: what is found, what is left alone, and that every number is one."""

from __future__ import annotations

import numpy as np
import pytest
from meter_data.anomalies.judgement import LEAST_IMPORTANCE_OF_RULES

from tests.glue.meter_data.anomalies.series import judged, ordinary, usual

DAYS = 365


def test_a_spike_is_above_and_a_dip_is_below() -> None:
    given = ordinary(20, DAYS)
    given[:, 100] = 3 * usual(DAYS)[100]
    given[:, 200] = 0.1 * usual(DAYS)[200]

    found = judged(given)

    assert (found.anomaly[:, 100] == 1).all()
    assert (found.anomaly[:, 200] == -1).all()
    assert (found.importance[:, [100, 200]] > 0).all()


def test_importance_is_the_distance_outside_over_half_of_the_band_as_cube_roots() -> None:
    given = ordinary(20, DAYS)
    given[:, 100] = 3 * usual(DAYS)[100]
    given[:, 200] = 0.1 * usual(DAYS)[200]

    found = judged(given)

    half = (np.cbrt(found.upper) - np.cbrt(found.lower)) / 2
    above = (np.cbrt(given) - np.cbrt(found.upper)) / half
    below = (np.cbrt(found.lower) - np.cbrt(given)) / half
    assert found.importance == pytest.approx(np.maximum(0, np.maximum(above, below)), abs=1e-12)
    assert (found.importance[:, [100, 200]] > 0).all()


def test_days_without_consumption_are_below() -> None:
    given = ordinary(20, DAYS)
    given[:, 150:153] = 0

    found = judged(given)

    assert (found.anomaly[:, 150:153] == -1).all()
    assert (found.importance[:, 150:153] >= LEAST_IMPORTANCE_OF_RULES).all()


def test_a_meter_that_stands_still_is_found_though_its_days_are_inside_the_band() -> None:
    given = ordinary(20, DAYS)
    given[:, 150:154] = 11.0
    given[:, 250:254] = 6.5
    given[:, 300:303] = 10.0

    found = judged(given)

    for still in (slice(150, 154), slice(250, 254)):
        inside = (found.lower[:, still] <= given[:, still]) & (given[:, still] <= found.upper[:, still])
        assert inside.all()
        assert (found.anomaly[:, still] != 0).all()
        assert (found.importance[:, still] == LEAST_IMPORTANCE_OF_RULES).all()
    # About 8 to 9.6 kWh were to be expected, and 7.7 to 9.
    assert (found.anomaly[:, 150:154] == 1).mean() > 0.75
    assert (found.anomaly[:, 250:254] == -1).mean() > 0.75
    assert (found.anomaly[:, 300:303] == 0).all()


@pytest.mark.parametrize("days", [28, 60, 120, 299, 365, 730])
def test_about_two_of_a_hundred_ordinary_days_lie_outside_a_band_of_98_percent(days: int) -> None:
    """1.5 to 3.5 %: with few days the regression follows some of the noise, and the band becomes narrower."""
    found = judged(ordinary(200, days))

    assert 0.015 < (found.anomaly != 0).mean() < 0.035
    assert (found.anomaly == 1).mean() == pytest.approx((found.anomaly == -1).mean(), abs=0.012)


def test_the_newest_day_is_judged_like_any_other() -> None:
    found = judged(ordinary(2000, 120))

    assert 0.01 < (found.anomaly[:, -1] != 0).mean() < 0.045


@pytest.mark.parametrize("value", [0.0, 0.004, 5.0])
def test_a_meter_that_is_always_the_same_is_as_expected(value: float) -> None:
    found = judged(np.full((1, 100), value))

    assert (found.anomaly == 0).all()
    assert (found.importance == 0).all()
    assert ((found.lower <= value) & (value < found.upper)).all()


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_constant_meter_that_changes_is_above(value: float) -> None:
    given = np.full((1, 100), value)
    given[0, 99] = 3 * value + 1

    found = judged(given)

    assert found.anomaly[0, 99] == 1
    assert (found.anomaly[0, :99] == 0).all()


def test_a_house_that_is_often_empty_may_be_empty() -> None:
    given = ordinary(20, DAYS)
    given[:, 200:300] = 0

    assert (judged(given).anomaly[:, 210:290] == 0).mean() > 0.9


def test_the_band_follows_a_week_that_is_different_halfway() -> None:
    """Ten days at 1.6 times: 1.17 times as cube roots. Half of it moves the band, and the year's waves a little."""
    given = ordinary(200, DAYS)
    visit = given.copy()
    visit[:, 150:160] *= 1.6

    before, after = (np.cbrt(judged(series).upper) + np.cbrt(judged(series).lower) for series in (given, visit))

    assert 1 + 0.17 / 2 < (after / before)[:, 155].mean() < 1.13
    assert (after / before)[:, [140, 170]].mean() == pytest.approx(1, abs=0.02)


def test_every_number_is_finite_whatever_the_meter() -> None:
    noise = np.random.default_rng(3)
    given = np.vstack(
        [
            np.zeros(100),
            np.full(100, 1e-9),
            np.r_[np.zeros(99), 1e6],
            np.r_[np.full(99, 1e6), 0],
            noise.lognormal(0, 3, 100),
            noise.normal(0, 5, 100),  # solar exports
            -noise.lognormal(0, 1, 100),
            np.where(noise.random(100) < 0.5, np.nan, 3.0),
            np.r_[np.full(99, np.nan), 3.0],
            np.r_[np.linspace(2, 0, 40) ** 3, np.full(60, np.nan)],  # goes below zero, if it goes on
        ]
    )

    found = judged(given)

    for numbers in (found.lower, found.upper, found.importance):
        assert np.isfinite(numbers).all()
    assert (found.lower < found.upper).all()
    assert ((found.importance == 0) == (found.anomaly == 0)).all()
    assert (found.importance >= 0).all()


def test_nothing_below_zero_is_expected_of_a_meter_that_never_was() -> None:
    assert (judged(ordinary(20, DAYS, noise=0.4).clip(0)).lower >= 0).all()
    assert (judged(-ordinary(20, DAYS)).lower < 0).all()


def test_missing_days_are_no_anomalies_and_hide_none() -> None:
    given = ordinary(20, DAYS)
    given[:, 100] = 3 * usual(DAYS)[100]
    gaps = np.random.default_rng(5).random(given.shape) < 0.3
    gaps[:, 100] = False
    given[gaps] = np.nan

    found = judged(given)

    assert (found.anomaly[gaps] == 0).all()
    assert (found.anomaly[:, 100] == 1).all()
    assert 0.01 < (found.anomaly[~gaps] != 0).mean() < 0.04


def test_a_meter_that_joined_late_is_judged_by_its_own_days() -> None:
    given = ordinary(200, DAYS)
    given[:, :305] = np.nan
    given[:, 340] = 3 * usual(DAYS)[340]

    found = judged(given)

    assert (found.anomaly[:, 340] == 1).mean() > 0.99
    assert 0.015 < (found.anomaly[:, 305:] != 0).mean() - 1 / 60 < 0.035


@pytest.mark.parametrize("days", [40, 120, 365])
def test_a_meter_is_judged_alike_alone_and_among_others(days: int) -> None:
    noise = np.random.default_rng(7)
    given = ordinary(40, days) * noise.lognormal(0, 2, (40, 1))
    given[noise.random(given.shape) < 0.2] = np.nan
    given[3, : days // 2] = np.nan
    given[5] = 0

    together = judged(given)

    for number in range(len(given)):
        alone = judged(given[[number]])
        assert (alone.anomaly[0] == together.anomaly[number]).all()
        for one, all_of_them in (
            (alone.lower, together.lower),
            (alone.upper, together.upper),
            (alone.importance, together.importance),
        ):
            assert one[0] == pytest.approx(all_of_them[number], rel=1e-9, abs=1e-9)


def test_the_unit_of_the_meter_does_not_matter() -> None:
    given = ordinary(20, DAYS)

    found, thousandfold = judged(given), judged(1000 * given)

    assert thousandfold.anomaly == pytest.approx(found.anomaly)
    assert thousandfold.upper == pytest.approx(1000 * found.upper)
    assert thousandfold.importance == pytest.approx(found.importance, abs=1e-9)
