"""Expressions whose type DuckDB would change: brought back to Athena's on the typed tree."""

from __future__ import annotations

from sqlglot import exp

_KEEPS_DATE = (exp.DateAdd, exp.DateSub, exp.DateTrunc, exp.TimestampTrunc, exp.Add, exp.Sub)


def rewrite(node: exp.Expr) -> exp.Expr:
    """A node of a tree with types; most come back as they are."""
    if isinstance(node, exp.Cast) and _is_decimal_literal(node):
        # DuckDB gives a DECIMAL without digits 18 of them, three behind the point.
        return exp.Literal.number(node.this.name)
    if isinstance(node, _KEEPS_DATE) and _is_date(node.this) and _moves_a_date(node):
        # DuckDB makes a timestamp of a date and an interval.
        return exp.cast(node.copy(), exp.DataType.Type.DATE)
    return node


def _is_decimal_literal(node: exp.Cast) -> bool:
    return node.to.this == exp.DataType.Type.DECIMAL and not node.to.expressions and node.this.is_string


def _moves_a_date(node: exp.Expr) -> bool:
    return not isinstance(node, exp.Add | exp.Sub) or isinstance(node.expression, exp.Interval)


def _is_date(node: exp.Expr) -> bool:
    return isinstance(node.type, exp.DataType) and node.type.this == exp.DataType.Type.DATE
