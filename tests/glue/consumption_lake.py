"""A lake in a folder for tests of aggregate_consumption: readings are published, the job runs, sums are published."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from meter_data.consumption.aggregation import RunWork, aggregate
from meter_data.consumption.partitions import KEYS
from meter_data.consumption.shares import DEFAULT_LIMITS, Limits
from meter_data.consumption.touched_dates import Touched
from meter_data.lake import schemas
from meter_data.lake.date_ranges import to_dates
from meter_data.lake.published import Published, Values
from meter_data.runner import work

from tests.glue.folder_store import FolderStore

SCHEMAS = {
    "daily": schemas.BUSINESS,
    "aggregated_daily": schemas.AGGREGATED_DAILY,
    "aggregated_weekly": schemas.AGGREGATED_WEEKLY,
    "aggregated_monthly": schemas.AGGREGATED_MONTHLY,
    "completeness": schemas.COMPLETENESS,
}
SUMS = ("aggregated_daily", "aggregated_weekly", "aggregated_monthly", "completeness")

Row = tuple[Any, ...]


class ConsumptionLake:
    """`known` is what the catalog would publish."""

    def __init__(self, root: Path) -> None:
        self.store = FolderStore(root)
        self.known: dict[str, dict[Values, Published]] = {table: {} for table in SCHEMAS}

    def publish_readings(self, *readings: Row, rows_a_file: int = 1_000_000, rows_a_group: int = 65_536) -> None:
        """Publishes interval readings (meter, time as 2013-01-31 00:30, kWh, error code or nothing), by month.

        A file ends, as in the business zone, where a meter ends.
        """
        by_month: dict[str, list[Row]] = {}
        for reading in readings:
            by_month.setdefault(reading[1][:7].replace("-", ""), []).append(reading)
        for month, rows in by_month.items():
            self.publish_partition(("INT", month), rows, rows_a_file, rows_a_group)

    def publish_partition(
        self, values: Values, readings: Iterable[Row], rows_a_file: int = 1_000_000, rows_a_group: int = 65_536
    ) -> None:
        """Publishes readings as one partition of the table daily."""
        rows = sorted(readings)
        files: list[list[Row]] = []
        for row in rows:
            if not files or (len(files[-1]) >= rows_a_file and files[-1][-1][0] != row[0]):
                files.append([])
            files[-1].append(row)
        tables = [table_of("daily", [business_row(*row) for row in file]) for file in files]
        self.publish("daily", values, *tables, rows_a_group=rows_a_group)

    def publish(self, table: str, values: Values, *files: pa.Table, rows_a_group: int = 65_536) -> None:
        """Publishes tables as the files of a partition."""
        location = f"s3://business/{table}/run=published/{'/'.join(values)}/"
        for number, rows in enumerate(files):
            self.store.write_parquet(f"{location}{number:05d}.parquet", rows, rows_a_group)
        self.known[table][values] = Published(values, location, sum(rows.num_rows for rows in files))

    def deliver(self, batch: str, *tallies: Row, is_published: bool = True) -> None:
        """Writes the tallies of a batch: source_file, delivered_at, meter_id, date_str, readings, rejected."""
        for month in sorted({row[3][:6] for row in tallies}):
            rows = [row for row in tallies if row[3].startswith(month)]
            table = pa.Table.from_pylist(
                [dict(zip(schemas.TALLY.names, row, strict=True)) for row in rows], schemas.TALLY
            )
            self.store.write_parquet(f"s3://clean/tallies/batch={batch}/month={month}/00000.parquet", table, 1000)
        if is_published:
            self.store.write_json(f"s3://clean/_batches/{batch}.json", {})

    def aggregate(
        self,
        dates: str,
        run: str = "1",
        limits: Limits = DEFAULT_LIMITS,
        run_work: RunWork | None = None,
    ) -> dict[str, Any]:
        """Runs the job, in this process if nothing else is said. Returns its summary."""
        in_process = partial(work.in_process, connect=lambda: FolderStore(self.store.root))
        return aggregate(
            self.store,
            self.known,
            Touched(to_dates(dates)),
            run=run,
            clean_bucket="clean",
            business_bucket="business",
            intervals_per_hour=2,
            run_work=run_work or in_process,
            limits=limits,
        )

    def publish_sums(self, summary: dict[str, Any]) -> None:
        """Publishes what a run has written."""
        for table, said in summary["tables"].items():
            for part in said["partitions"]:
                values = tuple(part["values"])
                self.known[table][values] = Published(values, part["location"], part["rows"])

    def files(self, table: str, value: str, run: str = "1") -> list[Path]:
        """The files that a run has written of a partition."""
        folder = self.store.root / "business" / table / f"run={run}" / f"{KEYS[table]}={value}"
        return sorted(folder.glob("*"))

    def written(self, table: str, *columns: str, run: str = "1") -> list[Row]:
        """The rows that a run has written of a table, sorted."""
        folder = self.store.root / "business" / table / f"run={run}"
        return rows_of(sorted(folder.rglob("*.parquet")), *columns)

    def published(self, table: str, *columns: str) -> list[Row]:
        """The rows of all published partitions of a table, sorted."""
        files = [
            self.store.place(uri)
            for partition in self.known[table].values()
            for uri in self.store.parquet_files(partition.location)
        ]
        return rows_of(files, *columns)


def rows_of(files: Iterable[Path], *columns: str) -> list[Row]:
    """The rows of some files, sorted; times as texts, UTC."""
    found: list[Row] = []
    for file in files:
        # Without the partition keys of its folders.
        table = pq.ParquetFile(file).read()
        chosen = table.select(columns) if columns else table
        found += zip(*(column.to_pylist() for column in chosen.columns), strict=True)
    texts = (tuple(f"{part:%Y-%m-%d %H:%M}" if isinstance(part, datetime) else part for part in row) for row in found)
    return sorted(texts, key=lambda row: [(part is None, part) for part in row])


def business_row(meter: str, time: str, value: float | None, error_code: str | None = None) -> dict[str, Any]:
    """A row of the table daily; what aggregate_consumption does not read is empty."""
    read_at = datetime.fromisoformat(time).replace(tzinfo=UTC)
    return {
        "meter_id": meter,
        "reading_value": value,
        "reading_date_time": read_at,
        "date_str": f"{read_at:%Y%m%d}",
        "error_code": error_code,
    }


def table_of(table: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows in the schema of their table; columns that they lack are null."""
    schema = SCHEMAS[table]
    columns = {}
    for field in schema:
        kind = pa.string() if pa.types.is_dictionary(field.type) else field.type
        columns[field.name] = pa.array([row.get(field.name) for row in rows], kind).cast(field.type)
    return pa.Table.from_pydict(columns, schema=schema)


def sums(table: str, *rows: Row) -> pa.Table:
    """Rows of one of the tables that the job writes."""
    return table_of(table, [dict(zip(SCHEMAS[table].names, row, strict=False)) for row in rows])


def coded_table(schema: pa.Schema, *rows: Row) -> pa.Table:
    """Rows in a schema whose texts may be dictionaries."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    kinds = [pa.string() if pa.types.is_dictionary(kind) else kind for kind in schema.types]
    arrays = [
        pa.array(list(column), kind).cast(as_kept)
        for column, kind, as_kept in zip(columns, kinds, schema.types, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
