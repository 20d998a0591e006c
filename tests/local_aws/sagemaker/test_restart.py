"""What a stop, and a sudden death, of the control plane leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from local_aws.settings import Settings
from tests.local_aws.sagemaker import requests
from tests.local_aws.sagemaker.conftest import Call, Plane, new_plane
from tests.local_aws.service_model import call, client_of

LOST = "InternalServerError: the job ended with the process that ran it: local_aws was stopped or died."


@pytest.fixture
def plane(settings: Settings, seaweedfs: object, tmp_path: Path) -> Plane:
    """Not started; the test stops what it starts."""
    return new_plane(settings, tmp_path)


@pytest.fixture
def own(plane: Plane) -> Call:
    return partial(call, plane.settings, "sagemaker")


@pytest.fixture
def artefact(data: str, seaweedfs: Any) -> str:
    """A model that says blue."""
    body = requests.archive({"parameters": {"label": "blue"}})
    seaweedfs.client().put_object(Bucket=data, Key="restart/model.tar.gz", Body=body)
    return f"s3://{data}/restart/model.tar.gz"


def in_service(own: Call, artefact: str, name: str, **environment: str) -> None:
    own("CreateModel", **requests.model(name, artefact, environment))
    own("CreateEndpointConfig", **requests.endpoint_config(name, name))
    own("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    assert requests.settled_endpoint(own, name)["EndpointStatus"] == "InService"


def answer(plane: Plane, endpoint: str) -> dict[str, str]:
    runtime = client_of(plane.settings, "sagemaker-runtime")
    return json.loads(runtime.invoke_endpoint(EndpointName=endpoint, Body="{}")["Body"].read())["model"]


def containers(plane: Plane) -> list[psutil.Process]:
    """The processes that the plane started: their command names its home."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(plane.settings.home) in part for part in process.cmdline()) and process.pid != os.getpid():
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_endpoints_come_back_and_what_was_running_is_failed(plane: Plane, own: Call, data: str, artefact: str) -> None:
    plane.start()
    in_service(own, artefact, "blue", START_SECONDS="0.3")
    running, waiting = (requests.training_job(data, {"behaviour": "hang"}) for _ in range(2))
    for job in (running, waiting):
        own("CreateTrainingJob", **job)
    requests.running_training(own, running["TrainingJobName"])
    plane.stop()
    assert containers(plane) == []

    plane.start()
    assert own("DescribeEndpoint", EndpointName="blue")["EndpointStatus"] == "SystemUpdating"
    assert answer(plane, "blue") == {"label": "blue"}
    assert requests.settled_endpoint(own, "blue")["EndpointStatus"] == "InService"
    for job in (running, waiting):
        ended = own("DescribeTrainingJob", TrainingJobName=job["TrainingJobName"])
        assert (ended["TrainingJobStatus"], ended["FailureReason"]) == ("Failed", LOST)
    plane.stop()


def test_an_endpoint_whose_model_is_gone_is_failed_after_a_restart(
    plane: Plane, own: Call, data: str, seaweedfs: Any
) -> None:
    seaweedfs.client().put_object(Bucket=data, Key="gone/model.tar.gz", Body=requests.archive({"parameters": {}}))
    plane.start()
    in_service(own, f"s3://{data}/gone/model.tar.gz", "gone")
    plane.stop()
    seaweedfs.client().delete_object(Bucket=data, Key="gone/model.tar.gz")
    plane.start()
    described = requests.settled_endpoint(own, "gone")
    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"] == f"Could not find model data at s3://{data}/gone/model.tar.gz."
    plane.stop()


def test_an_update_that_was_under_way_goes_on_after_a_restart(plane: Plane, own: Call, artefact: str) -> None:
    plane.start()
    in_service(own, artefact, "blue")
    own("CreateModel", **requests.model("green", artefact, {"START_SECONDS": "1"}))
    own("CreateEndpointConfig", **requests.endpoint_config("green", "green"))
    own("UpdateEndpoint", EndpointName="blue", EndpointConfigName="green")
    plane.stop()

    plane.start()
    described = own("DescribeEndpoint", EndpointName="blue")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("Updating", "blue")
    described = requests.settled_endpoint(own, "blue")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", "green")
    plane.stop()


def test_a_tuning_and_a_transform_job_are_failed_by_a_restart(
    plane: Plane, own: Call, data: str, artefact: str
) -> None:
    plane.start()
    in_service(own, artefact, "blue")
    definition = requests.training_job(data, {})
    del definition["TrainingJobName"], definition["HyperParameters"]
    config = {
        "Strategy": "Grid",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "test:RMSE"},
        "ResourceLimits": {"MaxParallelTrainingJobs": 1},
        "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "behaviour", "Values": ["hang", "well"]}]},
    }
    own(
        "CreateHyperParameterTuningJob",
        HyperParameterTuningJobName="tuning",
        HyperParameterTuningJobConfig=config,
        TrainingJobDefinition=definition,
    )
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{data}/train/"}}
    own(
        "CreateTransformJob",
        TransformJobName="transform",
        ModelName="blue",
        TransformInput={"DataSource": source},
        TransformOutput={"S3OutputPath": f"s3://{data}/out/"},
        TransformResources={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        Environment={"NEVER": "1"},
    )
    requests.until(lambda: "TransformStartTime" in own("DescribeTransformJob", TransformJobName="transform"))
    [training] = requests.until(lambda: own("ListTrainingJobs", NameContains="tuning")["TrainingJobSummaries"])
    requests.running_training(own, training["TrainingJobName"])
    plane.stop()
    assert containers(plane) == []

    plane.start()
    tuning = own("DescribeHyperParameterTuningJob", HyperParameterTuningJobName="tuning")
    assert (tuning["HyperParameterTuningJobStatus"], tuning["FailureReason"]) == ("Failed", LOST)
    assert tuning["TrainingJobStatusCounters"]["NonRetryableError"] == 1
    transform = own("DescribeTransformJob", TransformJobName="transform")
    assert (transform["TransformJobStatus"], transform["FailureReason"]) == ("Failed", LOST)
    plane.stop()


@pytest.fixture
def killed(plane: Plane) -> Iterator[Callable[[], None]]:
    """Starts the plane in a process of its own; returns what kills that."""
    settings = plane.settings
    command = [sys.executable, "-m", "tests.local_aws.sagemaker.plane_process"]
    command += [str(part) for part in (settings.home, settings.control_port, settings.s3_port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=settings.repository)
    assert process.stdout is not None
    assert process.stdout.readline() == b"serving\n"

    def kill() -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    yield kill
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_killed_control_plane_leaves_no_training_behind_and_a_retry_works(
    plane: Plane, own: Call, data: str, artefact: str, killed: Callable[[], None]
) -> None:
    in_service(own, artefact, "blue")
    job = requests.training_job(data, {"behaviour": "hang"})
    own("CreateTrainingJob", **job)
    requests.running_training(own, job["TrainingJobName"])
    requests.until(lambda: len(containers(plane)) == 3)  # the plane, the training, the endpoint
    killed()
    requests.until(lambda: containers(plane) == [])

    plane.start()
    ended = own("DescribeTrainingJob", TrainingJobName=job["TrainingJobName"])
    assert (ended["TrainingJobStatus"], ended["FailureReason"]) == ("Failed", LOST)
    again = requests.training_job(data, {})
    own("CreateTrainingJob", **again)
    assert requests.ended_training(own, again["TrainingJobName"])["TrainingJobStatus"] == "Completed"
    assert requests.settled_endpoint(own, "blue")["EndpointStatus"] == "InService"
    assert answer(plane, "blue") == {"label": "blue"}
    plane.stop()
