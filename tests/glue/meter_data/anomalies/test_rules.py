"""The rules for meters that stand still or measure nothing."""

from __future__ import annotations

import numpy as np
from meter_data.anomalies import rules

NAN = np.nan


def filled(days: list[float], count: int = 40) -> np.ndarray:
    """One meter with these days first and days that are all different behind them."""
    return np.array([[*days, *(100.0 + number for number in range(count - len(days)))]])


def test_the_length_of_a_run_is_that_of_all_its_days() -> None:
    given = np.array([[1.0, 1.0, 2.0, 3.0, 3.0, 3.0], [0.0, 0.0, 0.0, 0.0, NAN, 0.0]])

    assert rules.run_lengths(given).tolist() == [[2, 2, 1, 3, 3, 3], [4, 4, 4, 4, 0, 1]]


def test_equal_to_the_wh_is_equal() -> None:
    assert rules.run_lengths(np.array([[1.0, 1.0 + 1e-12, 1.0004, 1.0014]])).tolist() == [[3, 3, 3, 1]]


def test_four_equal_days_that_follow_one_another_stand_still() -> None:
    assert rules.still(filled([5.0] * 4))[0, :5].tolist() == [True, True, True, True, False]
    assert not rules.still(filled([5.0] * 3)).any()
    assert not rules.still(filled([5.0, 5.0, NAN, 5.0, 5.0])).any()


def test_zeros_are_no_run_but_have_a_rule_of_their_own() -> None:
    given = filled([0.0] * 5)

    assert not rules.still(given).any()
    assert rules.zero(given)[0, :6].tolist() == [True] * 5 + [False]


def test_what_is_usual_for_a_meter_is_no_anomaly() -> None:
    assert rules.still(filled([5.0] * 20)).sum() == 20
    assert not rules.still(filled([5.0] * 21)).any()
    assert rules.zero(filled([0.0] * 8)).sum() == 8
    assert not rules.zero(filled([0.0] * 9)).any()


def test_missing_days_count_for_nothing() -> None:
    given = filled([0.0] * 4)
    given[0, 20:] = NAN

    assert rules.zero(given).sum() == 4
    given[0, 19:] = NAN
    assert not rules.zero(given).any()
