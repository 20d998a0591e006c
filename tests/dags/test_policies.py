"""What every DAG has in common. A message says what to do next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from metering.defaults import DEFAULT_ARGS
from metering.operators import StorableDeferral

from tests.dags.conftest import REPOSITORY
from tests.dags.models import XCOMS
from tests.dags.task_run import rendered

DAG_IDS = [
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
SECTIONS = ["Purpose", "When it runs", "Reads", "Writes", "Parameters", "On failure"]
TAGS = {"readings", "consumption", "warehouse", "reference", "forecast", "storage"}
VERBS = {"aggregate", "detect", "forecast", "ingest", "load", "set", "sweep", "train"}
# Tasks that look at what others have left: the answer is the same however often they ask.
GATES = {"check_rejected_share", "check_completeness", "check_model_quality", "check_batches"}

every_dag = pytest.mark.parametrize("dag_id", DAG_IDS)


def test_these_are_all_dags(dags: dict[str, DAG]) -> None:
    assert sorted(dags) == DAG_IDS, "Add a new DAG to DAG_IDS, to docs/architecture.md, and run `make docs`."


@every_dag
def test_file_function_and_dag_have_one_name(dags: dict[str, DAG], dag_id: str) -> None:
    path = Path(dags[dag_id].fileloc)
    assert path.stem == dag_id, f"Rename {path.name} to {dag_id}.py."
    assert f"\ndef {dag_id}():" in path.read_text(encoding="utf-8"), f"Name the DAG's function {dag_id}."
    assert dag_id.split("_")[0] in VERBS, f"Begin {dag_id} with a verb, and add it to VERBS."
    test = REPOSITORY / "tests" / "dags" / f"test_{dag_id}.py"
    assert test.exists(), f"Write {test.name}."


@every_dag
def test_the_file_is_short(dags: dict[str, DAG], dag_id: str) -> None:
    lines = Path(dags[dag_id].fileloc).read_text(encoding="utf-8").count("\n")
    assert lines <= 120, f"{dag_id}.py has {lines} lines: move logic to plugins/metering."


@every_dag
def test_the_page_in_the_ui_has_all_sections(dags: dict[str, DAG], dag_id: str) -> None:
    page = dags[dag_id].doc_md or ""
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == SECTIONS, "Write these sections into the module's docstring."
    for section, text in zip(SECTIONS, re.split(r"^## .*$", page, flags=re.MULTILINE)[1:], strict=True):
        assert text.strip(), f"Section {section} of {dag_id} is empty."
    assert page.lstrip().startswith("# "), "Begin the docstring with a heading."


@every_dag
def test_one_run_at_a_time_and_no_catching_up(dags: dict[str, DAG], dag_id: str) -> None:
    dag = dags[dag_id]
    assert (dag.max_active_runs, dag.catchup) == (1, False), f"Make {dag_id} with **DAG_OPTIONS."


@every_dag
def test_tags_are_known_ones(dags: dict[str, DAG], dag_id: str) -> None:
    assert dags[dag_id].tags, f"Give {dag_id} a tag of {sorted(TAGS)}."
    assert set(dags[dag_id].tags) <= TAGS, f"Use tags of {sorted(TAGS)}."


@every_dag
def test_every_task_has_an_owner_a_timeout_and_an_alert(dags: dict[str, DAG], dag_id: str) -> None:
    for task in dags[dag_id].tasks:
        assert task.owner == "metering", f"{task.task_id}: leave the owner to DEFAULT_ARGS."
        assert task.execution_timeout, f"{task.task_id} has no timeout."
        assert list(task.on_failure_callback) == [DEFAULT_ARGS["on_failure_callback"]], f"{task.task_id} alerts nobody."


@every_dag
def test_tasks_are_retried_but_for_the_gates(dags: dict[str, DAG], dag_id: str) -> None:
    for task in dags[dag_id].tasks:
        expected = 0 if task.task_id in GATES else 2
        assert task.retries == expected, (
            f"{task.task_id}: its error {'cannot' if not expected else 'can'} pass by itself."
        )
        assert task.retry_delay.total_seconds() == 300


@every_dag
def test_every_task_refuses_a_run_with_a_key_that_its_dag_does_not_know(dags: dict[str, DAG], dag_id: str) -> None:
    for task_id in dags[dag_id].task_ids:
        task, run = rendered(dags[dag_id], task_id, xcoms=XCOMS, map_index=0)
        run["dag_run"].conf = {"no_such_key": 1}
        assert task._pre_execute_hook, f"{task_id}: leave pre_execute to DEFAULT_ARGS, and make the DAG with them."
        with pytest.raises(AirflowFailException, match=f"a key that {dag_id} does not know: no_such_key"):
            task._pre_execute_hook(run)


@every_dag
def test_a_task_that_waits_leaves_its_worker(dags: dict[str, DAG], dag_id: str) -> None:
    for task in dags[dag_id].tasks:
        assert getattr(task, "deferrable", True), f"{task.task_id}: make it deferrable."


@every_dag
def test_what_a_waiting_task_is_told_can_be_stored(dags: dict[str, DAG], dag_id: str) -> None:
    for task in dags[dag_id].tasks:
        operator = getattr(task, "operator_class", type(task))
        if hasattr(operator, "execute_complete"):
            assert issubclass(operator, StorableDeferral), (
                f"{task.task_id}: {operator.__name__} waits by a trigger of the provider. Mix StorableDeferral into it."
            )


@every_dag
def test_every_parameter_explains_itself_and_is_bounded(dags: dict[str, DAG], dag_id: str) -> None:
    for name in dags[dag_id].params:
        param = dags[dag_id].params.get_param(name)
        assert param.description, f"Describe {name} for the trigger form."
        assert param.schema.get("section"), f"Give {name} a section of the trigger form."
        assert param.schema.get("type"), f"Give {name} a type."
        bounds = {"enum", "pattern", "minimum", "format", "items"} & set(param.schema)
        assert bounds, f"Bound {name}: enum, pattern, minimum and maximum, format or items."


@every_dag
def test_no_template_is_left_unresolved(dags: dict[str, DAG], dag_id: str) -> None:
    for task_id in dags[dag_id].task_ids:
        task, _ = rendered(dags[dag_id], task_id, xcoms=XCOMS, map_index=0)
        for field in task.template_fields:
            for text in texts(getattr(task, field)):
                assert "{{" not in text, f"{task_id}.{field} is not rendered: {text}"
                assert not text.endswith(".sql"), f"{task_id}.{field}: there is no file include/sql/{text}"


@every_dag
def test_a_glue_task_has_the_name_of_its_job_and_script(dags: dict[str, DAG], dag_id: str) -> None:
    for task in dags[dag_id].tasks:
        if hasattr(task, "job_name"):
            assert task.job_name == task.task_id
            script = REPOSITORY / "include" / "glue" / f"{task.task_id}.py"
            assert script.exists(), f"{script} is missing: a job, its task and its script have one name."


def test_a_transformer_on_the_form_has_a_file(dags: dict[str, DAG]) -> None:
    offered = dags["ingest_meter_readings"].params.get_param("transformer").schema["enum"]
    for name in filter(None, offered):
        path = REPOSITORY / "include" / "glue" / "meter_data" / "readers" / f"{name}.py"
        assert path.exists(), f"{path} is missing."


def texts(value: object) -> list[str]:
    """All texts in a template field."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for part in value.values() for text in texts(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in texts(part)]
    return []
