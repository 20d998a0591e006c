"""Transform jobs with the fake container: records in, records with predictions out, and every way to fail."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.engines.seaweedfs import SeaweedFS
from tests.local_aws.sagemaker import requests
from tests.local_aws.sagemaker.conftest import Call

Create = Callable[..., str]
# As the DAG sends it.
JOINED = {
    "InputFilter": "$['start','target']",
    "JoinSource": "Input",
    "OutputFilter": "$['meter_id','SageMakerOutput']",
}


def transform_job(model: str, source: str, target: str, **changes: Any) -> dict[str, Any]:
    job = {
        "TransformJobName": requests.new_name("transform"),
        "ModelName": model,
        "BatchStrategy": "SingleRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": target, "Accept": "application/jsonlines", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
    }
    for name, value in changes.items():
        job[name] = {**job[name], **value} if isinstance(job.get(name), dict) else value
    return job


class Folder:
    """A folder of its own on S3, with the inputs under in/ and the outputs under out/."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = requests.new_name("transforms")
        self.source = f"s3://{bucket}/{self._prefix}/in/"
        self.target = f"s3://{bucket}/{self._prefix}/out"

    def write(self, name: str, body: bytes) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=f"{self._prefix}/in/{name}", Body=body)

    def read(self) -> dict[str, list[Any]]:
        """The outputs' lines by the outputs' names."""
        prefix = f"{self._prefix}/out/"
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix).get("Contents", [])
        bodies = {
            entry["Key"].removeprefix(prefix): self._s3.get_object(Bucket=self._bucket, Key=entry["Key"])["Body"].read()
            for entry in found
        }
        return {name: [json.loads(line) for line in body.splitlines()] for name, body in bodies.items()}


@pytest.fixture
def folder(seaweedfs: SeaweedFS, data: str) -> Folder:
    return Folder(seaweedfs.client(), data)


@pytest.fixture
def transform(sagemaker: Call) -> Callable[..., dict[str, Any]]:
    """Run a job to its end; returns its description."""

    def to_the_end(*parts: str, **changes: Any) -> dict[str, Any]:
        job = transform_job(*parts, **changes)
        sagemaker("CreateTransformJob", **job)
        return ended(sagemaker, job["TransformJobName"])

    return to_the_end


def ended(sagemaker: Call, name: str) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        job = sagemaker("DescribeTransformJob", TransformJobName=name)
        return None if job["TransformJobStatus"] in ("InProgress", "Stopping") else job

    return requests.until(over)


