from __future__ import annotations

import io
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from local_aws.glue.crawlers import GlueCrawlers
from local_aws.glue.log_store import LogStore
from local_aws.glue.partitions import GluePartitions
from local_aws.glue.tables import GlueTables
from local_aws.settings import Settings
from local_aws.state import State
from tests.local_aws.glue.conftest import PARQUET, Call

Aws = Callable[[str], Any]
LOG_ONLY = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}


def parquet(**columns: list[Any]) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


@pytest.fixture
def crawl(glue: Call) -> Callable[..., dict[str, Any]]:
    """Create a crawler unless it exists, run it; returns the crawler once it is READY."""

    def run(name: str, **definition: Any) -> dict[str, Any]:
        if definition:
            glue("CreateCrawler", Name=name, Role="crawler", **definition)
        glue("StartCrawler", Name=name)
        deadline = time.monotonic() + 30
        while (crawler := glue("GetCrawler", Name=name)["Crawler"])["State"] != "READY":
            assert time.monotonic() < deadline, "the crawl does not end"
            time.sleep(0.02)
        return crawler

    return run


@pytest.fixture
def name() -> str:
    return f"crawler_{uuid.uuid4().hex[:8]}"


def test_an_empty_target_succeeds_and_makes_no_table(
    glue: Call, crawl: Callable[..., dict[str, Any]], database: str, bucket: str, name: str
) -> None:
    targets = {"S3Targets": [{"Path": f"s3://{bucket}/clean/"}]}
    crawler = crawl(name, DatabaseName=database, Targets=targets)
    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED"
    assert glue("GetTables", DatabaseName=database)["TableList"] == []


def test_folders_named_key_value_become_partitions_of_a_table_named_by_prefix_and_folder(
    glue: Call, crawl: Callable[..., dict[str, Any]], aws: Aws, database: str, bucket: str, name: str
) -> None:
    s3 = aws("s3")
    for batch in ("b1", "b2"):
        body = parquet(meter_id=["MAC000002"], reading_value=[0.5])
        s3.put_object(Bucket=bucket, Key=f"clean/batch={batch}/part.parquet", Body=body)
    s3.put_object(Bucket=bucket, Key="clean/_SUCCESS", Body=b"x")
    s3.put_object(Bucket=bucket, Key="clean/batch=b3/_temporary/part.parquet", Body=b"x")
    targets = {"S3Targets": [{"Path": f"s3://{bucket}/clean/"}]}
    crawler = crawl(name, DatabaseName=database, TablePrefix="readings_", Targets=targets)
    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED"
    table = glue("GetTable", DatabaseName=database, Name="readings_clean")["Table"]
    assert table["StorageDescriptor"]["Columns"] == [
        {"Name": "meter_id", "Type": "string"},
        {"Name": "reading_value", "Type": "double"},
    ]
    assert table["PartitionKeys"] == [{"Name": "batch", "Type": "string"}]
    assert table["StorageDescriptor"]["SerdeInfo"] == PARQUET["SerdeInfo"] | {
        "Parameters": {"serialization.format": "1"}
    }
    found = glue("GetPartitions", DatabaseName=database, TableName="readings_clean")["Partitions"]
    assert {part["Values"][0]: part["StorageDescriptor"]["Location"] for part in found} == {
        "b1": f"s3://{bucket}/clean/batch=b1/",
        "b2": f"s3://{bucket}/clean/batch=b2/",
    }
    (metrics,) = glue("GetCrawlerMetrics", CrawlerNameList=[name])["CrawlerMetricsList"]
    assert (metrics["TablesCreated"], metrics["TablesUpdated"]) == (1, 0)


