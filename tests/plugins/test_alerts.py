"""The alert on a failed task: where to look, no household data, and never an error of its own."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from metering import alerts

SECRET = "MAC000002 used 0.25 kWh at 2013-01-01 00:30"


def context(dag_id: str = "ingest_meter_readings") -> dict[str, Any]:
    task = SimpleNamespace(
        dag_id=dag_id,
        task_id="raw_to_clean",
        run_id="manual__2026-01-02T09:00:00+00:00",
        try_number=3,
        log_url="https://airflow.example/dags/ingest_meter_readings/runs/manual__2026/tasks/raw_to_clean?try_number=3",
    )
    return {"ti": task, "exception": ValueError(SECRET)}


def test_the_alert_says_what_failed_and_where_to_look() -> None:
    subject, message = alerts.alert(context())

    assert subject == "ingest_meter_readings.raw_to_clean failed"
    for expected in (
        "manual__2026-01-02T09:00:00+00:00",
        "Try: 3",
        "ValueError",
        context()["ti"].log_url,
        "runbook.md",
    ):
        assert expected in message


def test_the_alert_quotes_nothing_of_the_error() -> None:
    assert "MAC000002" not in "".join(alerts.alert(context()))


def test_a_subject_is_never_longer_than_sns_takes() -> None:
    assert len(alerts.alert(context("d" * 250))[0]) == 100


def test_the_alert_goes_to_the_publisher() -> None:
    sent: list[tuple[str, str]] = []

    alerts.tell_operators(context(), lambda subject, message: sent.append((subject, message)))

    assert sent == [alerts.alert(context())]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "NotFound", "Message": "Topic does not exist"}}, "Publish"),
        EndpointConnectionError(endpoint_url="https://sns.example"),
        KeyError("alerts_topic_arn"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_alert_that_cannot_be_sent_is_logged_and_no_error(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def publish(subject: str, message: str) -> None:
        raise error

    with caplog.at_level(logging.WARNING, logger="metering.alerts"):
        alerts.tell_operators(context(), publish)

    assert "'ingest_meter_readings.raw_to_clean failed' was not sent" in caplog.text
