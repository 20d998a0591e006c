"""Contradictory deliveries are told: in the log always, by an alert above a share."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from metering import conflicts

# 1,000 different readings, 4 of them with two values.
FOUND = {"batch": "b1", "rows_in": 1_500, "duplicates": 500, "conflicts": 4}
VERDICT = (
    "4 of 1,000 readings of batch b1 came with different values at the same upload time (0.400%; an alert is sent "
    "above {allowed}%). The value of the later file, then of the later row won."
)


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def check(told: list[tuple[str, str]], caplog: pytest.LogCaptureFixture) -> Any:
    def run(found: dict[str, Any], max_share: float) -> str:
        with caplog.at_level(logging.WARNING):
            return conflicts.check(found, max_share=max_share, tell=lambda *message: told.append(message))

    return run


def test_a_batch_without_conflicts_is_silent(check: Any, told: list[Any], caplog: pytest.LogCaptureFixture) -> None:
    said = check(FOUND | {"conflicts": 0}, 0)
    assert said == "No reading came with different values at the same upload time."
    assert told == caplog.messages == []


def test_a_batch_without_readings_has_no_conflicts(check: Any, told: list[Any]) -> None:
    assert "No reading" in check(FOUND | {"rows_in": 0, "duplicates": 0, "conflicts": 0}, 0)
    assert told == []


def test_few_conflicts_are_told_in_the_log(check: Any, told: list[Any], caplog: pytest.LogCaptureFixture) -> None:
    said = check(FOUND, 0.004)
    assert said == VERDICT.format(allowed="0.400")
    assert caplog.messages == [said]
    assert told == []


def test_more_conflicts_than_allowed_are_told_to_the_operators(
    check: Any, told: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    said = check(FOUND, 0.0039)
    assert caplog.messages == [said]
    ((subject, message),) = told
    assert subject == "Readings contradict one another"
    assert message.splitlines() == [
        VERDICT.format(allowed="0.390"),
        "What to do: docs/runbook.md, Readings contradict one another.",
    ]