def test_a_second_crawl_adds_new_columns_and_partitions(
    glue: Call, crawl: Callable[..., dict[str, Any]], aws: Aws, database: str, bucket: str, name: str
) -> None:
    s3 = aws("s3")
    s3.put_object(Bucket=bucket, Key="clean/batch=b1/part.parquet", Body=parquet(meter_id=["a"]))
    targets = {"S3Targets": [{"Path": f"s3://{bucket}/clean/"}]}
    crawl(name, DatabaseName=database, Targets=targets)
    s3.put_object(Bucket=bucket, Key="clean/batch=b2/part.parquet", Body=parquet(meter_id=["a"], year=[2013]))
    crawl(name)
    table = glue("GetTable", DatabaseName=database, Name="clean")["Table"]
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["meter_id", "year"]
    assert len(glue("GetPartitions", DatabaseName=database, TableName="clean")["Partitions"]) == 2
    (metrics,) = glue("GetCrawlerMetrics", CrawlerNameList=[name])["CrawlerMetricsList"]
    assert (metrics["TablesCreated"], metrics["TablesUpdated"]) == (0, 1)


def test_excluded_files_are_not_read(
    glue: Call, crawl: Callable[..., dict[str, Any]], aws: Aws, database: str, bucket: str, name: str
) -> None:
    s3 = aws("s3")
    s3.put_object(Bucket=bucket, Key="in/readings.csv", Body=b"meter,value\na,1\n")
    s3.put_object(Bucket=bucket, Key="in/notes.txt", Body=b"other;header\nx;y\n")
    s3.put_object(Bucket=bucket, Key="in/old/readings.csv", Body=b"old,columns\nx,y\n")
    targets = {"S3Targets": [{"Path": f"s3://{bucket}/in/", "Exclusions": ["*.{txt,md}", "old/**"]}]}
    crawl(name, DatabaseName=database, Targets=targets)
    table = glue("GetTable", DatabaseName=database, Name="in")["Table"]
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["meter", "value"]
    assert table["Parameters"]["skip.header.line.count"] == "1"
    assert table["StorageDescriptor"]["SerdeInfo"]["Parameters"] == {"field.delim": ","}


def test_files_of_other_formats_beside_those_of_a_declared_table_are_left_out(
    glue: Call, crawl: Callable[..., dict[str, Any]], aws: Aws, database: str, bucket: str, name: str
) -> None:
    glue(
        "CreateTable",
        DatabaseName=database,
        TableInput={
            "Name": "readings_raw",
            "Parameters": {"classification": "csv"},
            "StorageDescriptor": {
                "Columns": [{"Name": "meter", "Type": "string"}], "Location": f"s3://{bucket}/in/", **PARQUET,
            },
        },
    )  # fmt: skip
    s3 = aws("s3")
    s3.put_object(Bucket=bucket, Key="in/own.parquet", Body=parquet(meter_id=["a"]))
    s3.put_object(Bucket=bucket, Key="in/own.avro", Body=b"Obj\x01\x00")
    targets = {"CatalogTargets": [{"DatabaseName": database, "Tables": ["readings_raw"]}]}
    policy = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    crawler = crawl(name, DatabaseName=database, Targets=targets, SchemaChangePolicy=policy)
    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED"
    s3.put_object(Bucket=bucket, Key="in/readings.csv", Body=b"meter,value\na,1\n")
    assert crawl(name)["LastCrawl"]["Status"] == "SUCCEEDED"
    table = glue("GetTable", DatabaseName=database, Name="readings_raw")["Table"]
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["meter"]


