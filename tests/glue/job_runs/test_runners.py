"""Both runners of a job's work, as job runs on a real S3: in the job's own process, and spread by Spark."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from local_aws.infrastructure.artefacts import zipped
from local_aws.settings import REPOSITORY

pytestmark = pytest.mark.slow

# A module that is sent with the job, as the package of the jobs is.
MODULE = """
import os
from dataclasses import dataclass
import pyarrow as pa

@dataclass(frozen=True)
class Item:
    uri: str
    number: int
    rows: int

def write(store, item):
    store.write_parquet(item.uri, pa.table({"number": [item.number] * item.rows}), rows_a_group=2)
    if item.number == 99:
        raise ValueError("März.csv: line 3 has no end")
    return {"rows": item.rows, "process": os.getpid(), "threads": pa.cpu_count()}
"""
SCRIPT = """
import os, sys
from awsglue.utils import getResolvedOptions
from meter_data.lake import store as lake_store
from meter_data.runner import failures, work
import numbers_of_items as items

def main():
    options = getResolvedOptions(sys.argv, ["folder", "spread_above_rows", "last"])
    chosen = [items.Item(f"{options['folder']}/{n}.parquet", n, rows) for n, rows in [(1, 5), (2, 1), (3, 9)]]
    chosen.append(items.Item(f"{options['folder']}/last.parquet", int(options["last"]), 2))
    done = work.run(items.write, chosen, int(options["spread_above_rows"]))
    said = {"done": done, "process": os.getpid(), "spark": "pyspark" in sys.modules}
    lake_store.connect().write_json(f"{options['folder']}/summary.json", said)

failures.run(main)
"""


@pytest.fixture
def runner_job(aws: Callable[[str], Any], bucket: str) -> Callable[..., tuple[dict[str, Any], str]]:
    """runner_job(spread_above_rows, last): runs the script on four items; the run and the folder that it wrote."""
    s3, glue = aws("s3"), aws("glue")
    package = zipped(REPOSITORY / "include" / "glue" / "meter_data")
    s3.put_object(Bucket=bucket, Key="glue/meter_data.zip", Body=package)
    s3.put_object(Bucket=bucket, Key="glue/numbers_of_items.py", Body=MODULE.encode())
    s3.put_object(Bucket=bucket, Key="glue/runners.py", Body=SCRIPT.encode())
    sent = ",".join(f"s3://{bucket}/glue/{name}" for name in ("meter_data.zip", "numbers_of_items.py"))
    name = f"runners-{bucket}"
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{bucket}/glue/runners.py"}
    glue.create_job(Name=name, Role="r", Command=command, DefaultArguments={"--extra-py-files": sent})

    def run(spread_above_rows: int, last: int) -> tuple[dict[str, Any], str]:
        folder = f"out-{spread_above_rows}-{last}"
        given = {"--folder": f"s3://{bucket}/{folder}", "--last": str(last)}
        given["--spread_above_rows"] = str(spread_above_rows)
        return finished(glue, name, glue.start_job_run(JobName=name, Arguments=given)["JobRunId"]), folder

    return run


def finished(glue: Any, job: str, run_id: str) -> dict[str, Any]:
    """The run, once it has ended."""
    deadline = time.monotonic() + 120
    while (job_run := glue.get_job_run(JobName=job, RunId=run_id)["JobRun"])["JobRunState"] in ("STARTING", "RUNNING"):
        assert time.monotonic() < deadline, "the run does not end"
        time.sleep(0.05)
    return job_run


def test_both_runners_write_the_same_objects_and_say_the_same(
    runner_job: Callable[..., tuple[dict[str, Any], str]], aws: Callable[[str], Any], bucket: str
) -> None:
    s3 = aws("s3")

    def found(spread_above_rows: int) -> tuple[dict[str, bytes], dict[str, Any]]:
        job_run, folder = runner_job(spread_above_rows, last=4)
        assert job_run["JobRunState"] == "SUCCEEDED", job_run.get("ErrorMessage")
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}/")["Contents"]]
        content = {key.partition("/")[2]: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
        return content, json.loads(content.pop("summary.json"))

    alone, said_alone = found(17)
    spread, said_spread = found(16)

    assert sorted(alone) == ["1.parquet", "2.parquet", "3.parquet", "last.parquet"]
    assert alone == spread
    for said in (said_alone, said_spread):
        assert [done["rows"] for done in said["done"]] == [5, 1, 9, 2]
        assert {done["threads"] for done in said["done"]} == {1}
    assert said_alone["spark"] is False
    assert {done["process"] for done in said_alone["done"]} == {said_alone["process"]}
    assert said_spread["process"] not in {done["process"] for done in said_spread["done"]}


@pytest.mark.parametrize("spread_above_rows", [17, 0])
def test_the_message_of_a_failed_item_is_the_message_of_the_run(
    runner_job: Callable[..., tuple[dict[str, Any], str]], spread_above_rows: int
) -> None:
    job_run, _ = runner_job(spread_above_rows, last=99)

    assert job_run["JobRunState"] == "FAILED"
    assert job_run["ErrorMessage"] == "ValueError: März.csv: line 3 has no end"
