"""Parts of a Redshift statement's syntax tree that PostgreSQL spells otherwise."""

from __future__ import annotations

from sqlglot import exp

LONGEST_VARCHAR = 65535
DEFAULT_VARCHAR = 256

_SECONDS = {"HOUR": 3600, "MINUTE": 60, "SECOND": 1}
_UNITS = {
    **dict.fromkeys(("D", "DAYS"), "DAY"),
    **dict.fromkeys(("W", "WEEKS"), "WEEK"),
    **dict.fromkeys(("MON", "MONS", "MONTHS"), "MONTH"),
    **dict.fromkeys(("QTR", "QUARTERS"), "QUARTER"),
    **dict.fromkeys(("Y", "YR", "YEARS"), "YEAR"),
    **dict.fromkeys(("H", "HR", "HOURS"), "HOUR"),
    **dict.fromkeys(("M", "MIN", "MINS", "MINUTES"), "MINUTE"),
    **dict.fromkeys(("S", "SEC", "SECONDS"), "SECOND"),
}


def rewrite(node: exp.Expr) -> exp.Expr:
    """A node in PostgreSQL's spelling; most come back as they are."""
    if isinstance(node, exp.Identifier) and node.quoted:
        # Redshift folds quoted names too, unless enable_case_sensitive_identifier is set.
        return exp.to_identifier(node.this.lower(), quoted=True)
    if isinstance(node, exp.Create) and node.kind == "TABLE" and isinstance(node.this, exp.Schema):
        return _table(node)
    if isinstance(node, exp.CurrentTimestamp):
        return _parsed("(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')")
    if isinstance(node, exp.TsOrDsDiff | exp.DateDiff):
        return _date_difference(node)
    if isinstance(node, exp.TsOrDsAdd | exp.DateAdd):
        return _date_sum(node)
    if isinstance(node, exp.WithinGroup) and isinstance(node.this, exp.GroupConcat):
        return _list_aggregate(node.this, node.expression)
    if isinstance(node, exp.GroupConcat) and not isinstance(node.parent, exp.WithinGroup):
        return _list_aggregate(node, None)
    if isinstance(node, exp.Concat):
        first, *others = node.expressions
        joined = first
        for other in others:  # Redshift's CONCAT of a null is null, PostgreSQL's is not
            joined = exp.DPipe(this=joined, expression=other, safe=True)
        return exp.paren(joined, copy=False)
    if isinstance(node, exp.Round) and node.args.get("decimals") is not None:
        # Printed as a cast to a decimal otherwise, which would change the type of the answer.
        return exp.Anonymous(this="ROUND", expressions=[node.this, node.args["decimals"]])
    if isinstance(node, exp.GeneratedAsIdentityColumnConstraint):
        # IDENTITY(0, 1) is common in Redshift; PostgreSQL begins at 1 unless told.
        node.set("minvalue", node.args.get("start"))
        return node
    if isinstance(node, exp.ApproxDistinct):
        return exp.Count(this=exp.Distinct(expressions=[node.this]))
    if isinstance(node, exp.Anonymous) and str(node.this).upper() == "ISNULL":
        return exp.Coalesce(this=node.expressions[0], expressions=node.expressions[1:])
    if isinstance(node, exp.RegexpExtract):
        return exp.Anonymous(this="REGEXP_SUBSTR", expressions=[node.this, node.expression])
    if isinstance(node, exp.FromBase):
        return exp.Anonymous(this="STRTOL", expressions=[node.this, node.expression])
    if isinstance(node, exp.When) and isinstance(node.args["then"], exp.Insert):
        return _merge_insert(node)
    return node


def _table(create: exp.Create) -> exp.Expr:
    """Column types of Redshift; keys that Redshift does not enforce are dropped, as it would let duplicates in."""
    definitions = create.this.expressions
    columns = {item.name.lower(): item for item in definitions if isinstance(item, exp.ColumnDef)}
    kept: list[exp.Expr] = []
    for item in definitions:
        body = item.args.get("expressions", [None])[0] if isinstance(item, exp.Constraint) else item
        if isinstance(body, exp.PrimaryKey):
            for key in body.expressions:
                if key.name.lower() in columns:
                    _require_value(columns[key.name.lower()])
        elif not isinstance(body, exp.UniqueColumnConstraint | exp.ForeignKey):
            kept.append(item)
    for column in columns.values():
        if isinstance(column.kind, exp.DataType):
            column.set("kind", _column_type(column.kind))
        constraints = column.args.get("constraints") or []
        kinds = [constraint.args.get("kind") for constraint in constraints]
        if any(isinstance(kind, exp.PrimaryKeyColumnConstraint) for kind in kinds):
            _require_value(column)
        unenforced = exp.PrimaryKeyColumnConstraint | exp.UniqueColumnConstraint | exp.Reference
        column.set(
            "constraints",
            [
                item
                for item in column.args.get("constraints") or []
                if not isinstance(item.args.get("kind"), unenforced)
            ],
        )
    create.this.set("expressions", kept)
    return create


