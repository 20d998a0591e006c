"""The three scripts as job runs on S3 and the catalog: two deliveries, from meter files to published sums."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from metering import catalog
from transformers.zones import schemas

from local_aws.infrastructure.artefacts import zipped
from tests.glue.deliveries import KAGGLE, OFFICIAL

pytestmark = pytest.mark.slow

SCRIPTS = Path(__file__).resolve().parents[2] / "include" / "glue"
DATABASE = "metering_of_a_test"
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}
TABLES = {
    "daily": (schemas.BUSINESS, "reading_type string, month string"),
    "aggregated_daily": (schemas.AGGREGATED_DAILY, "month string"),
    "aggregated_weekly": (schemas.AGGREGATED_WEEKLY, "iso_year int"),
    "aggregated_monthly": (schemas.AGGREGATED_MONTHLY, "year int"),
}
ROW = "MAC000002,Std,2012-12-31 {time}:00.0000000, {value} "


class Platform:
    """Buckets, catalog and jobs for the scripts as they are in the repository."""

    def __init__(self, aws: Callable[[str], Any], folder: Path) -> None:
        self.s3, self.glue, self.folder = aws("s3"), aws("glue"), folder
        suffix = uuid.uuid4().hex[:8]
        self.buckets = {zone: f"{zone}-{suffix}" for zone in ("landing", "clean", "business", "scripts")}
        for bucket in self.buckets.values():
            self.s3.create_bucket(Bucket=bucket)
        self.put("scripts", "glue/transformers.zip", zipped(SCRIPTS / "transformers"))
        self.glue.create_database(DatabaseInput={"Name": DATABASE})
        for name, (columns, keys) in TABLES.items():
            place = {"Columns": fields(columns), "Location": f"s3://{self.buckets['business']}/{name}/", **PARQUET}
            table = {"Name": name, "StorageDescriptor": place, "PartitionKeys": fields(keys)}
            self.glue.create_table(
                DatabaseName=DATABASE, TableInput={**table, "Parameters": {"classification": "parquet"}}
            )
        for script in SCRIPTS.glob("*.py"):
            self.put("scripts", f"glue/{script.name}", script.read_bytes())
            self.glue.create_job(
                Name=script.stem,
                Role="role",
                Command={"Name": "glueetl", "ScriptLocation": f"s3://{self.buckets['scripts']}/glue/{script.name}"},
                DefaultArguments={
                    "--extra-py-files": f"s3://{self.buckets['scripts']}/glue/transformers.zip",
                    "--clean_bucket": self.buckets["clean"],
                    "--business_bucket": self.buckets["business"],
                    "--landing_bucket": self.buckets["landing"],
                    "--database": DATABASE,
                },
            )

    def put(self, zone: str, key: str, content: bytes) -> dict[str, Any]:
        etag = self.s3.put_object(Bucket=self.buckets[zone], Key=key, Body=content)["ETag"].strip('"')
        return {"uri": f"s3://{self.buckets[zone]}/{key}", "key": key, "etag": etag, "size": len(content)}

    def deliver(self, batch: str, delivered_at: str, **files: str) -> None:
        """Put files into the landing zone (a name's __ is its dot) and write the manifest of the batch."""
        listed = [
            {**self.put("landing", f"readings/{name.replace('__', '.')}", text.encode()), "delivered_at": delivered_at}
            for name, text in files.items()
        ]
        self.put("clean", f"_manifests/{batch}.json", json.dumps({"batch": batch, "files": listed}).encode())

    def run(self, job: str, **arguments: str) -> str | None:
        """Run a job to its end; the message of its error."""
        given = {f"--{name}": value for name, value in arguments.items()}
        run_id = self.glue.start_job_run(JobName=job, Arguments=given)["JobRunId"]
        deadline = time.monotonic() + 240
        while (run := self.glue.get_job_run(JobName=job, RunId=run_id)["JobRun"])["JobRunState"] in (
            "STARTING",
            "RUNNING",
        ):
            assert time.monotonic() < deadline, f"{job} does not end"
            time.sleep(0.1)
        return run.get("ErrorMessage")

    def raw_to_clean(self, batch: str) -> str | None:
        manifest = f"s3://{self.buckets['clean']}/_manifests/{batch}.json"
        return self.run("raw_to_clean", batch=batch, manifest=manifest, transformer="london")

    def ingest(self, batch: str) -> dict[str, Any]:
        """raw_to_clean, clean_to_business and publishing; the summary of the second."""
        assert self.raw_to_clean(batch) is None
        assert self.run("clean_to_business", batch=batch, run=f"{batch}-1", grain="month") is None
        summary = self.summary(batch, "clean_to_business")
        self.publish("daily", summary["partitions"], summary["run"])
        return summary

    def aggregate(self, run: str, dates: list[str]) -> dict[str, Any]:
        assert self.run("aggregate_consumption", run=run, dates=",".join(dates)) is None
        summary = self.summary(run, "aggregate_consumption")
        for table, said in summary["tables"].items():
            self.publish(table, said["partitions"], run)
        return summary

    def publish(self, table: str, partitions: list[dict[str, Any]], run: str) -> None:
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

    def summary(self, name: str, job: str) -> dict[str, Any]:
        answer = self.s3.get_object(Bucket=self.buckets["clean"], Key=f"_summaries/{name}/{job}.json")
        return json.loads(answer["Body"].read())

    def keys(self, zone: str, prefix: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.buckets[zone], Prefix=prefix)
        return [item["Key"] for item in listed.get("Contents", [])]

    def published(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """The rows of all published partitions, sorted."""
        rows = []
        for location in catalog.locations(self.glue, DATABASE, table).values():
            bucket, _, prefix = location.removeprefix("s3://").partition("/")
            for item in self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
                file = self.folder / uuid.uuid4().hex
                self.s3.download_file(bucket, item["Key"], str(file))
                found = parquet.read_table(file)
                rows += zip(*(found[name].to_pylist() for name in columns), strict=True)
        return sorted(rows, key=repr)


def fields(schema: str) -> list[dict[str, str]]:
    return [dict(zip(("Name", "Type"), column.split(), strict=True)) for column in schema.split(", ")]


@pytest.fixture(scope="module")
def platform(aws: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> Platform:
    return Platform(aws, tmp_path_factory.mktemp("downloads"))


def file(header: str, *lines: str) -> str:
    return "".join(f"{line}\r\n" for line in (header, *lines))


def test_a_first_delivery_becomes_published_sums(platform: Platform) -> None:
    official = file(OFFICIAL, ROW.format(time="00:30", value="0.25"), ROW.format(time="00:30", value="0.25"), "bad")
    kaggle = file(KAGGLE, "MAC000003,2013-01-01 12:00:00.0000000, 2 ", "MAC000003,2013-01-01 12:37:27.0000000,Null")
    platform.deliver("b1", "2014-01-01T09:00:00Z", a__csv=official, **{"b [x] %20": kaggle})

    summary = platform.ingest("b1")

    cleaned = platform.summary("b1", "raw_to_clean")
    assert [cleaned[name] for name in ("rows", "good", "rejected_by_reason")] == [5, 4, {"wrong_field_count": 1}]
    assert [file["uri"].rpartition("/")[2] for file in cleaned["files"]] == ["a.csv", "b [x] %20"]
    assert len(platform.keys("clean", "quarantine/batch=b1/")) == 1
    assert {name: summary[name] for name in ("run", "rows_in", "duplicates", "conflicts", "dates")} == {
        "run": "b1-1",
        "rows_in": 4,
        "duplicates": 1,
        "conflicts": 0,
        "dates": ["20121231-20130101"],
    }
    business = platform.buckets["business"]
    assert [(part["values"], part["location"], part["rows"]) for part in summary["partitions"]] == [
        (["ERR", "201301"], f"s3://{business}/daily/run=b1-1/reading_type=ERR/month=201301/", 1),
        (["INT", "201212"], f"s3://{business}/daily/run=b1-1/reading_type=INT/month=201212/", 1),
        (["INT", "201301"], f"s3://{business}/daily/run=b1-1/reading_type=INT/month=201301/", 1),
    ]
    assert all(key.endswith(".parquet") for key in platform.keys("business", "daily/"))

    platform.aggregate("b1-1", summary["dates"])

    assert platform.published("aggregated_daily", "meter_id", "date_str", "consumption", "interval_count") == [
        ("MAC000002", "20121231", 0.25, 1),
        ("MAC000003", "20130101", 2.0, 1),
    ]
    assert platform.published("aggregated_weekly", "meter_id", "week_start", "consumption") == [
        ("MAC000002", "20121231", 0.25),
        ("MAC000003", "20121231", 2.0),
    ]
    assert platform.published("aggregated_monthly", "meter_id", "month_start", "consumption") == [
        ("MAC000002", "20121201", 0.25),
        ("MAC000003", "20130101", 2.0),
    ]


def test_a_second_delivery_is_merged_into_the_partitions_that_it_touches(platform: Platform) -> None:
    lines = [ROW.format(time="00:30", value="0.5"), ROW.format(time="01:00", value="4")]
    platform.deliver("b2", "2014-01-02T09:00:00Z", c__csv=file(OFFICIAL, "bad", *lines))
    assert platform.raw_to_clean("b2") is None
    assert platform.keys("clean", "quarantine/batch=b2/")
    # Mended and run again, it leaves no quarantine behind.
    platform.deliver("b2", "2014-01-02T09:00:00Z", c__csv=file(OFFICIAL, *lines))

    summary = platform.ingest("b2")

    assert [part["values"] for part in summary["partitions"]] == [["INT", "201212"]]
    assert (summary["readings_added"], summary["readings_replaced"], summary["readings_written"]) == (1, 1, 2)
    assert platform.keys("clean", "quarantine/batch=b2/") == []

    platform.aggregate("b2-1", summary["dates"])

    assert platform.published("daily", "meter_id", "date_str", "reading_value")[:2] == [
        ("MAC000002", "20121231", 0.5),
        ("MAC000002", "20121231", 4.0),
    ]
    assert platform.published("aggregated_weekly", "meter_id", "week_start", "consumption", "interval_count") == [
        ("MAC000002", "20121231", 4.5, 2),
        ("MAC000003", "20121231", 2.0, 1),
    ]
    assert platform.published("aggregated_monthly", "meter_id", "month_start", "consumption") == [
        ("MAC000002", "20121201", 4.5),
        ("MAC000003", "20130101", 2.0),
    ]


def test_what_a_job_cannot_do_is_the_message_of_its_run(platform: Platform) -> None:
    platform.deliver("b3", "2014-01-03T09:00:00Z", e__csv="meter,when,kwh\r\n1,2,3\r\n")
    message = platform.raw_to_clean("b3") or ""
    assert message.startswith("UnknownHeaderError: ")
    assert "readings/e.csv has the columns\n  meter, when, kwh\nwhich the transformer london does not know" in message
    assert platform.keys("clean", "_summaries/b3/") == platform.keys("clean", "clean/batch=b3/") == []
