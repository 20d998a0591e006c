"""The page of the REST API is what the code says."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from documentation.openapi import PAGE, generate


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


def test_the_schema_of_the_answer_takes_what_the_guide_shows_and_nothing_else() -> None:
    page = json.loads(generate())
    answers = page["paths"]["/consumption/{aggregation}/{year}/{meter_id}"]["get"]["responses"]
    schema = Draft202012Validator(answers["200"]["content"]["application/json"]["schema"])

    assert schema.is_valid([["MAC001595", "20130221", 5.316]])
    assert schema.is_valid([["MAC001595", 2013, 8, 41.02]])
    assert schema.is_valid([])
    assert not schema.is_valid([["MAC001595", 20130221, 5.316]])
    assert not schema.is_valid({"consumption": 1})
