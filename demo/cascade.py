"""Which DAG starts which, and what Airflow runs by itself when it starts for the first time."""

from __future__ import annotations

import time
from collections.abc import Callable

from demo.airflow_api import FINISHED, POLL_SECONDS, AirflowApi, Run

# Of a DAG: (run, "" or one of its tasks, state).
Steps = set[tuple[str, str, str]]

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
FIRST_RUNS_STALL_SECONDS = 300.0
REPORT_SECONDS = 15.0


class FirstRunsError(Exception):
    """What Airflow runs by itself at its first start did not run, or failed where it must not."""


def wait_for_first_runs(airflow: AirflowApi, say: Callable[[str], None] = print) -> None:
    """Wait until the runs that Airflow starts by itself have ended, as long as runs and their tasks get on.

    So a delivery is not taken by a scheduled run before its own is triggered. Says every 15 s for which DAGs it waits.
    Raises FirstRunsError.
    """
    began = changed = said = time.monotonic()
    before: dict[str, Steps] = {}
    while True:
        known = airflow.dag_ids()
        now = {dag_id: steps(airflow, dag_id) if dag_id in known else set() for dag_id in STARTED_BY_ITSELF}
        left = [dag_id for dag_id, found in now.items() if not found or run_states(found) - FINISHED]
        if not left:
            break
        moment = time.monotonic()
        if now != before:
            before, changed = now, moment
        if moment - changed > FIRST_RUNS_STALL_SECONDS:
            raise FirstRunsError(
                f"{', '.join(left)}: nothing has happened for {moment - changed:.0f} s. Look at"
                f" {airflow.url}/dags/{left[0]} and at the logs (make logs), then run `make demo` again"
            )
        if moment - said >= REPORT_SECONDS:
            say(f"waiting for the first runs of {', '.join(left)} ({moment - began:.0f} s)")
            said = moment
        time.sleep(POLL_SECONDS)
    if "success" not in run_states(now["set_up_warehouse"]):
        raise FirstRunsError(f"set_up_warehouse failed: {airflow.url}/dags/set_up_warehouse")


def steps(airflow: AirflowApi, dag_id: str) -> Steps:
    """The runs of a DAG and their tasks, each with its state."""
    found: Steps = set()
    for run in airflow.runs(dag_id):
        found.add((run["dag_run_id"], "", run["state"]))
        if run["state"] not in FINISHED:
            tasks = airflow.task_instances(Run(dag_id, run["dag_run_id"]))
            found |= {(run["dag_run_id"], task["task_id"], str(task["state"])) for task in tasks}
    return found


def run_states(found: Steps) -> set[str]:
    return {state for _, task_id, state in found if not task_id}
