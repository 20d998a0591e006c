"""Training jobs with the fake container: every way in which one can end."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.engines.seaweedfs import SeaweedFS
from tests.local_aws.sagemaker import requests
from tests.local_aws.sagemaker.conftest import Call

Train = Callable[..., dict[str, Any]]


def artefact(seaweedfs: SeaweedFS, job: dict[str, Any]) -> dict[str, Any]:
    """The fake model in the artefact of a job."""
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    body = seaweedfs.client().get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return json.load(archive.extractfile("model.json"))


def statuses(job: dict[str, Any]) -> list[str]:
    return [transition["Status"] for transition in job["SecondaryStatusTransitions"]]


def test_a_training_job_runs_to_its_model(train: Train, data: str, seaweedfs: SeaweedFS) -> None:
    job = train(epochs="40", learning_rate="5E-4")

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    uri = f"s3://{data}/models/{job['TrainingJobName']}/output/model.tar.gz"
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": uri}
    model = artefact(seaweedfs, job)
    assert model["parameters"] == {"epochs": "40", "learning_rate": "5E-4"}
    assert model["files"] == ["test/part-1.json", "train/part-1.json", "train/part-2.json"]
    assert model["whole"]


def test_its_history_is_told_without_gaps(train: Train) -> None:
    job = train()
    assert statuses(job)[-4:] == ["Downloading", "Training", "Uploading", "Completed"]
    assert statuses(job)[0] in ("Starting", "Pending")
    transitions = job["SecondaryStatusTransitions"]
    assert all(transition["StatusMessage"] for transition in transitions)
    for before, after in pairwise(transitions):
        assert before["EndTime"] == after["StartTime"]
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"] == job["LastModifiedTime"]
    assert job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"] == 1
    assert job["ResourceConfig"]["InstanceCount"] == 1


def test_the_last_value_of_each_metric_is_final_and_a_value_that_is_no_number_is_left_out(train: Train) -> None:
    metrics = {metric["MetricName"]: metric for metric in train(x="5")["FinalMetricDataList"]}
    assert {name: metric["Value"] for name, metric in metrics.items()} == {"train:loss": 4.0, "test:RMSE": 4.0}


def test_what_the_container_writes_becomes_its_log_stream(train: Train, logs: Call) -> None:
    job = train(x="1")
    prefix = job["TrainingJobName"] + "/algo-1-"
    group = "/aws/sagemaker/TrainingJobs"
    [stream] = logs("DescribeLogStreams", logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
    events = logs("GetLogEvents", logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    assert [event["message"] for event in events["events"]] == [
        'Arguments: {"x": "1"}',
        "#test_score (algo-1, RMSE): 1.0",
    ]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("refuse", "ClientError: the hyperparameter behaviour says refuse"),
        ("crash", "AlgorithmError: the container wrote no reason, exit code: 3"),
        ("no model", "AlgorithmError: the container ended well and left no model"),
    ],
)
def test_a_container_that_fails_fails_its_job(train: Train, behaviour: str, reason: str) -> None:
    job = train(behaviour=behaviour)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == reason
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == f"Training job failed: {reason}"


def test_data_that_is_not_there_fails_the_job_before_it_trains(sagemaker: Call, data: str) -> None:
    job = requests.training_job(data, {}, InputDataConfig=[requests.channel("train", f"s3://{data}/nothing/")])
    sagemaker("CreateTrainingJob", **job)

    ended = requests.ended_training(sagemaker, job["TrainingJobName"])
    assert ended["TrainingJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith("ClientError: Data download failed: channel train: No S3 objects found")
    assert "Training" not in statuses(ended)


def test_a_manifest_names_the_objects_of_a_channel(sagemaker: Call, data: str, seaweedfs: SeaweedFS) -> None:
    manifest = [{"prefix": f"s3://{data}/train/"}, "part-2.json"]
    seaweedfs.client().put_object(Bucket=data, Key="manifest.json", Body=json.dumps(manifest).encode())
    channel = requests.channel("train", f"s3://{data}/manifest.json", "ManifestFile")
    job = requests.training_job(data, {}, InputDataConfig=[channel])
    sagemaker("CreateTrainingJob", **job)

    ended = requests.ended_training(sagemaker, job["TrainingJobName"])
    assert artefact(seaweedfs, ended)["files"] == ["train/part-2.json"]


def test_the_environment_reaches_the_container(sagemaker: Call, data: str, seaweedfs: SeaweedFS) -> None:
    job = requests.training_job(data, {}, Environment={"GIVEN": "yes"})
    sagemaker("CreateTrainingJob", **job)
    ended = requests.ended_training(sagemaker, job["TrainingJobName"])
    assert artefact(seaweedfs, ended)["environment"] == "yes"


@pytest.mark.parametrize(
    "image",
    [
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/forecasting-deepar:2",
    ],
)
def test_another_image_fails_the_job_and_says_which_is_served(sagemaker: Call, data: str, image: str) -> None:
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    job = requests.training_job(data, {}, AlgorithmSpecification=algorithm)
    sagemaker("CreateTrainingJob", **job)
    assert requests.ended_training(sagemaker, job["TrainingJobName"])["FailureReason"] == (
        "ClientError: Cannot pull the training image: local_aws runs the image forecasting-deepar:1 of any registry,"
        f" not {image}"
    )


def test_images_of_both_partitions_are_the_algorithm(train: Train, sagemaker: Call, data: str) -> None:
    image = "390948362332.dkr.ecr.cn-north-1.amazonaws.com.cn/forecasting-deepar:1"
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    job = requests.training_job(data, {}, AlgorithmSpecification=algorithm)
    sagemaker("CreateTrainingJob", **job)
    assert requests.ended_training(sagemaker, job["TrainingJobName"])["TrainingJobStatus"] == "Completed"


def test_one_trains_at_a_time_and_a_waiting_one_is_pending_and_can_be_stopped(sagemaker: Call, data: str) -> None:
    first, second, third = (requests.training_job(data, {"behaviour": "hang"}) for _ in range(3))
    third["HyperParameters"] = {}
    sagemaker("CreateTrainingJob", **first)
    requests.running_training(sagemaker, first["TrainingJobName"])
    for job in (second, third):
        sagemaker("CreateTrainingJob", **job)
        assert sagemaker("DescribeTrainingJob", TrainingJobName=job["TrainingJobName"])["SecondaryStatus"] == "Pending"

    sagemaker("StopTrainingJob", TrainingJobName=second["TrainingJobName"])
    stopped = sagemaker("DescribeTrainingJob", TrainingJobName=second["TrainingJobName"])
    assert stopped["TrainingJobStatus"] == "Stopped"
    assert "TrainingStartTime" not in stopped

    sagemaker("StopTrainingJob", TrainingJobName=first["TrainingJobName"])
    assert requests.ended_training(sagemaker, first["TrainingJobName"])["TrainingJobStatus"] == "Stopped"
    assert requests.ended_training(sagemaker, third["TrainingJobName"])["TrainingJobStatus"] == "Completed"


def test_a_stopped_training_keeps_the_model_that_it_saved(
    sagemaker: Call, logs: Call, data: str, seaweedfs: SeaweedFS
) -> None:
    job = requests.training_job(data, {"behaviour": "hang"})
    sagemaker("CreateTrainingJob", **job)
    requests.running_training(sagemaker, job["TrainingJobName"])
    assert requests.has_saved_a_model(logs, job["TrainingJobName"])
    sagemaker("StopTrainingJob", TrainingJobName=job["TrainingJobName"])

    ended = requests.ended_training(sagemaker, job["TrainingJobName"])
    assert (ended["TrainingJobStatus"], ended["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert statuses(ended)[-4:] == ["Training", "Stopping", "Uploading", "Stopped"]
    assert not artefact(seaweedfs, ended)["whole"]
    with pytest.raises(ClientError, match="rejected because the training job is in status Stopped") as caught:
        sagemaker("StopTrainingJob", TrainingJobName=job["TrainingJobName"])
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_training_that_takes_too_long_is_stopped_with_that_status(sagemaker: Call, data: str) -> None:
    job = requests.training_job(data, {"behaviour": "hang"}, StoppingCondition={"MaxRuntimeInSeconds": 1})
    sagemaker("CreateTrainingJob", **job)
    ended = requests.ended_training(sagemaker, job["TrainingJobName"])
    assert (ended["TrainingJobStatus"], ended["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_an_output_bucket_that_is_not_there_fails_the_job(sagemaker: Call, data: str) -> None:
    job = requests.training_job(data, {}, OutputDataConfig={"S3OutputPath": "s3://no-such-bucket-here/models"})
    sagemaker("CreateTrainingJob", **job)
    ended = requests.ended_training(sagemaker, job["TrainingJobName"])
    assert ended["FailureReason"].startswith("ClientError: Artifact upload failed: s3://no-such-bucket-here/models/")


def test_a_name_is_given_once(train: Train, sagemaker: Call, data: str) -> None:
    job = requests.training_job(data, {})
    sagemaker("CreateTrainingJob", **job)
    with pytest.raises(ClientError, match="Training job names must be unique") as caught:
        sagemaker("CreateTrainingJob", **job)
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    requests.ended_training(sagemaker, job["TrainingJobName"])


def test_an_unknown_job_is_the_error_that_the_provider_takes_for_not_there(sagemaker: Call) -> None:
    for operation in ("DescribeTrainingJob", "StopTrainingJob"):
        with pytest.raises(ClientError, match="Requested resource not found") as caught:
            sagemaker(operation, TrainingJobName="nobody")
        assert caught.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"TrainingJobName": "a_b"},
            "Value 'a_b' at 'trainingJobName' failed to satisfy constraint: Member must satis",
        ),
        ({"TrainingJobName": "a" * 64}, "Member must have length less than or equal to 63"),
        ({"TrainingJobName": "-a"}, "regular expression pattern"),
        ({"RoleArn": "arn:aws:iam::123456789012:user/someone"}, "at 'roleArn' failed to satisfy constraint"),
        ({"HyperParameters": {"a": "x" * 2501}}, "at 'hyperParameters.a' failed to satisfy constraint"),
        ({"OutputDataConfig": {"S3OutputPath": "models/"}}, "at 'outputDataConfig.s3OutputPath'"),
        (
            {"ResourceConfig": {"InstanceType": "ml.c5.giant", "InstanceCount": 1, "VolumeSizeInGB": 1}},
            "at 'resourceConfig.instanceType' failed to satisfy constraint: Member must satisfy enum value set",
        ),
        (
            {"InputDataConfig": [requests.channel("train", "s3://a/b"), requests.channel("train", "s3://a/c")]},
            "Channel names must be unique",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": requests.IMAGE, "TrainingInputMode": "Pipe"}},
            "the algorithm reads its channels in File mode",
        ),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": requests.IMAGE,
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "a", "Regex": "b"}],
                }
            },
            "You can't override the metric definitions",
        ),
    ],
)
def test_what_the_service_refuses_is_refused_at_once(
    sagemaker: Call, data: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        sagemaker("CreateTrainingJob", **requests.training_job(data, {}, **changes))
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_jobs_are_listed_by_name_and_status_page_by_page(train: Train, sagemaker: Call, data: str) -> None:
    prefix = requests.new_name("listed")
    for number, behaviour in enumerate(["well", "crash", "well"]):
        sagemaker(
            "CreateTrainingJob",
            **requests.training_job(data, {"behaviour": behaviour}, TrainingJobName=f"{prefix}-{number}"),
        )
    for number in range(3):
        requests.ended_training(sagemaker, f"{prefix}-{number}")

    def names(**request: Any) -> list[str]:
        found = sagemaker("ListTrainingJobs", NameContains=prefix, **request)["TrainingJobSummaries"]
        return [job["TrainingJobName"].removeprefix(f"{prefix}-") for job in found]

    assert names() == ["0", "1", "2"]
    assert names(StatusEquals="Failed") == ["1"]
    assert names(SortBy="Name", SortOrder="Descending") == ["2", "1", "0"]
    page = sagemaker("ListTrainingJobs", NameContains=prefix, MaxResults=2)
    assert len(page["TrainingJobSummaries"]) == 2
    assert names(MaxResults=2, NextToken=page["NextToken"]) == ["2"]
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert names(CreationTimeAfter=hour_ago) == ["0", "1", "2"]
    assert names(CreationTimeBefore=hour_ago) == []
    with pytest.raises(ClientError, match="Invalid NextToken"):
        sagemaker("ListTrainingJobs", NextToken="nonsense")


def test_tags_of_a_job_can_be_read_changed_and_removed(sagemaker: Call, data: str) -> None:
    job = requests.training_job(data, {}, Tags=[{"Key": "project", "Value": "metering"}])
    arn = sagemaker("CreateTrainingJob", **job)["TrainingJobArn"]
    both = [{"Key": "project", "Value": "other"}, {"Key": "owner", "Value": "me"}]
    assert sagemaker("AddTags", ResourceArn=arn, Tags=both)["Tags"] == both
    sagemaker("DeleteTags", ResourceArn=arn, TagKeys=["project"])
    assert sagemaker("ListTags", ResourceArn=arn)["Tags"] == both[1:]
    requests.ended_training(sagemaker, job["TrainingJobName"])
