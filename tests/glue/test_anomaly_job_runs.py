"""detect_anomalies as job runs on S3 and the catalog: the first judgements, nothing new, and one new day."""

from __future__ import annotations

import io
import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import pytest
from metering import catalog
from transformers.zones import schemas

from local_aws.infrastructure.artefacts import zipped

pytestmark = pytest.mark.slow

SCRIPTS = Path(__file__).resolve().parents[2] / "include" / "glue"
JOB, DATABASE = "detect_anomalies_of_a_test", "anomalies_of_a_test"
FIRST = date(2013, 12, 1)
DAYS = 45
TABLES = {"aggregated_daily": schemas.AGGREGATED_DAILY, "anomaly": schemas.ANOMALY}
WEATHER = {"time": "string", "temperature": "double", "apparenttemperature": "double", "humidity": "double"}
FORMATS = {
    "parquet": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    "csv": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
}
Rows = dict[tuple[str, date], tuple[Any, ...]]


class Platform:
    """Buckets, catalog and the job, as the repository has it."""

    def __init__(self, aws: Callable[[str], Any]) -> None:
        self.s3, self.glue = aws("s3"), aws("glue")
        self.bucket = f"anomalies-{uuid.uuid4().hex[:8]}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.glue.create_database(DatabaseInput={"Name": DATABASE})
        for name, columns in TABLES.items():
            fields = dict(column.split() for column in columns.split(", "))
            self.create_table(name, fields, f"s3://{self.bucket}/{name}/", "parquet", ["month"])
        self.create_table("weather", WEATHER, f"s3://{self.bucket}/weather/", "csv", [])
        self.put("glue/transformers.zip", zipped(SCRIPTS / "transformers"))
        self.put("glue/detect_anomalies.py", (SCRIPTS / "detect_anomalies.py").read_bytes())
        arguments = {
            "extra-py-files": f"s3://{self.bucket}/glue/transformers.zip",
            "clean_bucket": self.bucket,
            "business_bucket": self.bucket,
            "database": DATABASE,
            "data_end": "auto",
            "days": "365",
            "country": "GB",
            "intervals_per_hour": "2",
            "with_weather": "true",
            "level": "0.98",
        }
        self.glue.create_job(
            Name=JOB,
            Role="role",
            Command={"Name": "glueetl", "ScriptLocation": f"s3://{self.bucket}/glue/detect_anomalies.py"},
            DefaultArguments={f"--{name}": value for name, value in arguments.items()},
        )

    def create_table(self, name: str, fields: dict[str, str], location: str, kind: str, keys: list[str]) -> None:
        place = {
            "Columns": [{"Name": field, "Type": of} for field, of in fields.items()],
            "Location": location,
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {"SerializationLibrary": FORMATS[kind], "Parameters": {"field.delim": ","}},
        }
        parameters = {"classification": kind, **({"skip.header.line.count": "1"} if kind == "csv" else {})}
        table = {"Name": name, "StorageDescriptor": place, "Parameters": parameters}
        keys_of_table = [{"Name": key, "Type": "string"} for key in keys]
        self.glue.create_table(DatabaseName=DATABASE, TableInput={**table, "PartitionKeys": keys_of_table})

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def publish_days(self, run: str, rows: list[dict[str, Any]]) -> None:
        """Publish rows as the table aggregated_daily."""
        partitions = []
        for month in sorted({row["date_str"][:6] for row in rows}):
            schema = pyarrow.schema(
                [
                    ("meter_id", pyarrow.string()),
                    ("date_str", pyarrow.string()),
                    ("consumption", pyarrow.float64()),
                    ("interval_count", pyarrow.int32()),
                ]
            )
            of_month = [row for row in rows if row["date_str"].startswith(month)]
            file = io.BytesIO()
            parquet.write_table(pyarrow.Table.from_pylist(of_month, schema), file)
            folder = f"aggregated_daily/run={run}/month={month}/"
            self.put(f"{folder}part-0.parquet", file.getvalue())
            location = f"s3://{self.bucket}/{folder}"
            partitions.append({"values": [month], "location": location, "rows": len(of_month)})
        self.publish("aggregated_daily", run, partitions)

    def detect(self, run: str) -> dict[str, Any]:
        """Run the job and publish what it says; its summary."""
        run_id = self.glue.start_job_run(JobName=JOB, Arguments={"--run": run})["JobRunId"]
        deadline = time.monotonic() + 240
        while (state := self.glue.get_job_run(JobName=JOB, RunId=run_id)["JobRun"])["JobRunState"] in (
            "STARTING",
            "RUNNING",
        ):
            assert time.monotonic() < deadline, f"{JOB} does not end"
            time.sleep(0.1)
        assert state.get("ErrorMessage") is None, state["ErrorMessage"]
        answer = self.s3.get_object(Bucket=self.bucket, Key=f"_summaries/{run}/detect_anomalies.json")
        summary: dict[str, Any] = json.loads(answer["Body"].read())
        self.publish("anomaly", run, summary["partitions"])
        return summary

    def publish(self, table: str, run: str, partitions: list[dict[str, Any]]) -> None:
        now = datetime.now(UTC)
        catalog.publish(
            self.glue,
            database=DATABASE,
            table=table,
            partitions=partitions,
            run=run,
            written_at=now,
            published_at=now,
        )

    def published(self) -> Rows:
        """The judgements, by meter and day."""
        rows: Rows = {}
        for location in catalog.locations(self.glue, DATABASE, "anomaly").values():
            prefix = location.removeprefix(f"s3://{self.bucket}/")
            for item in self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)["Contents"]:
                body = self.s3.get_object(Bucket=self.bucket, Key=item["Key"])["Body"].read()
                for row in parquet.read_table(io.BytesIO(body)).to_pylist():
                    assert (row["meter_id"], row["ds"]) not in rows
                    rows[row["meter_id"], row["ds"]] = tuple(row.values())
        return rows


