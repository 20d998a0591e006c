"""Every implemented operation is checked against botocore's service model, and the check itself can fail."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from local_aws.control_plane import ControlPlane, operations
from local_aws.protocol import service_model
from tests.local_aws.service_model import differences

TESTS = Path(__file__).parent


def texts_given_to_calls(folder: Path) -> set[str]:
    """All texts that stand as an argument of a call in the tests below a folder."""
    found = set()
    for file in folder.rglob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return {text for text in found if isinstance(text, str)}


def test_the_answer_of_every_implemented_operation_is_checked_somewhere(control_plane: ControlPlane) -> None:
    called = texts_given_to_calls(TESTS)
    unchecked = [f"{service}:{name}" for service, name in operations(control_plane.services) if name not in called]
    assert unchecked == [], 'call them through tests.local_aws.service_model, as call(settings, "glue", "GetTable", …)'


@pytest.mark.parametrize(
    ("answer", "problems"),
    [
        ({"Database": {"Name": "metering", "CreateTime": 1767225600.0}}, []),
        ({"Base": {}}, ["GetDatabase: Base is unknown"]),
        ({"Database": {"Name": 3}}, ["GetDatabase.Database.Name: int instead of string"]),
        ({"Database": {}}, ["GetDatabase.Database: Name is required"]),
        (
            {"Database": {"Name": "x", "CreateTime": "2026-01-01"}},
            ["GetDatabase.Database.CreateTime: str instead of timestamp"],
        ),
        (
            {"Database": {"Name": "x", "Parameters": {"a": True}}},
            ["GetDatabase.Database.Parameters.a: bool instead of string"],
        ),
        (
            {"Database": {"Name": "x", "CreateTableDefaultPermissions": [{"Permissions": ["FLY"]}]}},
            [
                "GetDatabase.Database.CreateTableDefaultPermissions[0].Permissions[0]: 'FLY' is none of ALL, SELECT,"
                " ALTER, DROP, DELETE, INSERT, CREATE_DATABASE, CREATE_TABLE, DATA_LOCATION_ACCESS"
            ],
        ),
    ],
)
def test_a_difference_from_the_model_is_found_and_placed(answer: dict[str, Any], problems: list[str]) -> None:
    shape = service_model("glue").operation_model("GetDatabase").output_shape
    assert list(differences(shape, answer, "GetDatabase")) == problems
