"""Tables of the Glue Data Catalog."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from local_aws.glue.names import DATABASE, PARTITION, TABLE, already_exists, folded, invalid, key, not_found, page
from local_aws.service import Request, Response, Service
from local_aws.state import State

# Members that the catalog sets by itself and an update keeps.
OWN_MEMBERS = ("Name", "DatabaseName", "CreateTime", "CatalogId", "CreatedBy", "IsRegisteredWithLakeFormation")


class GlueTables(Service):
    """CreateTable, GetTable, GetTables, UpdateTable, DeleteTable."""

    service_name = "glue"

    def __init__(self, state: State, account_id: str, creator: str) -> None:
        self._state = state
        self._account_id = account_id
        self._creator = creator

    def create_table(self, request: Request) -> Response:
        if "TableInput" not in request:
            raise invalid("TableInput must be given: Iceberg and view inputs are not served here")
        database, given = folded(request["DatabaseName"]), _folded_columns(request["TableInput"])
        name = folded(given["Name"])
        with self._state.transaction():
            self._require_database(database)
            if self._state.get(TABLE, key(database, name)):
                raise already_exists("Table already exists.")
            now = datetime.now(UTC)
            own = {
                "Name": name,
                "DatabaseName": database,
                "CreateTime": now,
                "UpdateTime": now,
                "CatalogId": self._account_id,
                "CreatedBy": self._creator,
                "IsRegisteredWithLakeFormation": False,
                "VersionId": "0",
            }
            self._state.put(TABLE, key(database, name), {"Retention": 0} | given | own)
        return {}

    def get_table(self, request: Request) -> Response:
        return {"Table": self._existing(request["DatabaseName"], request["Name"])}

    def get_tables(self, request: Request) -> Response:
        database = folded(request["DatabaseName"])
        self._require_database(database)
        tables = self._state.list(TABLE, key(database) + "/")
        if request.get("Expression"):
            tables = [table for table in tables if _matches(request["Expression"], table["Name"])]
        chosen, more = page(tables, request, largest=100)
        return {"TableList": chosen, **more}

    def update_table(self, request: Request) -> Response:
        if "TableInput" not in request:
            raise invalid("TableInput must be given: Iceberg and view inputs are not served here")
        given = _folded_columns(request["TableInput"])
        with self._state.transaction():
            current = self._existing(request["DatabaseName"], request.get("Name") or given["Name"])
            if "VersionId" in request and request["VersionId"] != current["VersionId"]:
                message = f"Update table failed due to concurrent modifications of {current['Name']}."
                raise invalid(message)
            own = {name: current[name] for name in OWN_MEMBERS}
            version = {"UpdateTime": datetime.now(UTC), "VersionId": str(int(current["VersionId"]) + 1)}
            document = {"Retention": 0} | given | own | version
            self._state.put(TABLE, key(current["DatabaseName"], current["Name"]), document)
        return {}

    def delete_table(self, request: Request) -> Response:
        """Its partitions go with it."""
        with self._state.transaction():
            table = self._existing(request["DatabaseName"], request["Name"])
            table_key = key(table["DatabaseName"], table["Name"])
            for held, _ in self._state.items(PARTITION, table_key + "/"):
                self._state.delete(PARTITION, held)
            self._state.delete(TABLE, table_key)
        return {}

    def _existing(self, database: str, name: str) -> Response:
        self._require_database(folded(database))
        return existing_table(self._state, database, name)

    def _require_database(self, name: str) -> None:
        if self._state.get(DATABASE, key(name)) is None:
            raise not_found(f"Database {name} not found.")


def existing_table(state: State, database: str, name: str) -> Response:
    """The table, or EntityNotFoundException."""
    table = state.get(TABLE, key(folded(database), folded(name)))
    if table is None:
        raise not_found(f"Table {folded(name)} not found.")
    return table


def _matches(expression: str, name: str) -> bool:
    """GetTables' Expression: a regular expression over the whole name, where * alone stands for any text."""
    pattern = re.sub(r"(?<![.\])])\*", ".*", expression)
    try:
        return re.fullmatch(pattern, name, re.IGNORECASE) is not None
    except re.error as error:
        raise invalid(f"Expression is no regular expression: {error}") from None


def _folded_columns(given: Request) -> Request:
    """The table with lower-case column names, as Glue stores them."""
    table = dict(given)
    if "PartitionKeys" in table:
        table["PartitionKeys"] = _folded(table["PartitionKeys"])
    descriptor = table.get("StorageDescriptor")
    if descriptor and "Columns" in descriptor:
        table["StorageDescriptor"] = descriptor | {"Columns": _folded(descriptor["Columns"])}
    return table


def _folded(columns: list[Request]) -> list[Request]:
    return [column | {"Name": folded(column["Name"])} for column in columns]
