"""What Athena needs of the Glue Data Catalog: tables with their types, and the partitions that are published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from local_aws.glue.databases import GlueDatabases
from local_aws.glue.partitions import GluePartitions
from local_aws.glue.tables import GlueTables
from local_aws.service import ServiceError
from local_aws.settings import Settings
from local_aws.state import State

CATALOG = "awsdatacatalog"


@dataclass(frozen=True)
class Column:
    """A column with its type as Glue (Hive) writes it."""

    name: str
    type: str

    @property
    def data_type(self) -> exp.DataType:
        return exp.DataType.build(self.type, dialect="hive")

    @property
    def duckdb_type(self) -> str:
        return self.data_type.sql("duckdb")

    @property
    def athena_type(self) -> str:
        return self.data_type.sql("athena")


@dataclass(frozen=True)
class Partition:
    """The values of the partition keys, as text, and the folder (s3://…) where its files lie."""

    values: tuple[str, ...]
    location: str


@dataclass(frozen=True)
class Table:
    """A table; without partition keys its one partition is the table's own location."""

    database: str
    name: str
    columns: tuple[Column, ...]
    partition_keys: tuple[Column, ...]
    location: str
    input_format: str
    serde: str
    serde_parameters: dict[str, str]
    parameters: dict[str, str]

    @property
    def all_columns(self) -> tuple[Column, ...]:
        return self.columns + self.partition_keys


class Catalog:
    """Reads the catalog through the services that also answer for glue."""

    def __init__(self, settings: Settings, state: State) -> None:
        self._databases = GlueDatabases(state, settings.account_id)
        self._tables = GlueTables(state, settings.account_id, creator="")
        self._partitions = GluePartitions(state, settings.account_id)

    def databases(self) -> list[dict[str, Any]]:
        """Glue's documents of all databases."""
        return _all_pages(self._databases.get_databases, "DatabaseList", {})

    def database(self, name: str) -> dict[str, Any] | None:
        """Glue's document of a database, or None."""
        try:
            found: dict[str, Any] = self._databases.get_database({"Name": name})["Database"]
        except ServiceError as error:
            _require_missing(error)
            return None
        return found

    def tables(self, database: str) -> list[dict[str, Any]]:
        """Glue's documents of a database's tables."""
        return _all_pages(self._tables.get_tables, "TableList", {"DatabaseName": database})

    def document(self, database: str, name: str) -> dict[str, Any] | None:
        """Glue's document of a table, or None."""
        try:
            found: dict[str, Any] = self._tables.get_table({"DatabaseName": database, "Name": name})["Table"]
        except ServiceError as error:
            _require_missing(error)
            return None
        return found

    def table(self, database: str, name: str) -> Table | None:
        """A table, or None when there is no such table or database."""
        document = self.document(database, name)
        return None if document is None else _table(document)

    def partitions(self, table: Table) -> list[Partition]:
        """All published partitions of a table."""
        if not table.partition_keys:
            return [Partition((), table.location)]
        request = {"DatabaseName": table.database, "TableName": table.name}
        documents = _all_pages(self._partitions.get_partitions, "Partitions", request)
        return [
            Partition(tuple(document["Values"]), document.get("StorageDescriptor", {}).get("Location", ""))
            for document in documents
        ]


def _table(document: dict[str, Any]) -> Table:
    storage = document.get("StorageDescriptor", {})
    serde = storage.get("SerdeInfo", {})
    return Table(
        database=document["DatabaseName"],
        name=document["Name"],
        columns=_columns(storage.get("Columns", [])),
        partition_keys=_columns(document.get("PartitionKeys", [])),
        location=storage.get("Location", ""),
        input_format=storage.get("InputFormat", ""),
        serde=serde.get("SerializationLibrary", ""),
        serde_parameters=serde.get("Parameters", {}),
        parameters=document.get("Parameters", {}),
    )


def _columns(documents: list[dict[str, Any]]) -> tuple[Column, ...]:
    return tuple(Column(document["Name"].lower(), document.get("Type", "string")) for document in documents)


def _all_pages(operation: Any, member: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    answer = operation(request)
    items += answer[member]
    while "NextToken" in answer:
        answer = operation(request | {"NextToken": answer["NextToken"]})
        items += answer[member]
    return items


def _require_missing(error: ServiceError) -> None:
    """Pass over the error that says that there is no such thing; raise any other."""
    if error.code != "EntityNotFoundException":
        raise error
