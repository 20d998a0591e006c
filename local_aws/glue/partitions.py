"""Partitions of the Glue Data Catalog. A batch call changes the catalog in one step or, when it is refused, not at all.

As in Glue, a batch call may apply to some of its partitions only; those that it does not apply to are in its Errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from local_aws.glue.names import (
    PARTITION,
    already_exists,
    folded,
    invalid,
    key,
    not_found,
    page,
    require_at_most,
)
from local_aws.glue.partition_filter import compiled
from local_aws.glue.tables import existing_table
from local_aws.service import Request, Response, Service, ServiceError
from local_aws.state import State

# Glue's own limits of one call.
MOST_CREATED = 100
MOST_UPDATED = 100
MOST_DELETED = 25
MOST_READ = 1000


class GluePartitions(Service):
    """Create, BatchCreate, Get, GetPartitions, BatchGet, Update, BatchUpdate, Delete and BatchDeletePartition."""

    service_name = "glue"

    def __init__(self, state: State, account_id: str) -> None:
        self._state = state
        self._account_id = account_id

    def create_partition(self, request: Request) -> Response:
        with self._state.transaction():
            self._create(self._table(request), request["PartitionInput"])
        return {}

    def batch_create_partition(self, request: Request) -> Response:
        require_at_most("partitionInputList", request["PartitionInputList"], MOST_CREATED)
        with self._state.transaction():
            table = self._table(request)
            inputs = ((given.get("Values", []), given) for given in request["PartitionInputList"])
            errors = self._each(inputs, lambda given: self._create(table, given))
        return {"Errors": errors}

    def get_partition(self, request: Request) -> Response:
        return {"Partition": self._existing(self._table(request), request["PartitionValues"])}

    def get_partitions(self, request: Request) -> Response:
        """In the order of their values. Segments share them out, so that parallel readers get each once."""
        table = self._table(request)
        partitions = self._state.list(PARTITION, _partition_key(table) + "/")
        if request.get("Expression"):
            matches = compiled(request["Expression"], table.get("PartitionKeys", []))
            partitions = [partition for partition in partitions if matches(partition["Values"])]
        if segment := request.get("Segment"):
            partitions = partitions[segment["SegmentNumber"] :: segment["TotalSegments"]]
        chosen, more = page(partitions, request, largest=MOST_READ)
        if request.get("ExcludeColumnSchema"):
            chosen = [_without_columns(partition) for partition in chosen]
        return {"Partitions": chosen, **more}

    def batch_get_partition(self, request: Request) -> Response:
        require_at_most("partitionsToGet", request["PartitionsToGet"], MOST_READ)
        table = self._table(request)
        found, missing = [], []
        for wanted in request["PartitionsToGet"]:
            _require_values(table, wanted["Values"])
            partition = self._state.get(PARTITION, _partition_key(table, wanted["Values"]))
            if partition is None:
                missing.append(wanted)
            else:
                found.append(partition)
        return {"Partitions": found, "UnprocessedKeys": missing}

    def update_partition(self, request: Request) -> Response:
        with self._state.transaction():
            self._update(self._table(request), request["PartitionValueList"], request["PartitionInput"])
        return {}

    def batch_update_partition(self, request: Request) -> Response:
        require_at_most("entries", request["Entries"], MOST_UPDATED)
        with self._state.transaction():
            table = self._table(request)
            entries = ((entry["PartitionValueList"], entry) for entry in request["Entries"])
            errors = self._each(
                entries,
                lambda entry: self._update(table, entry["PartitionValueList"], entry["PartitionInput"]),
                values_member="PartitionValueList",
            )
        return {"Errors": errors}

    def delete_partition(self, request: Request) -> Response:
        with self._state.transaction():
            self._delete(self._table(request), request["PartitionValues"])
        return {}

    def batch_delete_partition(self, request: Request) -> Response:
        require_at_most("partitionsToDelete", request["PartitionsToDelete"], MOST_DELETED)
        with self._state.transaction():
            table = self._table(request)
            listed = ((wanted["Values"], wanted) for wanted in request["PartitionsToDelete"])
            errors = self._each(listed, lambda wanted: self._delete(table, wanted["Values"]))
        return {"Errors": errors}

    @staticmethod
    def _each(
        items: Iterable[tuple[list[str], Request]],
        apply: Callable[[Request], None],
        values_member: str = "PartitionValues",
    ) -> list[Response]:
        """Apply to every item; the refused ones as a batch call lists them."""
        errors = []
        for values, item in items:
            try:
                apply(item)
            except ServiceError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
                errors.append({values_member: values, "ErrorDetail": detail})
        return errors

    def _table(self, request: Request) -> Response:
        return existing_table(self._state, request["DatabaseName"], request["TableName"])

    def _existing(self, table: Response, values: list[str]) -> Response:
        _require_values(table, values)
        partition = self._state.get(PARTITION, _partition_key(table, values))
        if partition is None:
            raise not_found("Cannot find partition.")
        return partition

    def _create(self, table: Response, given: Request) -> None:
        values = given.get("Values", [])
        _require_values(table, values)
        if self._state.get(PARTITION, _partition_key(table, values)):
            raise already_exists("Partition already exists.")
        self._put(table, given, datetime.now(UTC))

    def _update(self, table: Response, values: list[str], given: Request) -> None:
        current = self._existing(table, values)
        renamed = given | {"Values": given.get("Values") or values}
        _require_values(table, renamed["Values"])
        if renamed["Values"] != values:
            if self._state.get(PARTITION, _partition_key(table, renamed["Values"])):
                raise already_exists("Partition already exists.")
            self._state.delete(PARTITION, _partition_key(table, values))
        self._put(table, renamed, current["CreationTime"])

    def _delete(self, table: Response, values: list[str]) -> None:
        self._existing(table, values)
        self._state.delete(PARTITION, _partition_key(table, values))

    def _put(self, table: Response, given: Request, created: datetime) -> None:
        own = {
            "DatabaseName": table["DatabaseName"],
            "TableName": table["Name"],
            "CreationTime": created,
            "CatalogId": self._account_id,
        }
        self._state.put(PARTITION, _partition_key(table, given["Values"]), given | own)


def _partition_key(table: Response, values: list[str] | None = None) -> str:
    return key(table["DatabaseName"], table["Name"], *(values or []))


def _require_values(table: Response, values: list[str]) -> None:
    keys = table.get("PartitionKeys", [])
    if len(values) != len(keys):
        names = ", ".join(folded(column["Name"]) for column in keys) or "none"
        raise invalid(
            f"The number of partition keys do not match the number of partition values: table {table['Name']} "
            f"has the keys {names}, the values are {values}"
        )


def _without_columns(partition: Response) -> dict[str, Any]:
    descriptor = partition.get("StorageDescriptor", {})
    return partition | {"StorageDescriptor": {k: v for k, v in descriptor.items() if k != "Columns"}}