@pytest.fixture(scope="module")
def platform(aws: Callable[[str], Any]) -> Platform:
    return Platform(aws)


def days_of(meter: str, count: int, seed: int, last_is_complete: bool = True) -> list[dict[str, Any]]:
    """Rows of aggregated_daily: about 10 kWh a day, 40 on day 20."""
    values = np.random.default_rng(seed).normal(10, 1, count)
    values[20] = 40
    rows = [
        {"meter_id": meter, "date_str": f"{FIRST + timedelta(days=number):%Y%m%d}", "consumption": float(value)}
        for number, value in enumerate(values)
    ]
    counts = [48] * (count - 1) + [48 if last_is_complete else 20]
    return [{**row, "interval_count": intervals} for row, intervals in zip(rows, counts, strict=True)]


def test_days_are_judged_once_and_one_new_day_adds_one_each(platform: Platform) -> None:
    hours = [datetime(2013, 12, 1) + timedelta(hours=number) for number in range(24 * DAYS)]  # noqa: DTZ001 (a text)
    lines = [",".join(WEATHER), *(f"{hour},{hour.hour},{-hour.hour},0.5" for hour in hours)]
    platform.put("weather/weather.csv", "\n".join(lines).encode())
    # The last day is not complete, but for the third meter.
    first = [*days_of("M1", DAYS, 1, False), *days_of("M2", DAYS, 2, False), *days_of("M3", 44, 3)]
    platform.publish_days("r1", first)

    said = platform.detect("a-1")

    assert [part["values"] for part in said["partitions"]] == [["201312"], ["201401"]]
    assert (said["judged"], said["kept"], said["incomplete"]) == (3 * 44, 0, 0)
    assert said["data_end"] == "2014-01-14"
    assert said["weather"]["last_known"] == "2014-01-14"
    judged = platform.published()
    assert len(judged) == 3 * 44
    names = schemas.names(schemas.ANOMALY)
    spike = dict(zip(names, judged["M1", date(2013, 12, 21)], strict=True))
    assert (spike["consumption"], spike["anomaly"]) == (40.0, 1)
    assert (spike["temperature"], spike["apparenttemperature"]) == (11.5, -11.5)
    assert spike["yhat_lower"] < 10 < spike["yhat_upper"]

    nothing = platform.detect("b-1")

    assert (nothing["judged"], nothing["kept"], nothing["partitions"]) == (0, 3 * 44, [])
    assert platform.published() == judged

    platform.publish_days("r2", [*days_of("M1", DAYS, 1), *days_of("M2", DAYS, 2), *days_of("M3", 44, 3)])
    added = platform.detect("c-1")

    assert [part["values"] for part in added["partitions"]] == [["201401"]]
    assert (added["judged"], added["days"]) == (2, ["20140114-20140114"])
    after = platform.published()
    assert {key: after[key] for key in judged} == judged
    assert sorted(after.keys() - judged.keys()) == [("M1", date(2014, 1, 14)), ("M2", date(2014, 1, 14))]
