"""Where the model that serves is written, and what a record may hold."""
# ruff: noqa: N803 (the names are those of boto3)

from __future__ import annotations

import json
from typing import Any

import pytest
from metering import current_model
from metering.current_model import RecordSizeError

RECORD = {"endpoint_name": "metering-forecast", "model_name": "consumption-b2-1", "superseded": ["consumption-b1-1"]}


class ParameterStore:
    """SSM in memory; `written` are the names in the order of writing."""

    class exceptions:  # noqa: N801 (boto3's name)
        class ParameterNotFound(Exception):  # noqa: N818 (boto3's name)
            pass

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.written: list[str] = []

    def get_parameter(self, Name: str) -> dict[str, Any]:
        if Name not in self.values:
            raise self.exceptions.ParameterNotFound
        return {"Parameter": {"Value": self.values[Name]}}

    def put_parameter(self, Name: str, Value: str, Type: str, Tier: str, Overwrite: bool) -> None:
        assert (Type, Tier, Overwrite) == ("String", "Standard", True)
        self.values[Name] = Value
        self.written.append(Name)


def test_the_current_model_is_written_after_that_of_its_endpoint() -> None:
    ssm = ParameterStore()

    current_model.write(ssm, "/metering", RECORD)

    assert ssm.written == ["/metering/models/metering-forecast", "/metering/current-model"]
    assert current_model.current(ssm, "/metering") == RECORD
    assert current_model.of_endpoint(ssm, "/metering", "metering-forecast") == RECORD


def test_before_the_first_model_there_is_none() -> None:
    assert current_model.current(ParameterStore(), "/metering") is None
    assert current_model.of_endpoint(ParameterStore(), "/metering", "other") is None


def test_a_record_that_no_parameter_holds_is_refused_before_anything_is_written() -> None:
    ssm = ParameterStore()
    size = len(json.dumps({**RECORD, "note": ""}, separators=(",", ":")))
    fits = {**RECORD, "note": "x" * (4096 - size)}

    with pytest.raises(RecordSizeError, match="4097 bytes; a parameter holds 4096"):
        current_model.write(ssm, "/metering", {**RECORD, "note": "x" * (4097 - size)})
    assert ssm.written == []

    current_model.write(ssm, "/metering", fits)
    assert current_model.current(ssm, "/metering") == fits


def test_a_model_supersedes_the_one_before_it_and_those_that_are_left_over() -> None:
    assert current_model.superseded("consumption-b3-1", RECORD) == ["consumption-b2-1", "consumption-b1-1"]
    assert current_model.superseded("consumption-b1-1", None) == []


def test_a_model_that_is_recorded_again_does_not_supersede_itself() -> None:
    assert current_model.superseded("consumption-b2-1", RECORD) == ["consumption-b1-1"]


def test_only_the_newest_superseded_models_are_kept() -> None:
    before = {"model_name": "m6", "superseded": ["m5", "m4", "m3", "m2", "m1"]}

    assert current_model.superseded("m7", before) == ["m6", "m5", "m4", "m3", "m2"]
