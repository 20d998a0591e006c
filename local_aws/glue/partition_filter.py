"""GetPartitions' Expression: a condition on partition keys, evaluated over their values.

    month = '201301' AND reading_type IN ('INT', 'AGG')

Values are text in the catalog. A key of a numeric type is compared as a number, every other as text, as Glue does
(dates compare rightly as ISO text).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from local_aws.glue.names import folded, invalid

NUMERIC_TYPES = ("tinyint", "smallint", "int", "integer", "bigint", "long", "float", "double", "decimal")

Values = Sequence[str]
Condition = Callable[[Values], bool]
Operand = Callable[[Values], Any]

_COMPARISONS: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}


def compiled(expression: str, partition_keys: Sequence[Mapping[str, str]]) -> Condition:
    """A test for the Values of a partition, in the order of the table's PartitionKeys.

    Raises InvalidInputException for what is no such condition or names another column.
    """
    try:
        tree = sqlglot.parse_one(expression, dialect="presto")
    except SqlglotError as error:
        raise invalid(f"Unable to parse the expression {expression!r}: {str(error).splitlines()[0]}") from None
    return _Compiler(expression, partition_keys).condition(tree)


class _Compiler:
    def __init__(self, text: str, partition_keys: Sequence[Mapping[str, str]]) -> None:
        self._text = text
        self._positions = {folded(column["Name"]): i for i, column in enumerate(partition_keys)}
        self._numeric = {
            folded(column["Name"])
            for column in partition_keys
            if column.get("Type", "string").lower().startswith(NUMERIC_TYPES)
        }

    def condition(self, node: exp.Expr) -> Condition:
        if isinstance(node, exp.Paren):
            return self.condition(node.this)
        if isinstance(node, exp.Connector):
            left, right = self.condition(node.left), self.condition(node.right)
            if isinstance(node, exp.And):
                return lambda values: left(values) and right(values)
            return lambda values: left(values) or right(values)
        if isinstance(node, exp.Not):
            inner = self.condition(node.this)
            return lambda values: not inner(values)
        if type(node) in _COMPARISONS:
            compare = _COMPARISONS[type(node)]
            first, second = self._operands(node.this, node.expression)
            return lambda values: compare(first(values), second(values))
        if isinstance(node, exp.In) and node.expressions:
            tested, *listed = self._operands(node.this, *node.expressions)
            return lambda values: tested(values) in [item(values) for item in listed]
        if isinstance(node, exp.Between):
            tested, low, high = self._operands(node.this, node.args["low"], node.args["high"])
            return lambda values: low(values) <= tested(values) <= high(values)
        if isinstance(node, exp.Like):
            tested, pattern = self._operands(node.this, node.expression)
            return lambda values: re.fullmatch(_like(pattern(values)), str(tested(values)), re.DOTALL) is not None
        if isinstance(node, exp.Boolean):
            return lambda values: bool(node.this)
        raise self._unsupported()

    def _operands(self, *nodes: exp.Expr) -> list[Operand]:
        """Operands of one comparison: numbers when a numeric key takes part, else text."""
        columns = {folded(column.name) for node in nodes for column in node.find_all(exp.Column)}
        convert: Callable[[str], Any] = self._number if columns & self._numeric else str
        return [self._operand(node, convert) for node in nodes]

    def _operand(self, node: exp.Expr, convert: Callable[[str], Any]) -> Operand:
        if isinstance(node, exp.Column):
            name = folded(node.name)
            if name not in self._positions:
                known = ", ".join(self._positions) or "none"
                raise invalid(f"{node.name} in {self._text!r} is no partition key; the table's keys are: {known}")
            position = self._positions[name]
            return lambda values: convert(values[position])
        if isinstance(node, exp.Cast | exp.Date | exp.Paren):
            return self._operand(node.this, convert)
        if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
            return self._constant(convert("-" + node.this.name))
        if isinstance(node, exp.Literal):
            return self._constant(convert(node.name))
        raise self._unsupported()

    @staticmethod
    def _constant(value: Any) -> Operand:
        return lambda values: value

    def _number(self, text: str) -> Decimal:
        try:
            return Decimal(text)
        except InvalidOperation:
            raise invalid(f"{text!r} is no number, as {self._text!r} needs") from None

    def _unsupported(self) -> Exception:
        return invalid(f"Unsupported expression {self._text!r}")


def _like(pattern: str) -> str:
    return "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in pattern)
