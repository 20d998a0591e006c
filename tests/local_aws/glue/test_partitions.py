from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.glue.databases import GlueDatabases
from local_aws.glue.partitions import GluePartitions
from local_aws.glue.tables import GlueTables
from local_aws.state import Document, State
from tests.local_aws.glue.conftest import Call, partition


def months(count: int) -> list[str]:
    return [str(201301 + number) for number in range(count)]


def test_a_partition_is_created_read_changed_and_deleted(glue: Call, daily: str) -> None:
    place = {"DatabaseName": daily, "TableName": "daily"}
    glue("CreatePartition", **place, PartitionInput=partition("INT", "201301"))
    found = glue("GetPartition", **place, PartitionValues=["INT", "201301"])["Partition"]
    assert found["StorageDescriptor"]["Location"].endswith("run=r1/reading_type=INT/month=201301/")
    changed = partition("INT", "201301", "r2")
    glue("UpdatePartition", **place, PartitionValueList=["INT", "201301"], PartitionInput=changed)
    found = glue("GetPartition", **place, PartitionValues=["INT", "201301"])["Partition"]
    assert "run=r2" in found["StorageDescriptor"]["Location"]
    glue("DeletePartition", **place, PartitionValues=["INT", "201301"])
    with pytest.raises(ClientError, match="EntityNotFoundException.*Cannot find partition"):
        glue("GetPartition", **place, PartitionValues=["INT", "201301"])


def test_a_partition_needs_a_value_for_each_key(glue: Call, daily: str) -> None:
    with pytest.raises(ClientError, match="InvalidInputException.*reading_type, month"):
        glue("CreatePartition", DatabaseName=daily, TableName="daily", PartitionInput={"Values": ["INT"]})


def test_an_update_may_rename_but_not_onto_another_partition(glue: Call, daily: str) -> None:
    place = {"DatabaseName": daily, "TableName": "daily"}
    for month in ("201301", "201302"):
        glue("CreatePartition", **place, PartitionInput=partition("INT", month))
    renamed = partition("INT", "201303")
    glue("UpdatePartition", **place, PartitionValueList=["INT", "201301"], PartitionInput=renamed)
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        glue("UpdatePartition", **place, PartitionValueList=["INT", "201302"], PartitionInput=renamed)
    left = glue("GetPartitions", **place)["Partitions"]
    assert [found["Values"][1] for found in left] == ["201302", "201303"]


def test_a_batch_applies_to_what_it_can_and_lists_the_rest_as_errors(glue: Call, daily: str) -> None:
    place = {"DatabaseName": daily, "TableName": "daily"}
    first = [partition("INT", "201301"), partition("INT", "201302")]
    assert glue("BatchCreatePartition", **place, PartitionInputList=first)["Errors"] == []
    second = [partition("INT", "201302", "r2"), partition("INT", "201303")]
    (error,) = glue("BatchCreatePartition", **place, PartitionInputList=second)["Errors"]
    assert error["PartitionValues"] == ["INT", "201302"]
    assert error["ErrorDetail"]["ErrorCode"] == "AlreadyExistsException"

    entries = [
        {"PartitionValueList": ["INT", "201302"], "PartitionInput": partition("INT", "201302", "r3")},
        {"PartitionValueList": ["INT", "209901"], "PartitionInput": partition("INT", "209901", "r3")},
    ]
    (error,) = glue("BatchUpdatePartition", **place, Entries=entries)["Errors"]
    assert error["PartitionValueList"] == ["INT", "209901"]
    assert error["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"

    wanted = [{"Values": ["INT", month]} for month in ("201301", "201302", "209901")]
    answer = glue("BatchGetPartition", **place, PartitionsToGet=wanted)
    assert ["r1" in found["StorageDescriptor"]["Location"] for found in answer["Partitions"]] == [True, False]
    assert answer["UnprocessedKeys"] == [{"Values": ["INT", "209901"]}]

    (error,) = glue("BatchDeletePartition", **place, PartitionsToDelete=wanted)["Errors"]
    assert error["PartitionValues"] == ["INT", "209901"]
    assert [found["Values"] for found in glue("GetPartitions", **place)["Partitions"]] == [["INT", "201303"]]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("BatchCreatePartition", {"PartitionInputList": [partition("INT", month) for month in months(101)]}),
        (
            "BatchUpdatePartition",
            {"Entries": [{"PartitionValueList": ["INT", m], "PartitionInput": {}} for m in months(101)]},
        ),
        ("BatchDeletePartition", {"PartitionsToDelete": [{"Values": ["INT", m]} for m in months(26)]}),
    ],
)
def test_a_batch_above_the_limit_of_glue_is_refused_whole(
    glue: Call, daily: str, operation: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="ValidationException.*less than or equal to"):
        glue(operation, DatabaseName=daily, TableName="daily", **parameters)
    assert glue("GetPartitions", DatabaseName=daily, TableName="daily")["Partitions"] == []


