"""What the handler takes for a request, and what it makes of Athena's answers, with no service behind it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from athena import AthenaUnavailableError

from api_lambdas.get_anomalies import handler as lambda_function
from tests.api_lambdas.conftest import LAMBDAS, Context

FOLDER = LAMBDAS / "get_anomalies"
DAY = {
    "meter_id": "MAC000005",
    "ds": "2013-01-02",
    "consumption": 0.1 + 0.2,
    "yhat_lower": 2.5,
    "yhat_upper": 7.25,
    "anomaly": -1,
    "importance": 0.88,
    "temperature": None,
    "apparenttemperature": -1.5,
}
COLUMNS = ["meter_id", "ds", "consumption", "yhat_lower", "yhat_upper", "anomaly", "importance"]


class Athena:
    """Answers one list of rows after the other; keeps what it is asked."""

    def __init__(self, *answers: list[dict[str, Any]] | AthenaUnavailableError) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, list[str]]] = []

    def query(self, sql: str, values: Sequence[str], deadline: float) -> list[dict[str, Any]]:
        self.asked.append((sql, [*values]))
        answer = self.answers.pop(0)
        if isinstance(answer, AthenaUnavailableError):
            raise answer
        return answer


def sample(of: str | None = "MAC000005", **query: str) -> dict[str, Any]:
    event = json.loads((FOLDER / "event.json").read_text())
    event["pathParameters"] = {} if of is None else {"meter_id": of}
    event["queryStringParameters"] = query
    return event


def ask(
    monkeypatch: pytest.MonkeyPatch, athena: Athena, event: dict[str, Any], with_weather: bool = False
) -> tuple[int, Any, dict[str, str]]:
    settings = lambda_function.Settings(athena, 20.0, with_weather)  # type: ignore[arg-type]
    monkeypatch.setattr(lambda_function.Settings, "from_environment", lambda: settings)
    answer = lambda_function.handler(event, Context())
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def test_the_sample_event_is_a_request() -> None:
    request = lambda_function.parse(json.loads((FOLDER / "event.json").read_text()))

    assert request.model_dump() == {
        "meter_id": "MAC000005",
        "data_start": date(2013, 1, 1),
        "data_end": date(2013, 10, 1),
        "outlier_only": "1",
    }


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("data_start", "2013-6-1"),
        ("data_start", "20130601"),
        ("data_start", "2013-02-30"),
        ("data_start", "2013-06-01T00:00:00"),
        ("data_start", "1370044800"),
        ("data_start", "1969-12-31"),
        ("data_start", "2013-06-01\n"),
        ("data_start", "２０１３-06-01"),
        ("data_start", "2013-06-01' OR '1'='1"),
        ("data_end", "2013-13-01"),
        ("data_end", "1970-01-01"),
        ("data_end", "10000-01-01"),
        ("outlier_only", "2"),
        ("outlier_only", "true"),
        ("outlier_only", "1 OR 1=1"),
        ("outliers_only", "1"),
    ],
)
def test_a_bad_parameter_is_named_and_never_reaches_athena(
    monkeypatch: pytest.MonkeyPatch, parameter: str, value: str
) -> None:
    athena = Athena()

    status, body, _ = ask(monkeypatch, athena, sample(**{parameter: value}))

    assert (status, body["parameter"]) == (400, parameter)
    assert body["message"].startswith(f"{parameter}: ")
    assert athena.asked == []


@pytest.mark.parametrize("meter_id", ["", "M" * 65, "MAC1' OR '1'='1", "MAC%", "MAC\n", "MAC\u0000", "MAC1, ?", None])
def test_a_bad_meter_is_named(monkeypatch: pytest.MonkeyPatch, meter_id: str | None) -> None:
    status, body, _ = ask(monkeypatch, Athena(), sample(meter_id))

    assert (status, body["parameter"]) == (400, "meter_id")


@pytest.mark.parametrize("data_end", ["2013-06-01", "2013-05-31"])
def test_days_must_hold_a_day(monkeypatch: pytest.MonkeyPatch, data_end: str) -> None:
    status, body, _ = ask(monkeypatch, Athena(), sample(data_start="2013-06-01", data_end=data_end))

    assert (status, body["parameter"]) == (400, "data_end")


def test_the_meter_is_that_of_the_path() -> None:
    assert lambda_function.parse(sample("MAC000002", meter_id="MAC000003")).meter_id == "MAC000002"


def test_the_months_asked_of_athena_are_those_of_the_days(monkeypatch: pytest.MonkeyPatch) -> None:
    athena = Athena([DAY])

    ask(monkeypatch, athena, sample(data_start="2012-12-31", data_end="2013-03-01", outlier_only="1"))

    values = ["'MAC000005'", "'201212'", "'201302'", "'2012-12-31'", "'2013-03-01'", "1"]
    assert athena.asked == [(lambda_function.JUDGED_DAYS, values)]


@pytest.mark.parametrize("query", [{}, {"data_start": "", "data_end": "", "outlier_only": ""}])
def test_without_days_all_judged_ones_are_asked_for(monkeypatch: pytest.MonkeyPatch, query: dict[str, str]) -> None:
    athena = Athena([DAY])

    ask(monkeypatch, athena, sample(**query))

    assert athena.asked[0][1] == ["'MAC000005'", "'197001'", "'999912'", "'1970-01-01'", "'9999-12-31'", "0"]


def test_the_answer_has_the_columns_of_the_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    status, body, _ = ask(monkeypatch, Athena([DAY, DAY | {"ds": "2013-01-03", "anomaly": 1}]), sample())

    assert (status, list(body)) == (200, COLUMNS)
    assert body["meter_id"] == {"1": "MAC000005", "2": "MAC000005"}
    assert body["ds"] == {"1": "2013-01-02", "2": "2013-01-03"}
    assert body["consumption"] == {"1": 0.3, "2": 0.3}
    assert body["anomaly"] == {"1": -1, "2": 1}


def test_a_deployment_with_weather_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _, body, _ = ask(monkeypatch, Athena([DAY]), sample(), with_weather=True)

    assert list(body) == [*COLUMNS, "temperature", "apparenttemperature"]
    assert (body["temperature"], body["apparenttemperature"]) == ({"1": None}, {"1": -1.5})


@pytest.mark.parametrize("with_weather", [False, True])
def test_the_answer_is_as_its_schema_says(monkeypatch: pytest.MonkeyPatch, with_weather: bool) -> None:
    schema = lambda_function.JudgedDaysWithWeather if with_weather else lambda_function.JudgedDays

    _, body, _ = ask(monkeypatch, Athena([DAY]), sample(), with_weather)

    assert schema.model_validate(body).model_dump() == body


def test_a_known_meter_without_judged_days_has_empty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    athena = Athena([], [{"meter_id": "MAC000005"}])

    assert ask(monkeypatch, athena, sample())[:2] == (200, {name: {} for name in COLUMNS})
    assert athena.asked[1] == (lambda_function.KNOWN_METER, ["'MAC000005'"])


def test_an_unknown_meter_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(monkeypatch, Athena([], []), sample())[:2] == (
        404,
        {"message": "meter MAC000005 is not known", "parameter": "meter_id"},
    )


def test_a_failed_query_means_unavailable_and_its_words_stay_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    status, body, headers = ask(monkeypatch, Athena(AthenaUnavailableError("MAC000005 is bad")), sample())

    assert (status, body) == (503, {"message": "the anomalies do not answer at the moment"})
    assert int(headers["retry-after"]) > 0
    assert caplog.records[0].reason == "(meter) is bad"  # type: ignore[attr-defined]


def test_logs_tell_how_it_went_but_not_of_whom(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    ask(monkeypatch, Athena([DAY]), sample())

    (record,) = caplog.records
    assert (record.getMessage(), record.rows) == ("answered", 1)  # type: ignore[attr-defined]
    assert not [word for word in ("MAC000005", "2013-01-02", "7.25") if word in str(vars(record))]


def test_the_sql_is_the_same_for_every_request() -> None:
    for sql, values in ((lambda_function.JUDGED_DAYS, 6), (lambda_function.KNOWN_METER, 1)):
        assert sql.count("?") == values
        assert not set("{}") & set(sql)


def test_the_sql_passes_the_linter() -> None:
    from sqlfluff.core import FluffConfig, Linter

    config = FluffConfig.from_path(str(LAMBDAS), extra_config_path=str(LAMBDAS / "sqlfluff.cfg"))
    result = Linter(config=config).lint_paths((str(FOLDER),)).as_records()

    assert {Path(each["filepath"]).name for each in result} == {"judged_days.sql", "known_meter.sql"}
    assert [(each["filepath"], each["violations"]) for each in result if each["violations"]] == []


def test_the_function_is_its_folder_and_nothing_else() -> None:
    """As Lambda starts it: the folder is where its modules are."""
    environment = os.environ | {"PYTHONPATH": str(FOLDER)}
    command = [sys.executable, "-P", "-c", "import handler; print(handler.Request(meter_id='M').meter_id)"]

    done = subprocess.run(command, env=environment, cwd=FOLDER, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("M\n", "")
