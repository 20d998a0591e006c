"""The gate on completeness: it passes, fails or alerts, and says what is missing in counts and dates."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from metering import completeness

FOUND = {
    "expected": 4800,
    "received": 4799,
    "estimated": 0,
    "rejected": 1,
    "duplicates": 0,
    "meters": 50,
    "incomplete_meters": 1,
    "silent_meters": 0,
    "days": 2,
    "incomplete_days": 1,
    "worst_days": [{"date_str": "20130102", "expected": 2400, "received": 2399, "incomplete_meters": 1}],
}
MISSING = FOUND | {
    "received": 2400,
    "rejected": 1200,
    "incomplete_meters": 50,
    "silent_meters": 25,
    "incomplete_days": 2,
    "worst_days": [
        {"date_str": "20130102", "expected": 2400, "received": 0, "incomplete_meters": 50},
        {"date_str": "20130101", "expected": 2400, "received": 2399, "incomplete_meters": 1},
    ],
}
TOLD = """2,400 of 4,800 expected readings have come (50.00 %, wanted: 99.90 %) on 2 days.
50 of 50 meters are incomplete on 2 days, 25 of them sent nothing. 1,200 rows were rejected.
Worst days: 20130102 (0 of 2,400; 50 meters), 20130101 (2,399 of 2,400; 1 meters)."""


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def check(told: list[tuple[str, str]]) -> Any:
    def run(found: dict[str, Any] | None, min_share: float, on_incomplete: str) -> str:
        return completeness.check(
            found,
            min_share=min_share,
            on_incomplete=on_incomplete,
            tell=lambda subject, message: told.append((subject, message)),
        )

    return run


@pytest.mark.parametrize("on_incomplete", ["fail", "alert"])
def test_enough_readings_pass_silently(check: Any, told: list[Any], on_incomplete: str) -> None:
    share = 4799 / 4800

    said = check(FOUND, share, on_incomplete)

    assert said == "4,799 of 4,800 expected readings have come (99.97 %, wanted: 99.98 %) on 2 days."
    assert told == []


def test_too_few_readings_fail_with_what_is_missing_and_what_to_do(check: Any, told: list[Any]) -> None:
    with pytest.raises(completeness.IncompleteDaysError) as error:
        check(MISSING, 0.999, "fail")

    assert str(error.value).startswith(f"{TOLD}\nNothing was published")
    assert "trigger aggregate_consumption with these dates" in str(error.value)
    assert told == []


def test_too_few_readings_are_told_to_the_operators_and_published(
    check: Any, told: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        said = check(MISSING, 0.999, "alert")

    assert said == TOLD.partition("\n")[0]
    ((subject, message),) = told
    assert subject == "Readings are incomplete"
    assert message.startswith(f"{TOLD}\nThe days are published as they are.")
    assert "select_completeness.sql" in message
    assert caplog.messages == [TOLD]


def test_days_without_expected_readings_pass(check: Any) -> None:
    assert check(None, 1.0, "fail") == "No readings were expected on these days."
    assert check(FOUND | {"expected": 0, "received": 0}, 1.0, "fail") == "No readings were expected on these days."


def test_nothing_that_has_come_is_below_no_share(check: Any, told: list[Any]) -> None:
    check(MISSING | {"received": 0}, 0, "fail")

    assert told == []
