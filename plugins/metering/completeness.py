"""The gate between summing and publishing: how much of what was to come of the touched days has come.

Messages hold counts and dates only: the alert leaves the platform by e-mail, and a log is read by many.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

FAIL, ALERT = "fail", "alert"
WHERE = "Which meters: include/sql/athena/select_completeness.sql, on the table completeness."

log = logging.getLogger(__name__)


class IncompleteDaysError(ValueError):
    """A smaller share of the expected readings has come than the run demands."""


def check(
    found: dict[str, Any] | None,
    *,
    min_share: float,
    on_incomplete: str,
    tell: Callable[[str, str], None],
) -> str:
    """A sentence on the touched days; below `min_share` (0 to 1) IncompleteDaysError, or an alert by `tell`.

    `found` is what the summary of aggregate_consumption says of completeness, None when it has written no day.
    """
    if not found or not found["expected"]:
        return "No readings were expected on these days."
    share = found["received"] / found["expected"]
    verdict = (
        f"{found['received']:,} of {found['expected']:,} expected readings have come ({_percent(found)}, wanted: "
        f"{min_share * 100:.2f} %) on {found['days']:,} days."
    )
    if share >= min_share:
        return verdict
    text = f"{verdict}\n{_what_is_missing(found)}"
    if on_incomplete == FAIL:
        raise IncompleteDaysError(
            f"{text}\nNothing was published: readers see the old sums.\n"
            "What to do: when the missing files have been loaded, trigger aggregate_consumption with these dates. To "
            "publish the days as they are, do so with on_incomplete alert, or a smaller min_completeness."
        )
    log.warning(text)
    tell("Readings are incomplete", f"{text}\nThe days are published as they are.\n{WHERE}")
    return verdict


def _what_is_missing(found: dict[str, Any]) -> str:
    days = ", ".join(
        f"{day['date_str']} ({day['received']:,} of {day['expected']:,}; {day['incomplete_meters']:,} meters)"
        for day in found["worst_days"]
    )
    return (
        f"{found['incomplete_meters']:,} of {found['meters']:,} meters are incomplete on {found['incomplete_days']:,} "
        f"days, {found['silent_meters']:,} of them sent nothing. {found['rejected']:,} rows were rejected.\n"
        f"Worst days: {days}."
    )


def _percent(found: dict[str, Any]) -> str:
    """The share, rounded down, so that one below a limit never reads like the limit."""
    return f"{found['received'] * 10_000 // found['expected'] / 100:.2f} %"