def container_lines(logs: Call, job: str) -> list[str]:
    group = "/aws/sagemaker/TransformJobs"
    streams = logs("DescribeLogStreams", logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
    [name] = [stream["logStreamName"] for stream in streams if not stream["logStreamName"].endswith("data-log")]
    events = logs("GetLogEvents", logGroupName=group, logStreamName=name, startFromHead=True)["events"]
    return [event["message"] for event in events]


Transform = Callable[..., dict[str, Any]]


def test_each_record_gets_its_prediction_and_keeps_its_own_members(
    transform: Transform, model: Create, folder: Folder
) -> None:
    records = [{"meter_id": name, "start": "2026-01-01 00:00:00", "target": [1, None]} for name in ("b", "a")]
    folder.write("0001.jsonl", "\n".join(json.dumps(record) for record in records).encode())
    folder.write("0002.jsonl", json.dumps(records[1]).encode() + b"\n\n")

    job = transform(model("blue"), folder.source, folder.target, DataProcessing=JOINED)

    assert job["TransformJobStatus"] == "Completed"
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    prediction = {
        "model": {"label": "blue"},
        "accept": "application/jsonlines",
        "got": {"start": "2026-01-01 00:00:00", "target": [1, None]},
    }
    assert folder.read() == {
        "0001.jsonl.out": [{"meter_id": name, "SageMakerOutput": prediction} for name in ("b", "a")],
        "0002.jsonl.out": [{"meter_id": "a", "SageMakerOutput": prediction}],
    }


def test_without_processing_the_answers_alone_are_stored(transform: Transform, model: Create, folder: Folder) -> None:
    folder.write("sub/a.jsonl", b'{"x": 1}\n{"x": 2}\n')
    transform(model(), folder.source, folder.target)
    assert [line["got"] for line in folder.read()["sub/a.jsonl.out"]] == [{"x": 1}, {"x": 2}]


def test_records_go_together_as_far_as_the_payload_allows(
    transform: Transform, model: Create, folder: Folder, logs: Call
) -> None:
    record = json.dumps({"x": "y" * 400_000}).encode()
    folder.write("a.jsonl", b"\n".join([record] * 5))
    job = transform(
        model(),
        folder.source,
        folder.target,
        BatchStrategy="MultiRecord",
        MaxPayloadInMB=1,
        DataProcessing={"OutputFilter": "$.got.x"},
    )
    assert folder.read()["a.jsonl.out"] == ["y" * 400_000] * 5
    sizes = [line for line in container_lines(logs, job["TransformJobName"]) if line.startswith("request")]
    assert sizes == ["request of 800019", "request of 800019", "request of 400009"]


def test_a_record_that_is_no_object_stands_under_a_name_of_its_own(
    transform: Transform, model: Create, folder: Folder
) -> None:
    folder.write("a.jsonl", b"[1, 2, 3]\n")
    transform(model(), folder.source, folder.target, DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input"})
    [line] = folder.read()["a.jsonl.out"]
    assert line["SageMakerInput"] == [1, 2, 3]
    assert line["SageMakerOutput"]["got"] == [2, 3]


def test_a_packed_object_is_unpacked_and_a_whole_object_is_one_request(
    transform: Transform, model: Create, folder: Folder
) -> None:
    folder.write("a.json.gz", gzip.compress(b'{"x": 1}'))
    transform(
        model(),
        folder.source,
        folder.target,
        TransformInput={"CompressionType": "Gzip", "SplitType": "None", "ContentType": "application/json"},
        TransformOutput={"AssembleWith": "None", "Accept": "application/json"},
        DataProcessing={"JoinSource": "Input", "OutputFilter": "$['x','SageMakerOutput']"},
    )
    [line] = folder.read()["a.json.gz.out"]
    assert (line["x"], line["SageMakerOutput"]["got"]) == (1, {"x": 1})


def test_jobs_of_one_model_share_its_process_and_each_has_its_own_log(
    transform: Transform, model: Create, folder: Folder, logs: Call
) -> None:
    folder.write("a.jsonl", b'{"x": 1}\n')
    name = model()
    first = transform(name, folder.source, folder.target)
    second = transform(name, folder.source, folder.target)
    other = transform(name, folder.source, folder.target, Environment={"START_SECONDS": "0"})
    assert container_lines(logs, first["TransformJobName"]) == ['serving {"label": "a"}', "request of 8"]
    assert requests.until(lambda: container_lines(logs, second["TransformJobName"])) == ["request of 8"]
    assert container_lines(logs, other["TransformJobName"])[0] == 'serving {"label": "a"}'


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"x": "refuse"}', "ClientError: {}a.jsonl: Bad HTTP status received from algorithm: 400: the record says re"),
        ('{"x": "crash"}', "AlgorithmError: {}a.jsonl: Bad HTTP status received from algorithm: 500: the record says"),
        ('{"x": "die"}', "AlgorithmError: {}a.jsonl: the container gave no answer"),
        ("{", "ClientError: {}a.jsonl: no JSON"),
        ('{"y": 1}', "ClientError: {}a.jsonl: the JSONPath $.x finds no member 'x'"),
    ],
)
def test_one_bad_record_fails_the_job_with_its_reason_and_stores_nothing(
    transform: Transform, model: Create, folder: Folder, logs: Call, record: str, reason: str
) -> None:
    folder.write("a.jsonl", b'{"x": "good"}\n' + record.encode())
    job = transform(model(), folder.source, folder.target, DataProcessing={"InputFilter": "$.x"})

    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason.format(folder.source))
    assert folder.read() == {}
    group, prefix = "/aws/sagemaker/TransformJobs", job["TransformJobName"]
    streams = logs("DescribeLogStreams", logGroupName=group, logStreamNamePrefix=f"{prefix}/")["logStreams"]
    [name] = [stream["logStreamName"] for stream in streams if stream["logStreamName"].endswith("/data-log")]
    lines = logs("GetLogEvents", logGroupName=group, logStreamName=name, startFromHead=True)["events"]
    assert lines[-1]["message"].startswith("[sagemaker logs]: ")
    assert reason.partition("{}")[2][:30] in lines[-1]["message"]


