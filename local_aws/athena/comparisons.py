"""Comparisons that Athena refuses and DuckDB does not: a text is never equal to a number or a date."""

from __future__ import annotations

from sqlglot import exp

from local_aws.athena.errors import at

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}


def require_comparable(tree: exp.Expr) -> None:
    """Raise QueryError TYPE_MISMATCH for the first comparison of different families of types in an annotated tree."""
    for node in tree.walk():
        if type(node) in _COMPARISONS:
            _require(node, node.this, node.expression, _COMPARISONS[type(node)])
        elif isinstance(node, exp.Between):
            _require(node, node.this, node.args["low"], "BETWEEN")
            _require(node, node.this, node.args["high"], "BETWEEN")
        elif isinstance(node, exp.In):
            for value in node.expressions:
                _require(node, node.this, value, "IN")


def _require(node: exp.Expr, left: exp.Expr, right: exp.Expr, operator: str) -> None:
    families = {_family(left), _family(right)} - {None}
    if len(families) > 1:
        names = f"{_name(left)} {operator} {_name(right)}"
        column = next(node.find_all(exp.Column), None)
        line = column.this.meta.get("line") if column is not None else None
        end = column.this.meta.get("col") if column is not None else None
        begin = end - len(column.name) + 1 if column is not None and end else None
        raise at("TYPE_MISMATCH", f"Cannot apply operator: {names}", line, begin)


def _family(node: exp.Expr) -> str | None:
    kind = node.type
    if not isinstance(kind, exp.DataType):
        return None
    if kind.this in exp.DataType.TEXT_TYPES:
        return "text"
    if kind.this in exp.DataType.NUMERIC_TYPES:
        return "number"
    if kind.this in exp.DataType.TEMPORAL_TYPES:
        return "time"
    return "boolean" if kind.this == exp.DataType.Type.BOOLEAN else None


def _name(node: exp.Expr) -> str:
    return node.type.sql("athena").lower() if isinstance(node.type, exp.DataType) else "unknown"
