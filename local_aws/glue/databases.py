"""Databases of the Glue Data Catalog."""

from __future__ import annotations

from datetime import UTC, datetime

from local_aws.glue.names import DATABASE, PARTITION, TABLE, already_exists, folded, key, not_found, page
from local_aws.service import Request, Response, Service
from local_aws.state import State


class GlueDatabases(Service):
    """CreateDatabase, GetDatabase, GetDatabases, UpdateDatabase, DeleteDatabase."""

    service_name = "glue"

    def __init__(self, state: State, account_id: str) -> None:
        self._state = state
        self._account_id = account_id

    def create_database(self, request: Request) -> Response:
        given = request["DatabaseInput"]
        name = folded(given["Name"])
        with self._state.transaction():
            if self._state.get(DATABASE, key(name)):
                raise already_exists("Database already exists.")
            created = {"CreateTime": datetime.now(UTC), "CatalogId": self._account_id}
            self._state.put(DATABASE, key(name), given | {"Name": name} | created)
        return {}

    def get_database(self, request: Request) -> Response:
        return {"Database": self._existing(request["Name"])}

    def get_databases(self, request: Request) -> Response:
        databases, more = page(self._state.list(DATABASE), request, largest=100)
        return {"DatabaseList": databases, **more}

    def update_database(self, request: Request) -> Response:
        with self._state.transaction():
            current = self._existing(request["Name"])
            kept = {name: current[name] for name in ("Name", "CreateTime", "CatalogId")}
            self._state.put(DATABASE, key(current["Name"]), request["DatabaseInput"] | kept)
        return {}

    def delete_database(self, request: Request) -> Response:
        """Its tables and their partitions go with it."""
        with self._state.transaction():
            name = self._existing(request["Name"])["Name"]
            for kind in (PARTITION, TABLE):
                for held, _ in self._state.items(kind, key(name) + "/"):
                    self._state.delete(kind, held)
            self._state.delete(DATABASE, key(name))
        return {}

    def _existing(self, name: str) -> Response:
        database = self._state.get(DATABASE, key(folded(name)))
        if database is None:
            raise not_found(f"Database {folded(name)} not found.")
        return database
