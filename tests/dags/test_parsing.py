"""Parsing a DAG file costs little and asks nobody: no network, no clock, no variable, no heavy library."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dags.conftest import AIRFLOW_HOME, REPOSITORY

PARSE = """
import json, socket, sys, time

begun = time.process_time()
import botocore.session

import airflow.sdk, airflow.timetables.trigger
import airflow.providers.amazon.aws.operators.glue
import airflow.providers.amazon.aws.operators.glue_crawler
import airflow.providers.amazon.aws.operators.redshift_data
from airflow.dag_processing.dagbag import DagBag
seconds_of_airflow = time.process_time() - begun
before = set(sys.modules)

def refuse(*arguments, **options):
    raise OSError("a DAG file may neither use the network nor make a client of AWS when it is parsed")

socket.socket.connect = socket.getaddrinfo = botocore.session.Session.create_client = refuse
begun = time.process_time()
bag = DagBag(sys.argv[1], include_examples=False)
seconds = time.process_time() - begun
print(json.dumps({
    "dags": sorted(bag.dags), "errors": bag.import_errors, "seconds": seconds,
    "seconds_of_airflow": seconds_of_airflow,
    "loaded": sorted(name for name in sys.modules if name not in before),
    "all": sorted(sys.modules),
}))
"""
HEAVY = {"pandas", "numpy", "pyarrow", "pyspark", "torch", "sagemaker", "sklearn", "matplotlib"}
CLOCKS = {"now", "utcnow", "today", "time", "monotonic"}


@pytest.fixture(scope="module")
def parsed() -> dict[str, object]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_VAR", "AIRFLOW_CONN"))},
        "AIRFLOW_HOME": AIRFLOW_HOME,
        "PYTHONPATH": str(REPOSITORY / "plugins"),
    }
    answer = subprocess.run(
        [sys.executable, "-c", PARSE, str(REPOSITORY / "dags")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(answer.stdout.splitlines()[-1])


def test_parsing_needs_neither_network_nor_client_nor_variable(parsed: dict[str, object]) -> None:
    assert parsed["errors"] == {}
    assert parsed["dags"] == sorted(path.stem for path in (REPOSITORY / "dags").glob("*.py"))


def test_parsing_all_dags_costs_a_third_of_the_import_of_airflow_at_most(parsed: dict[str, object]) -> None:
    """It costs 0.14 to 0.21 of it: a ratio within one process, because another machine has another speed."""
    seconds, of_airflow = parsed["seconds"], parsed["seconds_of_airflow"]

    assert seconds < of_airflow / 3, f"{seconds:.2f} s beside {of_airflow:.2f} s: what do the DAG files import?"


def test_parsing_loads_no_heavy_library(parsed: dict[str, object]) -> None:
    loaded = {name.partition(".")[0] for name in parsed["loaded"]}

    assert not loaded & HEAVY, "Import it inside the task that needs it."
    assert "pandas" not in parsed["all"]
    assert "pyspark" not in parsed["all"]


@pytest.mark.parametrize(
    "path",
    sorted([*(REPOSITORY / "dags").glob("*.py"), *(REPOSITORY / "plugins" / "metering").glob("*.py")]),
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_nothing_asks_the_clock_at_import(path: Path) -> None:
    for node in at_import(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in CLOCKS, f"line {node.lineno}: the result changes from parse to parse"


def at_import(node: ast.AST) -> list[ast.AST]:
    """The nodes that are evaluated when a module is imported: none inside functions, but their decorators."""
    found: list[ast.AST] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            found += [inner for part in getattr(child, "decorator_list", []) for inner in ast.walk(part)]
        else:
            found += [child, *at_import(child)]
    return found
