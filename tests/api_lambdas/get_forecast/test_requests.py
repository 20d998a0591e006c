"""What the handler takes for a request, with no service behind it, and what its folder holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import hourly_history
import pytest
import weather_features
from model_record import Model

from api_lambdas.get_forecast import handler as lambda_function
from tests.api_lambdas.conftest import LAMBDAS, Context

FOLDER = LAMBDAS / "get_forecast"
MODEL = Model(
    endpoint_name="metering-forecast",
    scale=0.001,
    context_length=168,
    prediction_length=168,
    likelihood="negative-binomial",
    intervals_per_hour=2,
    weather=None,
)


@pytest.fixture(autouse=True)
def nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that reaches the work fails the test."""

    def reached(*_: object) -> None:
        raise AssertionError("the request was taken")

    monkeypatch.setattr(lambda_function, "get_forecast", reached)


def sample(of: str | None = "MAC001595", **query: str) -> dict[str, Any]:
    event = json.loads((FOLDER / "event.json").read_text())
    event["pathParameters"] = {} if of is None else {"meter_id": of}
    event["queryStringParameters"] = query
    return event


def refusal(event: dict[str, Any]) -> tuple[int, str]:
    """Status and named parameter of an answer whose message begins with the parameter."""
    answer = lambda_function.handler(event, Context())
    body = json.loads(answer["body"])
    assert body["message"].startswith(f"{body['parameter']}: ")
    return answer["statusCode"], body["parameter"]


def test_the_sample_event_is_a_request() -> None:
    request = lambda_function.parse(json.loads((FOLDER / "event.json").read_text()))

    assert request.model_dump() == {
        "meter_id": "MAC001595",
        "data_start": date(2013, 6, 1),
        "data_end": date(2013, 10, 1),
        "ml_endpoint_name": None,
        "quantiles": "p10,p90",
    }


def test_a_parameter_without_a_value_is_none() -> None:
    request = lambda_function.parse(sample(data_start="", data_end="", ml_endpoint_name="", quantiles=""))

    assert request == lambda_function.Request(meter_id="MAC001595")
    assert request.percents == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("data_start", "2013-6-1"),
        ("data_start", "20130601"),
        ("data_start", "2013-02-30"),
        ("data_start", "2013-06-01T00:00:00"),
        ("data_start", "1370044800"),
        ("data_start", "1969-12-31"),
        ("data_start", "0001-01-01"),
        ("data_start", "yesterday"),
        ("data_start", "2013-06-01\n"),
        ("data_start", "２０１３-06-01"),
        ("data_start", "2013-06-01' OR '1'='1"),
        ("data_end", "2013-13-01"),
        ("data_end", "1970-01-01"),
        ("data_end", "10000-01-01"),
        ("ml_endpoint_name", "two words"),
        ("ml_endpoint_name", "../current-model"),
        ("ml_endpoint_name", "-endpoint"),
        ("ml_endpoint_name", "e" * 64),
        ("quantiles", "p0"),
        ("quantiles", "p100"),
        ("quantiles", "p05"),
        ("quantiles", "0.5"),
        ("quantiles", "p10;p90"),
        ("quantiles", "p10,"),
        ("quantiles", "p10, p90"),
        ("quantiles", ",".join(f"p{percent}" for percent in range(1, 21))),
        ("quantile", "p10"),
        ("outlier_only", "1"),
    ],
)
def test_a_bad_parameter_is_named(parameter: str, value: str) -> None:
    assert refusal(sample(**{parameter: value})) == (400, parameter)


@pytest.mark.parametrize("meter_id", ["", "M" * 65, "MAC1' OR '1'='1", "MAC%", "MAC\n", "MAC\u0000", "MAC1, ?", None])
def test_a_bad_meter_is_named(meter_id: str | None) -> None:
    assert refusal(sample(meter_id)) == (400, "meter_id")


