"""When sweep_storage runs, what each of its tasks sweeps, and what it leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError
from metering import clients, sweeping

from tests.dags.task_run import rendered

TABLES = ["daily", "aggregated_daily", "aggregated_weekly", "aggregated_monthly", "completeness", "anomaly"]
NOTHING = {"folders": 0, "objects": 0, "bytes": 0}


@pytest.fixture
def dag(dags: dict[str, DAG]) -> DAG:
    return dags["sweep_storage"]


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the functions are given; they sweep nothing."""
    calls: list[dict[str, Any]] = []

    def sweep(s3: object, glue: object, **given: Any) -> dict[str, Any]:
        assert datetime.now(UTC) - given.pop("now") < timedelta(minutes=1)
        calls.append(given)
        return NOTHING

    for name in ("superseded_folders", "clean_batches", "forecasts"):
        monkeypatch.setattr(sweeping, name, sweep)
    for name in ("s3", "glue"):
        monkeypatch.setattr(clients, name, lambda: None)
    return calls


def execute(dag: DAG, task_id: str, at_work: tuple[str, ...] = (), **params: Any) -> Any:
    """Run a task while these DAGs have runs in progress."""
    task, run = rendered(dag, task_id, params=params)

    def get_dr_count(dag_id: str, states: list[str]) -> int:
        assert states == ["queued", "running"]
        return at_work.count(dag_id)

    run["ti"].get_dr_count = get_dr_count
    return task.execute(run)


def test_it_runs_when_the_night_is_quiet(dag: DAG) -> None:
    assert dag.timetable.summary == "0 3 * * *"


def test_no_task_waits_for_another(dag: DAG) -> None:
    assert {task.task_id: task.upstream_task_ids for task in dag.tasks} == {
        "sweep_superseded_folders": set(),
        "sweep_clean_batches": set(),
        "sweep_forecasts": set(),
    }


def test_superseded_folders_of_all_tables_are_kept_for_three_days(dag: DAG, swept: list[dict[str, Any]]) -> None:
    assert execute(dag, "sweep_superseded_folders") == NOTHING
    assert swept == [
        {
            "database": "metering",
            "business_bucket": "the-business",
            "clean_bucket": "the-clean",
            "tables": TABLES,
            "retention": timedelta(days=3),
            "dry_run": False,
        }
    ]


def test_clean_batches_are_kept_for_a_year_and_forecasts_for_a_quarter(dag: DAG, swept: list[dict[str, Any]]) -> None:
    execute(dag, "sweep_clean_batches", dry_run=True)
    execute(dag, "sweep_forecasts", forecast_days=7)

    assert swept == [
        {"database": "metering", "clean_bucket": "the-clean", "retention": timedelta(days=365), "dry_run": True},
        {"database": "metering", "business_bucket": "the-business", "retention": timedelta(days=7), "dry_run": False},
    ]


@pytest.mark.parametrize(
    ("at_work", "left"),
    [
        ("ingest_meter_readings", {"daily"}),
        ("aggregate_consumption", {"aggregated_daily", "aggregated_weekly", "aggregated_monthly", "completeness"}),
        ("load_redshift", {"aggregated_daily", "aggregated_weekly", "aggregated_monthly"}),
        ("detect_anomalies", {"anomaly"}),
    ],
)
def test_a_table_that_is_being_published_is_left_alone(
    dag: DAG, swept: list[dict[str, Any]], at_work: str, left: set[str]
) -> None:
    execute(dag, "sweep_superseded_folders", (at_work,))

    assert set(swept[0]["tables"]) == set(TABLES) - left


@pytest.mark.parametrize(
    ("task_id", "at_work"),
    [
        ("sweep_clean_batches", "ingest_meter_readings"),
        ("sweep_clean_batches", "load_redshift"),
        ("sweep_forecasts", "forecast_consumption"),
    ],
)
def test_a_zone_in_use_is_left_alone(dag: DAG, swept: list[dict[str, Any]], task_id: str, at_work: str) -> None:
    assert execute(dag, task_id, (at_work,)) == {}
    assert swept == []


def test_users_of_the_zones_are_dags_and_their_tables_have_a_writer(dags: dict[str, DAG]) -> None:
    assert {dag_id for users in sweeping.USERS.values() for dag_id in users} <= set(dags)
    assert sweeping.USERS.keys() == {*sweeping.WRITERS, sweeping.CLEAN, sweeping.FORECAST}
    for table, job in sweeping.WRITERS.items():
        assert any(dag.has_task(job) for dag in map(dags.__getitem__, sweeping.USERS[table])), table


@pytest.mark.parametrize(
    ("name", "value"),
    [("superseded_days", 0), ("clean_days", 29), ("forecast_days", 6), ("superseded_days", "3"), ("dry_run", "no")],
)
def test_the_trigger_form_refuses(dag: DAG, name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        dag.params.get_param(name).resolve(value)
