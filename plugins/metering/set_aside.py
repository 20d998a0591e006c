"""Meter files that raw_to_clean could not read at all, and set aside: the others of the delivery load."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from metering import messages

SHOWN = 5

log = logging.getLogger(__name__)


class NothingReadError(ValueError):
    """No file of a delivery could be read."""


def uris(summary: dict[str, Any]) -> list[str]:
    """Returns the files that were set aside. `summary` is that of raw_to_clean."""
    return [file["uri"] for file in summary["files"] if file.get("set_aside")]


def report(summary: dict[str, Any], tell: Callable[[str, str], None]) -> None:
    """Tells the operators which files were set aside, if any: by `tell`, and with the reasons in the log.

    The alert leaves the platform by e-mail, so it has the files' names only: a reason may quote the file.
    """
    found = uris(summary)
    if not found:
        return
    log.warning("Files were set aside, because they cannot be read:\n%s", _reasons(summary, len(found)))
    tell(
        "Meter files could not be read",
        f"{len(found)} of {len(summary['files'])} files of batch {summary['batch']} could not be read and were set "
        f"aside: {_names(found)}.\n"
        "Why, and what to do: the log of check_rejected_share of the DAG ingest_meter_readings, and docs/runbook.md.",
    )


def check(summary: dict[str, Any]) -> str:
    """Returns a sentence on the files that were set aside, empty if there are none.

    Raises NothingReadError, with the reasons, if all files of the delivery were set aside.
    """
    found = uris(summary)
    if not found:
        return ""
    if len(found) == len(summary["files"]):
        raise NothingReadError(
            f"None of the {len(found)} files of batch {summary['batch']} can be read. Nothing was published.\n"
            f"{_reasons(summary, SHOWN)}\n"
            "What to do: do as the messages say, and trigger ingest_meter_readings. A file is tried again when it or "
            "its description has changed, with another transformer, or when the parameter reprocess names it."
        )
    return f"{len(found)} of {len(summary['files'])} files set aside, unreadable:\n{_reasons(summary, SHOWN)}"


def _names(found: list[str]) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(messages.one_line(uri) for uri in found[:SHOWN]) + more


def _reasons(summary: dict[str, Any], most: int) -> str:
    reasons = [messages.printable(file["set_aside"]["reason"]) for file in summary["files"] if file.get("set_aside")]
    more = [f"… and {len(reasons) - most} more"] if len(reasons) > most else []
    return "\n".join([*reasons[:most], *more])
