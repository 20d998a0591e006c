"""What the tests of job runs share: waiting, uploading, reading logs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil

from local_aws.engines.seaweedfs import SeaweedFS
from tests.local_aws.glue.conftest import Call


def lives(pid: int) -> bool:
    """Whether the process is there and not merely unburied."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """What the condition returns, once that is true."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)
    return result


def upload(seaweedfs: SeaweedFS, bucket: str, key: str, body: str | bytes) -> str:
    seaweedfs.client().put_object(Bucket=bucket, Key=key, Body=body.encode() if isinstance(body, str) else body)
    return f"s3://{bucket}/{key}"


def ended(job_run: dict[str, Any]) -> dict[str, Any] | None:
    return None if job_run["JobRunState"] in ("STARTING", "RUNNING", "STOPPING") else job_run


def messages(logs: Call, job_run: dict[str, Any], kind: str) -> list[str]:
    group = f"{job_run['LogGroupName']}/{kind}"
    events = logs("GetLogEvents", logGroupName=group, logStreamName=job_run["Id"], startFromHead=True)["events"]
    return [event["message"] for event in events]
