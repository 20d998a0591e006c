"""Athena's API: life of a query, its result on S3 and in pages, parameters, workgroups, restart."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.athena import athena_services
from local_aws.athena.execution_store import KIND
from local_aws.settings import Settings
from local_aws.state import State
from tests.local_aws.athena.conftest import Lake
from tests.local_aws.service_model import call

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def athena(settings: Settings, lake: Lake) -> Call:
    """athena("GetWorkGroup", WorkGroup=…), each answer checked against botocore's model."""

    def ask(operation: str, **parameters: Any) -> dict[str, Any]:
        return call(settings, "athena", operation, **parameters)

    return ask


def refused(code: str = "InvalidRequestException") -> Any:
    return pytest.raises(ClientError, match=code)


def test_a_query_goes_from_start_to_its_result(athena: Call, lake: Lake) -> None:
    query_id = athena(
        "StartQueryExecution",
        QueryString="SELECT meter_id, reading_value FROM daily WHERE reading_type = 'ERR'",
        QueryExecutionContext={"Database": lake.database, "Catalog": "AwsDataCatalog"},
        ResultConfiguration={"OutputLocation": f"s3://{lake.bucket}/results"},
        ClientRequestToken=str(uuid.uuid4()),
    )["QueryExecutionId"]
    lake.finish(query_id)

    execution = athena("GetQueryExecution", QueryExecutionId=query_id)["QueryExecution"]
    assert execution["Status"]["State"] == "SUCCEEDED"
    assert execution["StatementType"] == "DML"
    assert execution["ResultConfiguration"]["OutputLocation"] == f"s3://{lake.bucket}/results/{query_id}.csv"
    assert execution["Statistics"]["DataScannedInBytes"] > 0
    assert execution["Status"]["SubmissionDateTime"] <= execution["Status"]["CompletionDateTime"]

    result = athena("GetQueryResults", QueryExecutionId=query_id)["ResultSet"]
    assert result["Rows"] == [
        {"Data": [{"VarCharValue": "meter_id"}, {"VarCharValue": "reading_value"}]},
        {"Data": [{"VarCharValue": "M3"}, {}]},
    ]
    written = lake.s3.get_object(Bucket=lake.bucket, Key=f"results/{query_id}.csv")["Body"].read()
    assert written == b'"meter_id","reading_value"\n"M3",\n'

    rows = athena("GetQueryRuntimeStatistics", QueryExecutionId=query_id)["QueryRuntimeStatistics"]["Rows"]
    assert rows["OutputRows"] == 1
    assert rows["OutputBytes"] == len(written)


def test_quotes_and_line_ends_of_a_value_survive_in_the_file(lake: Lake) -> None:
    query_id = lake.start("SELECT 'say \"é\"\n', ''")
    lake.finish(query_id)

    written = lake.s3.get_object(Bucket=lake.bucket, Key=f"results/{query_id}.csv")["Body"].read()

    assert written.decode() == '"_col0","_col1"\n"say ""é""\n",""\n'


def test_results_come_in_pages_with_the_header_in_the_first(athena: Call, lake: Lake) -> None:
    query_id = lake.start("SELECT n FROM UNNEST(sequence(1, 2500)) AS numbers(n) ORDER BY n")
    lake.finish(query_id)
    values, token, pages = [], {}, 0
    while True:
        page = athena("GetQueryResults", QueryExecutionId=query_id, **token)
        values += [row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]]
        pages += 1
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}

    assert values == ["n", *(str(number) for number in range(1, 2501))]
    assert pages == 3
    small = athena("GetQueryResults", QueryExecutionId=query_id, MaxResults=2, NextToken="1001")
    assert [row["Data"][0]["VarCharValue"] for row in small["ResultSet"]["Rows"]] == ["1001", "1002"]


def test_parameters_are_values_and_never_a_part_of_the_query(lake: Lake) -> None:
    sql = "SELECT count(*) FROM daily WHERE month = ? AND meter_id = ? LIMIT 5 -- not this ?\n"

    assert lake.rows(sql, ExecutionParameters=["'201301'", "'M1'"]) == [("1",)]
    assert lake.rows(sql, ExecutionParameters=["'201301'", "'x'' OR ''1''=''1'"]) == [("0",)]
    assert lake.failure(sql, ExecutionParameters=["'201301'", "'x' OR 1=1"]).startswith("SYNTAX_ERROR")
    assert lake.failure(sql, ExecutionParameters=["'201301'", "meter_id"]).startswith("SYNTAX_ERROR")
    assert lake.failure(sql, ExecutionParameters=["'201301'"]).startswith("INVALID_PARAMETER_USAGE")


def test_the_same_request_token_starts_one_query_only(lake: Lake) -> None:
    token = str(uuid.uuid4())

    assert lake.start("SELECT 1", ClientRequestToken=token) == lake.start("SELECT 1", ClientRequestToken=token)
    assert lake.start("SELECT 1") != lake.start("SELECT 1")


def test_a_running_query_can_be_stopped(athena: Call, lake: Lake) -> None:
    numbers = "UNNEST(sequence(1, 100000))"
    query_id = lake.start(
        f"SELECT sum(a.n * b.n) FROM {numbers} AS a(n) CROSS JOIN {numbers} AS b(n) CROSS JOIN {numbers} AS c(n)"
    )
    with refused():
        athena("GetQueryResults", QueryExecutionId=query_id)

    athena("StopQueryExecution", QueryExecutionId=query_id)

    status = lake.finish(query_id)["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Query cancelled by user")
    assert lake.rows("SELECT 1") == [("1",)]


