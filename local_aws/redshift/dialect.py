"""A statement in Redshift's dialect becomes one of PostgreSQL, with its parameters bound by place."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from local_aws.redshift.copy_command import CopyCommand, parse_copy
from local_aws.redshift.errors import StatementError
from local_aws.redshift.refusals import refuse
from local_aws.redshift.rewriting import rewrite
from local_aws.redshift.table_attributes import without_table_attributes

# The parser warns of each statement that it passes on as text; which of them run is decided below.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

# Statements that PostgreSQL and Redshift spell alike.
_PASSED_ON = ("GRANT", "REVOKE", "LOCK", "EXPLAIN", "VACUUM", "CALL")


@dataclass(frozen=True)
class Statement:
    """One statement for PostgreSQL; `values` belong to $1, $2 …; `copy` is set instead of `sql` for a COPY."""

    sql: str
    values: list[str] = field(default_factory=list)
    copy: CopyCommand | None = None
    returns_rows: bool = False
    is_query: bool = False
    commits: bool = False
    outside_transaction: bool = False


def placeholders(sql: str) -> list[str]:
    """The names of the parameters (:name) of a statement, each once; texts, comments and casts hold none."""
    tokens = _tokens(sql)
    names: list[str] = []
    for colon, name in itertools.pairwise(tokens):
        if colon.token_type == sqlglot.TokenType.COLON and colon.end + 1 == name.start and name.text.isidentifier():
            names.append(name.text)
    return list(dict.fromkeys(names))


def translate(sql: str, parameters: Mapping[str, str]) -> Statement:
    """Translate one statement. Raises StatementError with the message that Redshift or local_aws has for it."""
    tokens = _tokens(sql)
    if not tokens:
        raise StatementError("The statement is empty")
    if tokens[0].text.upper() == "COPY":
        return Statement(sql, copy=parse_copy(tokens))
    tree = _parse(without_table_attributes(sql, tokens))
    if isinstance(tree, exp.Transaction | exp.Commit | exp.Rollback):
        raise StatementError("BEGIN, COMMIT and ROLLBACK cannot be sent: a batch is one transaction")
    if isinstance(tree, exp.Command):
        return _command(tree, sql)
    refuse(tree, sql)
    _require_named_columns(tree)
    values = _number_placeholders(tree, parameters)
    for node in reversed(list(tree.walk())):
        replacement = rewrite(node)
        if replacement is not node:
            tree = replacement if node is tree else tree
            node.replace(replacement)
    returns_rows = isinstance(tree, exp.Query) and not tree.args.get("into")
    return Statement(
        tree.sql("postgres", comments=False),
        values,
        returns_rows=returns_rows,
        is_query=returns_rows,
        commits=isinstance(tree, exp.TruncateTable),
    )


def _tokens(sql: str) -> list[sqlglot.Token]:
    try:
        return sqlglot.tokenize(sql, read="redshift")
    except TokenError as error:
        raise StatementError(f"syntax error: {error}") from None


def _parse(sql: str) -> exp.Expr:
    try:
        trees = [tree for tree in sqlglot.parse(sql, read="redshift") if tree is not None]
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        near = first.get("highlight") or "end of input"
        raise StatementError(f'syntax error at or near "{near}" ({first.get("description", error)})') from None
    if len(trees) != 1:
        raise StatementError("Cannot insert multiple commands into a prepared statement")
    return trees[0]


def _command(tree: exp.Command, sql: str) -> Statement:
    """A statement that the parser leaves as text."""
    word = str(tree.this).upper()
    if word not in _PASSED_ON:
        raise StatementError(f"local_aws does not implement {' '.join(sql.split()[:2]).upper()}")
    if word == "VACUUM":
        return Statement(f"VACUUM {sql.split()[-1].rstrip(';')}", outside_transaction=True)
    return Statement(sql, returns_rows=word == "EXPLAIN")


def _require_named_columns(tree: exp.Expr) -> None:
    """QUALIFY becomes a subquery with a helping column, which a star would show."""
    for select in tree.find_all(exp.Select):
        if select.args.get("qualify") and select.is_star:
            raise StatementError("local_aws needs the columns by name, not *, in a SELECT with QUALIFY")


def _number_placeholders(tree: exp.Expr, parameters: Mapping[str, str]) -> list[str]:
    """Put $1, $2 … for :name. Each occurrence gets a number of its own, so that each gets its own type."""
    values: list[str] = []
    for node in list(tree.find_all(exp.Placeholder)):
        if not node.this:
            raise StatementError('syntax error at or near "?"')
        values.append(parameters[node.name])
        node.replace(exp.Parameter(this=exp.Literal.number(len(values))))
    return values
