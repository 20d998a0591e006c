"""Weather as features: what is read, how it is standardised, how gaps are filled."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from meter_data.series import weather
from meter_data.series.weather import Feature, MissingWeatherColumnsError, NoWeatherError

from tests.glue.hourly_readings import hour

FIRST = hour("2013-05-01")
PLAIN = Feature("temperature", 0.0, 1.0)


def known(**values: dict[int, float]) -> dict[str, dict[int, float]]:
    return values


def filled(values: dict[int, float], hours: range, feature: Feature = PLAIN) -> weather.Filled:
    return weather.filled({"temperature": values}, [feature], hours)


def table(*rows: tuple[Any, Any, Any, Any]) -> dict[str, list[Any]]:
    """Columns of rows of time, temperature, apparenttemperature and humidity."""
    return dict(zip((weather.TIME, *weather.FEATURES), map(list, zip(*rows, strict=True)), strict=True))


def test_each_column_is_known_by_hour() -> None:
    rows = [("2013-05-01 00:00:00", "10.0", 8.0, 0.5), ("2013-05-01 01:00:00", "11", 9.0, 0.6)]
    assert weather.known(table(*rows)) == {
        "temperature": {FIRST: 10.0, FIRST + 1: 11.0},
        "apparenttemperature": {FIRST: 8.0, FIRST + 1: 9.0},
        "humidity": {FIRST: 0.5, FIRST + 1: 0.6},
    }


def test_a_time_may_be_a_timestamp_or_a_text_in_quotes() -> None:
    as_timestamp = [(datetime(2013, 5, 1), 1.0, 1.0, 1.0), (datetime(2013, 5, 1, 2, tzinfo=UTC), 2.0, 1.0, 1.0)]  # noqa: DTZ001 (as Parquet may have it)
    as_text = [
        ('"2013-05-01 00:00:00"', 1.0, 1.0, 1.0),
        (" 2013-05-01 01:00:00.000 ", 2.0, 1.0, 1.0),
        ("time", None, None, None),
        (None, 3.0, 3.0, 3.0),
        (20130501, 3.0, 3.0, 3.0),
    ]
    assert weather.known(table(*as_timestamp))["temperature"] == {FIRST: 1.0, FIRST + 2: 2.0}
    assert weather.known(table(*as_text))["temperature"] == {FIRST: 1.0, FIRST + 1: 2.0}


def test_rows_of_one_hour_are_averaged_and_what_is_no_number_is_not_known() -> None:
    found = weather.known(
        table(
            ("2013-05-01 00:00:00", "10", 1.0, None),
            ("2013-05-01 00:00:00", "20", 1.0, None),
            ("2013-05-01 00:30:00", "30", 4.0, None),
            ("2013-05-01 01:00:00", "cold", 2.0, float("nan")),
            ("2013-05-01 02:00:00", "inf", 2.0, True),
        )
    )
    assert found == {
        "temperature": {FIRST: 20.0},
        "apparenttemperature": {FIRST: 2.0, FIRST + 1: 2.0, FIRST + 2: 2.0},
        "humidity": {},
    }


def test_a_table_without_a_wanted_column_is_refused_with_the_columns_that_are_needed() -> None:
    weather.require_columns(["visibility", "humidity", "time", "temperature", "apparenttemperature"])
    with pytest.raises(MissingWeatherColumnsError) as refused:
        weather.require_columns(["when", "temperature", "apparenttemperature"])
    assert str(refused.value) == (
        "The table weather has no column time and no column humidity. It needs time (hourly, UTC), temperature, "
        "apparenttemperature, humidity; it has apparenttemperature, temperature, when. Deliver files with these "
        "columns and trigger load_reference_data, or turn WithWeather off."
    )


def test_mean_and_deviation_are_those_of_the_known_training_hours() -> None:
    values = known(temperature={FIRST: 2.0, FIRST + 2: 4.0, FIRST + 3: 99.0}, humidity={FIRST + 1: 0.5})
    assert weather.statistics(values, range(FIRST, FIRST + 3)) == (
        Feature("temperature", 3.0, 1.0),
        Feature("humidity", 0.5, 1.0),  # a constant is not divided by 0
    )
    with pytest.raises(NoWeatherError, match="no temperature from 2013-05-01 04:00:00 to 2013-05-01 05:00:00"):
        weather.statistics(values, range(FIRST + 4, FIRST + 5))


def test_known_hours_are_standardised() -> None:
    found = filled({FIRST: 7.0, FIRST + 1: 1.0}, range(FIRST, FIRST + 2), Feature("temperature", 3.0, 2.0))
    assert found.rows == [[2.0, -1.0]]
    assert (found.unknown, found.last_known) == (frozenset(), FIRST + 1)


def test_a_missing_hour_is_the_mean_of_its_hour_of_the_year() -> None:
    values = {
        hour("2011-05-01 03:00:00"): 4.0,
        hour("2012-05-01 03:00:00"): 8.0,
        hour("2012-05-01 04:00:00"): 99.0,
        hour("2012-05-02 03:00:00"): 99.0,
        hour("2012-06-01 03:00:00"): 99.0,
    }
    at = hour("2013-05-01 03:00:00")
    found = filled(values, range(at, at + 1))
    assert found.rows == [[6.0]]
    assert found.summary(range(at, at + 1)) == {
        "features": [{"name": "temperature", "mean": 0.0, "std": 1.0}],
        "last_known": "2012-06-01 03:00:00",
        "hours_filled": 1,
    }
    assert found.summary(range(at + 1, at + 9))["hours_filled"] == 0


@pytest.mark.parametrize("missing", ["2013-05-09 03:00:00", "2012-02-29 03:00:00"])
def test_an_hour_of_the_year_that_is_never_known_is_the_mean_of_the_month(missing: str) -> None:
    month = missing[5:7]
    values = {
        hour(f"2011-{month}-01 03:00:00"): 4.0,
        hour(f"2013-{month}-02 03:00:00"): 5.0,
        hour(f"2013-{month}-02 04:00:00"): 99.0,
        hour("2013-06-09 03:00:00"): 99.0,
    }
    at = hour(missing)
    assert filled(values, range(at, at + 1)).rows == [[4.5]]


def test_an_hour_of_which_nothing_is_known_is_the_mean_of_the_training_range() -> None:
    at = hour("2013-09-01 05:00:00")
    found = filled({FIRST: 4.0, hour("2013-09-01 06:00:00"): 8.0}, range(at, at + 2), Feature("temperature", 3.0, 2.0))
    assert found.rows == [[0.0, 2.5]]


def test_each_feature_is_filled_by_itself_in_the_order_of_the_model() -> None:
    values = known(temperature={FIRST: 1.0, FIRST + 1: 2.0}, humidity={FIRST: 5.0})
    features = [Feature("humidity", 0.0, 1.0), PLAIN]
    found = weather.filled(values, features, range(FIRST, FIRST + 2))
    assert found.rows == [[5.0, 0.0], [1.0, 2.0]]
    assert (found.unknown, found.last_known) == (frozenset({FIRST + 1}), FIRST)


def test_a_feature_that_is_not_known_at_all_is_refused() -> None:
    with pytest.raises(NoWeatherError, match="The table weather has no temperature. Deliver it"):
        filled({}, range(FIRST, FIRST + 1))


def test_features_come_from_the_record_of_the_model() -> None:
    record = {"features": [{"name": "humidity", "mean": 0.7, "std": 0.1}], "last_known": "2013-05-01 00:00:00"}
    assert weather.features_of(record) == (Feature("humidity", 0.7, 0.1),)
