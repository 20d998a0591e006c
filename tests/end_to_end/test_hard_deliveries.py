"""Deliveries that once stopped the platform: what a user reads, and that the next delivery gets through."""

from __future__ import annotations

import io
import json
import subprocess
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from demo.airflow_api import Run
from demo.cascade import wait_for_first_runs
from local_aws.engines.airflow import Airflow
from tests.end_to_end.conftest import CASCADE_SECONDS, LOAD, Platform

pytestmark = pytest.mark.slow

DESCRIPTION = {
    "transformer": "default",
    "meter_id_column": "Point",
    "date_time_column": "Start",
    "value_column": "kWh",
}
# Makes a task wait again, by the provider's own trigger: an Airflow of before left such a row behind.
WAIT_AGAIN = """
import json, sys
from airflow.models.taskinstance import TaskInstance
from airflow.models.trigger import Trigger
from airflow.utils.session import create_session
from sqlalchemy import select

dag_id, run_id, task_id, arguments = sys.argv[1:]
classpath = "airflow.providers.amazon.aws.triggers.glue.GlueJobCompleteTrigger"
with create_session() as session:
    trigger = Trigger(classpath=classpath, kwargs=json.loads(arguments))
    session.add(trigger)
    session.flush()
    task = session.scalars(select(TaskInstance).filter_by(dag_id=dag_id, run_id=run_id, task_id=task_id)).one()
    task.trigger_id, task.state = trigger.id, "deferred"
    task.next_method, task.next_kwargs = "execute_complete", {}
    task.dag_run.state = "running"
"""


def day_of_half_hours(meter: str) -> bytes:
    """4 March 2024, 0.5 kWh in each half hour: 24.0 kWh."""
    clocks = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)]
    return "\n".join(["Point,Start,kWh", *(f"{meter},2024-03-04 {clock},0.5" for clock in clocks), ""]).encode()


def deliver(platform: Platform, folder: str, description: dict[str, Any], **files: bytes) -> None:
    """Put files, by name without .csv, and the description of them into a folder of the landing zone."""
    bodies = {f"{name}.csv": body for name, body in files.items()}
    bodies["_transformer.json"] = json.dumps(description).encode()
    for name, body in bodies.items():
        platform.aws("s3").upload_fileobj(
            io.BytesIO(body), platform.deployment["landing_bucket"], key(platform, folder, name)
        )


def key(platform: Platform, folder: str, name: str) -> str:
    return f"{platform.deployment['landing_prefix']}{folder}/{name}"


def load(platform: Platform) -> Run:
    """Load what is new; every run that this starts has to succeed."""
    run = platform.airflow.trigger("ingest_meter_readings")
    platform.airflow.cascade([run], LOAD, CASCADE_SECONDS)
    return run


def day(platform: Platform, meter: str) -> Any:
    return platform.api.get(f"/consumption/daily/2024/{meter}").json()


def until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(1)


@pytest.fixture(scope="module", autouse=True)
def _started(platform: Platform) -> None:
    wait_for_first_runs(platform.airflow)


def test_a_zip_archive_that_is_named_csv_is_called_by_its_name_and_the_next_delivery_loads(platform: Platform) -> None:
    """Nobody has to take it away: it stays set aside."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("usage.csv", day_of_half_hours("HARD-ZIP"))
    deliver(platform, "hard", DESCRIPTION, usage=archive.getvalue())
    run = platform.airflow.trigger("ingest_meter_readings")
    assert platform.airflow.finish(run, CASCADE_SECONDS) == "failed"
    words = platform.airflow.log(run, "check_rejected_share", 1)
    assert "NothingReadError: None of the 1 files of batch " in words
    assert f"{key(platform, 'hard', 'usage.csv')} cannot be read: it is a ZIP archive. Unpack it" in words
    assert "\x00" not in words

    deliver(platform, "hard", DESCRIPTION, good=day_of_half_hours("HARD-GOOD"))
    run = load(platform)
    assert day(platform, "HARD-GOOD") == [["HARD-GOOD", "20240304", 24.0]]
    assert f"{key(platform, 'hard', 'usage.csv')} is still set aside" in platform.airflow.log(
        run, "find_new_meter_files", 1
    )


def test_a_trigger_in_the_database_that_reports_a_nul_fails_its_task_and_nothing_else(platform: Platform) -> None:
    glue = platform.aws("glue")
    deployment = platform.deployment
    platform.aws("s3").put_object(
        Bucket=deployment["scripts_bucket"], Key="hostile.py", Body=b"raise ValueError('PK' + chr(3) + chr(0))"
    )
    role = glue.get_job(JobName="raw_to_clean")["Job"]["Role"]
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{deployment['scripts_bucket']}/hostile.py"}
    glue.create_job(Name="hostile", Role=role, Command=command, GlueVersion="5.0")
    job_run = glue.start_job_run(JobName="hostile")["JobRunId"]

    def ended() -> dict[str, Any]:
        return glue.get_job_run(JobName="hostile", RunId=job_run)["JobRun"]

    until(lambda: ended()["JobRunState"] == "FAILED", 120)
    assert ended()["ErrorMessage"] == "ValueError: PK\x03\x00"

    newest = platform.airflow.runs("ingest_meter_readings")[0]
    run = Run("ingest_meter_readings", newest["dag_run_id"])
    arguments = {"job_name": "hostile", "run_id": job_run, "waiter_delay": 1, "waiter_max_attempts": 10}
    engine = Airflow(platform.settings)
    python = engine.settings.airflow_environment / "bin" / "python"
    command_line = [python, "-c", WAIT_AGAIN, run.dag_id, run.run_id, "raw_to_clean", json.dumps(arguments)]
    waits_since = datetime.now(UTC)
    subprocess.run(command_line, env=engine.environment(), check=True, capture_output=True, timeout=120)

    # How the run ends is decided by its last task, which had succeeded before.
    platform.airflow.finish(run, CASCADE_SECONDS)
    (task,) = [task for task in platform.airflow.task_instances(run) if task["task_id"] == "raw_to_clean"]
    assert task["state"] == "failed"
    assert datetime.fromisoformat(task["end_date"]) > waits_since
    words = platform.airflow.log(run, "raw_to_clean", task["try_number"])
    assert "ValueError: PK" in words
    assert "\x00" not in words
    assert engine.unhealthy() == []
