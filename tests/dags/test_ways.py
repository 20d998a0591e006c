"""Every way through every DAG, run by Airflow itself: no template fails, and the tasks end as the table says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from airflow.providers.common.compat.sdk import BranchMixIn
from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.sdk import DAG
from metering import alerts, clients

from tests.dags import dag_run
from tests.dags.aws_endpoint import AwsEndpoint
from tests.dags.aws_services import AwsServices
from tests.dags.dag_run import Ended
from tests.dags.test_policies import DAG_IDS, texts
from tests.dags.ways import (
    ALL,
    ALL_REJECTED,
    FAILS,
    GOES_ON,
    NO_INTERVALS,
    NOTHING_MERGED,
    PASSES,
    READ,
    SOME,
    STOPS,
    WAYS,
    Way,
    delivered,
)
from tests.plugins.object_store import ObjectStore

pytestmark = pytest.mark.slow

EACH_WAY = [
    pytest.param(dag_id, way, id=f"{dag_id}-{way.name.replace(' ', '_')}")
    for dag_id, ways in WAYS.items()
    for way in ways
]


@pytest.fixture(scope="module", autouse=True)
def database() -> None:
    dag_run.make_database()


@pytest.fixture(autouse=True)
def alarms(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The subjects of the alerts that are sent."""
    sent: list[str] = []
    monkeypatch.setattr(alerts, "_publish", lambda subject, message: sent.append(subject))
    return sent


@pytest.fixture
def services(aws: AwsEndpoint, monkeypatch: pytest.MonkeyPatch) -> AwsServices:
    s3 = ObjectStore()
    services = AwsServices(s3)
    aws.answers = services.answers
    monkeypatch.setattr(clients, "s3", lambda: s3)
    monkeypatch.setattr(SageMakerHook, "check_s3_url", lambda self, url: True)
    monkeypatch.setattr("airflow.sdk.execution_time.supervisor.in_process_api_server", dag_run.api_server)
    return services


def test_the_table_holds_every_dag_and_every_outcome_of_its_forks(dags: dict[str, DAG]) -> None:
    assert sorted(WAYS) == DAG_IDS, "List the ways of a new DAG in tests/dags/ways.py."
    for dag_id, dag in dags.items():
        listed = {
            (task_id, outcome)
            for way in WAYS[dag_id]
            for task_id, said in way.decides.items()
            for outcome in outcomes(dag, task_id, said)
        }
        wanted = {pair for task in dag.tasks for pair in possible_outcomes(task)}
        assert listed == wanted, f"List the ways of {dag_id} in tests/dags/ways.py: every outcome of each fork."


def possible_outcomes(task: Any) -> set[tuple[str, Any]]:
    """What a fork can decide; nothing for another task."""
    kind = task.operator_class if task.is_mapped else type(task)
    if task.is_mapped:
        decisions: list[Any] = [ALL, SOME]
    elif issubclass(kind, ShortCircuitOperator):
        decisions = [GOES_ON, STOPS]
    elif issubclass(kind, BranchMixIn):
        decisions = [None, *((one, chosen) for one in task.downstream_task_ids for chosen in (True, False))]
    else:
        decisions = [PASSES, FAILS] if task.retries == 0 else []
    return {(task.task_id, decision) for decision in decisions}


def outcomes(dag: DAG, task_id: str, said: Any) -> list[Any]:
    """A branch decides of each task that follows it; None stands for a branch that chooses nothing."""
    if isinstance(said, str):
        return [said]
    return [(one, one in said) for one in dag.get_task(task_id).downstream_task_ids] if said else [None]


@pytest.mark.parametrize(("dag_id", "way"), EACH_WAY)
def test_each_way_ends_as_the_table_says(dags: dict[str, DAG], services: AwsServices, dag_id: str, way: Way) -> None:
    dag = dags[dag_id]
    way.given(services)

    ended = dag_run.run(dag_id, conf=way.conf, run_type=way.run_type, events=way.events)

    assert ended.states == expected_states(dag, way)
    assert ended.state == ("failed" if way.failed else "success")
    assert {task_id: decided(dag, task_id, ended) for task_id in way.decides} == {
        task_id: said if isinstance(said, str) else sorted(said) for task_id, said in way.decides.items()
    }
    assert sorted(ended.events) == way.announces.split()
    assert_nothing_is_rendered_from_a_missing_value(ended)


