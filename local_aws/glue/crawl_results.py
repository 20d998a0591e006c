"""What a crawl found, written to the catalog as the crawler's policies say."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from local_aws.glue.crawl import FoundPartition, FoundTable
from local_aws.glue.names import PARTITION, TABLE, folded, key
from local_aws.glue.partitions import MOST_CREATED, MOST_DELETED, MOST_UPDATED, GluePartitions
from local_aws.glue.schemas import Columns, FileSchema
from local_aws.glue.tables import GlueTables
from local_aws.service import Response
from local_aws.state import State

_HIVE = "org.apache.hadoop.hive"
_INPUTS_AND_OUTPUTS = {
    "parquet": (
        f"{_HIVE}.ql.io.parquet.MapredParquetInputFormat",
        f"{_HIVE}.ql.io.parquet.MapredParquetOutputFormat",
        f"{_HIVE}.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "csv": (
        "org.apache.hadoop.mapred.TextInputFormat",
        f"{_HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat",
        f"{_HIVE}.serde2.lazy.LazySimpleSerDe",
    ),
}


class CrawlResults:
    """The writer of one crawler's findings; `changed` counts tables created, updated, deleted."""

    def __init__(
        self,
        state: State,
        tables: GlueTables,
        partitions: GluePartitions,
        crawler: Response,
        report: Callable[[str], None],
    ) -> None:
        self._state = state
        self._tables = tables
        self._partitions = partitions
        self._crawler = crawler
        self._report = report
        policy = crawler["SchemaChangePolicy"]
        self._updates = policy["UpdateBehavior"] == "UPDATE_IN_DATABASE"
        self._deletion = policy["DeleteBehavior"]
        output = json.loads(crawler.get("Configuration") or "{}").get("CrawlerOutput", {})
        self._inherits = output.get("Partitions", {}).get("AddOrUpdateBehavior") == "InheritFromTable"
        self._merges = output.get("Tables", {}).get("AddOrUpdateBehavior") == "MergeNewColumns"
        self.changed: Counter[str] = Counter()

    def write_target(self, path: str, found: FoundTable | None) -> None:
        """The table of an S3 target, named after its last folder; without data there is none."""
        database = folded(self._crawler["DatabaseName"])
        name = self._table_name(database, path)
        current = self._state.get(TABLE, key(database, name))
        if found is None:
            self._report(f"No data under {path}")
            if current is not None:
                self._vanished(current)
        elif current is None:
            self._tables.create_table({"DatabaseName": database, "TableInput": self._table_input(name, found)})
            self.changed["created"] += 1
            self._report(f"Created table {name} in database {database}")
            self._write_partitions(self._state.get(TABLE, key(database, name)) or {}, found)
        else:
            self._update(current, self._table_input(name, found))
            self._write_partitions(self._state.get(TABLE, key(database, name)) or {}, found)

    def write_table(self, current: Response, found: FoundTable | None) -> None:
        """New columns and partitions of a declared table; its format, its keys and its name stay."""
        if found is None:
            self._report(f"No data under {current['StorageDescriptor']['Location']}")
            return
        descriptor = current["StorageDescriptor"] | {"Columns": _columns(found.schema.columns)}
        self._update(current, _table_members(current) | {"StorageDescriptor": descriptor})
        table = self._state.get(TABLE, key(current["DatabaseName"], current["Name"])) or {}
        keys = tuple(folded(column["Name"]) for column in table.get("PartitionKeys", []))
        if keys == found.keys:
            self._write_partitions(table, found)
        elif keys or any("=" in partition.location for partition in found.partitions):
            self._report(f"Folders of {found.location} are named {found.keys}, the keys of {table['Name']} are {keys}")

    def _update(self, current: Response, wanted: Response) -> None:
        """Replace the table if its columns differ, unless the policy is to log only."""
        before = current["StorageDescriptor"].get("Columns", [])
        after = wanted["StorageDescriptor"]["Columns"]
        if self._merges:
            known = {column["Name"] for column in before}
            after = before + [column for column in after if column["Name"] not in known]
            wanted = wanted | {"StorageDescriptor": wanted["StorageDescriptor"] | {"Columns": after}}
        if [(column["Name"], column["Type"]) for column in before] == [(c["Name"], c["Type"]) for c in after]:
            return
        if not self._updates:
            self._report(f"Table {current['Name']} has another schema than its files; the policy is LOG: left as it is")
            return
        self._tables.update_table({"DatabaseName": current["DatabaseName"], "TableInput": wanted})
        self.changed["updated"] += 1
        self._report(f"Updated table {current['Name']}")

    def _write_partitions(self, table: Response, found: FoundTable) -> None:
        place = {"DatabaseName": table["DatabaseName"], "TableName": table["Name"]}
        known = {
            tuple(partition["Values"]): partition
            for partition in self._state.list(PARTITION, key(table["DatabaseName"], table["Name"]) + "/")
        }
        wanted = {partition.values: self._partition_input(table, partition) for partition in found.partitions}
        added = [given for values, given in wanted.items() if values not in known]
        changed = [
            {"PartitionValueList": list(values), "PartitionInput": given}
            for values, given in wanted.items()
            if values in known and self._updates and _differs(known[values], given)
        ]
        gone = [{"Values": list(values)} for values in known if values not in wanted]
        for part in _parts(added, MOST_CREATED):
            self._partitions.batch_create_partition(place | {"PartitionInputList": part})
        for part in _parts(changed, MOST_UPDATED):
            self._partitions.batch_update_partition(place | {"Entries": part})
        if self._deletion == "DELETE_FROM_DATABASE":
            for part in _parts(gone, MOST_DELETED):
                self._partitions.batch_delete_partition(place | {"PartitionsToDelete": part})
        if added or changed or gone:
            counts = f"{len(added)} partitions added, {len(changed)} updated, {len(gone)} without data"
            self._report(f"Table {table['Name']}: {counts}")

    def _vanished(self, table: Response) -> None:
        place = {"DatabaseName": table["DatabaseName"], "Name": table["Name"]}
        if self._deletion == "DELETE_FROM_DATABASE":
            self._tables.delete_table(place)
            self.changed["deleted"] += 1
        elif self._deletion == "DEPRECATE_IN_DATABASE":
            marked = table.get("Parameters", {}) | {"DEPRECATED_BY_CRAWLER": self._crawler["Name"]}
            given = _table_members(table) | {"Parameters": marked}
            self._tables.update_table({"DatabaseName": place["DatabaseName"], "TableInput": given})
            self.changed["updated"] += 1

    def _table_name(self, database: str, path: str) -> str:
        """Prefix and last folder (the bucket when there is none); not the name of another location's table."""
        place = urlsplit(path)
        last = place.path.strip("/").rpartition("/")[2] or place.netloc
        name = folded(self._crawler.get("TablePrefix", "") + re.sub(r"[^A-Za-z0-9_]", "_", last.rpartition("=")[2]))
        current = self._state.get(TABLE, key(database, name))
        if current and current["StorageDescriptor"].get("Location", "").rstrip("/") != path.rstrip("/"):
            return f"{name}_{hashlib.md5(path.encode(), usedforsecurity=False).hexdigest()}"
        return name

    def _table_input(self, name: str, found: FoundTable) -> Response:
        parameters = {
            **_parameters(found.schema),
            "UPDATED_BY_CRAWLER": self._crawler["Name"],
            "typeOfData": "file",
            "sizeKey": str(found.bytes),
            "objectCount": str(found.objects),
        }
        return {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters,
            "PartitionKeys": [{"Name": name, "Type": "string"} for name in found.keys],
            "StorageDescriptor": _descriptor(found.schema, found.location) | {"Parameters": parameters},
        }

    def _partition_input(self, table: Response, partition: FoundPartition) -> Response:
        descriptor = table["StorageDescriptor"] | {"Location": partition.location}
        if not self._inherits:
            descriptor |= {"Columns": _columns(partition.columns)}
        return {"Values": list(partition.values), "StorageDescriptor": descriptor}


