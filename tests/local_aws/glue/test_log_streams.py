from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local_aws.glue import log_store
from local_aws.glue.log_store import LogStore
from tests.local_aws.glue.conftest import Call

NOW = int(time.time() * 1000)


@pytest.fixture
def group(logs: Call) -> str:
    """A new group with the empty streams a and b."""
    name = f"/test/{uuid.uuid4().hex[:8]}"
    logs("CreateLogGroup", logGroupName=name)
    for stream in ("a", "b"):
        logs("CreateLogStream", logGroupName=name, logStreamName=stream)
    return name


def put(logs: Call, group: str, stream: str, *messages: str, begin: int = NOW) -> None:
    events = [{"timestamp": begin + number, "message": message} for number, message in enumerate(messages)]
    logs("PutLogEvents", logGroupName=group, logStreamName=stream, logEvents=events)


def test_events_are_read_forward_by_token_until_the_token_stays_the_same(logs: Call, group: str) -> None:
    wanted = {"logGroupName": group, "logStreamName": "a", "startFromHead": True, "limit": 2}
    empty = logs("GetLogEvents", **wanted)
    assert empty["events"] == []
    put(logs, group, "a", "1", "2", "3")
    put(logs, group, "b", "other stream")
    first = logs("GetLogEvents", **wanted, nextToken=empty["nextForwardToken"])
    second = logs("GetLogEvents", **wanted, nextToken=first["nextForwardToken"])
    third = logs("GetLogEvents", **wanted, nextToken=second["nextForwardToken"])
    assert [event["message"] for event in first["events"] + second["events"]] == ["1", "2", "3"]
    assert third["events"] == []
    assert third["nextForwardToken"] == second["nextForwardToken"]
    put(logs, group, "a", "4")
    assert [e["message"] for e in logs("GetLogEvents", **wanted, nextToken=third["nextForwardToken"])["events"]] == [
        "4"
    ]


def test_without_start_from_head_the_newest_come_first_and_older_ones_by_the_backward_token(
    logs: Call, group: str
) -> None:
    put(logs, group, "a", "1", "2", "3")
    newest = logs("GetLogEvents", logGroupName=group, logStreamName="a", limit=2)
    older = logs("GetLogEvents", logGroupName=group, logStreamName="a", nextToken=newest["nextBackwardToken"])
    assert [event["message"] for event in newest["events"]] == ["2", "3"]
    assert [event["message"] for event in older["events"]] == ["1"]


def test_events_are_filtered_by_time_stream_and_words_and_come_in_pages(logs: Call, group: str) -> None:
    put(logs, group, "a", "an ERROR here", "fine", "ERROR again")
    put(logs, group, "b", "ERROR elsewhere")
    named = {"logGroupName": group, "logStreamNames": ["a"]}
    found = logs("FilterLogEvents", **named, filterPattern="ERROR")["events"]
    assert [(event["logStreamName"], event["message"]) for event in found] == [
        ("a", "an ERROR here"),
        ("a", "ERROR again"),
    ]
    assert len(logs("FilterLogEvents", **named, startTime=NOW + 1, endTime=NOW + 1)["events"]) == 1
    first = logs("FilterLogEvents", logGroupName=group, limit=3)
    rest = logs("FilterLogEvents", logGroupName=group, nextToken=first["nextToken"])
    assert [event["message"] for event in rest["events"]] == ["ERROR elsewhere"]
    assert "nextToken" not in rest


def test_a_pattern_that_is_not_served_is_refused(logs: Call, group: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs("FilterLogEvents", logGroupName=group, filterPattern='{ $.level = "ERROR" }')


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("GetLogEvents", {"logStreamName": "nothing"}),
        ("FilterLogEvents", {"logStreamNames": ["nothing"]}),
        ("PutLogEvents", {"logStreamName": "nothing", "logEvents": [{"timestamp": NOW, "message": "x"}]}),
        ("DeleteLogStream", {"logStreamName": "nothing"}),
    ],
)
def test_a_missing_stream_is_an_error(logs: Call, group: str, operation: str, parameters: dict) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException.*log stream does not exist"):
        logs(operation, logGroupName=group, **parameters)


def test_a_missing_group_is_an_error(logs: Call) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException.*log group does not exist"):
        logs("GetLogEvents", logGroupName="/nothing", logStreamName="a")


def test_events_of_one_request_must_be_in_the_order_of_time(logs: Call, group: str) -> None:
    events = [{"timestamp": NOW + 1, "message": "later"}, {"timestamp": NOW, "message": "earlier"}]
    with pytest.raises(ClientError, match="chronological order"):
        logs("PutLogEvents", logGroupName=group, logStreamName="a", logEvents=events)


def test_groups_and_streams_are_described_and_deleted(logs: Call, group: str) -> None:
    put(logs, group, "a", "1", "2")
    put(logs, group, "b", "0", begin=NOW - 1000)
    logs("PutRetentionPolicy", logGroupName=group, retentionInDays=30)
    (described,) = logs("DescribeLogGroups", logGroupNamePrefix=group)["logGroups"]
    assert (described["retentionInDays"], described["arn"]) == (
        30,
        f"arn:aws:logs:eu-west-1:123456789012:log-group:{group}:*",
    )
    logs("DeleteRetentionPolicy", logGroupName=group)
    assert "retentionInDays" not in logs("DescribeLogGroups", logGroupNamePrefix=group)["logGroups"][0]
    streams = logs("DescribeLogStreams", logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["a", "b"]
    assert streams[0]["lastEventTimestamp"] == NOW + 1
    first = logs("DescribeLogStreams", logGroupName=group, limit=1)
    second = logs("DescribeLogStreams", logGroupName=group, limit=1, nextToken=first["nextToken"])
    assert [found["logStreams"][0]["logStreamName"] for found in (first, second)] == ["a", "b"]
    logs("DeleteLogStream", logGroupName=group, logStreamName="b")
    assert len(logs("DescribeLogStreams", logGroupName=group)["logStreams"]) == 1
    with pytest.raises(ClientError, match="ResourceAlreadyExistsException"):
        logs("CreateLogGroup", logGroupName=group)
    with pytest.raises(ClientError, match="ResourceAlreadyExistsException"):
        logs("CreateLogStream", logGroupName=group, logStreamName="a")
    logs("DeleteLogGroup", logGroupName=group)
    assert logs("DescribeLogGroups", logGroupNamePrefix=group)["logGroups"] == []


def test_a_stream_keeps_its_newest_events_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_store, "MOST_EVENTS", 10)
    store = LogStore(tmp_path / "logs.sqlite")
    stream = store.open_stream("g", "s")
    other = store.open_stream("g", "other")
    store.put(other, [(0, "kept")])
    for number in range(25):
        store.put(stream, [(number, str(number))])
    assert [event.message for event in store.events(store.streams("g", "s"))] == [
        str(number) for number in range(15, 25)
    ]
    assert [event.message for event in store.events(store.streams("g", "other"))] == ["kept"]
    store.close()


def test_streams_are_removed_when_their_retention_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LogStore(tmp_path / "logs.sqlite")
    store.create_group("g")
    store.set_retention("g", 3)
    store.put(store.open_stream("g", "old"), [(0, "x")])
    later = log_store.now() + 4 * 86_400_000
    monkeypatch.setattr(log_store, "now", lambda: later)
    store.open_stream("g", "new")
    assert [stream.name for stream in store.streams("g")] == ["new"]
    store.close()
