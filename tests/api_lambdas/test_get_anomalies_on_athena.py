"""The handler's SQL on tables of the catalog: judged days in, the caller's answer out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from api_lambdas.get_anomalies import handler as lambda_function
from tests.api_lambdas.conftest import LAMBDAS, Context
from tests.api_lambdas.lake import Lake

if TYPE_CHECKING:
    from local_aws.settings import Settings

Ask = Callable[..., tuple[int, Any]]


def judged(meter_id: str, ds: str, consumption: float, anomaly: int = 0, **others: float | None) -> dict[str, Any]:
    usual = {"yhat_lower": 2.0, "yhat_upper": 8.0, "importance": 0.25 if anomaly else 0.0}
    day = {"meter_id": meter_id, "ds": date.fromisoformat(ds), "consumption": consumption, "anomaly": anomaly}
    return usual | day | others


@pytest.fixture(scope="module")
def lake(aws: Callable[[str], Any], settings: Settings) -> Lake:
    made = Lake(aws, settings)
    january = [
        judged("MAC1", "2013-01-31", 4.5),
        judged("MAC1", "2013-01-01", 10.0, 1, temperature=3.25, apparenttemperature=-0.5),
        judged("MAC1", "2013-01-30", 1.5, -1, temperature=4.0),
        judged("MAC2", "2013-01-31", 99.0, 1),
    ]
    made.publish("anomaly", ["201301"], january)
    made.publish("anomaly", ["201302"], [judged("MAC1", "2013-02-01", 0.1 + 0.2)])
    made.publish("anomaly", ["201312"], [judged("MAC1", "2013-12-31", 5.0), judged("QUIET", "2013-12-31", 5.0)])
    months = [{"meter_id": meter, "month_start": "20130101"} for meter in ("MAC1", "MAC2", "QUIET", "NEW")]
    made.publish("aggregated_monthly", ["2013"], months)
    return made


@pytest.fixture
def ask(lake: Lake, settings: Settings, environment: Callable[..., None]) -> Ask:
    """ask("MAC1", outlier_only="1") is the answer's status and body."""

    def answer(meter_id: str, seconds: float = 29.0, with_weather: str = "0", **query: str) -> tuple[int, Any]:
        environment(
            **settings.aws_environment(),
            GLUE_DATABASE=lake.name,
            WORKGROUP=lake.name,
            QUERY_TIMEOUT_SECONDS="20",
            WITH_WEATHER=with_weather,
            NO_PROXY="127.0.0.1",
        )
        event = json.loads((LAMBDAS / "get_anomalies" / "event.json").read_text())
        event["pathParameters"] = {"meter_id": meter_id}
        event["queryStringParameters"] = query
        found = lambda_function.handler(event, Context(seconds))
        return found["statusCode"], json.loads(found["body"])

    return answer


def test_a_judged_day_has_the_shape_of_the_guide(ask: Ask) -> None:
    assert ask("MAC2") == (
        200,
        {
            "meter_id": {"1": "MAC2"},
            "ds": {"1": "2013-01-31"},
            "consumption": {"1": 99.0},
            "yhat_lower": {"1": 2.0},
            "yhat_upper": {"1": 8.0},
            "anomaly": {"1": 1},
            "importance": {"1": 0.25},
        },
    )


