"""Airflow as an engine. Its executor runs in Airflow's own environment, therefore in a process of that."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import psycopg
import pytest

from local_aws.engines.airflow import Airflow
from local_aws.engines.postgres import Postgres
from local_aws.settings import REPOSITORY, Settings, variable

EXECUTOR = """
import json
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.utils.state import TaskInstanceState
from local_aws_executor import LocalExecutor

executor = LocalExecutor(parallelism=4)
key = TaskInstanceKey("dag", "task", "run", 1, -1)
executor.running.add(key)
executor.change_state(key, TaskInstanceState.SUCCESS)
after_success = (len(executor.event_buffer), len(executor.running))
executor.change_state(key, TaskInstanceState.FAILED)
print(json.dumps([after_success, len(executor.event_buffer), executor.is_local]))
"""

# Three events and three failures that PostgreSQL or Airflow's own messages between processes would refuse.
TRIGGERER = """
import json
from airflow.triggers.base import TriggerEvent
import local_aws_triggerer
from airflow.jobs.triggerer_job_runner import TriggerRunner

texts = ["PK" + chr(0), "half " + chr(0xD83D), "x" * 1_000_000, "März"]
runner = TriggerRunner()
for number, text in enumerate(texts):
    runner.events.append((number, TriggerEvent({"status": "error", "details": [text]})))
    runner.failed_triggers.append((number, ValueError(text)))
changes = runner.process_trigger_events([])
events = [event.payload["details"][0] for _, event in changes.events]
failures = ["".join(trace) for _, trace in changes.failures]
print(json.dumps([events, failures], ensure_ascii=False))
"""


@pytest.fixture
def engine(tmp_path: Path) -> Airflow:
    settings = Settings(home=tmp_path)
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "password").write_text("p@ss")
    return Airflow(settings)


def test_a_finished_process_is_no_news_for_the_scheduler_but_a_failed_one_is(engine: Airflow) -> None:
    environment = engine.environment() | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////dev/null"}
    python = engine.settings.airflow_environment / "bin" / "python"
    answer = subprocess.run([python, "-c", EXECUTOR], env=environment, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout.splitlines()[-1]) == [[0, 0], 1, True]


def test_what_a_trigger_reports_is_stored_whatever_it_says(engine: Airflow, postgres: Postgres) -> None:
    environment = engine.environment() | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////dev/null"}
    python = engine.settings.airflow_environment / "bin" / "python"
    answer = subprocess.run([python, "-c", TRIGGERER], env=environment, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    events, failures = json.loads(answer.stdout.splitlines()[-1])
    with psycopg.connect(postgres.dsn("airflow")) as connection:
        stored = [
            connection.execute("SELECT %s::jsonb ->> 0", [json.dumps([text])]).fetchone() for text in events + failures
        ]
    assert [row[0] for row in stored if row] == events + failures
    assert events == ["PK\\x00", "half \\ud83d", "x" * 1_000_000, "März"]
    assert [trace.strip().endswith(text) for trace, text in zip(failures, events, strict=True)] == [True] * 4


def test_the_environment_leads_airflow_to_this_repository_and_this_stack(engine: Airflow) -> None:
    environment = engine.environment()
    assert environment["AIRFLOW__CORE__DAGS_FOLDER"] == str(REPOSITORY / "dags")
    assert environment["AIRFLOW__CORE__PLUGINS_FOLDER"] == str(REPOSITORY / "plugins")
    assert environment["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] == "False"
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == (
        "postgresql+psycopg2://postgres:p%40ss@127.0.0.1:5433/airflow"
    )
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"].startswith("postgresql+asyncpg://")
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert environment["METERING_POLL_SECONDS"] == "2"
    assert json.loads(environment["AIRFLOW__SECRETS__BACKEND_KWARGS"]) == {
        "connections_prefix": "/airflow/connections",
        "variables_prefix": "/airflow/variables",
    }


def test_a_users_own_airflow_and_aws_settings_stay_out(engine: Airflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "64")
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY_CMD", "x")
    monkeypatch.setenv("AWS_PROFILE", "production")
    environment = engine.environment()
    assert environment["AIRFLOW__CORE__PARALLELISM"] == "4"
    assert "AIRFLOW__CORE__FERNET_KEY_CMD" not in environment
    assert "AWS_PROFILE" not in environment


def test_the_patience_of_the_dags_comes_from_the_settings_and_not_from_somebodys_shell(
    tmp_path: Path, engine: Airflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METERING_JOB_RETRIES", "7")
    monkeypatch.setenv("METERING_RETRIES", "7")

    by_default = {name: text for name, text in engine.environment().items() if name.startswith("METERING_")}
    chosen = Airflow(Settings(home=tmp_path, poll_seconds=1, job_retries=1, retries=3)).environment()

    assert by_default == {
        "METERING_POLL_SECONDS": "2",
        "METERING_JOB_RETRIES": "0",
        "METERING_RETRY_DELAY_SECONDS": "5",
    }
    assert (chosen["METERING_POLL_SECONDS"], chosen["METERING_JOB_RETRIES"]) == ("1", "1")
    assert chosen["METERING_RETRIES"] == "3"


def test_every_setting_of_the_dags_can_be_set_here() -> None:
    read = set(re.findall(r"METERING_\w+", (REPOSITORY / "plugins" / "metering" / "settings.py").read_text()))
    own = {variable(one.name) for one in fields(Settings) if variable(one.name).startswith("METERING_")}

    # One interval serves all that waits; it is LOCAL_AWS_POLL_SECONDS here.
    assert own == read - {"METERING_POLL_SECONDS"}, "Give local_aws.settings.Settings a field for each."


def test_the_keys_are_the_same_at_every_start(engine: Airflow) -> None:
    names = ("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY")
    first, second = engine.environment(), engine.environment()
    assert [first[name] for name in names] == [second[name] for name in names]
    assert len({first[name] for name in names}) == 3


def test_airflow_that_does_not_answer_is_not_healthy(tmp_path: Path) -> None:
    engine = Airflow(Settings(home=tmp_path, airflow_port=9))
    assert engine.unhealthy() == ["metadatabase", "scheduler", "dag_processor", "triggerer"]


def test_when_one_component_ends_the_others_are_ended_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://127.0.0.1:9")
    program = tmp_path / "airflow"
    program.write_text('#!/bin/sh\necho "$@"\nexec sleep 60\n')
    # The triggerer is run by the interpreter beside Airflow's program.
    triggerer = tmp_path / "python"
    triggerer.write_text('#!/bin/sh\necho "$@"\nexit 7\n')
    for file in (program, triggerer):
        file.chmod(0o755)
    command = [sys.executable, "-m", "local_aws.engines.airflow_components", program, tmp_path]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert "ended by itself: triggerer (exit code 7)" in answer.stdout
    assert (tmp_path / "airflow-dag-processor.log").read_text() == "dag-processor\n"
    assert (tmp_path / "airflow-triggerer.log").read_text() == "-m local_aws_triggerer triggerer --skip-serve-logs\n"


def test_the_scheduler_waits_for_the_api_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://127.0.0.1:9")
    program = tmp_path / "airflow"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    triggerer = tmp_path / "python"
    triggerer.write_text("#!/bin/sh\nsleep 2 && exit 7\n")
    for file in (program, triggerer):
        file.chmod(0o755)
    command = [sys.executable, "-m", "local_aws.engines.airflow_components", program, tmp_path]
    subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert (tmp_path / "airflow-api-server.log").exists()
    assert not (tmp_path / "airflow-scheduler.log").exists()
