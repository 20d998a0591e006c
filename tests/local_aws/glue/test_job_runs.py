"""Runs of real processes; those with Spark are in test_spark_runs.py."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.engines.seaweedfs import SeaweedFS
from local_aws.glue import java
from local_aws.glue.job_runs import GlueJobRuns
from local_aws.glue.jobs import GlueJobs
from local_aws.glue.log_store import LogStore
from local_aws.service import ServiceError
from local_aws.settings import REPOSITORY, Settings
from local_aws.state import State
from tests.local_aws.glue.conftest import Call
from tests.local_aws.glue.runs import ended, lives, messages, until, upload

# Says that it began by an object on S3, then waits for its end.
WAITING = """
import boto3, subprocess, sys, time
child = str(subprocess.Popen(["sleep", "600"]).pid)
boto3.client("s3").put_object(Bucket=sys.argv[sys.argv.index("--bucket") + 1], Key="begun", Body=child.encode())
time.sleep(600)
"""

# A process that serves the state in a folder and starts the job.
SERVER = """
import sys, threading
from pathlib import Path
from local_aws.engines.seaweedfs import s3_client
from local_aws.glue.job_runs import GlueJobRuns
from local_aws.glue.log_store import LogStore
from local_aws.settings import Settings
from local_aws.state import State
home = Path(sys.argv[1])
settings = Settings(home=home, s3_port=int(sys.argv[2]))
runs = GlueJobRuns(State(home / "state.sqlite"), settings, s3_client(settings), LogStore(home / "logs.sqlite"))
runs.on_start()
runs.start_job_run({"JobName": "job", "Arguments": {"--bucket": sys.argv[3]}})
threading.Event().wait()
"""


def test_a_run_gets_the_arguments_of_job_and_run_and_its_output_is_in_the_logs(
    glue: Call, logs: Call, job: Callable[..., str], run: Callable[..., dict[str, Any]]
) -> None:
    script = """
