"""What ingest_meter_readings asks of AWS, in which order, and what its trigger form takes."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError, TaskDeferred
from metering import clients

from tests.dags.aws_endpoint import AwsEndpoint
from tests.dags.task_run import BATCH, RUN_ID, rendered
from tests.plugins.object_store import ObjectStore


@pytest.fixture
def dag(dags: dict[str, DAG]) -> DAG:
    return dags["ingest_meter_readings"]


@pytest.fixture
def s3() -> ObjectStore:
    return ObjectStore()


def start(dag: DAG, task_id: str, **of_context: Any) -> Any:
    """Execute the task until it waits; the trigger that waits for it."""
    task, run = rendered(dag, task_id, **of_context)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(run)
    return deferred.value.trigger.original()


def test_the_steps_follow_one_another(dag: DAG) -> None:
    order = [task.task_id for task in dag.topological_sort()]

    assert order == [
        "find_new_meter_files",
        "crawl_landing",
        "raw_to_clean",
        "check_rejected_share",
        "crawl_clean",
        "clean_to_business",
        "publish_readings",
        "record_ledger",
    ]
    assert [sorted(dag.get_task(task_id).downstream_task_ids) for task_id in order] == [
        *[[name] for name in order[1:]],
        [],
    ]


def test_without_new_files_all_that_follows_is_skipped(dag: DAG) -> None:
    assert dag.get_task("find_new_meter_files").ignore_downstream_trigger_rules is True
    assert {task.trigger_rule for task in dag.tasks} == {"all_success"}


@pytest.mark.parametrize(
    ("job", "arguments"),
    [
        (
            "raw_to_clean",
            {"--batch": BATCH, "--manifest": f"s3://the-clean/_manifests/{BATCH}.json", "--transformer": "london"},
        ),
        ("clean_to_business", {"--batch": BATCH, "--run": f"{BATCH}-1", "--grain": "month"}),
    ],
)
def test_a_job_is_started_with_the_arguments_of_its_script(
    dag: DAG, aws: AwsEndpoint, job: str, arguments: dict[str, str]
) -> None:
    aws.answers = {"GetJobRuns": {"JobRuns": []}, "GetJob": {"Job": {}}, "StartJobRun": {"JobRunId": "jr_1"}}

    trigger = start(dag, job)

    mark = {"--airflow_task_uuid": f"ingest_meter_readings:{job}:{RUN_ID}:-1"}
    assert aws.sent("StartJobRun") == [{"JobName": job, "Arguments": {**arguments, **mark}}]
    assert aws.sent("GetJob") == [{"JobName": job}]
    assert (trigger.job_name, trigger.run_id, trigger.verbose) == (job, "jr_1", False)
    assert (trigger.waiter_delay, trigger.attempts) == (60, 720)


def test_a_second_try_has_a_run_of_its_own(dag: DAG, aws: AwsEndpoint) -> None:
    aws.answers = {"GetJobRuns": {"JobRuns": []}, "GetJob": {"Job": {}}, "StartJobRun": {"JobRunId": "jr_2"}}

    start(dag, "clean_to_business", try_number=2)

    (request,) = aws.sent("StartJobRun")
    assert (request["Arguments"]["--batch"], request["Arguments"]["--run"]) == (BATCH, f"{BATCH}-2")


def test_a_retry_attaches_to_the_job_run_of_the_try_before(dag: DAG, aws: AwsEndpoint) -> None:
    ours = {"--airflow_task_uuid": f"ingest_meter_readings:clean_to_business:{RUN_ID}:-1"}
    another = {"--airflow_task_uuid": "ingest_meter_readings:clean_to_business:another:-1"}
    aws.answers["GetJobRuns"] = {
        "JobRuns": [
            {"Id": "jr_other", "JobRunState": "RUNNING", "Arguments": another},
            {"Id": "jr_1", "JobRunState": "RUNNING", "Arguments": ours},
        ]
    }

    trigger = start(dag, "clean_to_business", try_number=2)

    assert trigger.run_id == "jr_1"
    assert aws.sent("StartJobRun") == []


def test_a_retry_after_a_failed_job_run_starts_a_new_one(dag: DAG, aws: AwsEndpoint) -> None:
    ours = {"--airflow_task_uuid": f"ingest_meter_readings:clean_to_business:{RUN_ID}:-1"}
    aws.answers = {
        "GetJobRuns": {"JobRuns": [{"Id": "jr_1", "JobRunState": "FAILED", "Arguments": ours}]},
        "GetJob": {"Job": {}},
        "StartJobRun": {"JobRunId": "jr_2"},
    }

    assert start(dag, "clean_to_business", try_number=2).run_id == "jr_2"


@pytest.mark.parametrize("crawler", ["crawl_landing", "crawl_clean"])
def test_a_crawler_is_started_by_its_name_and_never_changed(dag: DAG, aws: AwsEndpoint, crawler: str) -> None:
    aws.answers = {"GetCrawler": {"Crawler": {"Name": crawler}}, "StartCrawler": {}}

    trigger = start(dag, crawler)

    assert aws.sent("StartCrawler") == [{"Name": crawler}]
    assert {name for name, _ in aws.requests} == {"GetCrawler", "StartCrawler"}
    assert (trigger.waiter_args, trigger.waiter_delay) == ({"Name": crawler}, 5)


def test_the_operator_may_choose_another_grain_and_transformer(dag: DAG) -> None:
    cleaned, _ = rendered(dag, "raw_to_clean", params={"transformer": "london"})
    published, _ = rendered(dag, "clean_to_business", params={"grain": "day"})

    assert cleaned.script_args["--transformer"] == "london"
    assert published.script_args["--grain"] == "day"


def test_what_the_form_says_of_files_reaches_the_job_by_the_manifest(
    dag: DAG, s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "s3", lambda: s3)
    s3.put_object("the-landing", "readings/own/a.orc", "x")
    s3.put_object("the-landing", "readings/described/_transformer.json", "{}")
    s3.put_object("the-landing", "readings/described/2026/b.csv", "y")
    said = {"transformer": "default", "meter_id_column": "Serial", "time_zone": "Europe/London", "reprocess": []}

    task, run = rendered(dag, "find_new_meter_files", params=said)
    job, _ = rendered(dag, "raw_to_clean", params=said)
    task.python_callable(*task.op_args, params=run["params"])

    manifest = s3.json("the-clean", f"_manifests/{BATCH}.json")
    assert job.script_args["--manifest"] == f"s3://the-clean/_manifests/{BATCH}.json"
    assert job.script_args["--transformer"] == "default"
    assert manifest["description"] == {
        "delimiter": ",",
        "header": True,
        "meter_id_column": "Serial",
        "date_time_column": "reading_date_time",
        "value_column": "reading_value",
        "time_zone": "Europe/London",
        "unit": "kWh",
        "decimal_mark": ".",
        "reading_type": "INT",
        "reading_types": {},
        "no_error_codes": ["0"],
        "missing_value": "reject",
        "largest_kwh": 100_000,
    }
    assert {file["key"]: file.get("described_by") for file in manifest["files"]} == {
        "readings/own/a.orc": None,
        "readings/described/2026/b.csv": "s3://the-landing/readings/described/_transformer.json",
    }


def test_steps_of_our_own_get_the_names_of_the_deployment(dag: DAG) -> None:
    arguments = {
        task_id: rendered(dag, task_id)[0].op_args
        for task_id in dag.task_ids
        if "crawl" not in task_id and "_to_" not in task_id
    }

    assert arguments == {
        "find_new_meter_files": (BATCH, "the-clean", "the-landing", "readings/", "london"),
        "check_rejected_share": (BATCH, "the-clean"),
        "publish_readings": (BATCH, "the-clean", "metering"),
        "record_ledger": (BATCH, "the-clean"),
    }


def test_it_runs_daily_at_nine_utc(dag: DAG) -> None:
    assert dag.timetable.serialize()["expression"] == "0 9 * * *"
    assert dag.timetable.serialize()["timezone"] == "UTC"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_rejected_share", -0.01),
        ("max_rejected_share", 1.01),
        ("max_rejected_share", "much"),
        ("transformer", "paris"),
        ("grain", "week"),
        ("reprocess", "readings/a.csv"),
        ("reprocess", ["/readings/a.csv"]),
        ("reprocess", [""]),
        ("file_format", "xlsx"),
        ("delimiter", ""),
        ("delimiter", '"'),
        ("header", "yes"),
        ("meter_id_column", ""),
        ("meter_id_column", " padded "),
        ("value_column", None),
        ("timestamp_pattern", ""),
        ("time_zone", "Europe London"),
        ("time_zone", None),
        ("unit", "m3"),
        ("decimal_mark", ";"),
        ("reading_type", "ERR"),
        ("reading_types", {"I": "interval"}),
        ("reading_types", "I"),
        ("no_error_codes", "0"),
        ("missing_value", "zero"),
        ("largest_kwh", 0),
    ],
)
def test_the_trigger_form_refuses(dag: DAG, name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        dag.params.get_param(name).resolve(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_rejected_share", 0),
        ("max_rejected_share", 1),
        ("transformer", None),
        ("transformer", "london"),
        ("grain", "day"),
        ("reprocess", ["readings/2026/London data 1.csv.gz"]),
        ("transformer", "default"),
        ("file_format", "avro"),
        ("delimiter", "tab"),
        ("delimiter", "\t"),
        ("delimiter", "||"),
        ("header", False),
        ("meter_id_column", "1"),
        ("meter_id_column", "Zähler Nr."),
        ("date_time_column", None),
        ("timestamp_pattern", "yyyy-MM-dd'T'HH:mm:ssXXX"),
        ("time_zone", "America/Argentina/Buenos_Aires"),
        ("time_zone", "Etc/GMT+1"),
        ("time_zone", "+05:30"),
        ("reading_types", {"I": "INT", "R": "AGG"}),
        ("no_error_codes", ["0", "OK"]),
    ],
)
def test_the_trigger_form_takes(dag: DAG, name: str, value: object) -> None:
    assert dag.params.get_param(name).resolve(value) == value
