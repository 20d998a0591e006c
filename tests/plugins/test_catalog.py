"""Publishing partitions: exact requests, checked by botocore's model of Glue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber
from metering import catalog

WRITTEN_AT = datetime(2026, 1, 2, 10, 0, tzinfo=UTC)
PUBLISHED_AT = datetime(2026, 1, 2, 10, 5, tzinfo=UTC)
RUN = "20260102T090000-3fa2c1-1"
DESCRIPTOR = {"Columns": [{"Name": "meter_id", "Type": "string"}], "Location": "s3://business/daily/"}
WHERE = {"DatabaseName": "metering", "TableName": "daily"}


@pytest.fixture
def glue() -> Any:
    session = botocore.session.get_session()
    return session.create_client(
        "glue", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


@pytest.fixture
def stub(glue: Any) -> Iterator[Stubber]:
    with Stubber(glue) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def place(run: str, month: str) -> str:
    return f"s3://business/daily/run={run}/month={month}/"


def wanted(*months: str, replaces: str | None = "old-1") -> list[dict[str, Any]]:
    """Partitions of a summary; their job has read those of the run `replaces`."""
    return [
        {
            "values": ["INT", month],
            "location": place(RUN, month),
            "rows": 7,
            "replaces": replaces and place(replaces, month),
        }
        for month in months
    ]


def current(month: str, by: str, **parameters: str) -> dict[str, Any]:
    """A partition as the catalog holds it."""
    return {"Values": ["INT", month], "StorageDescriptor": {"Location": place(by, month)}, "Parameters": parameters}


def given(month: str) -> dict[str, Any]:
    """A partition as publish sends it."""
    return {
        "Values": ["INT", month],
        "StorageDescriptor": {**DESCRIPTOR, "Location": place(RUN, month)},
        "Parameters": {"run": RUN, "rows": "7", "published_at": "2026-01-02T10:05:00+00:00"},
    }


def knows(stub: Stubber, *partitions: dict[str, Any], table: bool = True) -> None:
    """The catalog answers with these partitions, one a page."""
    listed = {**WHERE, "ExcludeColumnSchema": True}
    for number, partition in enumerate(partitions):
        following = {"NextToken": str(number + 1)} if number + 1 < len(partitions) else {}
        token = {"NextToken": str(number)} if number else {}
        stub.add_response("get_partitions", {"Partitions": [partition], **following}, {**listed, **token})
    if not partitions:
        stub.add_response("get_partitions", {"Partitions": []}, listed)
    if table:
        answer = {"Table": {"Name": "daily", "StorageDescriptor": DESCRIPTOR}}
        stub.add_response("get_table", answer, {"DatabaseName": "metering", "Name": "daily"})


def publish(glue: Any, partitions: list[dict[str, Any]]) -> int:
    return catalog.publish(
        glue,
        database="metering",
        table="daily",
        partitions=partitions,
        run=RUN,
        written_at=WRITTEN_AT,
        published_at=PUBLISHED_AT,
    )


def test_new_partitions_are_created_and_known_ones_pointed_at_their_new_folder(glue: Any, stub: Stubber) -> None:
    knows(stub, current("201301", "old-1", published_at="2026-01-01T10:00:00+00:00"), current("201303", "old-1"))
    stub.add_response("batch_create_partition", {}, {**WHERE, "PartitionInputList": [given("201302")]})
    entry = {"PartitionValueList": ["INT", "201301"], "PartitionInput": given("201301")}
    stub.add_response("batch_update_partition", {}, {**WHERE, "Entries": [entry]})

    assert publish(glue, wanted("201301", "201302")) == 2


def test_publishing_again_points_at_the_same_folder(glue: Any, stub: Stubber) -> None:
    knows(stub, current("201301", RUN, run=RUN, published_at="2026-01-02T10:04:00+00:00"))
    entry = {"PartitionValueList": ["INT", "201301"], "PartitionInput": given("201301")}
    stub.add_response("batch_update_partition", {}, {**WHERE, "Entries": [entry]})

    assert publish(glue, wanted("201301")) == 1


def test_what_a_newer_run_has_published_is_not_taken_back(glue: Any, stub: Stubber) -> None:
    newer = current("201302", "newer-1", run="newer-1", published_at="2026-01-02T10:00:01+00:00")
    knows(stub, current("201301", "old-1"), newer, table=False)

    with pytest.raises(catalog.SupersededError, match=r"Run newer-1 has published daily INT/201302"):
        publish(glue, wanted("201301", "201302"))


@pytest.mark.parametrize("read", ["old-1", None], ids=["another version", "nothing"])
def test_what_was_published_while_the_job_worked_is_not_taken_back(glue: Any, stub: Stubber, read: str | None) -> None:
    meanwhile = current("201301", "other-1", run="other-1", published_at="2026-01-02T09:59:59+00:00")
    knows(stub, meanwhile, table=False)

    with pytest.raises(
        catalog.SupersededError, match=r"Run other-1 has published daily INT/201301 since this run's job"
    ):
        publish(glue, wanted("201301", replaces=read))


def test_a_version_that_was_published_once_more_since_counts_as_newer(glue: Any, stub: Stubber) -> None:
    """sweep_storage goes by the time only: it may have deleted the folders."""
    knows(stub, current("201301", "old-1", run="old-1", published_at="2026-01-02T10:00:01+00:00"), table=False)

    with pytest.raises(catalog.SupersededError, match="Run old-1"):
        publish(glue, wanted("201301"))


@pytest.mark.parametrize(
    ("now", "read"),
    [("other-1", None), (None, "old-1"), ("other-1", "old-1")],
    ids=["published since", "withdrawn since", "replaced since"],
)
def test_what_a_job_has_read_must_still_be_published(
    glue: Any, stub: Stubber, now: str | None, read: str | None
) -> None:
    knows(stub, *([current("201212", now)] if now else []), table=False)

    with pytest.raises(catalog.SupersededError, match=r"of daily INT/201212 has changed since .* Clear the Glue job"):
        catalog.require_unchanged(glue, database="metering", table="daily", read=[seen("201212", read)])


def test_what_is_published_as_a_job_has_read_it_is_unchanged(glue: Any, stub: Stubber) -> None:
    knows(stub, current("201212", "old-1"), table=False)

    read = [seen("201212", "old-1"), seen("201302", None)]
    catalog.require_unchanged(glue, database="metering", table="daily", read=read)


def seen(month: str, by: str | None) -> dict[str, Any]:
    return {"values": ["INT", month], "location": by and place(by, month)}


def test_more_than_a_hundred_partitions_go_in_several_calls(glue: Any, stub: Stubber) -> None:
    months = [f"{year}{month:02}" for year in range(2001, 2022) for month in range(1, 13)][:201]
    knows(stub)
    for chunk in (months[:100], months[100:200], months[200:]):
        stub.add_response(
            "batch_create_partition", {}, {**WHERE, "PartitionInputList": [given(month) for month in chunk]}
        )

    assert publish(glue, wanted(*months)) == 201


def test_a_batch_without_partitions_changes_nothing(glue: Any, stub: Stubber) -> None:
    knows(stub)

    assert publish(glue, []) == 0


def test_a_refused_partition_is_named(glue: Any, stub: Stubber) -> None:
    knows(stub)
    detail = {"ErrorCode": "AlreadyExistsException", "ErrorMessage": "Partition already exists."}
    refused = {"Errors": [{"PartitionValues": ["INT", "201301"], "ErrorDetail": detail}]}
    stub.add_response("batch_create_partition", refused)

    with pytest.raises(catalog.PublishError, match=r"daily: INT/201301: AlreadyExistsException"):
        publish(glue, wanted("201301"))


def test_a_refused_change_is_named(glue: Any, stub: Stubber) -> None:
    knows(stub, current("201301", "old-1"))
    detail = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Partition not found."}
    refused = {"Errors": [{"PartitionValueList": ["INT", "201301"], "ErrorDetail": detail}]}
    stub.add_response("batch_update_partition", refused)

    with pytest.raises(catalog.PublishError, match=r"INT/201301: EntityNotFoundException Partition not found"):
        publish(glue, wanted("201301"))


def test_numbers_as_values_become_text(glue: Any, stub: Stubber) -> None:
    knows(stub)
    stub.add_response(
        "batch_create_partition", {}, {**WHERE, "PartitionInputList": [{**given("201301"), "Values": ["2013"]}]}
    )

    assert publish(glue, [{**wanted("201301")[0], "values": [2013]}]) == 1


def test_the_published_dates_are_those_of_interval_readings(glue: Any, stub: Stubber) -> None:
    errors = {**current("201401", "old-1"), "Values": ["ERR", "201401"]}
    knows(stub, current("201302", "old-1"), current("201301", "old-1"), errors, table=False)

    assert catalog.published_dates(glue, "metering") == ["20130101-20130228"]


def test_a_partition_is_published_in_a_folder_and_at_a_time(glue: Any, stub: Stubber) -> None:
    crawled = {"Values": ["INT", "201302"], "StorageDescriptor": {"Location": "s3://business/somewhere"}}
    knows(stub, current("201301", RUN, published_at="2026-01-02T10:05:00+00:00"), crawled, table=False)

    assert catalog.published(glue, "metering", "daily") == {
        ("INT", "201301"): catalog.Published(place(RUN, "201301"), PUBLISHED_AT),
        ("INT", "201302"): catalog.Published("s3://business/somewhere/", None),
    }


def test_only_known_partitions_are_withdrawn(glue: Any, stub: Stubber) -> None:
    knows(stub, current("201301", RUN), current("201302", RUN), table=False)
    stub.add_response("batch_delete_partition", {}, {**WHERE, "PartitionsToDelete": [{"Values": ["INT", "201301"]}]})

    catalog.withdraw(glue, database="metering", table="daily", values=[("INT", "201301"), ("INT", "209901")])


def test_a_partition_that_cannot_be_withdrawn_is_named(glue: Any, stub: Stubber) -> None:
    knows(stub, current("201301", RUN), table=False)
    detail = {"ErrorCode": "InternalServiceException", "ErrorMessage": "Try again."}
    stub.add_response(
        "batch_delete_partition", {"Errors": [{"PartitionValues": ["INT", "201301"], "ErrorDetail": detail}]}
    )

    with pytest.raises(catalog.PublishError, match=r"INT/201301: InternalServiceException Try again"):
        catalog.withdraw(glue, database="metering", table="daily", values=[("INT", "201301")])