import sys
from awsglue.utils import getResolvedOptions
options = getResolvedOptions(sys.argv, ["JOB_NAME", "database", "batch"])
print("job", options["JOB_NAME"], "of", options["JOB_RUN_ID"])
print("read", options["database"], options["batch"], "--conf" in sys.argv)
print("a warning", file=sys.stderr)
"""
    defaults = {"--database": "metering", "--batch": "default", "--conf": "spark.sql.ansi.enabled=true"}
    name = job(script, DefaultArguments=defaults, WorkerType="G.1X", NumberOfWorkers=2)
    job_run = run(name, batch="b1")
    assert job_run["JobRunState"] == "SUCCEEDED"
    assert "ErrorMessage" not in job_run
    assert (job_run["JobName"], job_run["Arguments"]) == (name, {"--batch": "b1"})
    assert job_run["StartedOn"] <= job_run["CompletedOn"]
    assert job_run["LogGroupName"] == "/aws-glue/jobs"
    assert messages(logs, job_run, "output") == [f"job {name} of {job_run['Id']}", "read metering b1 False"]
    assert messages(logs, job_run, "error") == ["a warning"]


def test_the_last_exception_of_a_script_is_the_message_of_its_run(
    logs: Call, job: Callable[..., str], run: Callable[..., dict[str, Any]]
) -> None:
    name = job('def read():\n    raise ValueError("column KWH is missing in\\nreadings/a.csv")\nread()\n')
    job_run = run(name)
    assert job_run["JobRunState"] == "FAILED"
    assert job_run["ErrorMessage"] == "ValueError: column KWH is missing in\nreadings/a.csv"
    trace = messages(logs, job_run, "error")
    assert trace[0] == "Traceback (most recent call last):"
    assert f"{name}.py" in trace[1], "the trace begins with the script's own frame"


@pytest.mark.parametrize(
    ("script", "state", "message"),
    [
        ("import sys\nsys.exit(0)", "SUCCEEDED", None),
        ("import sys\nsys.exit(3)", "FAILED", "SystemExit: 3"),
        ("def broken(:", "FAILED", "SyntaxError: invalid syntax"),
        ("import transformers_that_nobody_sent", "FAILED", "ModuleNotFoundError: No module named"),
        ("import os\nos._exit(7)", "FAILED", "Command failed with exit code 7"),
        ("import os\nos.kill(os.getpid(), 9)", "FAILED", "Command failed with exit code 137 (SIGKILL)"),
    ],
)
def test_every_end_of_a_script_is_told(
    job: Callable[..., str], run: Callable[..., dict[str, Any]], script: str, state: str, message: str | None
) -> None:
    job_run = run(job(script))
    assert job_run["JobRunState"] == state
    assert job_run.get("ErrorMessage", "").startswith(message or "")
    assert ("ErrorMessage" in job_run) == (message is not None)


def test_a_message_may_hold_whatever_a_script_says(job: Callable[..., str], run: Callable[..., dict[str, Any]]) -> None:
    """The service model sets no bound to ErrorString. Only a lone surrogate cannot be sent."""
    name = job("raise ValueError('PK' + chr(3) + chr(0) + ' März ' + chr(0xD83D))")

    assert run(name)["ErrorMessage"] == "ValueError: PK\x03\x00 März ?"


def test_modules_sent_with_the_job_are_imported(
    logs: Call,
    job: Callable[..., str],
    run: Callable[..., dict[str, Any]],
    seaweedfs: SeaweedFS,
    bucket: str,
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("transformers/__init__.py", "")
        archive.writestr("transformers/london.py", "NAME = 'london'")
    package = upload(seaweedfs, bucket, "glue/transformers.zip", packed.getvalue())
    module = upload(seaweedfs, bucket, "glue/units.py", "KWH = 'kWh'")
    script = "import units\nfrom transformers import london\nprint(london.NAME, units.KWH)"
    job_run = run(job(script, DefaultArguments={"--extra-py-files": f"{package}, {module}"}))
    assert messages(logs, job_run, "output") == ["london kWh"]


@pytest.mark.parametrize("argument", ["script", "--extra-py-files"])
def test_a_file_that_is_not_on_s3_is_named(
    glue: Call, job: Callable[..., str], run: Callable[..., dict[str, Any]], bucket: str, argument: str
) -> None:
    missing = f"s3://{bucket}/nowhere.py"
    name = job("print(1)", DefaultArguments={} if argument == "script" else {argument: missing})
    if argument == "script":
        glue("UpdateJob", JobName=name, JobUpdate={"Command": {"Name": "glueetl", "ScriptLocation": missing}})
    job_run = run(name)
    assert job_run["JobRunState"] == "FAILED"
    assert job_run["ErrorMessage"].startswith(f"LAUNCH ERROR | {missing} cannot be read: ")
    assert "404" in job_run["ErrorMessage"]


def test_a_job_runs_on_the_libraries_of_glue(
    logs: Call, job: Callable[..., str], run: Callable[..., dict[str, Any]]
) -> None:
    script = "import boto3, numpy, pyarrow\nprint(boto3.__version__, numpy.__version__, pyarrow.__version__)"

    assert messages(logs, run(job(script)), "output") == ["1.34.131 1.26.4 17.0.0"]


def test_a_wheel_that_the_job_brings_along_is_there_and_installed(
    logs: Call, job: Callable[..., str], run: Callable[..., dict[str, Any]], seaweedfs: SeaweedFS, bucket: str
) -> None:
    def ended_with(wheel: str) -> dict[str, Any]:
        return run(job("print('begun')", DefaultArguments={"--additional-python-modules": wheel}))

    version = next(iter((REPOSITORY / ".venv-glue").glob("lib/*/site-packages/fastavro-*.dist-info"))).name
    version = version.removesuffix(".dist-info").partition("-")[2]
    known = upload(seaweedfs, bucket, f"glue/wheels/fastavro-{version}-cp311-cp311-linux_x86_64.whl", b"")
    other = upload(seaweedfs, bucket, "glue/wheels/fastavro-0.0.1-cp311-cp311-linux_x86_64.whl", b"")

    assert messages(logs, ended_with(known), "output") == ["begun"]
    assert ended_with(other)["ErrorMessage"].startswith("LAUNCH ERROR | fastavro 0.0.1 is not in .venv-glue")
    assert "404" in ended_with(f"s3://{bucket}/glue/nowhere-1.0-py3-none-any.whl")["ErrorMessage"]
    assert "no wheel on S3" in ended_with("fastavro==1.13.1")["ErrorMessage"]


def test_a_job_that_asks_for_no_spark_needs_no_java_and_one_that_does_is_told_so(
    logs: Call, job: Callable[..., str], run: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(java, "VERSION", "99")
    java.java_home.cache_clear()
    script = "print('works')\nimport sys\nif '--spread' in sys.argv:\n    from pyspark import SparkContext\n"
    name = job(script + "    SparkContext.getOrCreate()")
    try:
        assert messages(logs, run(name), "output") == ["works"]
        said = run(name, spread="yes")["ErrorMessage"]
    finally:
        java.java_home.cache_clear()

    assert said.startswith("PySparkRuntimeError: ")
    assert said.endswith(
        "There is no Java 17, which a job that spreads its work needs. Install one, or run make set-up."
    )


def test_a_conf_argument_that_is_no_assignment_is_refused(
    job: Callable[..., str], run: Callable[..., dict[str, Any]]
) -> None:
    job_run = run(job("print(1)", DefaultArguments={"--conf": "spark.sql.ansi.enabled"}))
    assert job_run["ErrorMessage"].startswith("LAUNCH ERROR | --conf must read name=value")


def test_a_run_of_a_job_that_does_not_exist_is_refused(glue: Call) -> None:
    with pytest.raises(ClientError, match="EntityNotFoundException.*missing metadata"):
        glue("StartJobRun", JobName="nothing")
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue("GetJobRuns", JobName="nothing")


def test_an_argument_that_the_job_fixes_is_not_overridden(glue: Call, job: Callable[..., str]) -> None:
    name = job("print(1)", NonOverridableArguments={"--database": "metering"})
    with pytest.raises(ClientError, match="InvalidInputException.*--database"):
        glue("StartJobRun", JobName=name, Arguments={"--database": "other"})


def test_more_runs_than_the_job_allows_are_refused_and_others_wait_for_their_turn(
    glue: Call, job: Callable[..., str], bucket: str, seaweedfs: SeaweedFS
) -> None:
    first, second = job(WAITING), job("print(1)")
    running = glue("StartJobRun", JobName=first, Arguments={"--bucket": bucket})["JobRunId"]
    with pytest.raises(ClientError, match="ConcurrentRunsExceededException"):
        glue("StartJobRun", JobName=first)
    until(lambda: glue("GetJobRun", JobName=first, RunId=running)["JobRun"]["JobRunState"] == "RUNNING")
    waiting = glue("StartJobRun", JobName=second)["JobRunId"]
    assert glue("GetJobRun", JobName=second, RunId=waiting)["JobRun"]["JobRunState"] == "STARTING"
    glue("BatchStopJobRun", JobName=first, JobRunIds=[running])
    until(lambda: glue("GetJobRun", JobName=second, RunId=waiting)["JobRun"]["JobRunState"] == "SUCCEEDED")


def test_a_stopped_run_ends_with_all_its_processes(
    glue: Call, job: Callable[..., str], bucket: str, seaweedfs: SeaweedFS
) -> None:
    name = job(WAITING)
    run_id = glue("StartJobRun", JobName=name, Arguments={"--bucket": bucket})["JobRunId"]
    child = begun(seaweedfs, bucket)
    answer = glue("BatchStopJobRun", JobName=name, JobRunIds=[run_id, "jr_unknown"])
    assert answer["SuccessfulSubmissions"] == [{"JobName": name, "JobRunId": run_id}]
    assert [error["JobRunId"] for error in answer["Errors"]] == ["jr_unknown"]
    job_run = until(lambda: ended(glue("GetJobRun", JobName=name, RunId=run_id)["JobRun"]))
    assert job_run["JobRunState"] == "STOPPED"
    assert not lives(child)
    (error,) = glue("BatchStopJobRun", JobName=name, JobRunIds=[run_id])["Errors"]
    assert "STOPPED" in error["ErrorDetail"]["ErrorMessage"]


def test_runs_are_listed_the_newest_first_and_in_pages(
    glue: Call, job: Callable[..., str], run: Callable[..., dict[str, Any]]
) -> None:
    name = job("print(1)")
    ids = [run(name)["Id"] for _ in range(3)]
    first = glue("GetJobRuns", JobName=name, MaxResults=2)
    rest = glue("GetJobRuns", JobName=name, NextToken=first["NextToken"])
    assert [found["Id"] for found in first["JobRuns"] + rest["JobRuns"]] == ids[::-1]
    assert "NextToken" not in rest


def begun(seaweedfs: SeaweedFS, bucket: str) -> int:
    """The process id that the script WAITING leaves when it has begun."""
    s3 = seaweedfs.client()
    until(lambda: s3.list_objects_v2(Bucket=bucket, Prefix="begun").get("Contents"))
    return int(s3.get_object(Bucket=bucket, Key="begun")["Body"].read())


class Stack:
    """Jobs and their runs on a state of their own, which a second process may take up."""

    def __init__(self, settings: Settings, seaweedfs: SeaweedFS, folder: Path) -> None:
        self.settings = Settings(home=folder, s3_port=settings.s3_port, control_port=settings.control_port)
        self.state = State(folder / "state.sqlite")
        self.logs = LogStore(folder / "logs.sqlite")
        self.jobs = GlueJobs(self.state, self.settings)
        self._s3 = seaweedfs.client()
        self._started: list[GlueJobRuns] = []

    def runs(self, seconds_per_minute: float = 60) -> GlueJobRuns:
        service = GlueJobRuns(self.state, self.settings, self._s3, self.logs, seconds_per_minute=seconds_per_minute)
        service.on_start()
        self._started.append(service)
        return service

    def create(self, location: str, **definition: Any) -> str:
        command = {"Name": "glueetl", "ScriptLocation": location}
        return self.jobs.create_job({"Name": "job", "Role": "r", "Command": command, **definition})["Name"]

    def close(self) -> None:
        for service in self._started:
            service.on_stop()
        self.logs.close()
        self.state.close()


@pytest.fixture
def stack(settings: Settings, seaweedfs: SeaweedFS, tmp_path: Path) -> Iterator[Stack]:
    made = Stack(settings, seaweedfs, tmp_path)
    yield made
    made.close()


def started(
    stack: Stack, service: GlueJobRuns, seaweedfs: SeaweedFS, bucket: str, **definition: Any
) -> tuple[str, int]:
    """Start a run of the script WAITING; returns its id and the process id of its child."""
    name = stack.create(upload(seaweedfs, bucket, "waiting.py", WAITING), **definition)
    run_id = service.start_job_run({"JobName": name, "Arguments": {"--bucket": bucket}})["JobRunId"]
    return run_id, begun(seaweedfs, bucket)


def test_a_run_that_takes_longer_than_its_timeout_is_ended(stack: Stack, seaweedfs: SeaweedFS, bucket: str) -> None:
    service = stack.runs(seconds_per_minute=1)
    stack.create(upload(seaweedfs, bucket, "endless.py", "import time\ntime.sleep(600)"), Timeout=2)
    run_id = service.start_job_run({"JobName": "job"})["JobRunId"]
    job_run = until(lambda: ended(service.get_job_run({"JobName": "job", "RunId": run_id})["JobRun"]))
    assert (job_run["JobRunState"], job_run["Timeout"]) == ("TIMEOUT", 2)
    assert job_run["ErrorMessage"] == "Job run timed out"
    assert job_run["ExecutionTime"] >= 2


def test_runs_of_a_process_that_stopped_have_failed_and_left_nothing_behind(
    stack: Stack, seaweedfs: SeaweedFS, bucket: str
) -> None:
    service = stack.runs()
    run_id, child = started(stack, service, seaweedfs, bucket)
    service.on_stop()
    job_run = service.get_job_run({"JobName": "job", "RunId": run_id})["JobRun"]
    assert job_run["JobRunState"] == "FAILED"
    assert "Start the job again" in job_run["ErrorMessage"]
    assert not lives(child)


def test_runs_of_a_process_that_died_have_failed_at_the_next_start_and_their_processes_are_ended(
    stack: Stack, seaweedfs: SeaweedFS, bucket: str
) -> None:
    name = stack.create(upload(seaweedfs, bucket, "waiting.py", WAITING))
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(stack.settings.home), str(stack.settings.s3_port), bucket]
    )
    child = begun(seaweedfs, bucket)
    server.kill()
    server.wait()
    assert lives(child), "the driver dies with its server, what it started does not"
    service = stack.runs()
    assert not lives(child)
    (job_run,) = service.get_job_runs({"JobName": name})["JobRuns"]
    assert job_run["JobRunState"] == "FAILED"
    assert "Start the job again" in job_run["ErrorMessage"]


def test_a_run_stopped_before_its_turn_never_begins(stack: Stack, seaweedfs: SeaweedFS, bucket: str) -> None:
    service = stack.runs()
    running, _ = started(stack, service, seaweedfs, bucket, ExecutionProperty={"MaxConcurrentRuns": 2})
    waiting = service.start_job_run({"JobName": "job"})["JobRunId"]
    service.batch_stop_job_run({"JobName": "job", "JobRunIds": [waiting, running]})
    for run_id in (running, waiting):
        job_run = until(lambda wanted=run_id: ended(service.get_job_run({"JobName": "job", "RunId": wanted})["JobRun"]))
        assert job_run["JobRunState"] == "STOPPED"
    assert stack.logs.stream("/aws-glue/jobs/output", waiting) is None


def test_a_run_that_nobody_started_is_not_found(stack: Stack) -> None:
    with pytest.raises(ServiceError, match="not found"):
        stack.runs().get_job_run({"JobName": "job", "RunId": "jr_unknown"})
