"""DAGs are joined by assets, and by nothing else."""

from __future__ import annotations

from airflow.sdk import DAG
from metering import assets

READINGS, CONSUMPTION, WAREHOUSE = "readings", "consumption", "warehouse"


def test_the_graph_of_dags_and_assets_is_the_one_in_the_design(dags: dict[str, DAG]) -> None:
    produced = {
        dag_id: {(task.task_id, outlet.name) for task in dag.tasks for outlet in task.outlets}
        for dag_id, dag in dags.items()
    }
    consumed = {
        dag_id: {asset.name for asset in dag.timetable.asset_condition.objects}
        for dag_id, dag in dags.items()
        if dag.timetable.asset_condition
    }

    assert produced == {
        "ingest_meter_readings": {("record_ledger", READINGS)},
        "aggregate_consumption": {("publish_consumption", CONSUMPTION)},
        "load_redshift": {("announce_warehouse", WAREHOUSE)},
        "set_up_warehouse": set(),
    }
    assert consumed == {"aggregate_consumption": {READINGS}, "load_redshift": {CONSUMPTION}}


def test_an_asset_is_announced_by_the_last_task_of_its_dag(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        for task in dag.tasks:
            assert not (task.outlets and task.downstream_task_ids), f"{dag.dag_id}.{task.task_id} announces too early"


def test_assets_are_named_as_their_address() -> None:
    for asset in (assets.READINGS, assets.CONSUMPTION, assets.WAREHOUSE):
        assert asset.uri == f"x-metering://{asset.name}"


def test_no_dag_triggers_another_one(dags: dict[str, DAG]) -> None:
    kinds = {task.task_type for dag in dags.values() for task in dag.tasks}

    assert not kinds & {"TriggerDagRunOperator", "ExternalTaskSensor"}
