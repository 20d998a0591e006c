"""The handler against the Redshift Data API as botocore models it: what it asks, and what it makes of each answer."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from api_lambdas.get_consumption import handler as lambda_function
from tests.api_lambdas.conftest import LAMBDAS, Context

STATEMENT = "5b7f8a4e-0000-4000-8000-000000000001"
Event = Callable[..., dict[str, Any]]


@pytest.fixture
def warehouse(environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """A stubbed client; every expected call must be made, and none that is not expected."""
    environment(
        CLUSTER_IDENTIFIER="redshift-cluster-1",
        DATABASE="meter-data",
        SECRET_ARN="arn:aws:secretsmanager:eu-west-1:123456789012:secret:metering/redshift",
        QUERY_TIMEOUT_SECONDS="20",
        AWS_DEFAULT_REGION="eu-west-1",
    )
    client = boto3.client("redshift-data", aws_access_key_id="a", aws_secret_access_key="b")
    monkeypatch.setattr(lambda_function, "redshift_data", lambda: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def question(sql_file: str, meter_id: str, year: str) -> dict[str, Any]:
    return {
        "ClusterIdentifier": "redshift-cluster-1",
        "Database": "meter-data",
        "SecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:metering/redshift",
        "Sql": (LAMBDAS / "get_consumption" / sql_file).read_text(),
        "Parameters": [{"name": "meter_id", "value": meter_id}, {"name": "year", "value": year}],
        "StatementName": "get_consumption",
    }


def expect(warehouse: Stubber, statuses: list[str], asked: dict[str, Any] | None = None, **described: str) -> None:
    warehouse.add_response("execute_statement", {"Id": STATEMENT}, asked)
    for status in statuses:
        warehouse.add_response("describe_statement", {"Id": STATEMENT, "Status": status, **described})


def expect_rows(warehouse: Stubber, *records: list[dict[str, Any]]) -> None:
    warehouse.add_response("get_statement_result", {"Records": list(records)}, {"Id": STATEMENT})


def row(*values: str | int | float | None) -> list[dict[str, Any]]:
    names = {str: "stringValue", int: "longValue", float: "doubleValue"}
    return [{"isNull": True} if value is None else {names[type(value)]: value} for value in values]


def ask(event: dict[str, Any], seconds: float = 29.0) -> tuple[int, Any, dict[str, str]]:
    answer = lambda_function.handler(event, Context(seconds))
    assert answer["headers"]["content-type"] == "application/json"
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def test_daily_consumption_has_the_shape_of_the_guide(warehouse: Stubber, event: Event) -> None:
    expect(warehouse, ["SUBMITTED", "STARTED", "FINISHED"], question("daily.sql", "MAC001595", "2013"))
    expect_rows(warehouse, row("MAC001595", "20130220", 4.2), row("MAC001595", "20130221", 5.316))

    status, body, _ = ask(event())

    assert (status, body) == (200, [["MAC001595", "20130220", 4.2], ["MAC001595", "20130221", 5.316]])


def test_weekly_consumption_has_iso_year_and_week(warehouse: Stubber, event: Event) -> None:
    expect(warehouse, ["FINISHED"], question("weekly.sql", "MAC001595", "2014"))
    expect_rows(warehouse, row("MAC001595", 2014, 1, 41.02))

    assert ask(event(aggregation="weekly", year="2014"))[:2] == (200, [["MAC001595", 2014, 1, 41.02]])


def test_monthly_consumption_has_year_and_month(warehouse: Stubber, event: Event) -> None:
    expect(warehouse, ["FINISHED"], question("monthly.sql", "MAC001595", "2013"))
    expect_rows(warehouse, row("MAC001595", 2013, 12, 160.9))

    assert ask(event(aggregation="monthly"))[:2] == (200, [["MAC001595", 2013, 12, 160.9]])


def test_noise_of_sums_goes_and_small_consumption_stays(warehouse: Stubber, event: Event) -> None:
    expect(warehouse, ["FINISHED"])
    expect_rows(
        warehouse,
        row("MAC001595", "20130220", 0.1 + 0.2),
        row("MAC001595", "20130221", 0.0000014),
        row("MAC001595", "20130222", 0.0),
        row("MAC001595", "20130223", 123456.7654321),
    )

    _, body, _ = ask(event())

    assert [kwh for _, _, kwh in body] == [0.3, 0.0000014, 0.0, 123456.7654321]


def test_all_pages_of_a_result_are_read(warehouse: Stubber, event: Event) -> None:
    expect(warehouse, ["FINISHED"])
    first = {"Records": [row("MAC001595", "20130101", 1.0)], "NextToken": "more"}
    warehouse.add_response("get_statement_result", first, {"Id": STATEMENT})
    second = {"Records": [row("MAC001595", "20130102", 2.0)]}
    warehouse.add_response("get_statement_result", second, {"Id": STATEMENT, "NextToken": "more"})

    assert ask(event())[1] == [["MAC001595", "20130101", 1.0], ["MAC001595", "20130102", 2.0]]


def test_a_known_meter_without_data_in_that_year_has_an_empty_answer(warehouse: Stubber, event: Event) -> None:
    expect(warehouse, ["FINISHED"])
    expect_rows(warehouse, row("MAC001595", None, None))

    assert ask(event(year="1999"))[:2] == (200, [])


def test_an_unknown_meter_is_not_found(warehouse: Stubber, event: Event) -> None:
    expect(warehouse, ["FINISHED"])
    expect_rows(warehouse)

    status, body, _ = ask(event(meter_id="MAC999999"))

    assert (status, body) == (404, {"message": "meter MAC999999 is not known", "parameter": "meter_id"})


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("aggregation", "hourly"),
        ("aggregation", "DAILY"),
        ("aggregation", ""),
        ("aggregation", "../authorize/handler"),
        ("year", "13"),
        ("year", "20133"),
        ("year", "two thousand"),
        ("year", "-201"),
        ("year", "2013\n"),
        ("year", "２０１３"),
        ("year", "2013 OR 1=1"),
        ("meter_id", ""),
        ("meter_id", "M" * 65),
        ("meter_id", "MAC001595' OR '1'='1"),
        ("meter_id", "MAC001595'; DROP TABLE aggregated_daily; --"),
        ("meter_id", "MAC001595 UNION SELECT 1, 2"),
        ("meter_id", ":year"),
        ("meter_id", "MAC001595\n"),
        ("meter_id", "MAC%"),
        ("meter_id", "MAC\u0000"),
    ],
)
def test_a_bad_parameter_is_named_and_never_reaches_the_warehouse(
    warehouse: Stubber, event: Event, parameter: str, value: str
) -> None:
    status, body, _ = ask(event(**{parameter: value}))

    assert status == 400
    assert body["parameter"] == parameter
    assert body["message"].startswith(f"{parameter}: ")


def test_a_missing_parameter_is_named(warehouse: Stubber, event: Event) -> None:
    bare = event()
    del bare["pathParameters"]["year"]

    status, body, _ = ask(bare)

    assert (status, body["parameter"]) == (400, "year")


def test_the_sql_is_the_same_for_every_meter() -> None:
    for sql in lambda_function.QUERIES.values():
        assert sql.count(":meter_id") == 1
        assert sql.count(":year") == 1
        assert not set("{}%") & set(sql)


def assert_unavailable(status: int, body: Any, headers: dict[str, str]) -> None:
    assert (status, body) == (503, {"message": "the warehouse does not answer at the moment"})
    assert int(headers["retry-after"]) > 0


@pytest.mark.parametrize("status", ["FAILED", "ABORTED"])
def test_a_failed_statement_means_unavailable_and_its_words_stay_in_the_log(
    warehouse: Stubber, event: Event, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    expect(warehouse, ["STARTED", status], Error='ERROR: relation "aggregated_daily" of MAC001595 does not exist')

    assert_unavailable(*ask(event()))
    (record,) = caplog.records
    assert record.reason == (  # type: ignore[attr-defined]
        f'statement {STATEMENT} {status}: ERROR: relation "aggregated_daily" of (meter) does not exist'
    )


def test_a_slow_statement_is_cancelled(warehouse: Stubber, event: Event) -> None:
    expect(warehouse, ["STARTED"] * 3)
    warehouse.add_response("cancel_statement", {"Status": True}, {"Id": STATEMENT})

    # 2 seconds are kept for the answer: 0.08 are left, enough for polls after 0.02 and 0.05 seconds.
    assert_unavailable(*ask(event(), seconds=2.08))


def test_the_timeout_of_the_settings_holds_where_lambda_would_wait_longer(
    warehouse: Stubber, event: Event, environment: Callable[..., None]
) -> None:
    environment(QUERY_TIMEOUT_SECONDS="0.01")
    expect(warehouse, ["STARTED"])
    warehouse.add_response("cancel_statement", {"Status": True}, {"Id": STATEMENT})

    assert_unavailable(*ask(event()))


def test_a_statement_that_cannot_be_cancelled_is_answered_all_the_same(warehouse: Stubber, event: Event) -> None:
    expect(warehouse, ["STARTED"])
    warehouse.add_client_error("cancel_statement", "ValidationException", "Could not cancel a query that is finished")

    assert_unavailable(*ask(event(), seconds=2.01))


@pytest.mark.parametrize(
    "code",
    ["ValidationException", "ActiveStatementsExceededException", "AccessDeniedException", "InternalServerException"],
)
def test_a_refusal_of_the_data_api_means_unavailable(
    warehouse: Stubber, event: Event, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    warehouse.add_client_error("execute_statement", code, "Redshift endpoint doesn't exist in this region.")

    assert_unavailable(*ask(event()))
    assert code in caplog.records[0].reason  # type: ignore[attr-defined]


def test_a_data_api_that_is_not_there_means_unavailable(
    event: Event, environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        environment(
            CLUSTER_IDENTIFIER="c",
            DATABASE="d",
            SECRET_ARN="s",
            QUERY_TIMEOUT_SECONDS="20",
            AWS_DEFAULT_REGION="eu-west-1",
            AWS_ACCESS_KEY_ID="a",
            AWS_SECRET_ACCESS_KEY="b",
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{unused.getsockname()[1]}",
            NO_PROXY="127.0.0.1",
        )

        assert_unavailable(*ask(event()))


def test_logs_tell_how_it_went_but_not_of_whom(
    warehouse: Stubber, event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    expect(warehouse, ["FINISHED"])
    expect_rows(warehouse, row("MAC001595", "20130221", 5.316))

    ask(event())

    (record,) = [record for record in caplog.records if record.name == lambda_function.__name__]
    assert (record.aggregation, record.year, record.rows) == ("daily", "2013", 1)  # type: ignore[attr-defined]
    assert "MAC001595" not in str(vars(record))
    assert "5.316" not in str(vars(record))


def test_the_sql_passes_the_linter() -> None:
    from sqlfluff.core import FluffConfig, Linter

    config = FluffConfig.from_path(str(LAMBDAS), extra_config_path=str(LAMBDAS / "sqlfluff.cfg"))
    result = Linter(config=config).lint_paths((str(LAMBDAS / "get_consumption"),))

    assert {Path(name["filepath"]).name for name in result.as_records()} == {"daily.sql", "weekly.sql", "monthly.sql"}
    assert [(each["filepath"], each["violations"]) for each in result.as_records() if each["violations"]] == []