def expected_states(dag: DAG, way: Way) -> dict[str, str]:
    states = {
        name: "success"
        for task_id in dag.task_ids
        for name in (
            [f"{task_id}[{index}]" for index in range(way.mapped[task_id])] if task_id in way.mapped else [task_id]
        )
    }
    for state in ("skipped", "failed", "upstream_failed"):
        states |= dict.fromkeys(getattr(way, state).split(), state)
    return states


def decided(dag: DAG, task_id: str, ended: Ended) -> Any:
    """What a fork has decided, as its followers show."""
    task = dag.get_task(task_id)
    if task.is_mapped:
        of_all = [state for name, state in ended.states.items() if name.startswith(f"{task_id}[")]
        return ALL if set(of_all) == {"success"} else SOME
    reached = sorted(one for one in task.downstream_task_ids if ended.states.get(one) != "skipped")
    if isinstance(task, ShortCircuitOperator):
        return GOES_ON if reached else STOPS
    if isinstance(task, BranchMixIn):
        return reached
    return PASSES if ended.states[task_id] == "success" else FAILS


def assert_nothing_is_rendered_from_a_missing_value(ended: Ended) -> None:
    started = {name for name, state in ended.states.items() if state in ("success", "failed")}
    assert started <= set(ended.rendered)
    for name, fields in ended.rendered.items():
        for field, value in fields.items():
            for text in texts(value):
                assert not re.search(r"\bNone\b|\bUndefined\b|{{", text), f"{name}.{field}: {text}"


@pytest.mark.parametrize(
    ("read", "merged"),
    [(READ, NO_INTERVALS), (ALL_REJECTED, NOTHING_MERGED)],
    ids=["registers or errors only", "every row rejected"],
)
def test_a_delivery_without_interval_readings_reaches_the_warehouse(
    services: AwsServices, aws: AwsEndpoint, read: dict[str, Any], merged: dict[str, Any]
) -> None:
    delivered(read, merged)(services)

    ingested = dag_run.run("ingest_meter_readings", conf={"max_rejected_share": 1})
    (batch,) = [event["batch"] for event in ingested.events["readings"]]
    summed = dag_run.run("aggregate_consumption", events=ingested.events)
    loaded = dag_run.run("load_redshift", events=summed.events)
    followers = [
        dag_run.run("detect_anomalies", events=summed.events),
        dag_run.run("train_forecast_model", events=loaded.events),
        dag_run.run("forecast_consumption", events=loaded.events),
    ]

    assert summed.events == {"consumption": [{"batches": [batch], "run": None, "dates": []}]}
    assert loaded.states == {
        "plan_load": "success",
        "merge_readings": "success",
        "merge_consumption": "skipped",
        "announce_warehouse": "success",
    }
    merged_at, manifest = services.s3.keys("the-business", "_manifests/")
    assert merged_at.endswith("/batches.csv")
    assert manifest.endswith("/daily.json")
    copied = [entry["url"] for entry in services.s3.json("the-business", manifest)["entries"]]
    assert copied == [f"s3://the-clean/clean/batch={batch}/part-0.parquet"]
    (merge,) = aws.sent("BatchExecuteStatement")
    assert any(f"_manifests/{manifest.split('/')[1]}/daily.json" in sql for sql in merge["Sqls"])
    assert [job["JobName"] for job in aws.sent("StartJobRun")] == ["raw_to_clean", "clean_to_business"]
    assert {run.state for run in [ingested, summed, loaded, *followers]} == {"success"}


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_a_run_with_an_unknown_key_fails_at_once_and_does_nothing(
    dags: dict[str, DAG], services: AwsServices, aws: AwsEndpoint, alarms: list[str], dag_id: str
) -> None:
    services.s3.put_object("the-landing", "readings/a.csv", "rows")

    ended = dag_run.run(dag_id, conf={"no_such_key": "default"}, with_retries=True)

    assert ended.state == "failed"
    assert set(ended.states.values()) <= {"failed", "upstream_failed"}
    assert {task_id for task_id, tries in ended.tries.items() if tries > 1} == set()
    failed = sorted(task_id for task_id, state in ended.states.items() if state == "failed")
    assert sorted(alarms) == [f"{dag_id}.{task_id} failed" for task_id in failed]
    assert {task.task_id for task in dags[dag_id].roots} <= set(failed)
    assert aws.requests == []
    assert services.s3.objects.keys() == {("the-landing", "readings/a.csv")}
