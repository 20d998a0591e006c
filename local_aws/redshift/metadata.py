"""The Redshift Data API's view of databases, schemas, tables and columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from local_aws.redshift.access import Access
from local_aws.redshift.errors import StatementError, message
from local_aws.redshift.execution import Execution
from local_aws.redshift.paging import decode_page, encode_page
from local_aws.service import Request, Response, Service, ServiceError

_HIDDEN = "NOT (schemaname = 'redshift_functions' OR schemaname LIKE 'pg\\_t%')"

_TABLES = f"""
SELECT schemaname, name, type FROM (
    SELECT table_schema AS schemaname, table_name AS name,
        CASE
            WHEN table_schema IN ('pg_catalog', 'information_schema')
                THEN CASE table_type WHEN 'VIEW' THEN 'SYSTEM VIEW' ELSE 'SYSTEM TABLE' END
            WHEN table_type = 'VIEW' THEN 'VIEW'
            ELSE 'TABLE'
        END AS type
    FROM information_schema.tables
) AS found
WHERE {_HIDDEN} AND schemaname LIKE $1 AND name LIKE $2
ORDER BY 1, 2
"""  # noqa: S608 (only constants are put in)

_SCHEMAS = f"""
SELECT schemaname FROM (SELECT nspname AS schemaname FROM pg_namespace) AS found
WHERE {_HIDDEN} AND schemaname LIKE $1 ORDER BY 1
"""  # noqa: S608 (only constants are put in)

_COLUMNS = """
SELECT column_name, udt_name, is_nullable = 'YES', column_default,
    coalesce(character_maximum_length, numeric_precision, 0), coalesce(numeric_precision, 0),
    coalesce(numeric_scale, 0), table_schema, table_name
FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position
"""

_DATABASES = "SELECT datname FROM pg_database WHERE NOT datistemplate AND has_database_privilege(datname, 'CONNECT')"
_SIGNED = ("int2", "int4", "int8", "float4", "float8", "numeric")


class RedshiftMetadata(Service):
    """ListDatabases, ListSchemas, ListTables, DescribeTable: answered at once, without a statement."""

    service_name = "redshift-data"

    def __init__(self, access: Access, execution: Execution) -> None:
        self._access = access
        self._execution = execution

    def list_databases(self, request: Request) -> Response:
        rows = self._query(request, request["Database"], f"{_DATABASES} ORDER BY 1", [])
        return _page(request, "Databases", [row[0] for row in rows])

    def list_schemas(self, request: Request) -> Response:
        rows = self._query(request, _database(request), _SCHEMAS, [request.get("SchemaPattern", "%")])
        return _page(request, "Schemas", [row[0] for row in rows])

    def list_tables(self, request: Request) -> Response:
        patterns = [request.get("SchemaPattern", "%"), request.get("TablePattern", "%")]
        rows = self._query(request, _database(request), _TABLES, patterns)
        return _page(request, "Tables", [{"schema": row[0], "name": row[1], "type": row[2]} for row in rows])

    def describe_table(self, request: Request) -> Response:
        if "Table" not in request:
            raise ServiceError("ValidationException", "Table is missing")
        place = [request.get("Schema", "public"), request["Table"].lower()]
        rows = self._query(request, _database(request), _COLUMNS, place)
        return _page(request, "ColumnList", [_column(row) for row in rows]) | {"TableName": request["Table"]}

    def _query(self, request: Request, database: str, sql: str, values: list[str]) -> list[tuple[Any, ...]]:
        login = self._access.login(request, database)
        try:
            session = self._execution.open_session(login, database)
        except psycopg.OperationalError as error:
            raise _connection_error(error) from None
        except StatementError as error:
            raise ServiceError("ValidationException", message(error)) from None
        try:
            return session.fetch(sql, values)
        finally:
            session.close()


def _connection_error(error: psycopg.OperationalError) -> ServiceError:
    """An unknown database or user is the caller's mistake; everything else is the warehouse's."""
    text = " ".join(str(error).split())
    if "FATAL:" in text:
        return ServiceError("ValidationException", "FATAL:" + text.partition("FATAL:")[2])
    return ServiceError("DatabaseConnectionException", text, status=500)


def _database(request: Request) -> str:
    return str(request.get("ConnectedDatabase", request["Database"]))


def _page(request: Request, member: str, items: Iterable[Any]) -> Response:
    listed = list(items)
    place = decode_page(request["NextToken"], member) if "NextToken" in request else 0
    end = place + (request.get("MaxResults") or 1000)
    return {member: listed[place:end]} | ({"NextToken": encode_page(member, end)} if end < len(listed) else {})


def _column(row: tuple[Any, ...]) -> dict[str, Any]:
    name, type_name, nullable, default, length, precision, scale, schema, table = row
    column = {
        "name": name,
        "label": name,
        "typeName": type_name,
        "nullable": int(nullable),
        "length": length,
        "precision": precision,
        "scale": scale,
        "schemaName": schema,
        "tableName": table,
        "isCaseSensitive": type_name in ("varchar", "bpchar", "text"),
        "isCurrency": False,
        "isSigned": type_name in _SIGNED,
    }
    return column | ({"columnDefault": default} if default is not None else {})