def test_without_days_all_judged_ones_come_in_the_order_of_time(ask: Ask) -> None:
    status, body = ask("MAC1")

    assert status == 200
    assert list(body["ds"].items()) == [
        ("1", "2013-01-01"),
        ("2", "2013-01-30"),
        ("3", "2013-01-31"),
        ("4", "2013-02-01"),
        ("5", "2013-12-31"),
    ]
    assert list(body["consumption"].values()) == [10.0, 1.5, 4.5, 0.3, 5.0]
    assert list(body["anomaly"].values()) == [1, -1, 0, 0, 0]


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({"data_start": "2013-01-30", "data_end": "2013-02-01"}, ["2013-01-30", "2013-01-31"]),
        ({"data_start": "2013-01-31", "data_end": "2013-02-02"}, ["2013-01-31", "2013-02-01"]),
        ({"data_start": "2013-02-02"}, ["2013-12-31"]),
        ({"data_end": "2013-01-30"}, ["2013-01-01"]),
        ({"data_start": "2013-12-31", "data_end": "2014-01-01"}, ["2013-12-31"]),
    ],
)
def test_days_are_those_from_data_start_to_the_one_before_data_end(
    ask: Ask, query: dict[str, str], days: list[str]
) -> None:
    assert list(ask("MAC1", **query)[1]["ds"].values()) == days


def test_outlier_only_leaves_out_the_days_inside_their_band(ask: Ask) -> None:
    _, body = ask("MAC1", outlier_only="1")

    assert body["ds"] == {"1": "2013-01-01", "2": "2013-01-30"}
    assert body["anomaly"] == {"1": 1, "2": -1}


def test_outlier_only_0_leaves_out_nothing(ask: Ask) -> None:
    assert ask("MAC1", outlier_only="0") == ask("MAC1")


def test_a_deployment_with_weather_tells_it_where_it_is_known(ask: Ask) -> None:
    _, body = ask("MAC1", with_weather="1", data_end="2013-02-01")

    assert body["temperature"] == {"1": 3.25, "2": 4.0, "3": None}
    assert body["apparenttemperature"] == {"1": -0.5, "2": None, "3": None}


def test_a_meter_whose_days_are_all_as_expected_has_no_outliers(ask: Ask) -> None:
    status, body = ask("QUIET", outlier_only="1")

    assert (status, set(map(len, body.values()))) == (200, {0})


def test_a_known_meter_that_was_not_judged_yet_has_empty_columns(ask: Ask) -> None:
    status, body = ask("NEW")

    assert (status, len(body), set(map(len, body.values()))) == (200, 7, {0})


@pytest.mark.parametrize("meter_id", ["MAC3", "mac1", "MAC"])
def test_an_unknown_meter_is_not_found(ask: Ask, meter_id: str) -> None:
    status, body = ask(meter_id)

    assert (status, body["parameter"]) == (404, "meter_id")


def test_only_the_months_that_are_asked_for_are_read(ask: Ask, lake: Lake, aws: Callable[[str], Any]) -> None:
    """A partition that lost its folder breaks each query that reads it."""
    (storage,) = [
        partition["StorageDescriptor"]
        for partition in aws("glue").get_partitions(DatabaseName=lake.name, TableName="anomaly")["Partitions"]
        if partition["Values"] == ["201312"]
    ]
    key = f"{storage['Location'].partition(lake.bucket + '/')[2]}broken.parquet"
    aws("s3").put_object(Bucket=lake.bucket, Key=key, Body=b"not Parquet")
    try:
        assert ask("MAC1", data_end="2013-12-01")[0] == 200
        assert ask("MAC1", data_start="2014-01-01")[0] == 200
        assert ask("MAC1", data_end="2013-12-02")[0] == 503
    finally:
        aws("s3").delete_object(Bucket=lake.bucket, Key=key)


def test_a_database_that_is_gone_is_unavailable(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ask("MAC2")
    lambda_function.Settings.from_environment.cache_clear()
    gone = lambda_function.Settings(lambda_function.Athena("nowhere", "primary"), 20.0, False)
    monkeypatch.setattr(lambda_function.Settings, "from_environment", lambda: gone)

    assert ask("MAC2") == (503, {"message": "the anomalies do not answer at the moment"})
    assert "MAC2" not in caplog.records[-1].reason  # type: ignore[attr-defined]


def test_a_query_without_time_left_is_stopped(ask: Ask) -> None:
    # 2 seconds are kept for the answer.
    assert ask("MAC1", seconds=2.0)[0] == 503
