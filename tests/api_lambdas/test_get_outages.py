"""What the handler takes for a request, and what it makes of Athena's answers, with no service behind it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from athena import AthenaUnavailableError

from api_lambdas.get_outages import handler as lambda_function
from tests.api_lambdas.conftest import LAMBDAS, Context

FOLDER = LAMBDAS / "get_outages"
START, END = "2012-12-18 15:00:00", "2012-12-18 16:00:00"
ITEM = {
    "meter_id": "MAC000022",
    "reading_date_time": "2012-12-18 15:13:41.000",
    "date_str": "20121218",
    "error_code": "NULL",
    "lat": 51.52,
    "long": -0.09,
}


class Athena:
    """Has so many rows, the same each time; keeps the values that it is asked with."""

    def __init__(self, rows: int = 0, failure: str | None = None) -> None:
        self.rows = [ITEM | {"meter_id": f"MAC{number:06}"} for number in range(rows)]
        self.failure = failure
        self.asked: list[list[str]] = []

    def query(self, sql: str, values: Sequence[str], deadline: float) -> list[dict[str, Any]]:
        assert sql == lambda_function.ERROR_READINGS
        self.asked.append([*values])
        if self.failure:
            raise AthenaUnavailableError(self.failure)
        return self.rows[: int(values[-1])]


def sample(**query: str | None) -> dict[str, Any]:
    """The sample event with these parameters beside start and end; None takes one away."""
    event = json.loads((FOLDER / "event.json").read_text())
    given = {"start_date_time": START, "end_date_time": END} | query
    event["queryStringParameters"] = {name: value for name, value in given.items() if value is not None}
    return event


def ask(monkeypatch: pytest.MonkeyPatch, athena: Athena, event: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
    settings = lambda_function.Settings(athena, 20.0)  # type: ignore[arg-type]
    monkeypatch.setattr(lambda_function.Settings, "from_environment", lambda: settings)
    answer = lambda_function.handler(event, Context())
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def test_the_sample_event_is_a_request() -> None:
    request = lambda_function.parse(json.loads((FOLDER / "event.json").read_text()))

    assert request.model_dump() == {
        "start_date_time": "2012-12-18 15:00:00.000",
        "end_date_time": "2012-12-18 16:00:00.000",
        "error_code": "NULL",
        "after_meter_id": None,
    }


@pytest.mark.parametrize("parameter", ["start_date_time", "end_date_time"])
@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "2012-12-18",
        "2012-12-18 15:30",
        "2012-12-18 24:30:00",
        "2012-12-18 15:30:60",
        "2012-02-30 15:30:00",
        "2012-12-18  15:30:00",
        "2012-12-18 15:30:00Z",
        "2012-12-18 15:30:00+01:00",
        "2012-12-18 15:30:00.1234",
        "2012-12-18 15:30:00\n",
        "２０12-12-18 15:30:00",
        "1969-12-31 23:59:59",
        "0000-12-18 15:30:00",
        "1355844600",
        "2012-12-18 15:30:00' OR '1'='1",
    ],
)
def test_a_bad_moment_is_named_and_never_reaches_athena(
    monkeypatch: pytest.MonkeyPatch, parameter: str, value: str | None
) -> None:
    athena = Athena()

    status, body, _ = ask(monkeypatch, athena, sample(**{parameter: value}))

    assert (status, body["parameter"]) == (400, parameter)
    assert body["message"].startswith(f"{parameter}: ")
    assert athena.asked == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("error_code", "N" * 65),
        ("error_code", "é"),
        ("error_code", "NULL\n"),
        ("after_meter_id", "MAC1' OR '1'='1"),
        ("after_meter_id", "M" * 65),
        ("meter_id", "MAC000022"),
    ],
)
def test_a_bad_parameter_is_named_and_never_reaches_athena(
    monkeypatch: pytest.MonkeyPatch, parameter: str, value: str
) -> None:
    athena = Athena()

    status, body, _ = ask(monkeypatch, athena, sample(**{parameter: value}))

    assert (status, body["parameter"], athena.asked) == (400, parameter, [])


def test_a_request_without_any_parameter_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    event = sample()
    # API Gateway sends no empty object.
    del event["queryStringParameters"]

    status, body, _ = ask(monkeypatch, Athena(), event)

    assert (status, body["parameter"]) == (400, "start_date_time")


@pytest.mark.parametrize("end", [START, "2012-12-18 14:59:59.999"])
def test_the_end_lies_after_the_start(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    status, body, _ = ask(monkeypatch, Athena(), sample(end_date_time=end))

    assert (status, body["parameter"]) == (400, "end_date_time")


@pytest.mark.parametrize(
    "written", ["2012-12-18 15:00:00", "2012-12-18T15:00:00", "2012-12-18+15:00:00", "2012-12-18 15:00:00.0"]
)
def test_a_moment_may_be_written_in_these_ways(written: str) -> None:
    assert lambda_function.parse(sample(start_date_time=written)).start_date_time == "2012-12-18 15:00:00.000"


def test_athena_is_asked_for_the_time_and_the_months_or_days_that_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    athena = Athena()

    ask(monkeypatch, athena, sample(start_date_time="2012-12-31 23:30:00", end_date_time="2013-02-01 00:00:00"))

    start, end = "'2012-12-31 23:30:00.000'", "'2013-02-01 00:00:00.000'"
    assert athena.asked == [["'201212'", "'20130131'", start, end, "''", start, "''", "5001"]]


def test_a_code_is_a_value_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    athena = Athena()

    ask(monkeypatch, athena, sample(error_code="E'7 ?"))

    assert athena.asked[0][4] == "'E''7 ?'"


def test_items_have_the_shape_of_the_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    status, body, _ = ask(monkeypatch, Athena(rows=1), sample())

    assert (status, body) == (200, {"Items": [ITEM | {"meter_id": "MAC000000"}]})
    assert lambda_function.AllItems.model_validate(body).model_dump() == body


def test_no_error_readings_mean_no_items(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(monkeypatch, Athena(), sample())[:2] == (200, {"Items": []})


def test_as_many_items_as_are_answered_at_once_are_all(monkeypatch: pytest.MonkeyPatch) -> None:
    _, body, _ = ask(monkeypatch, Athena(rows=5000), sample())

    assert (len(body["Items"]), "Next" in body) == (5000, False)


def test_where_there_are_more_items_next_tells_how_to_ask_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    athena = Athena(rows=5001)

    _, body, _ = ask(monkeypatch, athena, sample())

    assert len(body["Items"]) == 5000
    assert body["Next"] == {"start_date_time": "2012-12-18 15:13:41.000", "after_meter_id": "MAC004999"}
    assert lambda_function.FirstItems.model_validate(body).model_dump() == body
    assert ask(monkeypatch, athena, sample(**body["Next"]))[0] == 200
    start = "'2012-12-18 15:13:41.000'"
    assert athena.asked[1] == ["'201212'", "'20121218'", start, f"'{END}.000'", "''", start, "'MAC004999'", "5001"]


def test_the_longest_answer_fits_into_what_a_function_may_answer() -> None:
    longest = ITEM | {"meter_id": "M" * 64, "error_code": "E" * 64, "lat": -51.123456789012345, "long": -1e-300}

    assert len(json.dumps(longest)) < 300
    assert len(json.dumps([longest] * lambda_function.MOST_ITEMS)) < 6_000_000


def test_a_failed_query_means_unavailable_and_its_words_stay_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    status, body, headers = ask(monkeypatch, Athena(failure="TABLE_NOT_FOUND"), sample())

    assert (status, body) == (503, {"message": "the readings do not answer at the moment"})
    assert int(headers["retry-after"]) > 0
    assert caplog.records[0].reason == "TABLE_NOT_FOUND"  # type: ignore[attr-defined]


def test_logs_tell_how_it_went_but_not_of_whom(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    ask(monkeypatch, Athena(rows=1), sample())

    (record,) = caplog.records
    assert (record.items, record.complete) == (1, True)  # type: ignore[attr-defined]
    assert not [word for word in ("MAC00", "51.5", "-0.09") if word in str(vars(record))]


def test_the_sql_is_the_same_for_every_request() -> None:
    sql = lambda_function.ERROR_READINGS

    assert sql.count("?") == 8
    assert not set("{}") & set(sql)


def test_the_sql_passes_the_linter() -> None:
    from sqlfluff.core import FluffConfig, Linter

    config = FluffConfig.from_path(str(LAMBDAS), extra_config_path=str(LAMBDAS / "sqlfluff.cfg"))
    result = Linter(config=config).lint_paths((str(FOLDER),)).as_records()

    assert {Path(each["filepath"]).name for each in result} == {"error_readings.sql"}
    assert [(each["filepath"], each["violations"]) for each in result if each["violations"]] == []


def test_the_function_is_its_folder_and_nothing_else() -> None:
    """As Lambda starts it: the folder is where its modules are."""
    environment = os.environ | {"PYTHONPATH": str(FOLDER)}
    command = [sys.executable, "-P", "-c", "import handler; print(handler.MOST_ITEMS)"]

    done = subprocess.run(command, env=environment, cwd=FOLDER, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("5000\n", "")
