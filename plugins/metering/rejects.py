"""The gate between cleaning and publishing: too many rejected rows stop a batch."""

from __future__ import annotations

from typing import Any

from metering import messages

SHOWN = 5
# The field of the trigger form.
ALLOWED_SHARE = {
    "default": 0.01,
    "type": "number",
    "minimum": 0,
    "maximum": 1,
    "section": "Quality",
    "description": "The run fails before anything is published when a larger share of its rows is bad (0.01 = 1 %).",
}


class RejectedShareError(ValueError):
    """More rows of a batch were rejected than the run allows."""


def check(summary: dict[str, Any], *, max_share: float, clean_bucket: str) -> str:
    """A sentence on the rejected rows of a batch; RejectedShareError when their share is above `max_share` (0 to 1).

    `summary` is that of raw_to_clean. A batch without rows has nothing to reject. The sentence also names files without
    any row, e.g. with a header alone.
    """
    batch, rows, rejected = summary["batch"], summary["rows"], summary["rejected"]
    share = rejected / rows if rows else 0.0
    quarantine = f"s3://{clean_bucket}/quarantine/batch={batch}/"
    verdict = f"{rejected:,} of {rows:,} rows of batch {batch} were rejected ({share:.2%}, allowed: {max_share:.2%})."
    if share <= max_share:
        return " ".join(filter(None, [verdict, rejected and f"They lie in {quarantine}", _without_rows(summary)]))
    raise RejectedShareError(
        f"{verdict} Nothing of the batch was published.\n"
        f"Worst reasons: {_worst_reasons(summary)}.\n"
        f"Worst files: {_worst_files(summary)}.\n"
        f"The rows lie as they came, with file and reason, in {quarantine}\n"
        "What to do: replace the bad files in the landing zone (or take them out) and trigger ingest_meter_readings; "
        "the other files of this batch are picked up again. If the rows may stay in quarantine, trigger it with a "
        "larger max_rejected_share. Until then every run stops here."
    )


def _without_rows(summary: dict[str, Any]) -> str:
    empty = [file["uri"] for file in summary["files"] if not file["rows"] and not file.get("set_aside")]
    more = f" and {len(empty) - SHOWN} more" if len(empty) > SHOWN else ""
    shown = [messages.one_line(uri) for uri in empty[:SHOWN]]
    return f"These files hold no rows: {', '.join(shown)}{more}." if empty else ""


def _worst_reasons(summary: dict[str, Any]) -> str:
    reasons = sorted(summary["rejected_by_reason"].items(), key=lambda reason: (-reason[1], reason[0]))
    return ", ".join(f"{reason} ({count:,})" for reason, count in reasons[:SHOWN])


def _worst_files(summary: dict[str, Any]) -> str:
    files = sorted(summary["files"], key=lambda file: (-file["rejected"], file["uri"]))
    worst = [file for file in files[:SHOWN] if file["rejected"]]
    return ", ".join(f"{messages.one_line(file['uri'])} ({file['rejected']:,} of {file['rows']:,})" for file in worst)
