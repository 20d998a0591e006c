"""Errors of a query, in Athena's words: a name like TABLE_NOT_FOUND, the place in the text, a sentence."""

from __future__ import annotations

# AthenaError's ErrorCategory.
SYSTEM, USER, OTHER = 1, 2, 3


class QueryError(Exception):
    """A query that fails; the text becomes its StateChangeReason."""

    def __init__(self, text: str, category: int = USER) -> None:
        super().__init__(text)
        self.category = category


def at(name: str, text: str, line: int | None = None, column: int | None = None) -> QueryError:
    """An error at a place of the query's text, e.g. "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"."""
    place = f"line {line}:{column}: " if line else ""
    return QueryError(f"{name}: {place}{text}")
