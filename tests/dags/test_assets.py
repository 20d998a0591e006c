"""DAGs are joined by assets, and by nothing else."""

from __future__ import annotations

from airflow.sdk import DAG, Asset
from metering import assets

READINGS, CONSUMPTION, WAREHOUSE, REFERENCE = "readings", "consumption", "warehouse", "reference"
ANOMALIES = "anomalies"
FORECAST_MODEL, FORECASTS = "forecast_model", "forecasts"


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
        "detect_anomalies": {("publish_anomalies", ANOMALIES)},
        "load_reference_data": {("announce_reference", REFERENCE)},
        "train_forecast_model": {("announce_model", FORECAST_MODEL)},
        "forecast_consumption": {("announce_forecasts", FORECASTS)},
        "set_up_warehouse": set(),
        "sweep_storage": set(),
    }
    assert consumed == {
        "aggregate_consumption": {READINGS},
        "load_redshift": {CONSUMPTION},
        "detect_anomalies": {CONSUMPTION},
        "train_forecast_model": {WAREHOUSE},
        "forecast_consumption": {WAREHOUSE, FORECAST_MODEL},
    }


def test_an_asset_is_announced_by_the_last_task_of_its_dag(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        for task in dag.tasks:
            assert not (task.outlets and task.downstream_task_ids), f"{dag.dag_id}.{task.task_id} announces too early"


def test_assets_are_named_as_their_address() -> None:
    declared = [value for value in vars(assets).values() if isinstance(value, Asset)]

    assert len(declared) == 7
    for asset in declared:
        assert asset.uri == f"x-metering://{asset.name}"


def test_no_dag_triggers_another_one(dags: dict[str, DAG]) -> None:
    kinds = {task.task_type for dag in dags.values() for task in dag.tasks}

    assert not kinds & {"TriggerDagRunOperator", "ExternalTaskSensor"}
