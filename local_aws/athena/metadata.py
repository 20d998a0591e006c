"""Athena's view of the catalog: databases and tables."""

from __future__ import annotations

import re
from typing import Any

from local_aws.athena.catalog import CATALOG, Catalog
from local_aws.athena.paging import page
from local_aws.service import Request, Response, Service, ServiceError


class Metadata(Service):
    """GetDatabase, ListDatabases, GetTableMetadata, ListTableMetadata of AwsDataCatalog."""

    service_name = "athena"

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def get_database(self, request: Request) -> Response:
        return {"Database": _database(self._database(request))}

    def list_databases(self, request: Request) -> Response:
        _require_catalog(request)
        return page("DatabaseList", [_database(item) for item in self._catalog.databases()], request, 50)

    def get_table_metadata(self, request: Request) -> Response:
        database = self._database(request)["Name"]
        document = self._catalog.document(database, request["TableName"])
        if document is None:
            raise _missing(f"Table {request['TableName']} not found.")
        return {"TableMetadata": _table(document)}

    def list_table_metadata(self, request: Request) -> Response:
        tables = self._catalog.tables(self._database(request)["Name"])
        if expression := request.get("Expression"):
            pattern = re.compile(expression.replace("*", ".*"), re.IGNORECASE)
            tables = [table for table in tables if pattern.fullmatch(table["Name"])]
        return page("TableMetadataList", [_table(table) for table in tables], request, 50)

    def _database(self, request: Request) -> dict[str, Any]:
        _require_catalog(request)
        document = self._catalog.database(request["DatabaseName"])
        if document is None:
            raise _missing(f"Database {request['DatabaseName']} not found.")
        return document


def _require_catalog(request: Request) -> None:
    if request["CatalogName"].lower() != CATALOG:
        raise _missing(f"Catalog {request['CatalogName']} not found: local_aws has AwsDataCatalog only")


def _missing(message: str) -> ServiceError:
    return ServiceError("MetadataException", f"EntityNotFoundException: {message}")


def _database(document: dict[str, Any]) -> dict[str, Any]:
    shown = {name: document[name] for name in ("Name", "Description") if name in document}
    return shown | ({"Parameters": document["Parameters"]} if document.get("Parameters") else {})


def _table(document: dict[str, Any]) -> dict[str, Any]:
    storage = document.get("StorageDescriptor", {})
    parameters = dict(document.get("Parameters", {}))
    for name, key in (("Location", "location"), ("InputFormat", "inputformat"), ("OutputFormat", "outputformat")):
        if storage.get(name):
            parameters[key] = storage[name]
    if library := storage.get("SerdeInfo", {}).get("SerializationLibrary"):
        parameters["serde.serialization.lib"] = library
    return {
        "Name": document["Name"],
        "CreateTime": document["CreateTime"],
        "TableType": document.get("TableType", "EXTERNAL_TABLE"),
        "Columns": [_column(column) for column in storage.get("Columns", [])],
        "PartitionKeys": [_column(column) for column in document.get("PartitionKeys", [])],
        "Parameters": parameters,
    }


def _column(document: dict[str, Any]) -> dict[str, str]:
    return {name: document[name] for name in ("Name", "Type", "Comment") if name in document}
