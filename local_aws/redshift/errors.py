"""Errors of a statement, in the form in which DescribeStatement reports them."""

from __future__ import annotations

import re

import psycopg

# Redshift's messages hold no rows: refused lines stand in sys_load_error_detail. PostgreSQL would put them into
# messages, and so would what they say of people come into logs.
_REFUSED_LINE = re.compile(r"^(COPY \S+, line \d+(, column \w+)?).*", re.DOTALL)
_ROW = "Failing row contains"


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
    if diagnosis.message_detail and not diagnosis.message_detail.startswith(_ROW):
        lines.append(f"  Detail: {diagnosis.message_detail}")
    if diagnosis.message_hint:
        lines.append(f"  Hint: {diagnosis.message_hint}")
    if diagnosis.context:
        place = _REFUSED_LINE.sub(r"\1", diagnosis.context)
        lines.append(f"  Where: {place}")
    return "\n".join(lines)
