"""The real algorithm through the shared control plane: train, deploy, invoke, transform, as the DAGs do."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import Any

import pytest

from local_aws.control_plane import ControlPlane
from local_aws.engines.seaweedfs import SeaweedFS
from local_aws.settings import Settings
from tests.local_aws.sagemaker import requests
from tests.local_aws.sagemaker.conftest import Call
from tests.local_aws.sagemaker.test_transform_jobs import ended, transform_job
from tests.local_aws.service_model import call, client_of

pytestmark = pytest.mark.slow

HYPERPARAMETERS = {
    "time_freq": "1H",
    "prediction_length": "24",
    "context_length": "24",
    "epochs": "2",
    "likelihood": "negative-binomial",
    "num_cells": "10",
    "num_layers": "1",
    "test_quantiles": "[0.1, 0.5, 0.9]",
}
INFERENCE = {"num_samples": 20, "output_types": ["quantiles"], "quantiles": ["0.1", "0.5", "0.9"]}


@pytest.fixture
def deepar(settings: Settings, control_plane: ControlPlane) -> Call:
    return partial(call, settings, "sagemaker")


def series(level: int, hours: int) -> list[int]:
    """Whole watt-hours with a day's rhythm."""
    return [round(level * (1.5 + math.sin(2 * math.pi * hour / 24))) for hour in range(hours)]


def lines(hours: int) -> bytes:
    entries = [{"start": "2026-01-01 00:00:00", "target": series(level, hours)} for level in (100, 200, 300)]
    return "\n".join(json.dumps(entry) for entry in entries).encode()


def test_a_model_is_trained_deployed_and_asked_alone_and_in_a_batch(
    deepar: Call, settings: Settings, seaweedfs: SeaweedFS, bucket: str
) -> None:
    s3 = seaweedfs.client()
    s3.put_object(Bucket=bucket, Key="train/part-0.json", Body=lines(240))
    s3.put_object(Bucket=bucket, Key="test/part-0.json", Body=lines(264))
    job = requests.training_job(bucket, HYPERPARAMETERS)
    deepar("CreateTrainingJob", **job)
    trained = requests.ended_training(deepar, job["TrainingJobName"], seconds=120)
    assert trained["TrainingJobStatus"] == "Completed", trained.get("FailureReason")
    metrics = {metric["MetricName"]: metric["Value"] for metric in trained["FinalMetricDataList"]}
    assert {"test:RMSE", "test:mean_wQuantileLoss", "train:final_loss"} <= set(metrics)

    name = requests.new_name("deepar")
    environment = {"DEEPAR_INFERENCE_CONFIG": json.dumps(INFERENCE)}
    deepar("CreateModel", **requests.model(name, trained["ModelArtifacts"]["S3ModelArtifacts"], environment))
    deepar("CreateEndpointConfig", **requests.endpoint_config(name, name))
    deepar("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    described = requests.settled_endpoint(deepar, name, seconds=60)
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")

    instance = {"start": "2026-01-01 00:00:00", "target": series(150, 100)}
    runtime = client_of(settings, "sagemaker-runtime")
    asked = json.dumps({"instances": [instance], "configuration": INFERENCE})
    answer = runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=asked)
    [alone] = json.loads(answer["Body"].read())["predictions"]
    assert {quantile: len(values) for quantile, values in alone["quantiles"].items()} == {
        "0.1": 24,
        "0.5": 24,
        "0.9": 24,
    }
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=b'{"instances": 3}')
    assert caught.value.response["OriginalStatusCode"] == 400

    batch = _transformed(deepar, s3, bucket, name, instance)
    assert batch["meter_id"] == "MAC000001"
    assert batch["SageMakerOutput"]["quantiles"] == alone["quantiles"]
    deepar("DeleteEndpoint", EndpointName=name)


def _transformed(deepar: Call, s3: Any, bucket: str, model: str, instance: dict[str, Any]) -> dict[str, Any]:
    """The stored record of the instance when it goes through a transform job with a meter's name."""
    record = json.dumps({"meter_id": "MAC000001", **instance}).encode()
    s3.put_object(Bucket=bucket, Key="batches/0001.jsonl", Body=record + b"\n" + record + b"\n")
    filters = {
        "InputFilter": "$['start','target']",
        "JoinSource": "Input",
        "OutputFilter": "$['meter_id','SageMakerOutput']",
    }
    job = transform_job(model, f"s3://{bucket}/batches/", f"s3://{bucket}/transformed/", DataProcessing=filters)
    deepar("CreateTransformJob", **job)
    described = ended(deepar, job["TransformJobName"])
    assert described["TransformJobStatus"] == "Completed", described.get("FailureReason")
    body = s3.get_object(Bucket=bucket, Key="transformed/0001.jsonl.out")["Body"].read()
    first, second = (json.loads(line) for line in body.splitlines())
    assert first == second
    return first


def test_a_hyperparameter_that_the_algorithm_does_not_know_fails_the_job(
    deepar: Call, seaweedfs: SeaweedFS, bucket: str
) -> None:
    seaweedfs.client().put_object(Bucket=bucket, Key="train/part-0.json", Body=lines(240))
    channels = [requests.channel("train", f"s3://{bucket}/train/")]
    job = requests.training_job(bucket, HYPERPARAMETERS | {"num_cels": "10"}, InputDataConfig=channels)
    deepar("CreateTrainingJob", **job)
    failed = requests.ended_training(deepar, job["TrainingJobName"], seconds=60)
    assert failed["TrainingJobStatus"] == "Failed"
    assert failed["FailureReason"].startswith("ClientError:")
    assert "num_cels" in failed["FailureReason"]
