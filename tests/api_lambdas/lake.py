"""The tables and the workgroup of infra/catalog.yaml in a stack of their own, filled with rows by tests."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from local_aws.settings import Settings

CATALOG = Path(__file__).resolve().parents[2] / "infra" / "catalog.yaml"
TYPES = {
    "string": pa.string(),
    "double": pa.float64(),
    "int": pa.int32(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
Row = dict[str, Any]


class Lake:
    """`name` is that of the database and of the workgroup; all objects lie in the bucket `bucket`."""

    def __init__(self, aws: Callable[[str], Any], settings: Settings) -> None:
        from local_aws.infrastructure.templates import Stack

        self.name = f"metering-{uuid.uuid4().hex[:8]}"
        self.bucket = f"lake-{self.name}"
        self._glue, self._athena, self._s3 = aws("glue"), aws("athena"), aws("s3")
        self._s3.create_bucket(Bucket=self.bucket)
        self._tables: dict[str, Row] = {}
        buckets = ("LandingBucketName", "CleanBucketName", "BusinessBucketName", "AthenaBucketName")
        parameters = dict.fromkeys(buckets, self.bucket) | {"ProjectName": self.name}
        Stack(self.name, CATALOG, parameters, settings.region, settings.account_id, self._make).make_all()

    def publish(self, table: str, values: Sequence[str], rows: Iterable[Row]) -> None:
        """Add a partition with these rows; a column that a row does not have is null."""
        given = self._tables[table]["StorageDescriptor"]
        columns = {column["Name"]: TYPES[column["Type"]] for column in given["Columns"]}
        body = io.BytesIO()
        pq.write_table(pa.Table.from_pylist([*rows], pa.schema(columns.items())), body)
        folder = f"{table}/run={uuid.uuid4().hex}/"
        self._s3.put_object(Bucket=self.bucket, Key=f"{folder}part-0.parquet", Body=body.getvalue())
        storage = given | {"Location": f"s3://{self.bucket}/{folder}"}
        partition = {"Values": [*values], "StorageDescriptor": storage}
        self._glue.create_partition(DatabaseName=self.name, TableName=table, PartitionInput=partition)

    def put(self, key: str, text: str) -> None:
        """Write an object, e.g. the file of a table without partitions."""
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())

    def _make(self, stack: Any, logical_id: str, kind: str, properties: Row) -> Any:
        from local_aws.infrastructure.templates import Resource

        if kind == "AWS::Glue::Database":
            self._glue.create_database(DatabaseInput=properties["DatabaseInput"])
            return Resource(properties["DatabaseInput"]["Name"])
        if kind == "AWS::Glue::Table":
            self._tables[properties["TableInput"]["Name"]] = properties["TableInput"]
            self._glue.create_table(DatabaseName=self.name, TableInput=properties["TableInput"])
            return Resource(properties["TableInput"]["Name"])
        assert kind == "AWS::Athena::WorkGroup", f"{logical_id}: {kind} is new in {CATALOG.name}"
        self._athena.create_work_group(Name=self.name, Configuration=properties["WorkGroupConfiguration"])
        return Resource(self.name)


def half_hours(meter_id: str, start: datetime, kwh: Sequence[float | None]) -> list[Row]:
    """A reading each half hour from `start` on; None is none."""
    moments = [start + place * timedelta(minutes=30) for place in range(len(kwh))]
    return [
        {"meter_id": meter_id, "reading_date_time": moment, "reading_value": value}
        for moment, value in zip(moments, kwh, strict=True)
        if value is not None
    ]
