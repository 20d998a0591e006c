"""Which DAG starts which, and what Airflow runs by itself when it starts for the first time."""

from __future__ import annotations

import time

from demo.airflow_api import FINISHED, POLL_SECONDS, AirflowApi

# The first load trains, and the new model forecasts; later loads only forecast.
CASCADE = {
    "ingest_meter_readings": ["aggregate_consumption"],
    "aggregate_consumption": ["load_redshift", "detect_anomalies"],
    "load_redshift": ["train_forecast_model", "forecast_consumption"],
    "train_forecast_model": ["forecast_consumption"],
}
# Their latest scheduled run is made up for at the first start; without data or files it skips.
STARTED_BY_ITSELF = (
    "set_up_warehouse",
    "ingest_meter_readings",
    "load_reference_data",
    "train_forecast_model",
    "forecast_consumption",
)
FIRST_RUNS_TIMEOUT_SECONDS = 300


class FirstRunsError(Exception):
    """What Airflow runs by itself at its first start did not run, or failed where it must not."""


def wait_for_first_runs(airflow: AirflowApi) -> None:
    """Wait until the runs that Airflow starts by itself have ended.

    So a delivery is not taken by a scheduled run before its own is triggered. Raises FirstRunsError.
    """
    deadline = time.monotonic() + FIRST_RUNS_TIMEOUT_SECONDS
    for dag_id in STARTED_BY_ITSELF:
        while not (states := run_states(airflow, dag_id)) or states - FINISHED:
            if time.monotonic() > deadline:
                raise FirstRunsError(f"{dag_id} did not run within 5 minutes: {airflow.url}/dags/{dag_id}")
            time.sleep(POLL_SECONDS)
    if "success" not in run_states(airflow, "set_up_warehouse"):
        raise FirstRunsError(f"set_up_warehouse failed: {airflow.url}/dags/set_up_warehouse")


def run_states(airflow: AirflowApi, dag_id: str) -> set[str]:
    """The states of all runs of a DAG; none when Airflow does not know the DAG yet."""
    return {run["state"] for run in airflow.runs(dag_id)} if dag_id in airflow.dag_ids() else set()
