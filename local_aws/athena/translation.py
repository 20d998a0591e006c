"""A query in Athena's SQL becomes one of DuckDB, its tables replaced by the files that it needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, ParseError, TokenError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.schema import MappingSchema

from local_aws.athena.catalog import CATALOG, Catalog, Table
from local_aws.athena.comparisons import require_comparable
from local_aws.athena.errors import QueryError, at
from local_aws.athena.parameters import with_parameters
from local_aws.athena.pruning import Ask, conditions, needed
from local_aws.athena.rewriting import rewrite
from local_aws.athena.sources import Sources

_UNRESOLVED = re.compile(r"Column '?\"?([^'\"]+)'?\"? could not be resolved.*?(?:Line: (\d+), Col: (\d+))?$", re.DOTALL)


@dataclass(frozen=True)
class Query:
    """What is to be run: the text, the values of its question marks, and the database of unqualified tables."""

    text: str
    database: str | None
    parameters: Sequence[str] = ()


class Translator:
    """Translates queries; one object serves all."""

    def __init__(self, catalog: Catalog, sources: Sources) -> None:
        self._catalog = catalog
        self._sources = sources

    def translate(self, query: Query, ask: Ask) -> str:
        """DuckDB's SQL for a query. `ask` runs a query of DuckDB's. Raises QueryError."""
        tree = _parse(with_parameters(query.text, query.parameters))
        for select in tree.find_all(exp.Select):
            _name_columns(select)
        tables = self._find_tables(tree, query.database)
        schema = MappingSchema(_schema(tables) if tables else None, dialect="athena")
        tree = _qualified(tree, schema, query.database)
        require_comparable(tree)
        for node in reversed(list(tree.walk())):
            replacement = rewrite(node)
            if replacement is not node:
                node.replace(replacement)
        for source in _sources_of(tree):
            table = tables[source.db, source.name]
            keys = [key.name for key in table.partition_keys]
            asked = conditions(source, keys)
            partitions = needed(table, self._catalog.partitions(table), asked, source.alias_or_name, ask)
            relation = self._sources.relation(table, partitions)
            source.replace(_subquery(relation, source.alias_or_name))
        return tree.sql("duckdb", comments=False)

    def _find_tables(self, tree: exp.Expr, database: str | None) -> dict[tuple[str, str], Table]:
        """The tables that a query names, by database and name. Raises QueryError for one that does not exist."""
        found: dict[tuple[str, str], Table] = {}
        for source in _sources_of(tree):
            if not isinstance(source.this, exp.Identifier):
                raise at("FUNCTION_NOT_FOUND", f"Table function '{source.this.sql('athena')}' not registered")
            place = (source.this.meta.get("line"), _begin(source))
            if source.catalog and source.catalog.lower() != CATALOG:
                raise at("CATALOG_NOT_FOUND", f"Catalog '{source.catalog}' does not exist", *place)
            name, schema = source.name.lower(), (source.db or database or "").lower()
            if not schema:
                raise at("MISSING_SCHEMA_NAME", "Schema must be specified when session schema is not set", *place)
            if self._catalog.database(schema) is None:
                raise at("SCHEMA_NOT_FOUND", f"Schema '{schema}' does not exist", *place)
            table = self._catalog.table(schema, name)
            if table is None:
                raise at("TABLE_NOT_FOUND", f"Table '{CATALOG}.{schema}.{name}' does not exist", *place)
            found[schema, name] = table
        return found


def _parse(sql: str) -> exp.Expr:
    try:
        trees = [tree for tree in sqlglot.parse(sql, read="athena") if tree is not None]
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        text = f"mismatched input '{first.get('highlight', '')}' ({first.get('description', error)})"
        raise at("SYNTAX_ERROR", text, first.get("line"), first.get("col")) from None
    except TokenError as error:
        raise QueryError(f"SYNTAX_ERROR: {error}") from None
    if len(trees) != 1:
        raise QueryError(f"SYNTAX_ERROR: one statement is expected, the query has {len(trees)}")
    if not isinstance(trees[0], exp.Query):
        raise QueryError(f"NOT_SUPPORTED: local_aws runs queries (SELECT, WITH) only, not {sql.split()[0].upper()}")
    return trees[0]


def _name_columns(select: exp.Select) -> None:
    """Athena's names of the columns that have none: _col0, _col1 …"""
    for place, projection in enumerate(select.expressions):
        if not isinstance(projection, exp.Alias | exp.Column | exp.Star | exp.Aliases):
            projection.replace(exp.alias_(projection.copy(), f"_col{place}"))


def _sources_of(tree: exp.Expr) -> list[exp.Table]:
    """The tables of a query that are neither a WITH query's name nor a list of values."""
    found: list[exp.Table] = []
    for scope in traverse_scope(tree):
        for table in scope.tables:
            is_own = table.name in scope.sources and not isinstance(scope.sources[table.name], exp.Table)
            named = isinstance(scope.sources.get(table.alias_or_name), exp.Table)
            if named and not (is_own and not table.db) and not any(table is known for known in found):
                found.append(table)
    return found


def _schema(tables: dict[tuple[str, str], Table]) -> dict[str, object]:
    databases: dict[str, dict[str, dict[str, str]]] = {}
    for (database, name), table in tables.items():
        columns = {column.name: column.athena_type for column in table.all_columns}
        databases.setdefault(database, {})[name] = columns
    return {CATALOG: databases}


def _qualified(tree: exp.Expr, schema: MappingSchema, database: str | None) -> exp.Expr:
    """Every column with its table, every expression with its type: without types 7/2 would be 3.5."""
    try:
        tree = qualify(
            tree, schema=schema, dialect="athena", catalog=CATALOG, db=database.lower() if database else None
        )
        return annotate_types(tree, schema=schema, dialect="athena")
    except OptimizeError as error:
        unresolved = _UNRESOLVED.search(str(error))
        if unresolved is None:
            raise QueryError(f"SYNTAX_ERROR: {error}") from None
        name, line, end = unresolved[1], unresolved[2], unresolved[3]
        begin = int(end) - len(name) + 1 if end else None
        raise at(
            "COLUMN_NOT_FOUND", f"Column '{name}' cannot be resolved", int(line) if line else None, begin
        ) from None


def _subquery(relation: str, alias: str) -> exp.Expr:
    """DuckDB's own SQL as a derived table that is printed as it stands."""
    return exp.Table(
        this=exp.Var(this=f"({relation})"), alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True))
    )


def _begin(source: exp.Table) -> int | None:
    column = source.this.meta.get("col")
    return column - len(source.name) + 1 if column else None