def test_queries_are_listed_by_workgroup_the_newest_first(athena: Call, lake: Lake) -> None:
    group = f"group-{uuid.uuid4().hex[:6]}"
    location = {"ResultConfiguration": {"OutputLocation": f"s3://{lake.bucket}/{group}/"}}
    athena("CreateWorkGroup", Name=group, Configuration=location, Description="Analysts")
    ids = [lake.start("SELECT 1", WorkGroup=group) for _ in range(3)]

    assert athena("ListQueryExecutions", WorkGroup=group)["QueryExecutionIds"] == ids[::-1]
    first = athena("ListQueryExecutions", WorkGroup=group, MaxResults=2)
    rest = athena("ListQueryExecutions", WorkGroup=group, NextToken=first["NextToken"])
    assert first["QueryExecutionIds"] + rest["QueryExecutionIds"] == ids[::-1]
    # A workgroup that enforces its configuration overrules the request's folder.
    assert lake.finish(ids[0])["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{lake.bucket}/{group}/")

    several = athena("BatchGetQueryExecution", QueryExecutionIds=[ids[0], "unknown"])
    assert [execution["QueryExecutionId"] for execution in several["QueryExecutions"]] == [ids[0]]
    assert [missing["QueryExecutionId"] for missing in several["UnprocessedQueryExecutionIds"]] == ["unknown"]


def test_workgroups_are_made_changed_listed_and_deleted(athena: Call) -> None:
    group = f"group-{uuid.uuid4().hex[:6]}"
    athena("CreateWorkGroup", Name=group)
    with refused():
        athena("CreateWorkGroup", Name=group)
    updates = {"ResultConfigurationUpdates": {"OutputLocation": "s3://new/"}, "BytesScannedCutoffPerQuery": 10000000}
    athena("UpdateWorkGroup", WorkGroup=group, Description="new", ConfigurationUpdates=updates)

    found = athena("GetWorkGroup", WorkGroup=group)["WorkGroup"]

    assert (found["Description"], found["State"]) == ("new", "ENABLED")
    assert found["Configuration"]["ResultConfiguration"] == {"OutputLocation": "s3://new/"}
    assert found["Configuration"]["BytesScannedCutoffPerQuery"] == 10000000
    assert {"primary", group} <= {item["Name"] for item in athena("ListWorkGroups")["WorkGroups"]}
    athena("DeleteWorkGroup", WorkGroup=group)
    with refused():
        athena("GetWorkGroup", WorkGroup=group)
    with refused():
        athena("DeleteWorkGroup", WorkGroup="primary")


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"ResultConfiguration": {"OutputLocation": "s3://no-such-bucket-anywhere/results"}},
        {"WorkGroup": "nobody"},
        {"QueryExecutionContext": {"Catalog": "other"}},
    ],
)
def test_a_request_that_cannot_be_served_is_refused(athena: Call, parameters: dict[str, Any]) -> None:
    with refused():
        athena("StartQueryExecution", QueryString="SELECT 1", **parameters)


@pytest.mark.parametrize(
    "operation", ["GetQueryExecution", "GetQueryResults", "StopQueryExecution", "GetQueryRuntimeStatistics"]
)
def test_an_unknown_query_is_refused(athena: Call, operation: str) -> None:
    with refused():
        athena(operation, QueryExecutionId="nobody")


def test_results_of_a_failed_query_are_refused(athena: Call, lake: Lake) -> None:
    query_id = lake.run("SELECT nope FROM daily")["QueryExecutionId"]

    with pytest.raises(ClientError, match="Final query state: FAILED"):
        athena("GetQueryResults", QueryExecutionId=query_id)


def test_the_catalogs_databases_and_tables_are_seen(athena: Call, lake: Lake) -> None:
    where = {"CatalogName": "AwsDataCatalog", "DatabaseName": lake.database}

    assert athena("GetDatabase", **where)["Database"] == {"Name": lake.database, "Description": "Readings"}
    assert lake.database in {
        item["Name"] for item in athena("ListDatabases", CatalogName="AwsDataCatalog")["DatabaseList"]
    }
    table = athena("GetTableMetadata", **where, TableName="daily")["TableMetadata"]
    assert table["Columns"][0] == {"Name": "meter_id", "Type": "string"}
    assert [key["Name"] for key in table["PartitionKeys"]] == ["reading_type", "month"]
    assert [item["Name"] for item in athena("ListTableMetadata", **where)["TableMetadataList"]] == ["daily", "geo"]
    assert [item["Name"] for item in athena("ListTableMetadata", **where, Expression="d*")["TableMetadataList"]] == [
        "daily"
    ]
    with refused("MetadataException"):
        athena("GetTableMetadata", **where, TableName="nope")


def test_a_query_that_ran_when_the_stack_stopped_has_failed_after_a_restart(settings: Settings, tmp_path: Path) -> None:
    state = State(tmp_path / "state.sqlite")
    document = {
        "QueryExecutionId": "1",
        "Status": {"State": "RUNNING", "SubmissionDateTime": datetime.now(UTC)},
        "Statistics": {},
        "WorkGroup": "primary",
    }
    state.put(KIND, "1", document)
    services = athena_services(dataclasses.replace(settings, home=tmp_path), state)
    for service in services:
        service.on_start()

    found = next(service for service in services if hasattr(service, "get_query_execution")).get_query_execution(
        {"QueryExecutionId": "1"}
    )

    assert found["QueryExecution"]["Status"]["State"] == "FAILED"
    assert "was stopped" in found["QueryExecution"]["Status"]["StateChangeReason"]
    for service in services:
        service.on_stop()
    state.close()
