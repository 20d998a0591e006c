from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from local_aws.sagemaker.deepar import requests
from local_aws.sagemaker.deepar.errors import BadRequestError
from local_aws.sagemaker.deepar.model import Model
from tests.local_aws.sagemaker.deepar.meters import START, day, series

JSON, LINES = "application/json", "application/jsonlines"
ONE = {"start": START, "target": day(100, 100)}
TWO = {"start": START, "target": day(300, 50)}
SMALL = {"num_samples": 5, "output_types": ["mean", "quantiles", "samples"], "quantiles": ["0.1", "0.5", "0.90"]}


def asked(model: Model, *instances: object, **configuration: Any) -> Any:
    document = {"instances": instances} | ({"configuration": configuration} if configuration else {})
    kind, text = requests.answer(model, JSON, json.dumps(document).encode(), {})
    assert kind == JSON
    return json.loads(text)["predictions"]


def lines(model: Model, body: bytes, variable: str | None = None) -> list[Any]:
    environment = {} if variable is None else {"DEEPAR_INFERENCE_CONFIG": variable}
    kind, text = requests.answer(model, LINES, body, environment)
    assert kind == LINES
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def refusal(model: Model, body: bytes, kind: str = JSON, variable: str = "{}") -> str:
    with pytest.raises(BadRequestError) as caught:
        requests.answer(model, kind, body, {"DEEPAR_INFERENCE_CONFIG": variable})
    return str(caught.value)


def test_an_instance_is_answered_with_mean_and_nine_quantiles(trained: Model) -> None:
    [prediction] = asked(trained, ONE)
    assert set(prediction) == {"mean", "quantiles"}
    assert list(prediction["quantiles"]) == [f"0.{tenth}" for tenth in range(1, 10)]
    assert {len(values) for values in (prediction["mean"], *prediction["quantiles"].values())} == {24}


def test_mean_and_quantiles_are_those_of_the_paths(trained: Model) -> None:
    [prediction] = asked(trained, ONE, **SMALL)
    paths = np.array(prediction["samples"])
    assert paths.shape == (5, 24)
    np.testing.assert_array_equal(paths, trained.sample([series(ONE["target"])], 5)[0])
    np.testing.assert_allclose(prediction["mean"], paths.mean(axis=0), rtol=1e-6)
    assert list(prediction["quantiles"]) == ["0.1", "0.5", "0.9"]
    # Of five values in order: the median is the third; the first decile lies 0.4 of the way to the second.
    ordered = np.sort(paths, axis=0)
    np.testing.assert_allclose(prediction["quantiles"]["0.5"], ordered[2])
    np.testing.assert_allclose(prediction["quantiles"]["0.1"], ordered[0] + 0.4 * (ordered[1] - ordered[0]), rtol=1e-6)


@pytest.mark.parametrize("kind", ["mean", "quantiles", "samples"])
def test_only_what_is_wanted_is_answered(trained: Model, kind: str) -> None:
    assert [set(one) for one in asked(trained, ONE, num_samples=2, output_types=[kind])] == [{kind}]


def test_predictions_have_the_order_of_the_instances(trained: Model) -> None:
    first, second = (asked(trained, one, **SMALL)[0] for one in (ONE, TWO))
    assert first != second
    assert asked(trained, ONE, TWO, ONE, **SMALL) == [first, second, first]


def test_no_instance_has_no_prediction(trained: Model) -> None:
    assert asked(trained) == []


def test_missing_values_may_be_null_or_text(trained: Model) -> None:
    as_null, as_text = ({"start": START, "target": [5, missing, 7]} for missing in (None, "NaN"))
    first, second = asked(trained, as_null, as_text, **SMALL)
    assert first == second


def test_json_lines_are_answered_line_by_line_as_the_variable_wants(trained: Model) -> None:
    body = f"{json.dumps(ONE)}\n\n{json.dumps(TWO)}".encode()
    assert lines(trained, body, json.dumps(SMALL)) == asked(trained, ONE, TWO, **SMALL)


def test_without_the_variable_json_lines_have_the_defaults(trained: Model) -> None:
    assert lines(trained, json.dumps(ONE).encode()) == asked(trained, ONE)


