"""Which partitions a query needs: the conditions on partition keys are asked of the values in the catalog.

DuckDB itself evaluates the conditions over the list of partitions, so that they mean what they mean in the query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import exp

from local_aws.athena.catalog import Partition, Table

# Rows of a query without parameters.
Ask = Callable[[str], list[tuple[Any, ...]]]

_PLACE = "partition_place"


def conditions(source: exp.Table, keys: Sequence[str]) -> list[exp.Expr]:
    """The parts of the WHERE above a table that speak of its partition keys alone.

    The tree must be qualified. A table whose rows an outer join may replace by nulls has none: a condition in WHERE
    is asked after the join.
    """
    select = source.find_ancestor(exp.Select)
    if select is None or not _rows_are_kept(source, select):
        return []
    where = select.args.get("where")
    if where is None:
        return []
    alias = source.alias_or_name
    return [part for part in _conjuncts(where.this) if _speaks_of(part, alias, set(keys))]


def needed(table: Table, partitions: list[Partition], asked: list[exp.Expr], alias: str, ask: Ask) -> list[Partition]:
    """The partitions for which all conditions hold."""
    if not asked or not partitions:
        return partitions
    rows = ", ".join(
        f"({place}, {', '.join(text(value) for value in partition.values)})"
        for place, partition in enumerate(partitions)
    )
    names = ", ".join(identifier(key.name) for key in table.partition_keys)
    typed = ", ".join(
        f"CAST({identifier(key.name)} AS {key.duckdb_type}) AS {identifier(key.name)}" for key in table.partition_keys
    )
    source = f"(VALUES {rows}) AS listed({_PLACE}, {names})"
    listed = f"(SELECT {_PLACE}, {typed} FROM {source}) AS {identifier(alias)}"  # noqa: S608 (every part is quoted)
    condition = " AND ".join(f"({part.sql('duckdb')})" for part in asked)
    chosen = ask(f"SELECT {_PLACE} FROM {listed} WHERE {condition} ORDER BY {_PLACE}")  # noqa: S608 (every part is quoted)
    return [partitions[place] for (place,) in chosen]


def text(value: str) -> str:
    """A text literal."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted name."""
    return '"' + name.replace('"', '""') + '"'


def _rows_are_kept(source: exp.Table, select: exp.Select) -> bool:
    joins = select.args.get("joins") or []
    if any(join.side in ("RIGHT", "FULL") for join in joins):
        return False
    own = source.find_ancestor(exp.Join, exp.From)
    return isinstance(own, exp.From) or (isinstance(own, exp.Join) and not own.side and not own.kind)


def _conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    if isinstance(condition, exp.And):
        return [*_conjuncts(condition.left), *_conjuncts(condition.right)]
    if isinstance(condition, exp.Paren):
        return _conjuncts(condition.this)
    return [condition]


def _speaks_of(part: exp.Expr, alias: str, keys: set[str]) -> bool:
    if part.find(exp.Query, exp.Window, exp.AggFunc):
        return False
    columns = list(part.find_all(exp.Column))
    return bool(columns) and all(column.table == alias and column.name in keys for column in columns)
