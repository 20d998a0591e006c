"""The handler's SQL on tables of the catalog: readings in, the model's question and the caller's answer out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.api_lambdas.get_forecast.conftest import KWH, Ask, milliseconds
from tests.api_lambdas.get_forecast.deepar_endpoint import DeepArEndpoint


def test_the_median_is_told_in_kwh_by_the_milliseconds_of_each_hour(ask: Ask, endpoint: DeepArEndpoint) -> None:
    status, body, _ = ask("DAYS", data_start="2014-06-01", data_end="2014-06-02")

    # 2014-06-01 02:00 UTC; 500, 501 and 502 Wh.
    assert (status, body) == (
        200,
        {"consumption": {"1401588000000": 0.5, "1401591600000": 0.501, "1401595200000": 0.502}},
    )
    (name, question), *_ = endpoint.questions
    assert name == "metering-forecast"
    assert question["configuration"] == {"num_samples": 100, "output_types": ["quantiles"], "quantiles": ["0.5"]}


def test_an_hour_without_all_its_readings_is_missing_and_not_zero(ask: Ask, endpoint: DeepArEndpoint) -> None:
    _, body, _ = ask("GAP", data_start="2013-01-01", data_end="2013-02-01")

    # 22:00, six missing ones, 05:00 and 06:00; at 07:00 a reading is missing, so that the forecast begins there.
    assert endpoint.question == {
        "start": "2013-01-30 22:00:00",
        "target": [300, None, None, None, None, None, None, 700, 0],
    }
    assert next(iter(body["consumption"])) == milliseconds("2013-01-31 07:00:00")


def test_readings_end_before_data_end_and_begin_with_data_start(ask: Ask, endpoint: DeepArEndpoint) -> None:
    _, body, _ = ask("GAP", data_start="2013-01-31", data_end="2013-02-02")

    # 05:00 of the 31st to 01:00 of the 1st: 700 and 0, 17 missing hours, 100 and 120.
    assert endpoint.question == {"start": "2013-01-31 05:00:00", "target": [700, 0, *[None] * 17, 100, 120]}
    assert next(iter(body["consumption"])) == milliseconds("2013-02-01 02:00:00")


def test_without_days_the_newest_readings_count(ask: Ask, endpoint: DeepArEndpoint) -> None:
    status, body, _ = ask("GAP")

    assert status == 200
    assert next(iter(body["consumption"])) == milliseconds("2013-02-01 02:00:00")
    assert endpoint.question["start"] == "2013-01-30 22:00:00"


def test_days_are_whole_ones_in_utc(ask: Ask, endpoint: DeepArEndpoint) -> None:
    _, body, _ = ask("LONG", data_start="2015-01-02", data_end="2015-01-03", ml_endpoint_name="read-hourly")

    assert endpoint.question == {"start": "2015-01-02 00:00:00", "target": list(range(24, 48))}
    assert next(iter(body["consumption"])) == milliseconds("2015-01-03 00:00:00")


def test_an_hour_has_as_many_readings_as_the_model_was_trained_with(ask: Ask, endpoint: DeepArEndpoint) -> None:
    ask("HALF", ml_endpoint_name="read-hourly")

    assert endpoint.question["target"] == [500, 500, 500, 500]


def test_data_end_itself_is_left_out(ask: Ask, endpoint: DeepArEndpoint) -> None:
    ask("DAYS", data_end="2014-06-02")

    assert endpoint.question["target"] == [200, 200]


def test_partitions_of_days_are_found(ask: Ask, endpoint: DeepArEndpoint) -> None:
    ask("DAYS")

    assert endpoint.question["target"] == [200, 200, *[None] * 22, 400, 400]


def test_a_meter_that_measured_nothing_is_forecast(ask: Ask, endpoint: DeepArEndpoint) -> None:
    status, _, _ = ask("QUIET")

    assert (status, endpoint.question["target"]) == (200, [0, 0, 0])


def test_the_change_to_summer_time_leaves_no_gap(ask: Ask, endpoint: DeepArEndpoint) -> None:
    _, body, _ = ask("SUMMER")

    assert endpoint.question == {"start": "2013-03-31 00:00:00", "target": [200, 400, 600, 800]}
    assert next(iter(body["consumption"])) == milliseconds("2013-03-31 04:00:00")


def test_no_more_history_is_sent_than_the_model_looks_back(ask: Ask, endpoint: DeepArEndpoint) -> None:
    _, body, _ = ask("LONG", data_start="2015-01-01", data_end="2015-12-31")

    # 800 hours are known; context_length + 721 of them are sent: those of 55 Wh and more.
    assert endpoint.question["target"] == list(range(55, 800))
    assert endpoint.question["start"] == "2015-01-03 07:00:00"
    assert next(iter(body["consumption"])) == milliseconds("2015-02-03 08:00:00")


def test_quantiles_are_added_in_the_order_asked_for(ask: Ask, endpoint: DeepArEndpoint) -> None:
    status, body, _ = ask("QUIET", quantiles="p90,p50,p5,p90")

    first = milliseconds("2013-01-01 03:00:00")
    assert (status, list(body)) == (200, ["consumption", "p90", "p50", "p5"])
    assert [values[first] for values in body.values()] == [0.5, 0.9, 0.5, 0.05]
    assert {tuple(values) for values in body.values()} == {tuple(body["consumption"])}
    assert endpoint.questions[0][1]["configuration"]["quantiles"] == ["0.05", "0.5", "0.9"]


def test_quantiles_never_cross_and_counts_are_never_negative(
    ask: Ask, endpoint: DeepArEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    crossing = {"0.1": [300.0, -8.0, 1.0], "0.5": [200.0, -9.0, 2.0], "0.9": [100.0, 4.0, 3.0]}
    monkeypatch.setattr(endpoint, "quantiles", lambda names: {name: crossing[name] for name in names})

    _, body, _ = ask("QUIET", quantiles="p10,p90")

    assert [list(body[name].values()) for name in ("p10", "consumption", "p90")] == [
        [0.1, 0.0, 0.001],
        [0.2, 0.0, 0.002],
        [0.3, 0.004, 0.003],
    ]


def test_another_model_is_asked_at_its_endpoint_in_its_unit(ask: Ask, endpoint: DeepArEndpoint) -> None:
    status, body, _ = ask("GAP", data_end="2013-02-01", ml_endpoint_name="in-kwh")

    ((name, _),) = endpoint.questions
    assert (status, name) == (200, "in-kwh")
    assert endpoint.question["target"] == [0.3, None, None, None, None, None, None, 0.7, 0.0]
    assert list(body["consumption"].values()) == [500.0, 501.0, 502.0]


def test_a_model_that_knows_no_counts_may_fall_below_zero(
    ask: Ask, endpoint: DeepArEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "quantiles", lambda names: {name: [-1.5, 0.0, 1.5] for name in names})

    status, body, _ = ask("SUN", ml_endpoint_name="in-kwh")

    assert (status, list(body["consumption"].values())) == (200, [-1.5, 0.0, 1.5])
    assert endpoint.question["target"] == [1.0, -0.75]


def test_a_meter_that_feeds_in_is_refused_by_a_model_of_counts(ask: Ask, endpoint: DeepArEndpoint) -> None:
    status, body, _ = ask("SUN")

    assert status == 422
    assert "student-T" in body["message"]
    assert endpoint.questions == []


def test_weather_stands_in_the_order_of_the_record_without_a_gap(ask: Ask, endpoint: DeepArEndpoint) -> None:
    status, _, _ = ask("DRY", ml_endpoint_name="with-weather")

    assert status == 200
    assert endpoint.question["target"] == [200, 200]
    humidity, temperature, apparent = endpoint.question["dynamic_feat"]
    # What is missing at 00:00 and 01:00 is as in the year before. 02:00 of that day is missing in all years: it is as
    # at 02:00 of the 5th. Of 03:00 and 04:00 nothing is known in any March.
    assert humidity == [1.0, 2.0, 0.0, 0.0, 0.0]
    assert temperature == [0.0, 2.0, -2.0, 0.0, 0.0]
    assert apparent == [1.0, -1.0, 0.0, 0.0, 0.0]


def test_a_model_without_weather_is_not_given_any(ask: Ask, endpoint: DeepArEndpoint) -> None:
    ask("DRY")

    assert endpoint.question.keys() == {"start", "target"}


def test_a_model_that_is_replaced_counts_at_once(ask: Ask, aws: Callable[[str], Any], records: str) -> None:
    before = ask("QUIET")[1]
    name = f"{records}/current-model"
    aws("ssm").put_parameter(Name=name, Value=json.dumps(KWH), Type="String", Overwrite=True)
    after = ask("QUIET")[1]

    first = milliseconds("2013-01-01 03:00:00")
    assert [answer["consumption"][first] for answer in (before, after)] == [0.5, 500.0]
