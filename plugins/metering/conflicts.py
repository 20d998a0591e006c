"""Tells of contradictory deliveries: readings that came with different values at the same upload time.

A correction is uploaded later than what it corrects, and wins. Files of one upload time, or rows of one file, that
disagree have no order of time. One of their values wins by a rule (the later file, then the later row), but perhaps not
the right one. Messages hold counts only: the alert leaves the platform by e-mail, and a log is read by many.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

# The field of the trigger form.
ALLOWED_SHARE = {
    "default": 0.001,
    "type": "number",
    "minimum": 0,
    "maximum": 1,
    "section": "Quality",
    "description": "The operators are told when a larger share of the readings came with different values at the same "
    "upload time (0.001 = 0.1 %). The run goes on.",
}

log = logging.getLogger(__name__)


def check(summary: dict[str, Any], *, max_share: float, tell: Callable[[str, str], None]) -> str:
    """Returns a sentence on the conflicts of a batch, and writes it to the log. Above `max_share` (0 to 1) sends an
    alert by `tell`.

    `summary` is that of clean_to_business. The share is that of the readings that the batch brought, each counted once.
    """
    conflicts, readings = summary["conflicts"], summary["rows_in"] - summary["duplicates"]
    if not conflicts:
        return "No reading came with different values at the same upload time."
    share = conflicts / readings
    verdict = (
        f"{conflicts:,} of {readings:,} readings of batch {summary['batch']} came with different values at the same "
        f"upload time ({share:.3%}; an alert is sent above {max_share:.3%}). The value of the later file, then of the "
        "later row won."
    )
    log.warning(verdict)
    if share > max_share:
        tell(
            "Readings contradict one another",
            f"{verdict}\nWhat to do: docs/runbook.md, Readings contradict one another.",
        )
    return verdict
