"""Baselines, against numbers worked out by hand and against plain numpy."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from meter_data.series import baselines
from meter_data.series.baselines import EmptyTestWindowsError, Window

from tests.glue.numpy_baselines import scores

WEEK = 168
QUANTILES = (0.1, 0.5, 0.9)


def score(known: dict[int, float], tested: list[Window], quantiles: Any = QUANTILES, first: int = 0) -> dict[str, Any]:
    """The scores of one meter with these known hours, from hour `first` on."""
    values = numpy.full((1, tested[-1].end - first), numpy.nan)
    for hour, value in known.items():
        values[0, hour - first] = value
    return baselines.score(baselines.losses(values, first, tested, quantiles), quantiles)


def test_windows_lie_one_after_the_other_up_to_the_end() -> None:
    assert baselines.windows(1000, 3, 24) == [Window(1, 928, 952), Window(2, 952, 976), Window(3, 976, 1000)]
    assert baselines.windows(1000, 1, 24) == [Window(1, 976, 1000)]


def test_the_losses_are_those_worked_out_by_hand() -> None:
    # The hour before each week's end: 10, 20 and 30 in three weeks, then 40 in the window of one hour.
    known = {week * WEEK - 1: 10.0 * week for week in (1, 2, 3, 4)} | {5: 1000.0}
    found = score(known, [Window(1, 4 * WEEK - 1, 4 * WEEK)])
    # Naive: 30. 2 · 0.1 · 10 / 40, 2 · 0.5 · 10 / 40, 2 · 0.9 · 10 / 40.
    assert found["seasonal_naive"]["wQuantileLoss"] == pytest.approx({"0.1": 0.05, "0.5": 0.25, "0.9": 0.45})
    assert found["seasonal_naive"]["mean_wQuantileLoss"] == pytest.approx(0.25)
    assert found["seasonal_naive"]["RMSE"] == pytest.approx(10)
    # Climatology of 10, 20, 30: 12, 20, 28. 2 · 0.1 · 28 / 40, 2 · 0.5 · 20 / 40, 2 · 0.9 · 12 / 40.
    assert found["climatology"]["wQuantileLoss"] == pytest.approx({"0.1": 0.14, "0.5": 0.5, "0.9": 0.54})
    assert found["climatology"]["RMSE"] == pytest.approx(20)


def test_a_forecast_above_the_value_weighs_by_the_other_side_of_the_quantile() -> None:
    found = score({0: 50, WEEK: 40}, [Window(1, WEEK, WEEK + 1)])
    # 2 · 0.9 · 10 / 40, 2 · 0.5 · 10 / 40, 2 · 0.1 · 10 / 40
    assert found["seasonal_naive"]["wQuantileLoss"] == pytest.approx({"0.1": 0.45, "0.5": 0.25, "0.9": 0.05})


def test_a_missing_hour_is_looked_for_a_week_earlier_and_else_the_mean_is_taken() -> None:
    known = {0: 10, 1: 20, WEEK + 1: 60, 2 * WEEK: 100, 2 * WEEK + 2: 100}
    found = score(known, [Window(1, 2 * WEEK, 2 * WEEK + 3)], [0.5])
    # Hour 0: 10, of two weeks before. Hour 1 is not known in the window. Hour 2: never known, the mean of 10, 20, 60.
    assert found["seasonal_naive"]["wQuantileLoss"] == pytest.approx({"0.5": (90 + 70) / 200})
    # Climatology: 10, and the median of 10, 20, 60.
    assert found["climatology"]["wQuantileLoss"] == pytest.approx({"0.5": (90 + 80) / 200})


def test_no_value_of_the_window_itself_is_used() -> None:
    # A window of two weeks: its second week repeats the week before the window, not its first week.
    found = score({0: 10, WEEK: 1000, 2 * WEEK: 10}, [Window(1, WEEK, 3 * WEEK)], [0.5])
    assert found["seasonal_naive"]["wQuantileLoss"]["0.5"] == pytest.approx(990 / 1010)


@pytest.mark.parametrize("first_hour", [1000, 1007])
def test_the_scores_are_those_of_numpy(first_hour: int) -> None:
    random = numpy.random.default_rng(7)
    values = random.gamma(1.0, 300.0, (5, 5 * WEEK)).round()
    values[random.random(values.shape) < 0.1] = numpy.nan
    values[2, :WEEK] = numpy.nan
    # Known for less than a week before the windows: most hours of the week were never known.
    values[3, : -144 - 50] = numpy.nan
    # A meter that joins within the windows has no forecast for the first.
    values[4, :-96] = numpy.nan
    tested = baselines.windows(first_hour + 5 * WEEK, 3, 48)
    found = baselines.score(baselines.losses(values, first_hour, tested, QUANTILES), QUANTILES)
    assert found == scores(values, first_hour, tested, QUANTILES)


def test_meters_may_be_scored_in_parts() -> None:
    random = numpy.random.default_rng(8)
    values = random.gamma(1.0, 300.0, (6, 3 * WEEK))
    tested = baselines.windows(3 * WEEK, 2, 24)
    parts = [each for row in values for each in baselines.losses(row[None], 0, tested, QUANTILES)]
    assert baselines.score(parts, QUANTILES) == scores(values, 0, tested, QUANTILES)


def test_windows_without_consumption_are_refused() -> None:
    tested = [Window(1, WEEK, WEEK + 2)]
    with pytest.raises(EmptyTestWindowsError, match="Give a data_end up to which readings are loaded"):
        score({0: 50}, tested)
    with pytest.raises(EmptyTestWindowsError):
        score({0: 50, WEEK: 0}, tested)
