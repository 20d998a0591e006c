from __future__ import annotations

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.glue.conftest import Call

COMMAND = {"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": "s3://scripts/glue/raw_to_clean.py"}


@pytest.fixture
def name() -> str:
    return f"job_{uuid.uuid4().hex[:8]}"


def test_a_job_is_created_read_replaced_and_deleted(glue: Call, name: str) -> None:
    created = glue(
        "CreateJob",
        Name=name,
        Role="arn:aws:iam::123456789012:role/jobs",
        Command=COMMAND,
        GlueVersion="5.0",
        WorkerType="G.2X",
        NumberOfWorkers=4,
        Timeout=240,
        MaxRetries=0,
        ExecutionProperty={"MaxConcurrentRuns": 3},
        DefaultArguments={"--TempDir": "s3://scripts/temp/"},
        Tags={"owner": "metering"},
    )
    assert created["Name"] == name
    job = glue("GetJob", JobName=name)["Job"]
    assert (job["Command"], job["Timeout"], job["MaxCapacity"]) == (COMMAND, 240, 8.0)
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 3}
    arn = f"arn:aws:glue:eu-west-1:123456789012:job/{name}"
    assert glue("GetTags", ResourceArn=arn)["Tags"] == {"owner": "metering"}
    assert name in [found["Name"] for found in glue("GetJobs")["Jobs"]]
    assert name in glue("ListJobs")["JobNames"]

    glue("UpdateJob", JobName=name, JobUpdate={"Role": "other", "Command": COMMAND})
    replaced = glue("GetJob", JobName=name)["Job"]
    assert (replaced["Role"], replaced["CreatedOn"]) == ("other", job["CreatedOn"])
    assert "DefaultArguments" not in replaced
    assert replaced["ExecutionProperty"] == {"MaxConcurrentRuns": 1}

    assert glue("DeleteJob", JobName=name)["JobName"] == name
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue("GetJob", JobName=name)
    assert glue("DeleteJob", JobName=name)["JobName"] == name


def test_a_second_job_of_the_same_name_is_refused(glue: Call, name: str) -> None:
    glue("CreateJob", Name=name, Role="r", Command=COMMAND)
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        glue("CreateJob", Name=name, Role="r", Command=COMMAND)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Command": {"Name": "gluestreaming", "ScriptLocation": "s3://x/y.py"}}, "Command.Name"),
        ({"Command": {"Name": "glueetl", "ScriptLocation": "y.py"}}, "ScriptLocation"),
        ({"MaxCapacity": 10.0, "WorkerType": "G.1X", "NumberOfWorkers": 2}, "Max Capacity"),
        ({"MaxRetries": 2}, "MaxRetries"),
    ],
)
def test_a_job_that_cannot_run_here_is_refused(glue: Call, name: str, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError, match=f"InvalidInputException.*{reason}"):
        glue("CreateJob", **{"Name": name, "Role": "r", "Command": COMMAND} | changes)
