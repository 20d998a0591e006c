"""What load_reference_data starts, what it sends to Redshift, and what its trigger form takes."""

from __future__ import annotations

import inspect

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError, TaskDeferred
from metering import reference

from tests.dags.aws_endpoint import AwsEndpoint
from tests.dags.conftest import DEPLOYMENT
from tests.dags.task_run import rendered

ROLE = "arn:aws-cn:iam::123456789012:role/copy"


@pytest.fixture
def dag(dags: dict[str, DAG]) -> DAG:
    return dags["load_reference_data"]


def sent(dag: DAG, task_id: str, aws: AwsEndpoint) -> list[str]:
    """The statements of a transaction without their comments."""
    identity = "9c6dbba9-0c3a-4f4c-8f0e-9a0f3b1f7a11"
    aws.answers = {
        "BatchExecuteStatement": {"Id": identity},
        "DescribeStatement": {"Id": identity, "Status": "STARTED"},
    }
    task, run = rendered(dag, task_id)
    with pytest.raises(TaskDeferred):
        task.execute(run)
    (request,) = aws.sent("BatchExecuteStatement")
    assert request["SecretArn"] == DEPLOYMENT["redshift_secret_arn"]
    return [
        "\n".join(line for line in statement.splitlines() if not line.startswith("--")) for statement in request["Sqls"]
    ]


def test_each_kind_of_data_goes_its_own_way(dag: DAG) -> None:
    downstream = {task.task_id: task.downstream_task_ids for task in dag.tasks}

    assert downstream == {
        "find_reference_files": {"publish_weather", "publish_geodata", "crawl_cisdata", "replace_cis_data"},
        "publish_weather": {"crawl_weather"},
        "publish_geodata": {"crawl_geodata", "replace_geo_data"},
        "crawl_weather": {"announce_reference"},
        "crawl_geodata": {"announce_reference"},
        "crawl_cisdata": {"announce_reference"},
        "replace_geo_data": {"announce_reference"},
        "replace_cis_data": {"announce_reference"},
        "announce_reference": set(),
    }
    assert dag.get_task("announce_reference").trigger_rule == "none_failed_min_one_success"


def test_the_search_can_choose_every_way_and_no_other(dag: DAG) -> None:
    chosen = {task_id for tasks in reference.FIRST_TASKS.values() for task_id in tasks}

    assert chosen == dag.get_task("find_reference_files").downstream_task_ids
    assert list(reference.FIRST_TASKS) == dag.params.get_param("kinds").schema["items"]["enum"]


def test_the_search_gets_the_landing_bucket_and_what_the_form_says(dag: DAG) -> None:
    task, _ = rendered(dag, "find_reference_files")

    assert task.python_callable is reference.find_reference_files
    assert list(task.op_args) == ["the-landing"]
    # Airflow fills a parameter of this name from the context.
    assert list(inspect.signature(task.python_callable).parameters) == ["landing_bucket", "params"]


@pytest.mark.parametrize("task_id", ["publish_weather", "publish_geodata"])
def test_a_table_is_written_from_the_landing_to_the_business_bucket(dag: DAG, task_id: str) -> None:
    task, _ = rendered(dag, task_id)

    assert list(task.op_args) == ["the-landing", "the-business"]
    assert task.python_callable is getattr(reference, task_id)


@pytest.mark.parametrize("name", ["crawl_weather", "crawl_geodata", "crawl_cisdata"])
def test_a_crawler_is_started_as_it_is_declared(dag: DAG, name: str) -> None:
    assert dag.get_task(name).config == {"Name": name}


def test_customers_are_replaced_in_one_transaction(dag: DAG, aws: AwsEndpoint) -> None:
    lock, stage, copy, discard, clear, insert = sent(dag, "replace_cis_data", aws)

    assert lock == "LOCK TABLE load_turn"
    assert stage.startswith("CREATE TEMP TABLE cis_data_copied (")
    assert copy == (
        "COPY cis_data_copied\nFROM 's3://the-landing/reference/cisdata/'\n"
        f"IAM_ROLE '{ROLE}'\nFORMAT AS CSV\nDELIMITER AS ';'\nEMPTYASNULL\nIGNOREBLANKLINES"
    )
    assert discard.startswith("DELETE FROM cis_data_copied\n")
    assert clear == "DELETE FROM cis_data"
    assert insert.startswith("INSERT INTO cis_data (")


def test_places_are_replaced_in_one_transaction(dag: DAG, aws: AwsEndpoint) -> None:
    assert sent(dag, "replace_geo_data", aws) == [
        "LOCK TABLE load_turn",
        "DELETE FROM geo_data",
        "COPY geo_data\nFROM 's3://the-business/geodata/geodata.tsv'\n"
        f"IAM_ROLE '{ROLE}'\nFORMAT AS CSV\nDELIMITER AS '\\t'",
    ]


def test_it_runs_on_mondays_at_six(dag: DAG) -> None:
    assert dag.timetable.serialize()["expression"] == "0 6 * * 1"
    assert str(dag.timetable.serialize()["timezone"]) == "UTC"


@pytest.mark.parametrize("value", [["customers"], "weather", ["weather", 1], None])
def test_the_trigger_form_refuses(dag: DAG, value: object) -> None:
    with pytest.raises(ParamValidationError):
        dag.params.get_param("kinds").resolve(value)


@pytest.mark.parametrize("value", [[], ["weather"], ["cisdata", "geodata"]])
def test_the_trigger_form_takes(dag: DAG, value: list[str]) -> None:
    assert dag.params.get_param("kinds").resolve(value) == value
