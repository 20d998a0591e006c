"""The columns that all meters share."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from meter_data.anomalies.design import EXCLUDED, Weather, design, yearly_order

DAYS = [date(2013, 1, 1) + timedelta(days=number) for number in range(365)]


def has_column(columns: np.ndarray, wanted: np.ndarray) -> bool:
    return any(np.allclose(column, wanted) for column in columns.T)


def test_the_order_of_the_year_grows_with_the_history() -> None:
    assert yearly_order(np.array([28, 89, 90, 299, 300, 900])).tolist() == [0, 0, 3, 3, 6, 6]


def test_columns_beyond_a_meters_order_are_kept_out_of_its_fit() -> None:
    made = design(DAYS, set())

    penalties = made.penalties_of(np.array([50, 200, 365]))

    assert [(row == EXCLUDED).sum() for row in penalties] == [12, 6, 0]
    assert penalties.shape == (3, made.columns.shape[1])


def test_there_are_columns_for_level_year_weekend_weekdays_and_holidays() -> None:
    holidays = {date(2013, 3, 29), date(2013, 12, 25)}
    columns = design(DAYS, holidays).columns
    angle = 2 * np.pi * np.arange(365) / 365.25
    weekday = np.array([day.weekday() for day in DAYS])

    assert has_column(columns, np.ones(365))
    assert has_column(columns, np.sin(3 * angle))
    assert has_column(columns, (weekday >= 5) - 2 / 7)
    assert has_column(columns, (weekday == 2) - 1 / 7)
    assert has_column(columns, np.array([day in holidays for day in DAYS], dtype=float))


def test_the_trend_may_turn_about_every_60_days() -> None:
    columns = design(DAYS, set()).columns
    turns = {
        int(np.flatnonzero(column)[0]) - 1
        for column in columns.T
        if column[0] == 0 and column[-1] > 0 and (np.diff(column) >= 0).all() and (np.diff(column, 2) >= -1e-9).all()
    }

    assert turns == {60, 121, 182, 243, 304}


def test_weather_adds_temperature_how_it_feels_and_heating_degrees() -> None:
    temperature = np.linspace(-5, 25, 365)
    weather = Weather(temperature, temperature - 2)

    without, with_weather = design(DAYS, set()).columns, design(DAYS, set(), weather).columns

    assert with_weather.shape[1] == without.shape[1] + 3
    heating = np.maximum(15.5 - temperature, 0)
    for values in (temperature, heating):
        assert has_column(with_weather, (values - values.mean()) / values.std())


def test_weather_that_never_changes_says_nothing() -> None:
    columns = design(DAYS, set(), Weather(np.full(365, 20.0), np.full(365, 20.0))).columns

    assert columns[:, -3:] == pytest.approx(0)


@pytest.mark.parametrize("count", [1, 28, 60, 730])
def test_any_number_of_days_has_a_design(count: int) -> None:
    made = design([DAYS[0] + timedelta(days=number) for number in range(count)], set())

    assert made.columns.shape == (count, made.penalties.size)
    assert np.isfinite(made.columns).all()
