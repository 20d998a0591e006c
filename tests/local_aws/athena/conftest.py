"""A catalog with a partitioned Parquet table and a CSV table, queried through the control plane."""

from __future__ import annotations

import dataclasses
import io
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PARQUET = "org.apache.hadoop.hive.ql.io.parquet."
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
COLUMNS = {
    "meter_id": "string",
    "reading_value": "double",
    "reading_date_time": "timestamp",
    "hour": "int",
    "error_code": "string",
}


def readings(*rows: tuple[str, float | None, datetime]) -> pa.Table:
    """A file of the table `daily`, which has no column error_code."""
    meters, values, moments = (list(column) for column in zip(*rows, strict=True))
    return pa.table(
        {
            "meter_id": pa.array(meters, pa.string()),
            "reading_value": pa.array(values, pa.float64()),
            "reading_date_time": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "hour": pa.array([moment.hour for moment in moments], pa.int32()),
        }
    )


@dataclasses.dataclass
class Lake:
    """A database of the catalog and a bucket of its own."""

    athena: Any
    glue: Any
    s3: Any
    database: str
    bucket: str

    def put(self, key: str, table: pa.Table) -> str:
        """Write a Parquet file; returns its folder."""
        body = io.BytesIO()
        pq.write_table(table, body)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body.getvalue())
        return f"s3://{self.bucket}/{key.rpartition('/')[0]}/"

    def create_table(self, name: str, partition_keys: dict[str, str], storage: dict[str, Any], **others: Any) -> None:
        given = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": key, "Type": kind} for key, kind in partition_keys.items()],
            "StorageDescriptor": storage,
        }
        self.glue.create_table(DatabaseName=self.database, TableInput=given | others)

    def parquet(self, location: str) -> dict[str, Any]:
        return {
            "Location": location,
            "InputFormat": f"{PARQUET}MapredParquetInputFormat",
            "OutputFormat": f"{PARQUET}MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{PARQUET}serde.ParquetHiveSerDe"},
            "Columns": [{"Name": name, "Type": kind} for name, kind in COLUMNS.items()],
        }

    def publish(self, values: list[str], location: str) -> None:
        given = {"Values": values, "StorageDescriptor": self.parquet(location)}
        self.glue.create_partition(DatabaseName=self.database, TableName="daily", PartitionInput=given)

    def start(self, sql: str, **others: Any) -> str:
        return self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self.database},
            ResultConfiguration={"OutputLocation": f"s3://{self.bucket}/results/"},
            **others,
        )["QueryExecutionId"]

    def finish(self, query_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            execution = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            if execution["Status"]["State"] in ENDED:
                return execution
            time.sleep(0.02)
        raise TimeoutError(f"query {query_id} did not end")

    def run(self, sql: str, **others: Any) -> dict[str, Any]:
        return self.finish(self.start(sql, **others))

    def rows(self, sql: str, **others: Any) -> list[tuple[str | None, ...]]:
        """The rows of a query that succeeds, without the header."""
        execution = self.run(sql, **others)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]["StateChangeReason"]
        pages = self.athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution["QueryExecutionId"])
        rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
        return [tuple(cell.get("VarCharValue") for cell in row) for row in rows[1:]]

    def failure(self, sql: str, **others: Any) -> str:
        """The reason of a query that fails."""
        execution = self.run(sql, **others)
        assert execution["Status"]["State"] == "FAILED"
        return str(execution["Status"]["StateChangeReason"])


@pytest.fixture(scope="session")
def lake(aws: Callable[[str], Any]) -> Lake:
    """Months 201301 and 201302 of INT, and 201301 of ERR, each in a folder that says nothing of its values."""
    name = uuid.uuid4().hex[:8]
    made = Lake(aws("athena"), aws("glue"), aws("s3"), f"metering_{name}", f"lake-{name}")
    made.s3.create_bucket(Bucket=made.bucket)
    made.glue.create_database(DatabaseInput={"Name": made.database, "Description": "Readings"})
    made.create_table(
        "daily", {"reading_type": "string", "month": "string"}, made.parquet(f"s3://{made.bucket}/daily/")
    )
    january, february = datetime(2013, 1, 1, 0, 30, tzinfo=UTC), datetime(2013, 2, 1, 23, 0, tzinfo=UTC)
    made.publish(["INT", "201301"], made.put("v1/a/part.parquet", readings(("M1", 1.5, january), ("M2", 2.0, january))))
    made.publish(["INT", "201302"], made.put("v2/b/part.parquet", readings(("M1", 4.0, february))))
    made.publish(["ERR", "201301"], made.put("v1/c/part.parquet", readings(("M3", None, january))))
    made.put("daily/unpublished/part.parquet", readings(("M9", 9.0, january)))
    text = "org.apache.hadoop."
    csv = {
        "Location": f"s3://{made.bucket}/geo/",
        "InputFormat": f"{text}mapred.TextInputFormat",
        "OutputFormat": f"{text}hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": f"{text}hive.serde2.lazy.LazySimpleSerDe",
            "Parameters": {"field.delim": ","},
        },
        "Columns": [{"Name": "meter_id", "Type": "string"}, {"Name": "lat", "Type": "double"}],
    }
    made.create_table("geo", {}, csv, Parameters={"skip.header.line.count": "1"})
    made.s3.put_object(Bucket=made.bucket, Key="geo/geo.csv", Body=b"meter_id,lat\nM1,51.5\nM3,unknown\n")
    made.s3.put_object(Bucket=made.bucket, Key="geo/_SUCCESS", Body=b"none of it")
    return made
