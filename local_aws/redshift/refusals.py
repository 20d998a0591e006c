"""SQL that PostgreSQL runs and Amazon Redshift does not: refused, so that what works here works there.

Source: Amazon Redshift's Database Developer Guide, "Unsupported PostgreSQL features", "Unsupported PostgreSQL data
types", "Unsupported PostgreSQL functions" and the pages of MERGE and SELECT.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from local_aws.redshift.errors import StatementError

_DATA_TYPES = {
    exp.DataType.Type.ARRAY,
    exp.DataType.Type.BIGSERIAL,
    exp.DataType.Type.JSON,
    exp.DataType.Type.JSONB,
    exp.DataType.Type.MONEY,
    exp.DataType.Type.SERIAL,
    exp.DataType.Type.SMALLSERIAL,
    exp.DataType.Type.UUID,
    exp.DataType.Type.XML,
}

_CLAUSES: dict[type[exp.Expr], str] = {
    exp.OnConflict: "ON CONFLICT (use MERGE)",
    exp.Returning: "RETURNING",
    exp.Filter: "FILTER (WHERE …) of an aggregate (use CASE)",
    exp.Array: "arrays",
    exp.Lateral: "LATERAL",
    exp.Lock: "SELECT … FOR UPDATE",
    exp.TableSample: "TABLESAMPLE",
}

_FUNCTIONS = {
    "array_agg",
    "array_to_string",
    "date_bin",
    "format",
    "gen_random_uuid",
    "generate_series",
    "json_agg",
    "json_build_object",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_build_object",
    "make_date",
    "make_interval",
    "make_timestamp",
    "num_nonnulls",
    "num_nulls",
    "regexp_matches",
    "regexp_split_to_array",
    "regexp_split_to_table",
    "row_to_json",
    "string_agg",
    "string_to_array",
    "to_json",
    "to_jsonb",
    "unnest",
}

_FUNCTION_NODES: dict[type[exp.Expr], str] = {
    exp.ArrayAgg: "array_agg",
    exp.ArrayToString: "array_to_string",
    exp.GenerateSeries: "generate_series",
    exp.StringToArray: "string_to_array",
    exp.Unnest: "unnest",
    exp.Uuid: "gen_random_uuid",
}


class UnsupportedByRedshift(StatementError):  # noqa: N818 (its name says what it is)
    """A statement that Amazon Redshift refuses; the text is the part of an error message after "ERROR: "."""


def refuse(statement: exp.Expr, sql: str) -> None:
    """Raise UnsupportedByRedshift naming the first thing in a parsed statement that Redshift does not have."""
    for reason in _reasons(statement, sql):
        raise UnsupportedByRedshift(f"Amazon Redshift does not support {reason}")


def _reasons(statement: exp.Expr, sql: str) -> Iterator[str]:
    if isinstance(statement, exp.Merge):
        yield from _merge(statement)
    if isinstance(statement, exp.Create) and statement.kind == "INDEX":
        yield "CREATE INDEX"
    if isinstance(statement, exp.Alter):
        yield from _alter(statement)
    for node in statement.walk():
        yield from _node(node, sql)


def _node(node: exp.Expr, sql: str) -> Iterator[str]:
    for kind, reason in _CLAUSES.items():
        if isinstance(node, kind):
            yield reason
    if isinstance(node, exp.DataType) and node.this in _DATA_TYPES:
        yield f"the data type {node.sql('postgres')}"
    if isinstance(node, exp.Anonymous) and str(node.this).lower() in _FUNCTIONS:
        yield f"the function {str(node.this).lower()}"
    for kind, name in _FUNCTION_NODES.items():
        if isinstance(node, kind):
            yield f"the function {name}"
    # The parser reads LISTAGG and STRING_AGG alike; only the text tells them apart.
    if isinstance(node, exp.GroupConcat) and "string_agg" in sql.lower():
        yield "the function string_agg (use LISTAGG)"
    if isinstance(node, exp.Distinct) and node.args.get("on"):
        yield "SELECT DISTINCT ON (use ROW_NUMBER)"
    if isinstance(node, exp.CTE) and isinstance(node.this, exp.Insert | exp.Update | exp.Delete):
        yield "a statement that changes data inside WITH"


def _merge(merge: exp.Merge) -> Iterator[str]:
    """MERGE INTO target USING source [AS alias] ON … WHEN MATCHED THEN … WHEN NOT MATCHED THEN INSERT …; no more."""
    if merge.this.alias:
        yield "an alias of the target table of MERGE"
    if not isinstance(merge.args["using"], exp.Table):
        yield "a source of MERGE that is no table"
    clauses = list(merge.args["whens"].expressions)
    if any(clause.args.get("condition") is not None for clause in clauses):
        yield "a condition after WHEN MATCHED or WHEN NOT MATCHED of MERGE"
    if any(clause.args.get("source") for clause in clauses):
        yield "WHEN NOT MATCHED BY SOURCE of MERGE"
    if [bool(clause.args.get("matched")) for clause in clauses] != [True, False]:
        yield "MERGE without exactly one WHEN MATCHED clause and one WHEN NOT MATCHED clause, in this order"
    for clause in clauses:
        then = clause.args["then"]
        if clause.args.get("matched") and isinstance(then, exp.Update):
            for assignment in then.expressions:
                if isinstance(assignment.this, exp.Column) and assignment.this.table:
                    yield "a table's name before a column in UPDATE SET of MERGE"
        if not isinstance(then, exp.Update | exp.Insert) and str(then.this).upper() == "DO NOTHING":
            yield "DO NOTHING in MERGE"


def _alter(alter: exp.Alter) -> Iterator[str]:
    for action in alter.args.get("actions") or []:
        if isinstance(action, exp.ColumnDef) and action.args.get("exists"):
            yield "ADD COLUMN IF NOT EXISTS"
    added = [action for action in alter.args.get("actions") or [] if isinstance(action, exp.ColumnDef)]
    if len(added) > 1:
        yield "more than one ADD COLUMN in one ALTER TABLE"
