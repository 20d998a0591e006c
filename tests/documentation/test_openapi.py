"""The page of the REST API is what the code says."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from documentation.openapi import PAGE, REPOSITORY, answer_schema, generate, parameter_schema

OPERATIONS = {
    "/consumption/{aggregation}/{year}/{meter_id}": "get_consumption",
    "/forecast/{meter_id}": "get_forecast",
    "/anomaly/{meter_id}": "get_anomalies",
    "/outage": "get_outages",
}


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return json.loads(generate())


def answers(page: dict[str, Any], path: str) -> tuple[Draft202012Validator, Any]:
    """The schema of the answers to a path, and the example of one."""
    content = page["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    return Draft202012Validator(content["schema"] | {"components": page["components"]}), content["example"]


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == generate(), "docs/openapi.json is out of date: run `make docs`"


def test_the_page_is_valid_openapi() -> None:
    validate(json.loads(generate()))


def test_the_page_tells_how_to_ask_for_consumption() -> None:
    page = json.loads(generate())
    operation = page["paths"]["/consumption/{aggregation}/{year}/{meter_id}"]["get"]

    assert [(each["name"], each["in"], each["required"]) for each in operation["parameters"]] == [
        ("aggregation", "path", True),
        ("year", "path", True),
        ("meter_id", "path", True),
    ]
    assert operation["parameters"][0]["schema"]["enum"] == ["daily", "weekly", "monthly"]
    assert list(operation["responses"]) == ["200", "400", "401", "403", "404", "429", "500", "503"]
    assert page["components"]["securitySchemes"] == {"api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"}}


def test_every_resource_of_the_guide_has_its_operation(page: dict[str, Any]) -> None:
    assert {path: methods["get"]["operationId"] for path, methods in page["paths"].items()} == OPERATIONS


def test_parameters_say_where_they_stand_and_whether_they_are_needed(page: dict[str, Any]) -> None:
    told = {
        path: {each["name"]: (each["in"], each["required"]) for each in methods["get"]["parameters"]}
        for path, methods in page["paths"].items()
    }

    assert told["/anomaly/{meter_id}"] == {
        "meter_id": ("path", True),
        "data_start": ("query", False),
        "data_end": ("query", False),
        "outlier_only": ("query", False),
    }
    assert told["/outage"] == {
        "start_date_time": ("query", True),
        "end_date_time": ("query", True),
        "error_code": ("query", False),
        "after_meter_id": ("query", False),
    }
    assert told["/forecast/{meter_id}"].keys() == {
        "meter_id",
        "data_start",
        "data_end",
        "ml_endpoint_name",
        "quantiles",
    }


@pytest.mark.parametrize("path", OPERATIONS)
def test_examples_are_what_their_schemas_say(page: dict[str, Any], path: str) -> None:
    schema, example = answers(page, path)
    given = {each["name"]: each for each in page["paths"][path]["get"]["parameters"]}

    schema.validate(example)
    assert example
    for name, parameter in given.items():
        assert "example" in parameter or not parameter["required"], name
        if "example" in parameter:
            Draft202012Validator(parameter["schema"]).validate(parameter["example"])


def test_a_parameter_that_may_be_left_out_is_never_null(page: dict[str, Any]) -> None:
    parameters = [each for methods in page["paths"].values() for each in methods["get"]["parameters"]]

    assert {each["schema"]["type"] for each in parameters} == {"string"}
    assert [each["name"] for each in parameters if each["schema"].get("default", "") is None] == []
    with pytest.raises(ValueError, match="Either: a parameter has one type"):
        parameter_schema({"title": "Either", "anyOf": [{"type": "string"}, {"type": "integer"}]})


def test_two_models_of_one_name_are_refused() -> None:
    from api_lambdas.get_outages import handler

    with pytest.raises(ValueError, match="another handler has a model ErrorReading as well"):
        answer_schema(handler, {"ErrorReading": {"type": "string"}})


def test_the_page_is_written_without_the_paths_of_the_tests() -> None:
    command = [sys.executable, "-c", "from documentation.openapi import generate; print(generate(), end='')"]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert (done.stderr, done.stdout == PAGE.read_text(encoding="utf-8")) == ("", True)


def test_answers_other_than_those_of_the_guide_are_refused(page: dict[str, Any]) -> None:
    anomaly, of_anomaly = answers(page, "/anomaly/{meter_id}")
    outage, of_outage = answers(page, "/outage")
    forecast, _ = answers(page, "/forecast/{meter_id}")

    assert anomaly.is_valid(of_anomaly | {"temperature": {"1": None}, "apparenttemperature": {"1": 4.5}})
    assert not anomaly.is_valid(of_anomaly | {"temperature": {"1": None}})
    assert not anomaly.is_valid({name: of_anomaly[name] for name in of_anomaly if name != "importance"})
    assert not anomaly.is_valid(of_anomaly | {"anomaly": {"1": 2}})
    assert outage.is_valid({"Items": []})
    assert outage.is_valid(of_outage | {"Next": {"start_date_time": "2013-01-01 00:00:00.000", "after_meter_id": "M"}})
    assert not outage.is_valid(of_outage["Items"])
    assert not outage.is_valid(of_outage | {"Next": None})
    assert not forecast.is_valid({"consumption": [0.7684]})


def test_the_schema_of_the_answer_takes_what_the_guide_shows_and_nothing_else() -> None:
    page = json.loads(generate())
    answers = page["paths"]["/consumption/{aggregation}/{year}/{meter_id}"]["get"]["responses"]
    schema = Draft202012Validator(answers["200"]["content"]["application/json"]["schema"])

    assert schema.is_valid([["MAC001595", "20130221", 5.316]])
    assert schema.is_valid([["MAC001595", 2013, 8, 41.02]])
    assert schema.is_valid([])
    assert not schema.is_valid([["MAC001595", 20130221, 5.316]])
    assert not schema.is_valid({"consumption": 1})
