from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.glue.conftest import Call


def test_a_database_is_created_read_changed_and_deleted(glue: Call) -> None:
    glue("CreateDatabase", DatabaseInput={"Name": "Life_Cycle", "LocationUri": "s3://x/"})
    assert glue("GetDatabase", Name="life_cycle")["Database"]["LocationUri"] == "s3://x/"
    glue("UpdateDatabase", Name="life_cycle", DatabaseInput={"Name": "life_cycle", "Description": "changed"})
    changed = glue("GetDatabase", Name="LIFE_CYCLE")["Database"]
    assert (changed["Name"], changed["Description"]) == ("life_cycle", "changed")
    assert "LocationUri" not in changed
    assert "life_cycle" in [found["Name"] for found in glue("GetDatabases")["DatabaseList"]]
    glue("DeleteDatabase", Name="life_cycle")
    with pytest.raises(ClientError, match="EntityNotFoundException.*Database life_cycle not found"):
        glue("GetDatabase", Name="life_cycle")


def test_databases_come_in_pages(glue: Call, database: str) -> None:
    glue("CreateDatabase", DatabaseInput={"Name": f"{database}_2"})
    first = glue("GetDatabases", MaxResults=1)
    second = glue("GetDatabases", MaxResults=1, NextToken=first["NextToken"])
    assert first["DatabaseList"][0]["Name"] != second["DatabaseList"][0]["Name"]


def test_a_second_database_of_the_same_name_is_refused(glue: Call, database: str) -> None:
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        glue("CreateDatabase", DatabaseInput={"Name": database.upper()})


def test_a_table_is_created_read_changed_and_deleted(glue: Call, daily: str) -> None:
    table = glue("GetTable", DatabaseName=daily, Name="DAILY")["Table"]
    assert table["DatabaseName"] == daily
    assert [column["Name"] for column in table["PartitionKeys"]] == ["reading_type", "month"]
    assert (table["VersionId"], table["CatalogId"]) == ("0", "123456789012")
    changed = {"Name": "daily", "StorageDescriptor": {"Columns": [{"Name": "Meter_ID", "Type": "string"}]}}
    glue("UpdateTable", DatabaseName=daily, TableInput=changed)
    table = glue("GetTable", DatabaseName=daily, Name="daily")["Table"]
    assert table["StorageDescriptor"]["Columns"] == [{"Name": "meter_id", "Type": "string"}]
    assert table["VersionId"] == "1"
    assert "PartitionKeys" not in table
    glue("DeleteTable", DatabaseName=daily, Name="daily")
    with pytest.raises(ClientError, match="EntityNotFoundException.*Table daily not found"):
        glue("GetTable", DatabaseName=daily, Name="daily")


def test_a_table_that_changed_meanwhile_is_not_overwritten(glue: Call, daily: str) -> None:
    glue("UpdateTable", DatabaseName=daily, TableInput={"Name": "daily", "Description": "1"}, VersionId="0")
    with pytest.raises(ClientError, match="concurrent modifications"):
        glue("UpdateTable", DatabaseName=daily, TableInput={"Name": "daily", "Description": "2"}, VersionId="0")


def test_a_second_table_of_the_same_name_is_refused(glue: Call, daily: str) -> None:
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        glue("CreateTable", DatabaseName=daily, TableInput={"Name": "Daily"})


def test_a_table_needs_its_database(glue: Call) -> None:
    with pytest.raises(ClientError, match="EntityNotFoundException.*Database nowhere not found"):
        glue("CreateTable", DatabaseName="nowhere", TableInput={"Name": "daily"})


def test_tables_are_found_by_pattern_and_in_pages(glue: Call, daily: str) -> None:
    for name in ("aggregated_daily", "aggregated_weekly"):
        glue("CreateTable", DatabaseName=daily, TableInput={"Name": name})
    found = glue("GetTables", DatabaseName=daily, Expression="aggregated_*")["TableList"]
    assert [table["Name"] for table in found] == ["aggregated_daily", "aggregated_weekly"]
    first = glue("GetTables", DatabaseName=daily, MaxResults=2)
    rest = glue("GetTables", DatabaseName=daily, NextToken=first["NextToken"])
    assert [table["Name"] for table in first["TableList"] + rest["TableList"]] == [
        "aggregated_daily",
        "aggregated_weekly",
        "daily",
    ]
    assert "NextToken" not in rest


def test_a_token_that_was_never_given_is_refused(glue: Call, daily: str) -> None:
    with pytest.raises(ClientError, match="InvalidInputException"):
        glue("GetTables", DatabaseName=daily, NextToken="?")


def test_a_deleted_database_takes_its_tables_and_only_those_with_it(glue: Call, daily: str) -> None:
    glue("CreateDatabase", DatabaseInput={"Name": f"{daily}x"})
    glue("CreateTable", DatabaseName=f"{daily}x", TableInput={"Name": "kept"})
    glue("DeleteDatabase", Name=daily)
    glue("CreateDatabase", DatabaseInput={"Name": daily})
    assert glue("GetTables", DatabaseName=daily)["TableList"] == []
    assert glue("GetTable", DatabaseName=f"{daily}x", Name="kept")["Table"]["Name"] == "kept"


def test_tags_are_set_read_and_removed(glue: Call) -> None:
    arn = "arn:aws:glue:eu-west-1:123456789012:database/tagged"
    glue("TagResource", ResourceArn=arn, TagsToAdd={"owner": "metering", "zone": "clean"})
    glue("UntagResource", ResourceArn=arn, TagsToRemove=["zone"])
    assert glue("GetTags", ResourceArn=arn)["Tags"] == {"owner": "metering"}
