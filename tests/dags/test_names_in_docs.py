"""What the documentation puts into backticks exists: tasks, DAGs, tables, parameters, settings, files, make targets.

A name must be written in the code exactly as on the page: as a DAG, a task or a parameter, as a text, a class or a
constant of Python, as a word of SQL or of a template, as a setting, or as a file. A place in a bucket or in a log is
taken apart at its slashes, and each part must be a word of the code. An action of a policy must be in a template, or be
called by the DAGs' code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache

import pytest
from airflow.sdk import DAG

from tests.dags.conftest import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("dags/*.md")])
DAG_FILES = sorted(REPOSITORY.glob("dags/*.py"))
PYTHON = ("dags", "plugins", "include", "api_lambdas", "local_aws", "demo", "sample_data")
SQL_AND_TEMPLATES = ("include/sql/*/*.sql", "api_lambdas/*/*.sql", "infra/*.yaml")

# Names that the platform does not define, each with the reason why the documentation needs it.
ELSEWHERE = {
    "sys_load_error_detail": "a view of Redshift",
}

# Letters, digits and the signs of paths, patterns and actions. Anything else in backticks is an example.
NAME = re.compile(r"[\w./<>=*…:-]*[A-Za-z][\w./<>=*…:-]*")
ACTION = re.compile(r"[a-z0-9]+:([A-Z]\w+)")  # of a policy: the service and its operation
LETTERS = re.compile(r"([A-Za-z])\1*|yyyy[MdHmsS]+")  # of a pattern of time, as MM and HH
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\S*")
OPEN = re.compile(r"<[^>]*>|[*…]")  # what a page leaves open in a name
BLOCK = re.compile(r"```.*?```", re.DOTALL)
SECTION = re.compile(r"^## ", re.MULTILINE)
TASKS_OF_BULLET = re.compile(r"^- ((?:`\w+`(?:, )?)+):", re.MULTILINE)


def documents() -> Iterator[tuple[str, str]]:
    """(where, text) of each page and of each DAG's docstring."""
    for page in PAGES:
        yield str(page.relative_to(REPOSITORY)), page.read_text(encoding="utf-8")
    for file in DAG_FILES:
        yield f"dags/{file.name}", ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""


def in_backticks(text: str) -> set[str]:
    return {" ".join(found.split()) for found in re.findall(r"`([^`]+)`", BLOCK.sub("", text))}


def is_example(name: str) -> bool:
    """Whether it is a pattern of time or a part of one, or a time: an example that has the signs of a name."""
    return bool(LETTERS.fullmatch(name) or TIME.fullmatch(name))


@cache
def texts() -> frozenset[str]:
    """Texts of the Python code but docstrings, and the names of its classes, constants and imports."""
    found: set[str] = set()
    for file in (file for folder in PYTHON for file in (REPOSITORY / folder).rglob("*.py")):
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        statements = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            match node:
                case ast.Constant(value=str(text)) if id(node) not in statements:
                    found.add(text)
                case ast.ClassDef(name=name) | ast.alias(name=name):
                    found.add(name)
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                    found.add(name)
    return frozenset(found)


@cache
def words() -> frozenset[str]:
    """Words of SQL and of the templates without their remarks, and the settings of the local platform."""
    files = [file for pattern in SQL_AND_TEMPLATES for file in REPOSITORY.glob(pattern)]
    code = "\n".join(re.sub(r"(#|--) .*", "", file.read_text(encoding="utf-8")) for file in files)
    settings = re.findall(r"^# (\w+)=", (REPOSITORY / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    return frozenset([*re.findall(r"[\w-]+", code), *settings])


@cache
def words_of_texts() -> frozenset[str]:
    return frozenset(word for text in texts() for word in re.findall(r"[\w.-]+", text)) | words()


@cache
def calls() -> frozenset[str]:
    """The methods that the DAGs' code calls, those of boto3 among them."""
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in (REPOSITORY / "plugins").rglob("*.py"))
    return frozenset(node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute))


@pytest.fixture(scope="module")
def of_dags(dags: dict[str, DAG]) -> set[str]:
    """The DAGs, their tasks and their parameters."""
    return {*dags, *(name for dag in dags.values() for name in [*dag.task_ids, *dag.params])}


def exists(name: str, of_dags: set[str]) -> bool:
    if list(REPOSITORY.glob(OPEN.sub("*", name).strip("/"))):
        return True
    if action := ACTION.fullmatch(name):
        return action[1] in words() or re.sub(r"(?<!^)(?=[A-Z])", "_", action[1]).lower() in calls()
    if "/" in name or "=" in name:
        parts = [part for part in re.split(r"[/=]|<[^>]*>|[*…-](?=<|$)", name) if part.strip("-…*")]
        return all(part in words_of_texts() for part in parts)
    if OPEN.search(name):
        return any(fnmatchcase(known, OPEN.sub("*", name)) for known in of_dags | texts() | words())
    return name in of_dags or name in texts() or name in words()