def test_the_next_job_is_served_after_one_that_killed_its_process(
    transform: Transform, model: Create, folder: Folder
) -> None:
    name = model()
    folder.write("a.jsonl", b'{"x": "die"}')
    assert transform(name, folder.source, folder.target)["TransformJobStatus"] == "Failed"
    folder.write("a.jsonl", b'{"x": 1}')
    assert transform(name, folder.source, folder.target)["TransformJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("environment", "source", "reason"),
    [
        ({"DIE": "1"}, "", "AlgorithmError: the model did not pass the ping health check"),
        ({}, "nothing/", "ClientError: Data download failed: No S3 objects found under S3 URL"),
    ],
)
def test_a_job_that_cannot_begin_fails(
    transform: Transform, model: Create, folder: Folder, environment: dict[str, str], source: str, reason: str
) -> None:
    folder.write("a.jsonl", b"{}")
    job = transform(model(), folder.source + source, folder.target, Environment=environment)
    assert (job["TransformJobStatus"], job["FailureReason"][: len(reason)]) == ("Failed", reason)


def test_a_running_job_and_a_waiting_one_can_be_stopped(sagemaker: Call, model: Create, folder: Folder) -> None:
    folder.write("a.jsonl", b'{"x": "slow"}\n' * 50)
    running, waiting = (transform_job(model(), folder.source, folder.target) for _ in range(2))
    for job in (running, waiting):
        sagemaker("CreateTransformJob", **job)
    name = running["TransformJobName"]
    requests.until(lambda: "TransformStartTime" in sagemaker("DescribeTransformJob", TransformJobName=name))
    sagemaker("StopTransformJob", TransformJobName=waiting["TransformJobName"])
    assert ended(sagemaker, waiting["TransformJobName"])["TransformJobStatus"] == "Stopped"
    sagemaker("StopTransformJob", TransformJobName=name)
    assert ended(sagemaker, name)["TransformJobStatus"] == "Stopped"
    assert folder.read() == {}
    with pytest.raises(ClientError, match="rejected because the transform job is in status Stopped"):
        sagemaker("StopTransformJob", TransformJobName=name)


def test_jobs_are_listed_and_names_given_once(sagemaker: Call, model: Create, folder: Folder) -> None:
    folder.write("a.jsonl", b"{}")
    job = transform_job(model(), folder.source, folder.target)
    name = job["TransformJobName"]
    sagemaker("CreateTransformJob", **job)
    ended(sagemaker, name)
    [found] = sagemaker("ListTransformJobs", NameContains=name, StatusEquals="Completed")["TransformJobSummaries"]
    assert found["TransformJobName"] == name
    with pytest.raises(ClientError, match="Job name must be unique") as caught:
        sagemaker("CreateTransformJob", **job)
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    with pytest.raises(ClientError, match="Could not find requested job with name: nobody") as caught:
        sagemaker("DescribeTransformJob", TransformJobName="nobody")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ModelName": "nobody"}, "Could not find model"),
        ({"DataProcessing": {"InputFilter": "$..x"}}, "JSONPath '\\$..x' is not served"),
        ({"DataProcessing": {"InputFilter": "$" + "x" * 63}}, "less than or equal to 63"),
        ({"DataProcessing": {"JoinSource": "Input"}, "TransformOutput": {"Accept": "text/csv"}}, "same content type"),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "TransformOutput": {"AssembleWith": "None"}},
            "needs AssembleWith",
        ),
        ({"DataProcessing": {"JoinSource": "Input"}, "TransformInput": {"ContentType": "text/csv"}}, "text/csv"),
        ({"TransformInput": {"SplitType": "RecordIO"}}, "does not serve SplitType RecordIO"),
    ],
)
def test_what_could_not_be_done_is_refused_at_once(
    sagemaker: Call, model: Create, folder: Folder, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        sagemaker("CreateTransformJob", **transform_job(model(), folder.source, folder.target, **changes))
    assert caught.value.response["Error"]["Code"] == "ValidationException"
