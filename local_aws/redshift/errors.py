"""Errors of a statement, in the form in which DescribeStatement reports them."""

from __future__ import annotations

import psycopg


class StatementError(Exception):
    """A statement that fails; the text is what stands after "ERROR: "."""


def message(error: Exception) -> str:
    """Redshift's form of an error, "ERROR: …", with the engine's own words."""
    if not isinstance(error, psycopg.Error):
        return f"ERROR: {error}"
    diagnosis = error.diag
    if diagnosis.message_primary is None:
        return f"ERROR: {' '.join(str(error).split())}"
    lines = [f"{diagnosis.severity}: {diagnosis.message_primary}"]
    if diagnosis.message_detail:
        lines.append(f"  Detail: {diagnosis.message_detail}")
    if diagnosis.message_hint:
        lines.append(f"  Hint: {diagnosis.message_hint}")
    if diagnosis.context:
        lines.append(f"  Where: {diagnosis.context}")
    return "\n".join(lines)
