"""A lake of folders with a catalog: tables are published by hand, jobs read them and write objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from meter_data.lake.schemas import AGGREGATED_DAILY, INSTANT
from meter_data.lake.summaries import summary_uri

from tests.glue.folder_store import FolderStore

READINGS = pa.schema([("meter_id", pa.string()), ("reading_value", pa.float64()), ("reading_date_time", INSTANT)])
BUCKETS = {f"{zone}_bucket": zone for zone in ("clean", "business", "working")}
ARGUMENTS = {**BUCKETS, "database": "metering", "spread_above_rows": "100000000"}


class FolderLake:
    """The store of a root folder, and what a job asks of a boto3 client of Glue."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = FolderStore(root)
        self._tables: dict[str, dict[str, Any]] = {}
        self._partitions: dict[str, dict[tuple[str, ...], str]] = {}

    def connect(self) -> FolderStore:
        """A store of its own for a work item."""
        return FolderStore(self.root)

    # What a table holds.

    def publish(
        self, table: str, values: Sequence[str], rows: pa.Table, run: str = "r1", rows_a_group: int = 100
    ) -> str:
        """Writes rows as one file of a new version of a partition, and publishes it; its location."""
        location = f"s3://business/{table}/run={run}/{'/'.join(values)}/"
        self.store.write_parquet(f"{location}0001.parquet", rows, rows_a_group)
        self.publish_location(table, values, location)
        return location

    def publish_location(self, table: str, values: Sequence[str], location: str) -> None:
        self._partitions.setdefault(table, {})[tuple(values)] = location

    def withdraw(self, table: str) -> None:
        """Takes all partitions of a table out of the catalog."""
        self._partitions.pop(table)

    def publish_readings(self, rows: Iterable[tuple[str, str, str, float | None]], rows_a_group: int = 100) -> None:
        """Publishes (meter_id, type, time, kWh) as `daily`, and the sums of its INT readings as `aggregated_daily`."""
        of_month: dict[tuple[str, str], list[dict[str, Any]]] = {}
        days: dict[tuple[str, str], list[float]] = {}
        for meter_id, kind, time, value in sorted(rows, key=lambda row: row[:3]):
            moment = datetime.fromisoformat(time).replace(tzinfo=UTC)
            row = {"meter_id": meter_id, "reading_value": value, "reading_date_time": moment}
            of_month.setdefault((kind, f"{moment:%Y%m}"), []).append(row)
            if kind == "INT" and value is not None:
                days.setdefault((meter_id, f"{moment:%Y%m%d}"), []).append(value)
        for values, found in of_month.items():
            self.publish("daily", values, pa.Table.from_pylist(found, READINGS), rows_a_group=rows_a_group)
        self.publish_days([(*key, sum(values), len(values)) for key, values in days.items()])

    def publish_days(self, rows: Iterable[tuple[str, str, float, int]], run: str = "r1") -> None:
        """Publishes (meter_id, date_str, kWh, intervals) as `aggregated_daily`."""
        of_month: dict[str, list[dict[str, Any]]] = {}
        for row in sorted(rows):
            of_month.setdefault(row[1][:6], []).append(dict(zip(AGGREGATED_DAILY.names, row, strict=True)))
        for month, found in of_month.items():
            self.publish("aggregated_daily", (month,), pa.Table.from_pylist(found, AGGREGATED_DAILY), run)

    def declare(self, name: str, columns: Sequence[str], location: str, **parameters: str) -> None:
        """Declares a table without partitions, as a crawler does; `serde` is the library's name."""
        serde = parameters.pop("serde", "")
        self._tables[name] = {
            "Name": name,
            "Parameters": parameters,
            "StorageDescriptor": {
                "Location": location,
                "Columns": [{"Name": column, "Type": "string"} for column in columns],
                "SerdeInfo": {"SerializationLibrary": serde, "Parameters": {}},
            },
        }

    def deliver_weather(self, lines: Iterable[str]) -> None:
        """Publishes lines of time, temperature, apparenttemperature and humidity as the table weather."""
        self.store.write("s3://business/weather/weather.tsv", "".join(f"{line}\n" for line in lines).encode())
        columns = ["time", "temperature", "apparenttemperature", "humidity"]
        self.declare("weather", columns, "s3://business/weather", classification="csv", **{"field.delim": "\t"})

    # What jobs wrote.

    def lines(self, uri: str) -> list[dict[str, Any]]:
        """The JSON lines of all objects below a place, in the order of their keys."""
        files = [self.store.place(found.uri) for found in self.store.listed(uri)]
        return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]

    def rows(self, uri: str) -> list[dict[str, Any]]:
        """The rows of all Parquet files below a place, in the order of their keys."""
        files = [self.store.place(found) for found in self.store.parquet_files(uri)]
        return [row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]

    def summary(self, name: str, job: str) -> dict[str, Any]:
        found: dict[str, Any] = self.store.read_json(summary_uri("clean", name, job))
        return found

    # What a job asks of Glue.

    def get_paginator(self, operation: str) -> FolderLake:
        assert operation == "get_partitions"
        return self

    def paginate(self, TableName: str, **_: Any) -> list[dict[str, Any]]:  # noqa: N803 (the API's name)
        found = self._partitions.get(TableName, {})
        return [
            {
                "Partitions": [
                    {"Values": list(values), "StorageDescriptor": {"Location": location}}
                    for values, location in found.items()
                ]
            }
        ]

    def get_table(self, Name: str, **_: Any) -> dict[str, Any]:  # noqa: N803 (the API's name)
        return {"Table": self._tables[Name]}