def test_partitions_are_filtered_by_expression_and_come_in_pages(glue: Call, daily: str) -> None:
    place = {"DatabaseName": daily, "TableName": "daily"}
    for kind in ("INT", "ERR"):
        inputs = [partition(kind, month) for month in months(12)]
        glue("BatchCreatePartition", **place, PartitionInputList=inputs)
    wanted = {**place, "Expression": "reading_type = 'INT' and month between '201303' and '201308'", "MaxResults": 4}
    first = glue("GetPartitions", **wanted)
    second = glue("GetPartitions", **wanted, NextToken=first["NextToken"])
    found = [found["Values"] for found in first["Partitions"] + second["Partitions"]]
    assert found == [["INT", f"20130{month}"] for month in range(3, 9)]
    assert "NextToken" not in second


def test_segments_share_out_all_partitions(glue: Call, daily: str) -> None:
    place = {"DatabaseName": daily, "TableName": "daily"}
    glue("BatchCreatePartition", **place, PartitionInputList=[partition("INT", month) for month in months(7)])
    found = []
    for number in range(3):
        segment = {"SegmentNumber": number, "TotalSegments": 3}
        found += [part["Values"][1] for part in glue("GetPartitions", **place, Segment=segment)["Partitions"]]
    assert sorted(found) == months(7)


def test_an_expression_on_another_column_names_the_keys(glue: Call, daily: str) -> None:
    with pytest.raises(ClientError, match="InvalidInputException.*meter_id.*reading_type, month"):
        glue("GetPartitions", DatabaseName=daily, TableName="daily", Expression="meter_id = 'MAC000002'")


def test_a_table_that_does_not_exist_has_no_partitions_to_read(glue: Call, database: str) -> None:
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue("GetPartitions", DatabaseName=database, TableName="nothing")


def in_memory(folder: Path) -> tuple[State, GluePartitions]:
    state = State(folder / "state.sqlite")
    GlueDatabases(state, "1").create_database({"DatabaseInput": {"Name": "db"}})
    keys = [{"Name": "month", "Type": "string"}]
    GlueTables(state, "1", "me").create_table(
        {"DatabaseName": "db", "TableInput": {"Name": "t", "PartitionKeys": keys, "StorageDescriptor": {}}}
    )
    return state, GluePartitions(state, "1")


def test_a_batch_that_breaks_off_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, partitions = in_memory(tmp_path)
    put = State.put

    def broken(self: State, kind: str, key: str, document: Document) -> None:
        if document["Values"] == ["3"]:
            raise OSError("disk full")
        put(self, kind, key, document)

    monkeypatch.setattr(State, "put", broken)
    inputs = [{"Values": [str(number)]} for number in range(5)]
    with pytest.raises(OSError, match="disk full"):
        partitions.batch_create_partition({"DatabaseName": "db", "TableName": "t", "PartitionInputList": inputs})
    assert partitions.get_partitions({"DatabaseName": "db", "TableName": "t"})["Partitions"] == []
    state.close()


def test_thousands_of_partitions_are_quick(tmp_path: Path) -> None:
    state, partitions = in_memory(tmp_path)
    place = {"DatabaseName": "db", "TableName": "t"}
    began = time.process_time()
    for batch in range(50):
        inputs = [{"Values": [f"{batch * 100 + number:05d}"], "StorageDescriptor": {}} for number in range(100)]
        partitions.batch_create_partition(place | {"PartitionInputList": inputs})
    expression = "month >= '02500' and month < '02600'"
    found = partitions.get_partitions(place | {"Expression": expression})["Partitions"]
    assert len(found) == 100
    assert time.process_time() - began < 5
    state.close()