def test_every_name_in_the_documentation_exists(of_dags: set[str]) -> None:
    unknown = {
        f"{where}: `{name}`"
        for where, text in documents()
        for name in in_backticks(text)
        if NAME.fullmatch(name) and not is_example(name) and name not in ELSEWHERE and not exists(name, of_dags)
    }

    assert unknown == set(), (
        "The code does not know these names. Write them as the code does (a file with its path from the repository's "
        "folder), or add them to ELSEWHERE with the reason."
    )


def test_every_exception_is_still_needed(of_dags: set[str]) -> None:
    used = {name for _, text in documents() for name in in_backticks(text)}

    assert {name for name in ELSEWHERE if name not in used or exists(name, of_dags)} == set(), "Remove them."


def test_every_make_target_in_the_documentation_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^(\w+) \?=", makefile, re.MULTILINE))
    unknown = set()
    for where, text in documents():
        blocks = "\n".join(f"`{line}`" for block in BLOCK.findall(text) for line in block.splitlines())
        for target, rest in re.findall(r"`(?:\w+=\S* )*make (?:-s )?([a-z-]+)([^`#\n]*)", text + blocks):
            if target not in targets:
                unknown.add(f"{where}: make {target}")
            unknown |= {f"{where}: {name}=" for name in re.findall(r"(\w+)=", rest) if name not in variables}

    assert unknown == set(), "Name a target or a variable of the Makefile: `make help` lists the targets."


def test_every_setting_in_the_documentation_exists() -> None:
    unknown = {
        f"{where}: {name}"
        for where, text in documents()
        for name in re.findall(r"\b(?:LOCAL_AWS|METERING)_[A-Z_]+\b", text)
        if name not in words() | texts()
    }

    assert unknown == set(), "Name a setting of `.env.example`."


def test_every_command_in_the_documentation_names_files_that_exist() -> None:
    unknown = {
        f"{where}: {word}"
        for where, text in documents()
        for command in in_backticks(text)
        if " -m " in command
        for word in command.split()
        if "/" in word and not word.startswith(".venv") and not (REPOSITORY / word).exists()
    }

    assert unknown == set(), "Correct the path, which begins at the repository's folder."


def test_the_runbook_names_tasks_under_the_dag_that_has_them(dags: dict[str, DAG]) -> None:
    runbook = (REPOSITORY / "docs" / "runbook.md").read_text(encoding="utf-8")
    headings = {}
    wrong = set()
    for section in SECTION.split(runbook)[1:]:
        heading, _, body = section.partition("\n")
        for name in re.findall(r"`([^`]+)` (?:failed|says)", heading):
            headings[name] = body
    tasks = {task_id for dag in dags.values() for task_id in dag.task_ids}
    for name, body in headings.items():
        if name not in dags and not any(fnmatchcase(task_id, OPEN.sub("*", name)) for task_id in tasks):
            wrong.add(f"## {name}")
        if name in dags:
            wrong |= {f"{name}: {task_id}" for task_id in in_bullets(body) if task_id not in dags[name].task_ids}

    assert {"train_forecast_model", "check_rejected_share"} <= set(headings), "The runbook's headings were not found."
    assert wrong == set(), "Name tasks of this DAG as the grid shows them."


def test_each_dags_page_names_its_own_tasks_under_on_failure(dags: dict[str, DAG]) -> None:
    named = {
        dag_id: in_bullets((dag.doc_md or "").partition("## On failure")[2]) for dag_id, dag in sorted(dags.items())
    }
    wrong = {
        f"{dag_id}: {name}" for dag_id, found in named.items() for name in found if name not in dags[dag_id].task_ids
    }

    assert "plan_training" in named["train_forecast_model"], "The bullets of the pages were not found."
    assert wrong == set(), "Name tasks of this DAG as the grid shows them."


def in_bullets(text: str) -> list[str]:
    """The names that bullets begin with: "- `train_model`, `tune_hyperparameters`: …"."""
    return [name for names in TASKS_OF_BULLET.findall(text) for name in re.findall(r"\w+", names)]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("tune_hyperparameters", True),
        ("tune_model", False),
        ("aggregated_daily", True),
        ("aggregated_hourly", False),
        ("merge_…", True),
        ("unmerge_…", False),
        ("tests/test_architecture.py", True),
        ("tests/test_architect.py", False),
        ("include/sql/redshift/create_*.sql", True),
        ("include/sql/redshift/drop_*.sql", False),
        ("clean/batch=<batch>/", True),
        ("dirty/batch=<batch>/", False),
        ("LOCAL_AWS_S3_PORT", True),
        ("LOCAL_AWS_S3_PROT", False),
        ("glue:BatchDeletePartition", True),
        ("glue:BatchDeleteEverything", False),
        ("NoOfMeters", True),
        ("SupersededError", True),
        ("SupercededError", False),
    ],
)
def test_a_name_that_is_not_in_the_code_is_noticed(name: str, known: bool, of_dags: set[str]) -> None:
    assert exists(name, of_dags) is known
