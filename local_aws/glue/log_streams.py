"""CloudWatch Logs: what jobs and crawlers wrote, and what anybody puts there."""

from __future__ import annotations

import shlex

from local_aws.glue.log_store import Event, LogStore, Stream
from local_aws.service import Request, Response, Service, ServiceError


class LogStreams(Service):
    """Groups, streams and events, as far as operators, hooks and deployment need them.

    Tokens are positions in a stream: f/12 means after event 12, b/12 before it.
    """

    service_name = "logs"

    def __init__(self, store: LogStore, arn_prefix: str) -> None:
        """`arn_prefix`: arn:<partition>:logs:<region>:<account>."""
        self._store = store
        self._arn_prefix = arn_prefix

    def on_stop(self) -> None:
        self._store.close()

    def create_log_group(self, request: Request) -> Response:
        if not self._store.create_group(request["logGroupName"]):
            raise ServiceError("ResourceAlreadyExistsException", "The specified log group already exists")
        return {}

    def delete_log_group(self, request: Request) -> Response:
        if not self._store.delete_group(request["logGroupName"]):
            raise _no_group()
        return {}

    def put_retention_policy(self, request: Request) -> Response:
        self._require_group(request["logGroupName"])
        self._store.set_retention(request["logGroupName"], request["retentionInDays"])
        return {}

    def delete_retention_policy(self, request: Request) -> Response:
        self._require_group(request["logGroupName"])
        self._store.set_retention(request["logGroupName"], None)
        return {}

    def describe_log_groups(self, request: Request) -> Response:
        groups = self._store.groups(request.get("logGroupNamePrefix", ""))
        if wanted := request.get("logGroupNamePattern"):
            groups = [group for group in groups if wanted.lower() in group.name.lower()]
        after = request.get("nextToken", "")
        limit = request.get("limit", 50)
        rest = [group for group in groups if group.name > after]
        described = [
            {
                "logGroupName": group.name,
                "creationTime": group.created,
                "arn": f"{self._arn_prefix}:log-group:{group.name}:*",
                "logGroupArn": f"{self._arn_prefix}:log-group:{group.name}",
                "metricFilterCount": 0,
                "logGroupClass": "STANDARD",
                **({"retentionInDays": group.retention_days} if group.retention_days else {}),
            }
            for group in rest[:limit]
        ]
        return {"logGroups": described} | ({"nextToken": rest[limit - 1].name} if len(rest) > limit else {})

    def create_log_stream(self, request: Request) -> Response:
        self._require_group(request["logGroupName"])
        if not self._store.create_stream(request["logGroupName"], request["logStreamName"]):
            raise ServiceError("ResourceAlreadyExistsException", "The specified log stream already exists")
        return {}

    def delete_log_stream(self, request: Request) -> Response:
        self._require_group(request["logGroupName"])
        if not self._store.delete_stream(request["logGroupName"], request["logStreamName"]):
            raise _no_stream()
        return {}

    def describe_log_streams(self, request: Request) -> Response:
        group = self._group(request)
        streams = self._store.streams(group, request.get("logStreamNamePrefix", ""))
        if request.get("orderBy") == "LastEventTime":
            streams.sort(key=lambda stream: stream.last_event or 0)
        if request.get("descending"):
            streams.reverse()
        begin = int(request.get("nextToken", "0"))
        end = begin + request.get("limit", 50)
        described = [self._described(group, stream) for stream in streams[begin:end]]
        return {"logStreams": described} | ({"nextToken": str(end)} if len(streams) > end else {})

    def put_log_events(self, request: Request) -> Response:
        stream = self._stream(request["logGroupName"], request["logStreamName"])
        events = [(event["timestamp"], event["message"]) for event in request["logEvents"]]
        if sorted(events, key=lambda event: event[0]) != events:
            raise ServiceError(
                "InvalidParameterException",
                "Log events in a single PutLogEvents request must be in chronological order",
            )
        self._store.put(stream.id, events)
        return {"nextSequenceToken": str(request["logEvents"][-1]["timestamp"])}

    def get_log_events(self, request: Request) -> Response:
        """At the end of the stream the next forward token is the one that was given."""
        stream = self._stream(self._group(request), request["logStreamName"])
        direction, position = _position(request.get("nextToken"))
        forward = direction == "f" if direction else request.get("startFromHead", False)
        events = self._store.events(
            [stream],
            start=request.get("startTime"),
            end=None if request.get("endTime") is None else request["endTime"] + 1,
            after=position if direction == "f" else 0,
            before=position if direction == "b" else None,
            limit=request.get("limit", 10_000),
            newest=not forward,
        )
        first, last = (events[0].id, events[-1].id) if events else (position, position)
        return {
            "events": [
                {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested}
                for event in events
            ],
            "nextForwardToken": f"f/{last}",
            "nextBackwardToken": f"b/{first}",
        }

    def filter_log_events(self, request: Request) -> Response:
        """Events of the named streams (all of the group by default) that hold every term of filterPattern."""
        group = self._group(request)
        if names := request.get("logStreamNames"):
            streams = [self._stream(group, name) for name in names]
        else:
            streams = self._store.streams(group, request.get("logStreamNamePrefix", ""))
        limit = request.get("limit", 10_000)
        events = self._store.events(
            streams,
            start=request.get("startTime"),
            end=None if request.get("endTime") is None else request["endTime"] + 1,
            after=_position(request.get("nextToken"))[1],
            limit=limit + 1,
        )
        more = {"nextToken": f"f/{events[limit - 1].id}"} if len(events) > limit else {}
        terms = _terms(request.get("filterPattern", ""))
        chosen = [event for event in events[:limit] if all(term in event.message for term in terms)]
        return {"events": [_filtered(event) for event in chosen], "searchedLogStreams": [], **more}

    def _group(self, request: Request) -> str:
        """The group's name, given as such or as the ARN that may stand in logGroupIdentifier."""
        name = request.get("logGroupName") or request.get("logGroupIdentifier", "").rpartition(":log-group:")[2]
        self._require_group(name)
        return name

    def _require_group(self, name: str) -> None:
        if self._store.group(name) is None:
            raise _no_group()

    def _stream(self, group: str, name: str) -> Stream:
        self._require_group(group)
        stream = self._store.stream(group, name)
        if stream is None:
            raise _no_stream()
        return stream

    def _described(self, group: str, stream: Stream) -> Response:
        times = {
            "firstEventTimestamp": stream.first_event,
            "lastEventTimestamp": stream.last_event,
            "lastIngestionTime": stream.last_ingestion,
        }
        return {
            "logStreamName": stream.name,
            "creationTime": stream.created,
            "arn": f"{self._arn_prefix}:log-group:{group}:log-stream:{stream.name}",
            **{name: value for name, value in times.items() if value is not None},
        }


def _filtered(event: Event) -> Response:
    return {
        "logStreamName": event.stream,
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingested,
        "eventId": f"{event.id:056d}",
    }


def _position(token: str | None) -> tuple[str, int]:
    if not token:
        return "", 0
    direction, _, number = token.partition("/")
    if direction not in ("f", "b") or not number.isdigit():
        raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.")
    return direction, int(number)


def _terms(pattern: str) -> list[str]:
    """The words and quoted texts that must all stand in a message. Fields, JSON and regular expressions are refused."""
    if pattern.lstrip().startswith(("{", "[", "%", "?", "-")):
        raise ServiceError("InvalidParameterException", f"Filter pattern {pattern!r} is not served here: terms only")
    try:
        return shlex.split(pattern)
    except ValueError as error:
        raise ServiceError("InvalidParameterException", f"Filter pattern {pattern!r}: {error}") from None


def _no_group() -> ServiceError:
    return ServiceError("ResourceNotFoundException", "The specified log group does not exist.")


def _no_stream() -> ServiceError:
    return ServiceError("ResourceNotFoundException", "The specified log stream does not exist.")
