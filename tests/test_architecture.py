"""Which part may import which. Arrows go one way: dags → plugins/metering → include (by path)."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
STANDARD = set(sys.stdlib_module_names)
PRODUCT = ("dags", "plugins", "include", "api_lambdas")
# Modules that distributions of the Lambdas' requirements.txt are imported as, where the names differ.
MODULES = {"python-dateutil": "dateutil"}


def sources(*folders: str) -> list[Path]:
    """The Python files of the folders, which may still be missing in part."""
    return sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))


def imports(path: Path, *, at_import_only: bool = False) -> Iterator[str]:
    """Names of imported modules with dots; relative ones as they stand, with a leading dot."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if at_import_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def packages(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


def name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def test_every_part_that_the_rules_are_about_is_there() -> None:
    for folder in ("dags", "plugins/metering", "include/glue", "api_lambdas", "local_aws"):
        assert sources(folder), f"{folder} holds no Python file: this test looks at the wrong folder"


@pytest.mark.parametrize("path", sources("dags"), ids=name)
def test_a_dag_imports_airflow_and_metering(path: Path) -> None:
    assert packages(path) <= STANDARD | {"airflow", "metering"}


@pytest.mark.parametrize("path", sources("plugins"), ids=name)
def test_metering_imports_airflow_and_boto_only(path: Path) -> None:
    assert packages(path) <= STANDARD | {"airflow", "metering", "boto3", "botocore"}


@pytest.mark.parametrize("path", sources("plugins"), ids=name)
def test_logic_of_metering_is_free_of_airflow(path: Path) -> None:
    imported = {module.partition(".")[0] for module in imports(path, at_import_only=True)}

    if path.stem not in {"assets", "operators", "triggers"}:
        assert "airflow" not in imported, "Turn plain functions into tasks in the DAG file, or import in the function."


@pytest.mark.parametrize("path", sources("include/glue"), ids=name)
def test_a_glue_script_imports_what_glue_has(path: Path) -> None:
    # py4j, a part of Spark, raises what fails in a worker.
    # fastavro comes with raw_to_clean as a wheel (infra/glue.yaml).
    allowed = {"pyspark", "py4j", "numpy", "pyarrow", "boto3", "botocore", "awsglue", "fastavro"}

    assert packages(path) <= STANDARD | allowed | {"meter_data"}


@pytest.mark.parametrize("path", sources("include/glue/meter_data"), ids=name)
def test_the_runner_alone_knows_spark(path: Path) -> None:
    is_runner = path.relative_to(REPOSITORY / "include/glue/meter_data") == Path("runner/work.py")

    assert is_runner or not packages(path) & {"pyspark", "py4j"}
    at_import = {name.partition(".")[0] for name in imports(path, at_import_only=True)}
    assert not at_import & {"pyspark", "py4j", "fastavro", "pandas"}, "Import it in the function: few runs need it."


@pytest.mark.parametrize("path", sources("include/glue/meter_data"), ids=name)
def test_a_room_of_the_jobs_imports_from_the_rooms_below_it(path: Path) -> None:
    """Data flows one way: who reads the package from below never turns round."""
    rooms = {
        "lake": set(),
        "runner": {"lake"},
        "meter_files": {"lake"},
        "readers": {"lake", "meter_files"},
        "cleaning": {"lake", "meter_files", "readers"},
        "merging": {"lake"},
        "consumption": {"lake"},
        "series": {"lake"},
        "anomalies": {"lake"},
    }
    room = path.relative_to(REPOSITORY / "include/glue/meter_data").parts[0]
    if room in rooms:
        used = {module.split(".")[1] for module in imports(path) if module.startswith("meter_data.")}
        assert used <= rooms[room] | {room}


@pytest.mark.parametrize("path", sources("api_lambdas"), ids=name)
def test_a_lambda_imports_nothing_outside_its_folder_but_its_requirements(path: Path) -> None:
    folder = REPOSITORY / "api_lambdas" / path.relative_to(REPOSITORY / "api_lambdas").parts[0]
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = {re.split(r"[\s\[=<>!~;#]", line)[0].lower() for line in lines} - {""}
    own = {file.stem for file in folder.glob("*.py")}
    modules = {MODULES.get(distribution, distribution.replace("-", "_")) for distribution in required}

    assert packages(path) <= STANDARD | {"boto3", "botocore"} | own | modules


@pytest.mark.parametrize("path", sources("local_aws"), ids=name)
def test_the_stand_in_knows_the_product_only_by_paths(path: Path) -> None:
    assert not packages(path) & {
        "dags",
        "plugins",
        "include",
        "api_lambdas",
        "metering",
        "meter_data",
        "tests",
    }


@pytest.mark.parametrize(
    "path", sources(*PRODUCT, "local_aws", "sample_data", "demo", "documentation", "environments"), ids=name
)
def test_nobody_imports_dags_or_tests(path: Path) -> None:
    assert not packages(path) & {"dags", "tests"}


@pytest.mark.parametrize(
    "path",
    sorted(path for folder in PRODUCT for path in (REPOSITORY / folder).rglob("*") if path.suffix in {".py", ".sql"}),
    ids=name,
)
def test_the_product_does_not_know_that_it_runs_locally(path: Path) -> None:
    found = re.search(r"localhost|127\.0\.0\.1|LOCAL_AWS|local_aws|is_local", path.read_text(encoding="utf-8"))

    assert found is None, f"{name(path)} says {found[0] if found else ''}: teach the stand-in instead"
