"""Daily means of hourly weather."""

from __future__ import annotations

from datetime import date

import pytest
from meter_data.anomalies.daily_weather import DailyWeather, daily_means, without_gaps

DAY = date(2013, 1, 1)
HOUR = 24 * 15706  # printf '%(%F)T' $((15706 * 86400)) is 2013-01-01


def test_a_day_has_the_mean_of_its_hours_if_half_of_them_are_known() -> None:
    hourly = {HOUR + number: float(number) for number in range(24)}
    half = {HOUR + 24 + number: 4.0 for number in range(12)}
    less = {HOUR + 48 + number: 4.0 for number in range(11)}

    assert daily_means({**hourly, **half, **less}) == {DAY: 11.5, date(2013, 1, 2): 4.0}


def test_a_gap_has_the_mean_of_the_day_of_the_year_or_of_the_month_or_of_all() -> None:
    known = {date(2011, 3, 5): 7.0, date(2012, 3, 5): 9.0, date(2012, 3, 6): 2.0, DAY: -3.0}

    assert without_gaps(known, [DAY, date(2013, 3, 5), date(2013, 3, 9), date(2013, 7, 1)]) == [
        -3.0,
        8.0,
        6.0,
        pytest.approx(15 / 4),
    ]
    assert without_gaps({}, [DAY]) == [0.0]


def test_what_is_known_is_said() -> None:
    hours = {HOUR + number: 5.0 for number in range(48)}
    weather = DailyWeather.of({"temperature": hours, "apparenttemperature": {HOUR + n: 3.0 for n in range(24)}})

    assert weather.summary([DAY, date(2013, 1, 2)]) == {"last_known": "2013-01-01", "days_filled": 1}
    filled = weather.without_gaps([DAY, date(2013, 1, 2)])
    assert filled.temperature.tolist() == [5.0, 5.0]
    assert filled.apparent_temperature.tolist() == [3.0, 3.0]
