"""Requests as the DAGs send them, and waits for their ends."""

from __future__ import annotations

import io
import json
import tarfile
import time
import uuid
from collections.abc import Callable
from typing import Any

Call = Callable[..., dict[str, Any]]

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/forecasting-deepar:1"
ROLE = "arn:aws:iam::123456789012:role/metering-sagemaker"


def new_name(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:10]}"


def channel(name: str, uri: str, kind: str = "S3Prefix") -> dict[str, Any]:
    source = {"S3DataType": kind, "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": "json"}


def training_job(bucket: str, hyperparameters: dict[str, str], **changes: Any) -> dict[str, Any]:
    job = {
        "TrainingJobName": new_name("training"),
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "HyperParameters": hyperparameters,
        "InputDataConfig": [channel("train", f"s3://{bucket}/train/"), channel("test", f"s3://{bucket}/test/")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models/"},
        "ResourceConfig": {"InstanceType": "ml.c5.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    return job | changes


def model(name: str, artefact: str, environment: dict[str, str]) -> dict[str, Any]:
    container = {"Image": IMAGE, "ModelDataUrl": artefact, "Environment": environment}
    return {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container}


def endpoint_config(name: str, model_name: str) -> dict[str, Any]:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model_name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.xlarge",
    }
    return {"EndpointConfigName": name, "ProductionVariants": [variant]}


def archive(document: dict[str, Any], name: str = "model.json") -> bytes:
    """A model.tar.gz with one file."""
    content = json.dumps(document).encode()
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """What the condition gives as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)
    return found


def ended_training(sagemaker: Call, name: str, seconds: float = 30) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        job = sagemaker("DescribeTrainingJob", TrainingJobName=name)
        return None if job["TrainingJobStatus"] in ("InProgress", "Stopping") else job

    return until(ended, seconds)


def running_training(sagemaker: Call, name: str, secondary: str = "Training") -> dict[str, Any]:
    def running() -> dict[str, Any] | None:
        job = sagemaker("DescribeTrainingJob", TrainingJobName=name)
        return job if job["SecondaryStatus"] == secondary else None

    return until(running)


def has_saved_a_model(logs: Call, name: str) -> bool:
    """Waits until a training that hangs has saved its first model: its status says nothing of that."""
    group = "/aws/sagemaker/TrainingJobs"

    def saved() -> bool:
        streams = logs("DescribeLogStreams", logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        names = [stream["logStreamName"] for stream in streams]
        answers = [logs("GetLogEvents", logGroupName=group, logStreamName=stream) for stream in names]
        return any("a first model is saved" in event["message"] for answer in answers for event in answer["events"])

    return until(saved)


def settled_endpoint(sagemaker: Call, name: str, seconds: float = 30) -> dict[str, Any]:
    def settled() -> dict[str, Any] | None:
        endpoint = sagemaker("DescribeEndpoint", EndpointName=name)
        return None if endpoint["EndpointStatus"] in ("Creating", "Updating", "SystemUpdating") else endpoint

    return until(settled, seconds)
