"""Every way through every DAG: what each fork decides, and how each task ends then. Written by hand.

A fork is a task that decides which tasks run: a short circuit GOES_ON or STOPS, a gate (a task that is never retried)
PASSES or FAILS, a branch names the tasks that it chooses, and of a mapped task ALL succeed or SOME.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow.utils.types import DagRunType

from tests.dags.aws_services import TRAINING_SET, AwsServices
from tests.dags.models import BATCHES, RECORD

GOES_ON, STOPS, PASSES, FAILS, ALL, SOME = "goes on", "stops", "passes", "fails", "all", "some"

JANUARY = ["20130101-20130131"]
HALF_A_YEAR = ["20130101-20130630"]
INTERVALS = {"values": ["INT", "201301"], "location": "s3://the-business/daily/x/", "rows": 48, "replaces": None}
REGISTERS = {"values": ["AGG", "201301"], "location": "s3://the-business/daily/x/", "rows": 4, "replaces": None}
READ = {"rows": 100, "rejected": 0, "rejected_by_reason": {}, "files": []}
UNREAD = {"uri": "s3://the-landing/readings/a.csv", "rows": 0, "rejected": 0, "set_aside": {"reason": "a ZIP archive"}}
SOME_UNREAD = {**READ, "files": [UNREAD, {**UNREAD, "uri": "s3://the-landing/readings/b.csv", "set_aside": None}]}
ALL_UNREAD = {**READ, "rows": 0, "files": [UNREAD]}
ALL_REJECTED = {**READ, "rejected": 100, "rejected_by_reason": {"no number": 100}}
MERGED = {"dates": JANUARY, "partitions": [INTERVALS], "rows_in": 48, "duplicates": 0, "conflicts": 0}
NO_INTERVALS = {"dates": [], "partitions": [REGISTERS], "rows_in": 4, "duplicates": 0, "conflicts": 0}
NOTHING_MERGED = {"dates": [], "partitions": [], "rows_in": 0, "duplicates": 0, "conflicts": 0}
FOUND = {
    "expected": 96,
    "received": 48,
    "rejected": 0,
    "meters": 1,
    "incomplete_meters": 1,
    "silent_meters": 0,
    "days": 2,
    "incomplete_days": 1,
    "worst_days": [],
}
SUMS = ("aggregated_daily", "aggregated_weekly", "aggregated_monthly")
SUMMED = {
    "tables": {table: {"partitions": [{**INTERVALS, "values": ["2013"]}]} for table in SUMS},
    "completeness": FOUND,
}
JUDGED = {"days": JANUARY, "partitions": [{**INTERVALS, "values": ["201301"]}], "anomalies": {"high": 1, "low": 0}}
NONE_JUDGED = {"days": [], "partitions": [], "anomalies": {"high": 0, "low": 0}}
PREPARED = {"notes": [], "weather": None, "meters": 49, "batches": BATCHES}
STORED = {"batches_stored": [1, 2], "rows": 336, "meters": 49, "first": "a", "last": "b"}
WEATHER = "time,temperature,apparenttemperature,humidity\n2013-01-01 00:00:00,5.0,4.0,0.9\n"
REFERENCE = {"weather": WEATHER, "geodata": "MAC000002,51.5,-0.1\n", "cisdata": "1;A;E1;London;;Road 1;0;MAC000002\n"}


@dataclass(frozen=True)
class Way:
    """`given` prepares the services, `events` or `conf` start the run. Task ids are separated by spaces; a task that is
    in none of the lists ends as a success. `announces` names assets.
    """

    name: str
    decides: dict[str, Any] = field(default_factory=dict)
    given: Callable[[AwsServices], None] = lambda services: None
    events: dict[str, list[dict[str, Any]]] | None = None
    conf: dict[str, Any] | None = None
    run_type: DagRunType = DagRunType.MANUAL
    skipped: str = ""
    failed: str = ""
    upstream_failed: str = ""
    mapped: dict[str, int] = field(default_factory=dict)
    announces: str = ""


def readings(dates: list[str]) -> dict[str, list[dict[str, Any]]]:
    return {"readings": [{"batch": "a", "run": "a-1", "dates": dates}]}


def consumption(dates: list[str], *batches: str) -> dict[str, list[dict[str, Any]]]:
    return {"consumption": [{"batches": list(batches), "run": "a-1" if dates else None, "dates": dates}]}


LOADED: dict[str, list[dict[str, Any]]] = {"warehouse": [{}]}
BATCH = "20260101T090000-3fa2c1"


def summaries(**of_jobs: dict[str, Any]) -> Callable[[AwsServices], None]:
    return lambda services: services.summaries.update(of_jobs)


def delivered(read: dict[str, Any], merged: dict[str, Any]) -> Callable[[AwsServices], None]:
    """A file that is new, and what the jobs say of it."""

    def given(services: AwsServices) -> None:
        services.s3.put_object("the-landing", "readings/a.csv", "rows")
        services.summaries |= {"raw_to_clean": read, "clean_to_business": merged}

    return given


def model_serves(services: AwsServices) -> None:
    services.parameters["/metering/current-model"] = json.dumps(RECORD)


def forecast(failing: int | None = None, stored: dict[str, Any] = STORED) -> Callable[[AwsServices], None]:
    def given(services: AwsServices) -> None:
        model_serves(services)
        services.summaries |= {"prepare_forecast_batches": PREPARED, "store_forecasts": stored}
        services.failing |= {batch["uri"] for batch in BATCHES if batch["number"] == failing}

    return given


def training_set(dates: list[str]) -> Callable[[AwsServices], None]:
    def given(services: AwsServices) -> None:
        services.s3.put_json("the-clean", f"_batches/{BATCH}.json", {"batch": BATCH, "dates": dates})
        services.summaries["prepare_training_set"] = TRAINING_SET

    return given


def published(*, batch: bool = False, rows: bool = True, sums: bool = False) -> Callable[[AwsServices], None]:
    """What there is to load: clean rows of a batch, sums of January 2013."""

    def given(services: AwsServices) -> None:
        if batch:
            services.s3.put_json(
                "the-clean",
                f"_batches/{BATCH}.json",
                {"batch": BATCH, "dates": JANUARY, "merged_at": "2026-01-02T10:20:00Z"},
            )
            services.s3.put_object("the-clean", f"_summaries/{BATCH}/clean_row_groups.parquet", "list")
            if rows:
                services.s3.put_object("the-clean", f"clean/batch={BATCH}/part-0.parquet", "rows")
        if sums:
            services.publish("daily", "INT", "201301")
            for table, partition in zip(SUMS, ("201301", "2013", "2013"), strict=True):
                services.publish(table, partition)

    return given


def reference(*kinds: str) -> Callable[[AwsServices], None]:
    def given(services: AwsServices) -> None:
        for kind in kinds:
            services.s3.put_object("the-landing", f"reference/{kind}/file.csv", REFERENCE[kind])

    return given


AFTER_TRAINING_PLAN = (
    "prepare_training_set describe_tuning_job tune_hyperparameters describe_training_job train_model "
    "check_model_quality create_model deploy_model record_model retire_superseded_model announce_model"
)
AFTER_SEARCH = (
    "crawl_landing raw_to_clean check_rejected_share crawl_clean clean_to_business publish_readings record_ledger"
)
WEATHER_TASKS, GEODATA_TASKS = "publish_weather crawl_weather ", "publish_geodata crawl_geodata replace_geo_data "
CISDATA_TASKS = "crawl_cisdata replace_cis_data "
CISDATA_CHOICE = ["crawl_cisdata", "replace_cis_data"]

WAYS: dict[str, list[Way]] = {
    "aggregate_consumption": [
        Way(
            "with dates",
            {"choose_dates": GOES_ON, "check_completeness": PASSES},
            summaries(aggregate_consumption=SUMMED),
            readings(JANUARY),
            announces="consumption",
        ),
        Way(
            "without dates",
            {"choose_dates": STOPS},
            events=readings([]),
            skipped="aggregate_consumption check_completeness",
            announces="consumption",
        ),
        Way(
            "by hand before any readings",
            {"choose_dates": STOPS},
            skipped="aggregate_consumption check_completeness",
            announces="consumption",
        ),
        Way(
            "too few readings",
            {"choose_dates": GOES_ON, "check_completeness": FAILS},
            summaries(aggregate_consumption=SUMMED),
            readings(JANUARY),
            {"on_incomplete": "fail", "min_completeness": 0.9},
            failed="check_completeness",
            upstream_failed="publish_consumption",
        ),
    ],
    "detect_anomalies": [
        Way(
            "new days",
            {"find_summed_days": GOES_ON, "find_judged_days": GOES_ON},
            summaries(detect_anomalies=JUDGED),
            consumption(JANUARY, "a"),
            announces="anomalies",
        ),
        Way(
            "no new days",
            {"find_summed_days": GOES_ON, "find_judged_days": STOPS},
            summaries(detect_anomalies=NONE_JUDGED),
            consumption(JANUARY, "a"),
            skipped="publish_anomalies",
        ),
        Way(
            "without dates",
            {"find_summed_days": STOPS},
            events=consumption([], "a"),
            skipped="detect_anomalies find_judged_days publish_anomalies",
        ),
        Way(
            "by hand before any sums",
            {"find_summed_days": STOPS},
            skipped="detect_anomalies find_judged_days publish_anomalies",
        ),
    ],
    "forecast_consumption": [
        Way(
            "a model serves",
            {"choose_model": GOES_ON, "transform_batch": ALL, "check_batches": PASSES},
            forecast(),
            LOADED,
            mapped={"transform_batch": 2},
            announces="forecasts",
        ),
        Way(
            "one batch fails",
            {"choose_model": GOES_ON, "transform_batch": SOME, "check_batches": FAILS},
            forecast(failing=2, stored={**STORED, "batches_stored": [1]}),
            LOADED,
            mapped={"transform_batch": 2},
            failed="transform_batch[1] check_batches",
            announces="forecasts",
        ),
        Way(
            "no model yet",
            {"choose_model": STOPS},
            events=LOADED,
            skipped="prepare_forecast_batches list_batches transform_batch find_results store_forecasts crawl_forecast "
            "announce_forecasts check_batches",
        ),
    ],
    "ingest_meter_readings": [
        Way(
            "interval readings",
            {"find_new_meter_files": GOES_ON, "check_rejected_share": PASSES},
            delivered(READ, MERGED),
            announces="readings",
        ),
        Way(
            "no interval readings",
            {"find_new_meter_files": GOES_ON, "check_rejected_share": PASSES},
            delivered(READ, NO_INTERVALS),
            announces="readings",
        ),
        Way(
            "every row rejected, and allowed",
            {"find_new_meter_files": GOES_ON, "check_rejected_share": PASSES},
            delivered(ALL_REJECTED, NOTHING_MERGED),
            conf={"max_rejected_share": 1},
            announces="readings",
        ),
        Way(
            "too many rows rejected",
            {"find_new_meter_files": GOES_ON, "check_rejected_share": FAILS},
            delivered(ALL_REJECTED, NOTHING_MERGED),
            failed="check_rejected_share",
            upstream_failed="crawl_clean clean_to_business publish_readings record_ledger",
        ),
        Way(
            "a file that cannot be read beside one that can",
            {"find_new_meter_files": GOES_ON, "check_rejected_share": PASSES},
            delivered(SOME_UNREAD, MERGED),
            announces="readings",
        ),
        Way(
            "no file that can be read",
            {"find_new_meter_files": GOES_ON, "check_rejected_share": FAILS},
            delivered(ALL_UNREAD, NOTHING_MERGED),
            conf={"max_rejected_share": 1},
            failed="check_rejected_share",
            upstream_failed="crawl_clean clean_to_business publish_readings record_ledger",
        ),
        Way("nothing new", {"find_new_meter_files": STOPS}, run_type=DagRunType.SCHEDULED, skipped=AFTER_SEARCH),
    ],
    "load_redshift": [
        Way(
            "readings and sums",
            {"plan_load": ["merge_consumption", "merge_readings"]},
            published(batch=True, sums=True),
            consumption(JANUARY, BATCH),
            announces="warehouse",
        ),
        Way(
            "readings without dates",
            {"plan_load": ["merge_readings"]},
            published(batch=True),
            consumption([], BATCH),
            skipped="merge_consumption",
            announces="warehouse",
        ),
        Way(
            "sums by hand",
            {"plan_load": ["merge_consumption"]},
            published(batch=True, sums=True),
            conf={"first_date": "2013-01-01"},
            skipped="merge_readings",
            announces="warehouse",
        ),
        Way(
            "a batch without rows and dates",
            {"plan_load": []},
            published(batch=True, rows=False),
            events=consumption([], BATCH),
            skipped="merge_consumption merge_readings announce_warehouse",
        ),
    ],
    "load_reference_data": [
        Way(
            "all",
            {"find_reference_files": [*CISDATA_CHOICE, "publish_geodata", "publish_weather"]},
            reference("weather", "geodata", "cisdata"),
            announces="reference",
        ),
        Way(
            "weather",
            {"find_reference_files": ["publish_weather"]},
            reference("weather"),
            skipped=GEODATA_TASKS + CISDATA_TASKS,
            announces="reference",
        ),
        Way(
            "geography",
            {"find_reference_files": ["publish_geodata"]},
            reference("geodata"),
            skipped=WEATHER_TASKS + CISDATA_TASKS,
            announces="reference",
        ),
        Way(
            "customers",
            {"find_reference_files": CISDATA_CHOICE},
            reference("cisdata"),
            skipped=WEATHER_TASKS + GEODATA_TASKS,
            announces="reference",
        ),
        Way(
            "weather and geography",
            {"find_reference_files": ["publish_geodata", "publish_weather"]},
            reference("weather", "geodata"),
            skipped=CISDATA_TASKS,
            announces="reference",
        ),
        Way(
            "weather and customers",
            {"find_reference_files": [*CISDATA_CHOICE, "publish_weather"]},
            reference("weather", "cisdata"),
            skipped=GEODATA_TASKS,
            announces="reference",
        ),
        Way(
            "geography and customers, by hand",
            {"find_reference_files": [*CISDATA_CHOICE, "publish_geodata"]},
            reference("weather", "geodata", "cisdata"),
            conf={"kinds": ["geodata", "cisdata"]},
            skipped=WEATHER_TASKS,
            announces="reference",
        ),
        Way(
            "nothing delivered",
            {"find_reference_files": []},
            run_type=DagRunType.SCHEDULED,
            skipped=WEATHER_TASKS + GEODATA_TASKS + CISDATA_TASKS + "announce_reference",
        ),
    ],
    "set_up_warehouse": [Way("once")],
    "sweep_storage": [Way("nightly", run_type=DagRunType.SCHEDULED)],
    "train_forecast_model": [
        Way(
            "the first load with enough days",
            {"plan_training": GOES_ON, "describe_tuning_job": STOPS, "check_model_quality": PASSES},
            training_set(HALF_A_YEAR),
            LOADED,
            skipped="tune_hyperparameters",
            announces="forecast_model",
        ),
        Way(
            "with tuning, by hand",
            {"plan_training": GOES_ON, "describe_tuning_job": GOES_ON, "check_model_quality": PASSES},
            training_set(HALF_A_YEAR),
            conf={"tune": True},
            announces="forecast_model",
        ),
        Way(
            "a model that is not good enough",
            {"plan_training": GOES_ON, "describe_tuning_job": STOPS, "check_model_quality": FAILS},
            training_set(HALF_A_YEAR),
            conf={"min_improvement": 0.9},
            skipped="tune_hyperparameters",
            failed="check_model_quality",
            upstream_failed="create_model deploy_model record_model retire_superseded_model announce_model",
        ),
        Way("a model serves already", {"plan_training": STOPS}, model_serves, LOADED, skipped=AFTER_TRAINING_PLAN),
        Way(
            "a load without interval readings",
            {"plan_training": STOPS},
            training_set([]),
            LOADED,
            skipped=AFTER_TRAINING_PLAN,
        ),
    ],
}
