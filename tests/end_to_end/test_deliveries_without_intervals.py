"""Deliveries without interval readings on a platform that holds nothing yet: no run fails, and their readings arrive.

Runs before the other stories, whose files are of other years.
"""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from demo.airflow_api import Run
from demo.cascade import CASCADE, wait_for_first_runs
from tests.end_to_end.conftest import CASCADE_SECONDS, Platform

pytestmark = pytest.mark.slow

REGISTERS = """\
Point,Stamp,Stand
REGISTER26,2024-03-04 00:00,1028.5
REGISTER26,2024-03-05 00:00,1035.5
REGISTER26,2024-03-06 00:00,1042.5
"""
DESCRIPTION = {
    "transformer": "default",
    "reading_type": "AGG",
    "meter_id_column": "Point",
    "date_time_column": "Stamp",
    "value_column": "Stand",
}
ERRORS = """\
LCLid,stdorToU,DateTime,KWH/hh (per half hour) \r
ERROR26,Std,2024-03-04 00:30:00.0000000,Null\r
ERROR26,Std,2024-03-04 01:00:00.0000000,Null\r
"""
REJECTED = """\
LCLid,stdorToU,DateTime,KWH/hh (per half hour) \r
REJECTED26,Std,2024-02-30 00:30:00.0000000, 0.1 \r
REJECTED26,Std,2024-03-04 00:30:00.0000000, abc \r
"""


def deliver(platform: Platform, files: dict[str, str]) -> None:
    for name, text in files.items():
        key = f"{platform.deployment['landing_prefix']}{name}"
        platform.aws("s3").upload_fileobj(io.BytesIO(text.encode()), platform.deployment["landing_bucket"], key)


def cascade(platform: Platform, params: dict[str, Any]) -> dict[str, Run]:
    """What the delivery starts, by DAG. Raises RunFailedError when a run fails."""
    started = platform.airflow.trigger("ingest_meter_readings", params)
    return {run.dag_id: run for run in platform.airflow.cascade([started], CASCADE, CASCADE_SECONDS)}


def test_register_readings_and_errors_reach_the_warehouse_and_the_api(platform: Platform) -> None:
    wait_for_first_runs(platform.airflow)
    description = json.dumps(DESCRIPTION)
    deliver(
        platform,
        {"registers/_transformer.json": description, "registers/r.csv": REGISTERS, "errors.csv": ERRORS},
    )

    runs = cascade(platform, {})

    states = {task["task_id"]: task["state"] for task in platform.airflow.task_instances(runs["aggregate_consumption"])}
    assert states == {
        "choose_dates": "success",
        "aggregate_consumption": "skipped",
        "check_completeness": "skipped",
        "publish_consumption": "success",
    }
    assert platform.in_the_warehouse("REGISTER26") == [
        ["AGG", "20240304", 0, 0],
        ["AGG", "20240305", 0, 0],
        ["AGG", "20240306", 0, 0],
    ]
    assert platform.in_the_warehouse("ERROR26") == [["ERR", "20240304", 0, 30], ["ERR", "20240304", 1, 0]]
    answer = platform.api.get("/outage", start_date_time="2024-03-04 00:00:00", end_date_time="2024-03-05 00:00:00")
    assert answer.status_code == 200, answer.text
    assert [(item["meter_id"], item["error_code"]) for item in answer.json()["Items"]] == [("ERROR26", "NULL")] * 2


def test_a_delivery_of_which_every_row_is_rejected_ends_without_a_failed_run(platform: Platform) -> None:
    wait_for_first_runs(platform.airflow)
    deliver(platform, {"rejected.csv": REJECTED})

    runs = cascade(platform, {"max_rejected_share": 1})

    batch = platform.airflow.xcom(runs["ingest_meter_readings"], "find_new_meter_files")["batch"]
    assert platform.summary(batch, "raw_to_clean")["rejected"] == 2
    assert platform.objects("clean", f"quarantine/batch={batch}/")
    assert platform.in_the_warehouse("REJECTED26") == []


def test_a_slip_in_the_configuration_fails_the_run_before_any_work(platform: Platform) -> None:
    wait_for_first_runs(platform.airflow)
    before = platform.objects("clean"), platform.job_runs()

    run = platform.airflow.trigger("ingest_meter_readings", {"transfomer": "default"})

    assert platform.airflow.finish(run, CASCADE_SECONDS) == "failed"
    log = platform.airflow.log(run, "find_new_meter_files", 1)
    assert "has a key that ingest_meter_readings does not know: transfomer (did you mean transformer?)" in log
    assert (platform.objects("clean"), platform.job_runs()) == before