@pytest.mark.parametrize("data_end", ["2013-06-01", "2013-05-31"])
def test_days_must_hold_a_day(data_end: str) -> None:
    assert refusal(sample(data_start="2013-06-01", data_end=data_end)) == (400, "data_end")


def test_the_meter_is_that_of_the_path() -> None:
    assert lambda_function.parse(sample("MAC000002", meter_id="MAC000003")).meter_id == "MAC000002"


def test_nineteen_quantiles_are_taken() -> None:
    percents = list(range(5, 100, 5))

    request = lambda_function.parse(sample(quantiles=",".join(f"p{percent}" for percent in percents)))

    assert request.percents == percents


def test_a_bad_request_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    lambda_function.handler(sample(data_start="2013"), Context())

    assert caplog.records == []


class Athena:
    """Knows the newest month of a meter, and one hour of it; keeps the values of each question."""

    def __init__(self, newest_month: str) -> None:
        self.newest_month = newest_month
        self.asked: list[list[str]] = []

    def query(self, sql: str, values: list[str], deadline: float) -> list[dict[str, Any]]:
        if sql == hourly_history.LAST_MONTH:
            return [{"month_start": self.newest_month}]
        self.asked.append(values)
        return [{"hour_number": 380_000, "kwh": 0.25}]


def days_asked(athena: Athena, data_start: date | None, data_end: date | None) -> list[str]:
    hourly_history.read(athena, "MAC1", MODEL, data_start, data_end, deadline=0.0)
    ((_, *values),) = athena.asked
    return values[:4]


def test_the_days_are_those_asked_for() -> None:
    asked = days_asked(Athena("20140201"), date(2013, 6, 15), date(2013, 10, 1))

    assert asked == ["'201306'", "'20130930'", "'2013-06-15 00:00:00'", "'2013-10-01 00:00:00'"]


def test_without_a_first_day_214_days_are_read() -> None:
    asked = days_asked(Athena("20140201"), None, date(2013, 10, 1))

    assert asked == ["'201303'", "'20130930'", "'2013-03-01 00:00:00'", "'2013-10-01 00:00:00'"]


@pytest.mark.parametrize(
    ("newest_month", "end"), [("20130101", "2013-02-01"), ("20130201", "2013-03-01"), ("20131201", "2014-01-01")]
)
def test_without_a_last_day_the_newest_month_is_read_to_its_end(newest_month: str, end: str) -> None:
    assert days_asked(Athena(newest_month), None, None)[3] == f"'{end} 00:00:00'"


def test_the_sql_is_the_same_for_every_request() -> None:
    for sql, values in ((hourly_history.KNOWN_HOURS, 7), (hourly_history.LAST_MONTH, 1), (weather_features.QUERY, 2)):
        assert sql.count("?") == values
        assert not set("{}") & set(sql)


def test_the_sql_passes_the_linter() -> None:
    from sqlfluff.core import FluffConfig, Linter

    config = FluffConfig.from_path(str(LAMBDAS), extra_config_path=str(LAMBDAS / "sqlfluff.cfg"))
    result = Linter(config=config).lint_paths((str(FOLDER),)).as_records()

    assert {Path(each["filepath"]).name for each in result} == {"known_hours.sql", "last_month.sql", "weather.sql"}
    assert [(each["filepath"], each["violations"]) for each in result if each["violations"]] == []


def test_the_function_is_its_folder_and_nothing_else() -> None:
    """As Lambda starts it: the folder is where its modules are."""
    environment = os.environ | {"PYTHONPATH": str(FOLDER)}
    command = [sys.executable, "-P", "-c", "import handler; print(handler.Request(meter_id='M').meter_id)"]

    done = subprocess.run(command, env=environment, cwd=FOLDER, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("M\n", "")


def test_all_functions_ask_athena_in_the_same_way() -> None:
    copies = {path.parent.name: path.read_text() for path in LAMBDAS.glob("*/athena.py")}

    assert "get_forecast" in copies
    assert len(set(copies.values())) == 1, f"athena.py differs between {', '.join(sorted(copies))}: copy the best one"
