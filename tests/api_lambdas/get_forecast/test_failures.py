"""What a caller and the log are told when there is no forecast to give."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import forecast_endpoint
import pytest

from api_lambdas.get_forecast import handler as lambda_function
from tests.api_lambdas.get_forecast.conftest import HOURS, Ask
from tests.api_lambdas.get_forecast.deepar_endpoint import DeepArEndpoint


def told_by(record: logging.LogRecord) -> str:
    """What a record says beside where and when it was made."""
    own = vars(logging.makeLogRecord({}))
    return str({name: value for name, value in vars(record).items() if name not in own} | {"": record.getMessage()})


@pytest.mark.parametrize("query", [{}, {"data_start": "2013-01-01", "data_end": "2013-02-01"}])
@pytest.mark.parametrize("meter_id", ["MAC3", "gap", "GAP2"])
def test_an_unknown_meter_is_not_found(ask: Ask, meter_id: str, query: dict[str, str]) -> None:
    status, body, _ = ask(meter_id, **query)

    assert (status, body) == (404, {"message": f"meter {meter_id} is not known", "parameter": "meter_id"})


@pytest.mark.parametrize(
    ("meter_id", "query"),
    [
        ("GAP", {"data_start": "2013-02-02", "data_end": "2013-03-01"}),
        ("GAP", {"data_start": "2012-01-01", "data_end": "2013-01-30"}),
        ("GAP", {"data_start": "2013-06-01"}),
        ("HALF", {}),
    ],
)
def test_days_without_a_complete_hour_are_not_found(
    ask: Ask, endpoint: DeepArEndpoint, meter_id: str, query: dict[str, str]
) -> None:
    status, body, _ = ask(meter_id, **query)

    assert (status, body["message"]) == (404, f"meter {meter_id} has no complete hour in these days")
    assert endpoint.questions == []


def test_an_endpoint_without_a_model_is_named(ask: Ask) -> None:
    assert ask("GAP", ml_endpoint_name="nobody")[:2] == (
        404,
        {"message": "no model was deployed to the endpoint nobody", "parameter": "ml_endpoint_name"},
    )


def test_before_the_first_training_the_caller_learns_what_to_do(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_PARAMETERS", "/not-trained-yet")

    status, body, headers = ask("GAP")

    assert (status, body) == (503, {"message": "there is no forecast model yet: trigger the DAG train_forecast_model"})
    assert int(headers["retry-after"]) >= 60


def test_a_record_that_is_none_is_unavailable(ask: Ask, aws: Callable[[str], Any], records: str) -> None:
    aws("ssm").put_parameter(Name=f"{records}/models/broken", Value='{"scale": 0}', Type="String", Overwrite=True)

    assert ask("GAP", ml_endpoint_name="broken")[0] == 503


def test_a_database_that_is_gone_is_unavailable(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GLUE_DATABASE", "nowhere")

    status, body, headers = ask("GAP")

    assert (status, body) == (503, {"message": "the readings do not answer at the moment"})
    assert int(headers["retry-after"]) > 0
    assert "SCHEMA_NOT_FOUND" in caplog.records[0].reason  # type: ignore[attr-defined]


def test_the_timeout_of_the_settings_holds(ask: Ask, endpoint: DeepArEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUERY_TIMEOUT_SECONDS", "0")

    assert ask("GAP")[0] == 503
    assert endpoint.questions == []


def test_time_is_kept_for_the_endpoint(ask: Ask, endpoint: DeepArEndpoint) -> None:
    # 10 seconds for the model, 1 to reach it, 2 for the answer: none is left for Athena.
    assert ask("GAP", seconds=13.0)[0] == 503
    assert endpoint.questions == []


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        ((400, "ValidationError", "Endpoint metering-forecast of account 123456789012 not found."), 503),
        ((503, "ServiceUnavailable", "Try again later."), 503),
        ((429, "ModelNotReadyException", "Not yet."), 503),
        ((500, "InternalFailure", "Oh."), 503),
        ((403, "AccessDeniedException", "Not you."), 503),
        ((424, "ModelError", "Received client error (400) from primary: GAP has 300 Wh"), 502),
    ],
)
def test_a_failing_endpoint_is_told_without_its_words(
    ask: Ask,
    endpoint: DeepArEndpoint,
    failure: tuple[int, str, str],
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint.failure = failure

    answered, body, headers = ask("GAP")

    told = {502: "the model answered with an error", 503: "the model does not answer at the moment"}
    assert (answered, body) == (status, {"message": told[status]})
    assert ("retry-after" in headers) == (status == 503)
    assert len(endpoint.questions) == 1
    (record,) = [record for record in caplog.records if record.name == lambda_function.__name__]
    assert "metering-forecast" in record.reason  # type: ignore[attr-defined]
    assert not [word for word in ("GAP", "300") if word in told_by(record)]


def test_an_endpoint_that_is_too_slow_is_unavailable(
    ask: Ask, endpoint: DeepArEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast_endpoint, "ANSWER_SECONDS", 0.2)
    endpoint.seconds = 1.0
    begun = time.monotonic()

    assert ask("QUIET")[0] == 503
    assert time.monotonic() - begun < 10
    assert len(endpoint.questions) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"oops",
        b"[]",
        b'{"predictions": []}',
        b'{"predictions": [{}]}',
        b'{"predictions": [{"quantiles": {"0.1": [1, 2, 3]}}]}',
        b'{"predictions": [{"quantiles": {"0.5": [1, 2]}}]}',
        b'{"predictions": [{"quantiles": {"0.5": [1, 2, 3, 4]}}]}',
        b'{"predictions": [{"quantiles": {"0.5": [1, 2, NaN]}}]}',
        b'{"predictions": [{"quantiles": {"0.5": [1, 2, null]}}]}',
        b'{"predictions": [{"quantiles": {"half": [1, 2, 3]}}]}',
    ],
)
def test_an_answer_that_is_no_forecast_is_an_error_of_the_model(
    ask: Ask, endpoint: DeepArEndpoint, body: bytes
) -> None:
    endpoint.body = body

    assert ask("QUIET")[:2] == (502, {"message": "the model answered with an error"})


def test_the_logs_tell_how_it_went_but_not_of_whom(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger=lambda_function.__name__)

    ask("GAP", quantiles="p10")

    (record,) = [record for record in caplog.records if record.name == lambda_function.__name__]
    assert (record.hours, record.quantiles) == (HOURS, 1)  # type: ignore[attr-defined]
    assert not [word for word in ("GAP", "0.5") if word in told_by(record)]