def test_a_declared_table_keeps_its_columns_and_gets_its_partitions(
    glue: Call, crawl: Callable[..., dict[str, Any]], aws: Aws, database: str, bucket: str, name: str
) -> None:
    declared = [{"Name": "meter_id", "Type": "string"}, {"Name": "year", "Type": "int"}]
    glue(
        "CreateTable",
        DatabaseName=database,
        TableInput={
            "Name": "readings_clean",
            "PartitionKeys": [{"Name": "batch", "Type": "string"}],
            "StorageDescriptor": {"Columns": declared, "Location": f"s3://{bucket}/clean/", **PARQUET},
        },
    )
    aws("s3").put_object(Bucket=bucket, Key="clean/batch=b1/part.parquet", Body=parquet(meter_id=["a"], year=[2013]))
    crawler = crawl(
        name,
        Targets={"CatalogTargets": [{"DatabaseName": database, "Tables": ["readings_clean"]}]},
        SchemaChangePolicy=LOG_ONLY,
        Configuration='{"Version": 1.0, "CrawlerOutput": {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}}',
    )
    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED"
    table = glue("GetTable", DatabaseName=database, Name="readings_clean")["Table"]
    assert table["StorageDescriptor"]["Columns"] == declared
    (found,) = glue("GetPartitions", DatabaseName=database, TableName="readings_clean")["Partitions"]
    assert found["Values"] == ["b1"]
    assert found["StorageDescriptor"]["Columns"] == declared
    assert found["StorageDescriptor"]["Location"] == f"s3://{bucket}/clean/batch=b1/"


def test_a_crawl_of_a_table_that_is_missing_fails_with_its_name(
    crawl: Callable[..., dict[str, Any]], logs: Call, database: str, name: str
) -> None:
    targets = {"CatalogTargets": [{"DatabaseName": database, "Tables": ["nothing"]}]}
    last = crawl(name, Targets=targets, SchemaChangePolicy=LOG_ONLY)["LastCrawl"]
    assert (last["Status"], last["ErrorMessage"]) == ("FAILED", "Table nothing not found.")
    events = logs("GetLogEvents", logGroupName=last["LogGroup"], logStreamName=last["LogStream"])["events"]
    assert any(
        last["MessagePrefix"] in event["message"] and "nothing not found" in event["message"] for event in events
    )


def test_the_message_of_a_crawl_holds_only_what_the_api_allows(
    crawl: Callable[..., dict[str, Any]], database: str, name: str
) -> None:
    table = "a\x00b" + "c" * 3_000

    targets = {"CatalogTargets": [{"DatabaseName": database, "Tables": [table]}]}
    message = crawl(name, Targets=targets, SchemaChangePolicy=LOG_ONLY)["LastCrawl"]["ErrorMessage"]
    assert message.startswith("Table a?bccc")
    assert len(message) == 2_048


def test_a_crawl_of_a_bucket_that_is_missing_fails(
    crawl: Callable[..., dict[str, Any]], database: str, name: str
) -> None:
    targets = {"S3Targets": [{"Path": "s3://no-such-bucket-here/clean/"}]}
    last = crawl(name, DatabaseName=database, Targets=targets)["LastCrawl"]
    assert last["Status"] == "FAILED"
    assert "NoSuchBucket" in last["ErrorMessage"]


def test_a_crawler_is_listed_changed_and_deleted(glue: Call, database: str, name: str) -> None:
    targets = {"S3Targets": [{"Path": "s3://x/clean/"}]}
    glue("CreateCrawler", Name=name, Role="r", DatabaseName=database, Targets=targets, Tags={"owner": "metering"})
    arn = f"arn:aws:glue:eu-west-1:123456789012:crawler/{name}"
    assert glue("GetTags", ResourceArn=arn)["Tags"] == {"owner": "metering"}
    assert name in glue("ListCrawlers")["CrawlerNames"]
    glue("UpdateCrawler", Name=name, TablePrefix="p_")
    (crawler,) = [found for found in glue("GetCrawlers")["Crawlers"] if found["Name"] == name]
    assert (crawler["TablePrefix"], crawler["Version"], crawler["State"]) == ("p_", 2, "READY")
    assert crawler["Targets"]["S3Targets"] == [{"Path": "s3://x/clean/", "Exclusions": []}]
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        glue("CreateCrawler", Name=name, Role="r", DatabaseName=database, Targets=targets)
    with pytest.raises(ClientError, match="CrawlerNotRunningException"):
        glue("StopCrawler", Name=name)
    glue("DeleteCrawler", Name=name)
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue("GetCrawler", Name=name)


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ({"Targets": {}}, "at least one target"),
        ({"Targets": {"JdbcTargets": [{"ConnectionName": "x"}]}}, "JdbcTargets are not served"),
        ({"Targets": {"S3Targets": [{"Path": "s3://x/"}]}}, "Database name"),
        ({"Targets": {"CatalogTargets": [{"DatabaseName": "d", "Tables": ["t"]}]}}, "only LOG DeleteBehavior"),
        (
            {"Targets": {"S3Targets": [{"Path": "s3://x/"}]}, "DatabaseName": "d", "Schedule": "cron(0 9 * * ? *)"},
            "Sched",
        ),
    ],
)
def test_a_definition_that_glue_or_this_stand_in_cannot_serve_is_refused(
    glue: Call, definition: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ClientError, match=f"InvalidInputException.*{reason}"):
        glue("CreateCrawler", Name="refused", Role="r", **definition)


