"""The table of DAGs is what the DAG files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from documentation.dag_table import PAGE, Dag, generate, read

FILE = '''"""
# Weigh apples

## Purpose
Weighs the apples
of a day.

## When it runs
Daily.
"""

PARAMS = {"first": Param(1), "second": Param(2)}


@dag(schedule=CronTriggerTimetable("0 9 * * *", timezone="UTC"), params=PARAMS)
def weigh_apples():
    @task(outlets=[APPLES])
    def weigh():
        return 1
'''


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == generate(), "dags/README.md is out of date: run `make docs`"


def test_a_dag_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "weigh_apples.py"
    file.write_text(FILE, encoding="utf-8")

    assert read(file) == Dag(
        "weigh_apples", "Weighs the apples of a day.", "cron `0 9 * * *` UTC", ["APPLES"], ["first", "second"]
    )


def test_a_dag_that_follows_an_asset_says_so(tmp_path: Path) -> None:
    file = tmp_path / "weigh_apples.py"
    file.write_text(FILE.replace('CronTriggerTimetable("0 9 * * *", timezone="UTC")', "[PEARS]"), encoding="utf-8")

    assert read(file).schedule == "on `PEARS`"


@pytest.mark.parametrize(("assets", "words"), [("[PEARS]", "on `PEARS`"), ("PEARS | PLUMS", "on `PEARS` or `PLUMS`")])
def test_a_dag_that_follows_the_clock_and_assets_says_both(tmp_path: Path, assets: str, words: str) -> None:
    cron = 'CronTriggerTimetable("0 9 * * *", timezone="UTC")'
    file = tmp_path / "weigh_apples.py"
    file.write_text(FILE.replace(cron, f"AssetOrTimeSchedule(timetable={cron}, assets={assets})"), encoding="utf-8")

    assert read(file).schedule == f"cron `0 9 * * *` UTC; {words}"


def test_the_parameters_of_a_form_are_its_fields(tmp_path: Path) -> None:
    file = tmp_path / "weigh_apples.py"
    text = FILE.replace('PARAMS = {"first": Param(1), "second": Param(2)}', "from metering.forecast_form import FORM")
    file.write_text(text, encoding="utf-8")

    assert read(file).parameters == [
        "meter_start",
        "meter_end",
        "batch_size",
        "data_start",
        "data_end",
        "ml_endpoint_name",
        "transform_instance_type",
    ]


def test_every_dag_has_a_row() -> None:
    rows = [line for line in generate().splitlines() if line.startswith("| [`")]

    assert [row.split("`")[1] for row in rows] == [
        "aggregate_consumption",
        "detect_anomalies",
        "forecast_consumption",
        "ingest_meter_readings",
        "load_redshift",
        "load_reference_data",
        "set_up_warehouse",
        "sweep_storage",
        "train_forecast_model",
    ]
    assert "| on `READINGS`; by hand | `CONSUMPTION` |" in rows[0]
