"""Tuning jobs with the fake container, whose objective test:RMSE is (x - 3)^2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.sagemaker import requests
from tests.local_aws.sagemaker.conftest import Call

OBJECTIVE = {"Type": "Minimize", "MetricName": "test:RMSE"}


def tuning_job(bucket: str, config: dict[str, Any] | None = None, **static: str) -> dict[str, Any]:
    definition = requests.training_job(bucket, {})
    del definition["TrainingJobName"], definition["HyperParameters"]
    defaults = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": OBJECTIVE,
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "6"}]},
    }
    return {
        "HyperParameterTuningJobName": requests.new_name("tuning"),
        "HyperParameterTuningJobConfig": defaults | (config or {}),
        "TrainingJobDefinition": definition | {"StaticHyperParameters": static},
    }


def grid(*values: str, parallel: int = 1) -> dict[str, Any]:
    return {
        "Strategy": "Grid",
        "ResourceLimits": {"MaxParallelTrainingJobs": parallel},
        "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "x", "Values": list(values)}]},
    }


@pytest.fixture
def tune(sagemaker: Call, data: str) -> Callable[..., dict[str, Any]]:
    """Tune to the end; returns the job's description."""

    def to_the_end(config: dict[str, Any] | None = None, **static: str) -> dict[str, Any]:
        job = tuning_job(data, config, **static)
        sagemaker("CreateHyperParameterTuningJob", **job)
        return ended(sagemaker, job["HyperParameterTuningJobName"])

    return to_the_end


def described(sagemaker: Call, name: str) -> dict[str, Any]:
    return sagemaker("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=name)


def ended(sagemaker: Call, name: str) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        job = described(sagemaker, name)
        return None if job["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping") else job

    return requests.until(over)


def tries(sagemaker: Call, job: dict[str, Any], **request: Any) -> list[dict[str, Any]]:
    name = job["HyperParameterTuningJobName"]
    found = sagemaker("ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName=name, **request)
    return found["TrainingJobSummaries"]


Tune = Callable[..., dict[str, Any]]


def test_the_best_of_all_combinations_is_found(tune: Tune, sagemaker: Call) -> None:
    job = tune(grid("1", "2.5", "9", parallel=2), epochs="40")

    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["HyperParameterTuningEndTime"] >= job["CreationTime"]
    best = job["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"x": "2.5"}
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == OBJECTIVE | {"Value": 0.25}
    assert job["TrainingJobStatusCounters"]["Completed"] == 3
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 3, "Pending": 0, "Failed": 0}
    training = sagemaker("DescribeTrainingJob", TrainingJobName=best["TrainingJobName"])
    assert training["HyperParameters"] == {"epochs": "40", "x": "2.5"}
    assert training["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    ordered = tries(sagemaker, job, SortBy="FinalObjectiveMetricValue")
    assert [entry["TunedHyperParameters"]["x"] for entry in ordered] == ["2.5", "1", "9"]
    assert [entry["TunedHyperParameters"]["x"] for entry in tries(sagemaker, job)] == ["1", "2.5", "9"]


def test_the_greatest_is_best_when_it_is_to_be_maximised(tune: Tune) -> None:
    objective = {"Type": "Maximize", "MetricName": "test:RMSE"}
    job = tune(grid("1", "9") | {"HyperParameterTuningJobObjective": objective})
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"x": "9"}


def test_a_try_that_fails_is_counted_and_the_others_go_on(tune: Tune, sagemaker: Call) -> None:
    config = grid("1") | {
        "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "behaviour", "Values": ["crash", "well"]}]}
    }
    job = tune(config, x="3")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 1
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 1, "Pending": 0, "Failed": 1}
    [failed] = tries(sagemaker, job, StatusEquals="Failed")
    assert failed["FailureReason"] == "AlgorithmError: the container wrote no reason, exit code: 3"


def test_a_job_whose_tries_all_fail_is_failed_and_says_why(tune: Tune) -> None:
    job = tune(grid("1", "2"), behaviour="refuse")
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"] == ("All training jobs failed: ClientError: the hyperparameter behaviour says refuse")
    assert "BestTrainingJob" not in job


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Hyperband"])
def test_as_many_are_tried_as_were_asked_for(tune: Tune, sagemaker: Call, strategy: str) -> None:
    job = tune({"Strategy": strategy, "RandomSeed": 7})
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    values = [float(entry["TunedHyperParameters"]["x"]) for entry in tries(sagemaker, job)]
    assert len(set(values)) == 3
    assert all(0 <= value <= 6 for value in values)
    best = job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert best == pytest.approx(min((value - 3) ** 2 for value in values), rel=1e-5)


def test_a_stopped_tuning_job_stops_its_training_jobs(sagemaker: Call, data: str) -> None:
    job = tuning_job(data, grid("1", "2", "3", parallel=2), behaviour="hang")
    name = job["HyperParameterTuningJobName"]
    sagemaker("CreateHyperParameterTuningJob", **job)
    requests.until(lambda: described(sagemaker, name)["TrainingJobStatusCounters"]["InProgress"] == 2)
    first = tries(sagemaker, job)[0]["TrainingJobName"]
    requests.running_training(sagemaker, first)
    sagemaker("StopHyperParameterTuningJob", HyperParameterTuningJobName=name)
    assert ended(sagemaker, name)["HyperParameterTuningJobStatus"] == "Stopped"
    assert [entry["TrainingJobStatus"] for entry in tries(sagemaker, job)] == ["Stopped", "Stopped"]
    with pytest.raises(ClientError, match="rejected because the tuning job is in status Stopped"):
        sagemaker("StopHyperParameterTuningJob", HyperParameterTuningJobName=name)


def test_jobs_are_listed_and_names_given_once(tune: Tune, sagemaker: Call, data: str) -> None:
    job = tune(grid("1"))
    name = job["HyperParameterTuningJobName"]
    found = sagemaker("ListHyperParameterTuningJobs", NameContains=name)["HyperParameterTuningJobSummaries"]
    assert [(entry["Strategy"], entry["HyperParameterTuningJobStatus"]) for entry in found] == [("Grid", "Completed")]
    with pytest.raises(ClientError, match="names must be unique") as caught:
        sagemaker("CreateHyperParameterTuningJob", **tuning_job(data) | {"HyperParameterTuningJobName": name})
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    with pytest.raises(ClientError, match="can't find a tuning job") as caught:
        described(sagemaker, "nobody")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("config", "static", "message"),
    [
        (
            {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:auc"}},
            {},
            "\\[validation:auc\\], isn't valid for the forecasting-deepar algorithm. .*: test:RMSE",
        ),
        ({"Strategy": "Grid"}, {}, "Grid search takes categorical ranges only"),
        (
            grid("1", "2") | {"ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 1}},
            {},
            "must be left out or be 2",
        ),
        ({"ResourceLimits": {"MaxParallelTrainingJobs": 1}}, {}, "MaxNumberOfTrainingJobs is required"),
        ({"TrainingJobEarlyStoppingType": "Auto"}, {}, "EarlyStoppingType Auto"),
        ({}, {"x": "1"}, "both static and tuned: x"),
        ({"Strategy": "Guess"}, {}, "Member must satisfy enum value set"),
    ],
)
def test_what_could_not_be_tuned_is_refused_at_once(
    sagemaker: Call, data: str, config: dict[str, Any], static: dict[str, str], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        sagemaker("CreateHyperParameterTuningJob", **tuning_job(data, config, **static))
    assert caught.value.response["Error"]["Code"] == "ValidationException"