class WaitingS3:
    """An S3 client whose listing waits until `go` is called."""

    def __init__(self) -> None:
        import threading

        self.listing = threading.Event()
        self.going = threading.Event()

    def get_paginator(self, name: str) -> WaitingS3:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        self.listing.set()
        assert self.going.wait(30)
        return []


@pytest.fixture
def lonely(tmp_path: Path) -> Any:
    """A crawler service of its own, whose S3 waits."""
    state, settings, logs = (
        State(tmp_path / "state.sqlite"),
        Settings(home=tmp_path),
        LogStore(tmp_path / "logs.sqlite"),
    )
    tables, partitions = GlueTables(state, "1", "me"), GluePartitions(state, "1")
    service = GlueCrawlers(state, settings, WaitingS3(), logs, tables, partitions)
    paths = [{"Path": "s3://x/one/"}, {"Path": "s3://x/two/"}]
    service.create_crawler({"Name": "c", "Role": "r", "DatabaseName": "d", "Targets": {"S3Targets": paths}})
    yield service
    service._s3.going.set()
    service.on_stop()
    logs.close()
    state.close()


def test_a_running_crawler_is_not_started_changed_or_deleted(lonely: GlueCrawlers) -> None:
    lonely.start_crawler({"Name": "c"})
    assert lonely._s3.listing.wait(30)
    assert lonely.get_crawler({"Name": "c"})["Crawler"]["State"] == "RUNNING"
    for operation in (lonely.start_crawler, lonely.update_crawler, lonely.delete_crawler):
        with pytest.raises(Exception, match="already started") as caught:
            operation({"Name": "c"})
        assert caught.value.code == "CrawlerRunningException"  # type: ignore[attr-defined]


def test_a_stopped_crawl_ends_before_its_next_target_as_cancelled(lonely: GlueCrawlers) -> None:
    lonely.start_crawler({"Name": "c"})
    assert lonely._s3.listing.wait(30)
    lonely.stop_crawler({"Name": "c"})
    assert lonely.get_crawler({"Name": "c"})["Crawler"]["State"] == "STOPPING"
    lonely._s3.going.set()
    lonely.on_stop()
    crawler = lonely.get_crawler({"Name": "c"})["Crawler"]
    assert (crawler["State"], crawler["LastCrawl"]["Status"]) == ("READY", "CANCELLED")


def test_a_crawl_that_died_with_its_process_has_failed_at_the_next_start(lonely: GlueCrawlers) -> None:
    lonely.start_crawler({"Name": "c"})
    lonely.on_start()
    crawler = lonely.get_crawler({"Name": "c"})["Crawler"]
    assert (crawler["State"], crawler["LastCrawl"]["Status"]) == ("READY", "FAILED")
    assert "Start the crawler again" in crawler["LastCrawl"]["ErrorMessage"]
