"""ExecutionParameters: the values that stand for the question marks of a query.

As in Athena each value is a literal of SQL: a text needs its quotes ('MAC000002'), a number none. Anything else is
refused, so that a value can never become a part of the query.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import ParseError, TokenError

from local_aws.athena.errors import QueryError, at

_LITERALS = (exp.Literal, exp.Boolean, exp.Null, exp.Neg, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Paren)


def with_parameters(sql: str, parameters: Sequence[str]) -> str:
    """The query with its question marks replaced, in their order. Raises QueryError when their number differs."""
    try:
        marks = [token for token in sqlglot.tokenize(sql, read="athena") if token.token_type == TokenType.PLACEHOLDER]
    except TokenError as error:
        raise QueryError(f"SYNTAX_ERROR: {error}") from None
    if len(marks) != len(parameters):
        numbers = f"expected {len(marks)} but found {len(parameters)}"
        raise at("INVALID_PARAMETER_USAGE", f"Incorrect number of parameters: {numbers}", 1, 1)
    for mark, parameter in reversed(list(zip(marks, parameters, strict=True))):
        sql = f"{sql[: mark.start]} {_literal(parameter)} {sql[mark.end + 1 :]}"
    return sql


def _literal(text: str) -> str:
    """The literal in a text, written anew by the parser."""
    try:
        value = sqlglot.parse_one(text, read="athena")
    except (ParseError, TokenError):
        value = None
    if value is None or not all(isinstance(node, _LITERALS) for node in value.walk()):
        raise QueryError("SYNTAX_ERROR: Constant expression cannot contain column references: a parameter is a literal")
    return value.sql("athena")
