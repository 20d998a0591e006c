"""The services of AWS as the DAGs see them when all goes well: what is started has ended when a trigger looks.

Below botocore: requests are checked and written by botocore and the provider. A Glue job leaves the summary that its
script would leave; SageMaker's jobs leave their results.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from itertools import count
from typing import Any

from tests.dags.aws_endpoint import Answer, AwsError
from tests.plugins.object_store import ObjectStore

ENDED = 1_767_350_000  # seconds since 1970
LOSS = {"MetricName": "test:mean_wQuantileLoss", "Value": 0.3, "Timestamp": ENDED}
TRAINING_SET = {
    "train": "s3://the-working/training/train/",
    "test": "s3://the-working/training/test/",
    "baseline": "s3://the-working/training/baseline.json",
    "data_start": "2013-06-01",
    "data_end": "2014-01-01",
    "weather": None,
}
BASELINE = {"seasonal_naive": {"mean_wQuantileLoss": 0.5}, "climatology": {"mean_wQuantileLoss": 0.45}}
TUNED = {
    "TrainingJobName": "the-best",
    "TrainingJobArn": "arn:aws-cn:sagemaker:cn-north-1:123456789012:training-job/the-best",
    "CreationTime": ENDED,
    "TrainingJobStatus": "Completed",
    "TunedHyperParameters": {"num_cells": "60"},
}


class AwsServices:
    """`answers` for an AwsEndpoint. `summaries`: what each Glue job says of its work, besides its batch and run.
    `failing` are the inputs of transform jobs that fail.
    """

    def __init__(self, s3: ObjectStore) -> None:
        self.s3 = s3
        self.summaries: dict[str, dict[str, Any]] = {}
        self.parameters: dict[str, str] = {}
        self.partitions: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {}
        self.failing: set[str] = set()
        self._looks: Counter[str] = Counter()
        self._made: dict[tuple[str, str], dict[str, Any]] = {}
        self._numbers = count(1)

    @property
    def answers(self) -> dict[str, Answer]:
        return {
            "GetJobRuns": {"JobRuns": []},
            "GetJob": {"Job": {}},
            "StartJobRun": self._start_job_run,
            "GetJobRun": {"JobRun": {"JobRunState": "SUCCEEDED"}},
            "GetCrawler": lambda request: {"Crawler": {"Name": request["Name"], "State": "READY"}},
            "StartCrawler": {},
            "GetTable": {"Table": {"Name": "any", "StorageDescriptor": {}}},
            "GetPartitions": self._get_partitions,
            "BatchCreatePartition": self._create_partitions,
            "BatchExecuteStatement": lambda _: {"Id": f"statement-{next(self._numbers)}"},
            "DescribeStatement": self._describe_statement,
            "GetParameter": self._get_parameter,
            "PutParameter": self._put_parameter,
            **{f"Create{kind}": self._create(name) for kind, name in SAGEMAKER.items()},
            **{f"Describe{kind}": self._describe(name) for kind, name in SAGEMAKER.items()},
        }

    def _start_job_run(self, request: dict[str, Any]) -> dict[str, Any]:
        job, given = request["JobName"], request["Arguments"]
        batch, run = given.get("--batch"), given.get("--run")
        summary = {"batch": batch, "run": run, **self.summaries[job]}
        self.s3.put_json("the-clean", f"_summaries/{batch or run}/{job}.json", summary)
        if job == "raw_to_clean":
            self.s3.put_object("the-clean", f"_summaries/{batch}/clean_row_groups.parquet", "list")
        if job == "raw_to_clean":
            self.s3.put_object("the-clean", f"clean/batch={batch}/part-0.parquet", "rows")
        if job == "prepare_training_set":
            self.s3.put_json("the-working", "training/baseline.json", BASELINE)
        return {"JobRunId": f"jr_{next(self._numbers)}"}

    def _get_partitions(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Partitions": list(self.partitions.get(request["TableName"], {}).values())}

    def _create_partitions(self, request: dict[str, Any]) -> dict[str, Any]:
        made = {tuple(given["Values"]): given for given in request["PartitionInputList"]}
        self.partitions.setdefault(request["TableName"], {}).update(made)
        return {"Errors": []}

    def publish(self, table: str, *values: str) -> None:
        """A partition that an earlier run has published, with one file."""
        folder = f"{table}/run=earlier/{'/'.join(values)}/"
        self.s3.put_object("the-business", f"{folder}part-0.parquet", "rows")
        partition = {"Values": list(values), "StorageDescriptor": {"Location": f"s3://the-business/{folder}"}}
        self.partitions.setdefault(table, {})[values] = partition

    def _describe_statement(self, request: dict[str, Any]) -> dict[str, Any]:
        """Still at work at the first look, so that the task waits."""
        self._looks[request["Id"]] += 1
        return {"Id": request["Id"], "Status": "STARTED" if self._looks[request["Id"]] == 1 else "FINISHED"}

    def _get_parameter(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["Name"] not in self.parameters:
            raise AwsError("ParameterNotFound")
        return {"Parameter": {"Name": request["Name"], "Value": self.parameters[request["Name"]]}}

    def _put_parameter(self, request: dict[str, Any]) -> dict[str, Any]:
        self.parameters[request["Name"]] = request["Value"]
        return {"Version": 1}

    def _create(self, name: str) -> Answer:
        def create(request: dict[str, Any]) -> dict[str, Any]:
            described = deepcopy(request) | ENDINGS.get(name, {})
            if name == "TransformJobName":
                uri = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
                if uri in self.failing:
                    described |= {"TransformJobStatus": "Failed", "FailureReason": "no room in memory"}
                else:
                    results = request["TransformOutput"]["S3OutputPath"].removeprefix("s3://the-working/")
                    self.s3.put_object("the-working", f"{results}{uri.rpartition('/')[2]}.out", "forecast")
            self._made[name, request[name]] = described
            return {name.replace("Name", "Arn"): f"arn:aws-cn:sagemaker:cn-north-1:123456789012:any/{request[name]}"}

        return create

    def _describe(self, name: str) -> Answer:
        def describe(request: dict[str, Any]) -> dict[str, Any]:
            named = request[name]
            if (name, named) not in self._made:
                raise AwsError("ValidationException", f"Could not find {named}")
            described = self._made[name, named]
            self._looks[named] += 1
            if name in AT_WORK and self._looks[named] == 1 and "FailureReason" not in described:
                return described | {name.replace("Name", "Status"): AT_WORK[name]}
            return described

        return describe


# What SageMaker makes, by the end of its operations' names, and the member that names it.
SAGEMAKER = {
    "TrainingJob": "TrainingJobName",
    "HyperParameterTuningJob": "HyperParameterTuningJobName",
    "TransformJob": "TransformJobName",
    "Model": "ModelName",
    "EndpointConfig": "EndpointConfigName",
    "Endpoint": "EndpointName",
}
# Their states at the first look, which the operators of these two take before they wait, and later.
AT_WORK = {"TrainingJobName": "InProgress", "TransformJobName": "InProgress"}
ENDINGS: dict[str, dict[str, Any]] = {
    "TrainingJobName": {
        "TrainingJobStatus": "Completed",
        "TrainingEndTime": ENDED,
        "ModelArtifacts": {"S3ModelArtifacts": "s3://the-working/models/model.tar.gz"},
        "FinalMetricDataList": [LOSS],
    },
    "HyperParameterTuningJobName": {"HyperParameterTuningJobStatus": "Completed", "BestTrainingJob": TUNED},
    "TransformJobName": {"TransformJobStatus": "Completed"},
    "EndpointName": {"EndpointStatus": "InService"},
}
