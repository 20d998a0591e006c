"""Baselines, against numbers worked out by hand and against plain numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
from transformers.zones import baselines
from transformers.zones.baselines import EmptyTestWindowsError, Window

from tests.glue.hourly_readings import KNOWN, known
from tests.glue.numpy_baselines import scores

WEEK = 168
QUANTILES = (0.1, 0.5, 0.9)


def test_windows_lie_one_after_the_other_up_to_the_end() -> None:
    assert baselines.windows(1000, 3, 24) == [Window(1, 928, 952), Window(2, 952, 976), Window(3, 976, 1000)]
    assert baselines.windows(1000, 1, 24) == [Window(1, 976, 1000)]


def test_the_losses_are_those_worked_out_by_hand(frame: Callable[..., Any]) -> None:
    # The hour before each week's end: 10, 20 and 30 in three weeks, then 40 in the window of one hour.
    table = frame(KNOWN, *(("M1", week * WEEK - 1, 10 * week) for week in (1, 2, 3, 4)), ("M1", 5, 1000))
    found = baselines.score(table, [Window(1, 4 * WEEK - 1, 4 * WEEK)], QUANTILES)
    # Naive: 30. 2 · 0.1 · 10 / 40, 2 · 0.5 · 10 / 40, 2 · 0.9 · 10 / 40.
    assert found["seasonal_naive"]["wQuantileLoss"] == pytest.approx({"0.1": 0.05, "0.5": 0.25, "0.9": 0.45})
    assert found["seasonal_naive"]["mean_wQuantileLoss"] == pytest.approx(0.25)
    assert found["seasonal_naive"]["RMSE"] == pytest.approx(10)
    # Climatology of 10, 20, 30: 12, 20, 28. 2 · 0.1 · 28 / 40, 2 · 0.5 · 20 / 40, 2 · 0.9 · 12 / 40.
    assert found["climatology"]["wQuantileLoss"] == pytest.approx({"0.1": 0.14, "0.5": 0.5, "0.9": 0.54})
    assert found["climatology"]["RMSE"] == pytest.approx(20)


def test_a_forecast_above_the_value_weighs_by_the_other_side_of_the_quantile(frame: Callable[..., Any]) -> None:
    table = frame(KNOWN, ("M1", 0, 50), ("M1", WEEK, 40))
    found = baselines.score(table, [Window(1, WEEK, WEEK + 1)], QUANTILES)
    # 2 · 0.9 · 10 / 40, 2 · 0.5 · 10 / 40, 2 · 0.1 · 10 / 40
    assert found["seasonal_naive"]["wQuantileLoss"] == pytest.approx({"0.1": 0.45, "0.5": 0.25, "0.9": 0.05})


def test_a_missing_hour_is_looked_for_a_week_earlier_and_else_the_mean_is_taken(frame: Callable[..., Any]) -> None:
    rows = [("M1", 0, 10), ("M1", 1, 20), ("M1", WEEK + 1, 60), ("M1", 2 * WEEK, 100), ("M1", 2 * WEEK + 2, 100)]
    found = baselines.score(frame(KNOWN, *rows), [Window(1, 2 * WEEK, 2 * WEEK + 3)], [0.5])
    # Hour 0: 10, of two weeks before. Hour 1 is not known in the window. Hour 2: never known, the mean of 10, 20, 60.
    assert found["seasonal_naive"]["wQuantileLoss"] == pytest.approx({"0.5": (90 + 70) / 200})
    # Climatology: 10, and the median of 10, 20, 60.
    assert found["climatology"]["wQuantileLoss"] == pytest.approx({"0.5": (90 + 80) / 200})


def test_no_value_of_the_window_itself_is_used(frame: Callable[..., Any]) -> None:
    # A window of two weeks: its second week repeats the week before the window, not its first week.
    rows = [("M1", 0, 10), ("M1", WEEK, 1000), ("M1", 2 * WEEK, 10)]
    found = baselines.score(frame(KNOWN, *rows), [Window(1, WEEK, 3 * WEEK)], [0.5])
    assert found["seasonal_naive"]["wQuantileLoss"]["0.5"] == pytest.approx(990 / 1010)


def test_the_scores_are_those_of_numpy(frame: Callable[..., Any]) -> None:
    random = numpy.random.default_rng(7)
    values = random.gamma(1.0, 300.0, (3, 5 * WEEK)).round()
    values[random.random(values.shape) < 0.1] = numpy.nan
    values[2, :WEEK] = numpy.nan
    rows = [
        row
        for meter in range(3)
        for row in known(f"M{meter}", 1000, [None if v != v else int(v) for v in values[meter]])
    ]
    tested = baselines.windows(1000 + 5 * WEEK, 3, 48)
    assert baselines.score(frame(KNOWN, *rows), tested, QUANTILES) == scores(values, 1000, tested, QUANTILES)


def test_windows_without_consumption_are_refused(frame: Callable[..., Any]) -> None:
    tested = [Window(1, WEEK, WEEK + 2)]
    with pytest.raises(EmptyTestWindowsError, match="Give a data_end up to which readings are loaded"):
        baselines.score(frame(KNOWN, ("M1", 0, 50)), tested, QUANTILES)
    with pytest.raises(EmptyTestWindowsError):
        baselines.score(frame(KNOWN, ("M1", 0, 50), ("M1", WEEK, 0)), tested, QUANTILES)
