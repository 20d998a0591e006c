"""The columns of a table as COPY needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from local_aws.redshift.errors import StatementError

_TEXTS = {"character varying", "character", "text"}


@dataclass(frozen=True)
class TableColumn:
    """`type` is PostgreSQL's name of the type without length, e.g. "double precision"."""

    name: str
    type: str

    @property
    def holds_text(self) -> bool:
        return self.type in _TEXTS


def table_columns(connection: psycopg.Connection[Any], table: str) -> list[TableColumn]:
    """The columns in their order, temporary tables included. Raises StatementError if there is no such table."""
    with connection.cursor() as cursor:
        found = cursor.execute("SELECT to_regclass($1)::oid", [table]).fetchone()
        if found is None or found[0] is None:
            raise StatementError(f'relation "{table}" does not exist')
        rows = cursor.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            [found[0]],
        )
        return [TableColumn(*row) for row in rows]