def _require_value(column: exp.ColumnDef) -> None:
    constraints = column.args.get("constraints") or []
    if not any(isinstance(item.args.get("kind"), exp.NotNullColumnConstraint) for item in constraints):
        constraints.append(exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
        column.set("constraints", constraints)


def _column_type(kind: exp.DataType) -> exp.DataType:
    if kind.this == exp.DataType.Type.SUPER:
        return exp.DataType.build("jsonb")
    if kind.this == exp.DataType.Type.VARBINARY:
        return exp.DataType.build("bytea", dialect="postgres")
    if kind.this in (exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR, exp.DataType.Type.NVARCHAR):
        length = kind.expressions[0].name if kind.expressions else str(DEFAULT_VARCHAR)
        length = str(LONGEST_VARCHAR) if length.upper() == "MAX" else length
        return exp.DataType.build(f"varchar({length})", dialect="postgres")
    return kind


def _date_difference(node: exp.Expr) -> exp.Expr:
    """DATEDIFF counts the borders of the unit between two moments, not whole units."""
    unit = _unit(node)
    end, start = node.this.sql("postgres"), node.expression.sql("postgres")
    end, start = f"CAST({end} AS TIMESTAMP)", f"CAST({start} AS TIMESTAMP)"
    if unit == "DAY":
        return _parsed(f"(CAST({end} AS DATE) - CAST({start} AS DATE))")
    if unit == "WEEK":
        return _parsed(f"((CAST(DATE_TRUNC('week', {end}) AS DATE) - CAST(DATE_TRUNC('week', {start}) AS DATE)) / 7)")
    if unit in _SECONDS:
        span = f"DATE_TRUNC('{unit}', {end}) - DATE_TRUNC('{unit}', {start})"
        return _parsed(f"CAST(EXTRACT(epoch FROM {span}) / {_SECONDS[unit]} AS BIGINT)")
    per_year = {"YEAR": 1, "QUARTER": 4, "MONTH": 12}[unit]
    total = f"(EXTRACT(year FROM {end}) - EXTRACT(year FROM {start})) * {per_year}"
    if per_year > 1:
        total += f" + EXTRACT({unit} FROM {end}) - EXTRACT({unit} FROM {start})"
    return _parsed(f"CAST({total} AS BIGINT)")


def _date_sum(node: exp.Expr) -> exp.Expr:
    unit = _unit(node)
    count, unit = (
        (f"3 * ({node.expression.sql('postgres')})", "MONTH")
        if unit == "QUARTER"
        else (
            f"({node.expression.sql('postgres')})",
            unit,
        )
    )
    return _parsed(f"(CAST({node.this.sql('postgres')} AS TIMESTAMP) + {count} * INTERVAL '1 {unit}')")


def _unit(node: exp.Expr) -> str:
    unit = node.args.get("unit")
    name = (unit.name if unit is not None else "DAY").upper()
    return _UNITS.get(name, name)


def _list_aggregate(node: exp.GroupConcat, order: exp.Expr | None) -> exp.Expr:
    """LISTAGG(value, separator) WITHIN GROUP (ORDER BY …) as STRING_AGG(value, separator ORDER BY …)."""
    value, separator = node.this, node.args.get("separator")
    distinct = ""
    if isinstance(value, exp.Distinct):
        distinct = "DISTINCT "
        value, separator = value.expressions[0], (value.expressions[1:] or [separator])[0]
    text = separator.sql("postgres") if separator is not None else "''"
    ordering = f" {order.sql('postgres').strip()}" if order is not None else ""
    return _parsed(f"STRING_AGG({distinct}CAST({value.sql('postgres')} AS TEXT), {text}{ordering})")


def _merge_insert(when: exp.When) -> exp.Expr:
    """INSERT VALUES (…) without columns, which the parser takes for a list of columns."""
    insert = when.args["then"]
    columns = insert.this.expressions if isinstance(insert.this, exp.Tuple) else []
    if len(columns) == 1 and isinstance(columns[0], exp.Anonymous) and str(columns[0].this).upper() == "VALUES":
        values = ", ".join(value.sql("postgres") for value in columns[0].expressions)
        when.set("then", exp.Var(this=f"INSERT VALUES ({values})"))
    return when


def _parsed(sql: str) -> exp.Expr:
    """PostgreSQL's own text as a node that is printed as it stands."""
    return exp.Var(this=sql)