def test_the_variable_says_nothing_about_json_requests(trained: Model) -> None:
    body = json.dumps({"instances": [ONE]}).encode()
    environment = {"DEEPAR_INFERENCE_CONFIG": json.dumps(SMALL)}
    assert requests.answer(trained, JSON, body, environment) == requests.answer(trained, JSON, body, {})


@pytest.mark.parametrize("kind", ["", "application/json; charset=utf-8", "application/json"])
def test_json_is_known_with_parameters_and_when_nothing_is_said(trained: Model, kind: str) -> None:
    body = json.dumps({"instances": [], "configuration": SMALL}).encode()
    assert requests.answer(trained, kind, body, {}) == (JSON, '{"predictions": []}')


def test_another_content_type_is_refused(trained: Model) -> None:
    assert "text/csv is not supported" in refusal(trained, b"1,2", "text/csv")


@pytest.mark.parametrize("body", [b"", b"instances", b'{"instances": [', b"\xff\xfe\x00", b"[" * 100_000])
@pytest.mark.parametrize("kind", [JSON, LINES])
def test_what_is_no_json_is_refused(trained: Model, body: bytes, kind: str) -> None:
    if kind == LINES and not body:
        assert requests.answer(trained, kind, body, {}) == (LINES, "")
    else:
        assert refusal(trained, body, kind).startswith("the request is not JSON")


@pytest.mark.parametrize("body", ["[]", "3", "null", "{}", '{"instances": 3}', '{"instances": {"start": 1}}'])
def test_a_request_without_a_list_of_instances_is_refused(trained: Model, body: str) -> None:
    assert refusal(trained, body.encode()) == "the request must be a JSON object with a list of instances"


@pytest.mark.parametrize(
    ("instance", "problem"),
    [
        (3, "a time series must be a JSON object"),
        ({"target": [1]}, "the field 'start' is missing"),
        ({"start": START}, "the field 'target' is missing"),
        ({"start": START, "target": [1, "2"]}, "the field 'target' must be an array of numbers, but holds '2'"),
        ({"start": START, "target": [1], "cat": [0]}, "'cat' has 1 categories, but 0 are expected"),
        (
            {"start": START, "target": [1], "dynamic_feat": [[0] * 25]},
            "'dynamic_feat' has 1 features, but 0 are expected",
        ),
    ],
)
def test_a_wrong_instance_is_named_by_its_number_from_0(trained: Model, instance: object, problem: str) -> None:
    body = json.dumps({"instances": [ONE, instance]}).encode()
    assert refusal(trained, body) == f"instance 1: {problem}"
    body = f"{json.dumps(ONE)}\n{json.dumps(instance)}\n".encode()
    assert refusal(trained, body, LINES) == f"instance 1: {problem}"


@pytest.mark.parametrize(
    ("configuration", "field"),
    [
        ({"num_samples": 0}, "num_samples"),
        ({"num_samples": 10_001}, "num_samples"),
        ({"num_samples": "many"}, "num_samples"),
        ({"output_types": []}, "output_types"),
        ({"output_types": ["median"]}, "output_types.0"),
        ({"quantiles": ["0.5", "1"]}, "quantiles.1"),
        ({"quantiles": [0]}, "quantiles.0"),
        ({"quantile": [0.5]}, "quantile"),
        ([], ""),
        (None, ""),
    ],
)
def test_a_wrong_configuration_is_named_by_its_field(trained: Model, configuration: object, field: str) -> None:
    body = json.dumps({"instances": [ONE], "configuration": configuration}).encode()
    assert refusal(trained, body).startswith(f"configuration {field}: ")
    variable = json.dumps(configuration)
    assert refusal(trained, json.dumps(ONE).encode(), LINES, variable).startswith(f"configuration {field}: ")


def test_a_forecast_that_is_not_finite_is_no_answer(trained: Model) -> None:
    """The rate of such a count is beyond what a Poisson distribution can draw."""
    with pytest.raises(ArithmeticError, match="no finite forecast"):
        asked(trained, {"start": START, "target": [1e38] * 48}, **SMALL)