def _descriptor(schema: FileSchema, location: str) -> Response:
    read, written, library = _INPUTS_AND_OUTPUTS[schema.classification]
    delimiter = {"field.delim": schema.delimiter} if schema.delimiter else {"serialization.format": "1"}
    return {
        "Columns": _columns(schema.columns),
        "Location": location,
        "InputFormat": read,
        "OutputFormat": written,
        "Compressed": schema.compression != "none",
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": library, "Parameters": delimiter},
        "StoredAsSubDirectories": False,
    }


def _parameters(schema: FileSchema) -> dict[str, str]:
    given = {"classification": schema.classification, "compressionType": schema.compression}
    if schema.delimiter:
        given |= {"delimiter": schema.delimiter, "columnsOrdered": "true", "areColumnsQuoted": "false"}
    return given | ({"skip.header.line.count": "1"} if schema.header else {})


def _columns(columns: Columns) -> list[Response]:
    return [{"Name": name, "Type": kind} for name, kind in columns.items()]


def _table_members(table: Response) -> Response:
    """What of a table can be given back as TableInput."""
    members = (
        "Name",
        "Description",
        "Owner",
        "Retention",
        "StorageDescriptor",
        "PartitionKeys",
        "TableType",
        "Parameters",
    )
    return {name: table[name] for name in members if name in table}


def _differs(current: Response, wanted: Response) -> bool:
    names = ("Location", "Columns")
    return any(current["StorageDescriptor"].get(name) != wanted["StorageDescriptor"].get(name) for name in names)


def _parts(items: list[Any], size: int) -> list[list[Any]]:
    return [items[begin : begin + size] for begin in range(0, len(items), size)]
