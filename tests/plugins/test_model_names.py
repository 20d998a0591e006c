"""Names of jobs, models and endpoints are such as SageMaker takes."""

from __future__ import annotations

import re

import pytest
from metering import model_names

BATCH = "20260102T090000-3fa2c1"
# The pattern of TrainingJobName, ModelName, EndpointConfigName and TransformJobName in SageMaker's API.
OF_SAGEMAKER = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@pytest.mark.parametrize(
    ("name", "most"),
    [
        (model_names.training_job("c" * model_names.MOST_MODEL_NAME, BATCH), 63),
        (model_names.transform_job(BATCH, 1000), 63),
        (model_names.tuning_job(BATCH), 32),
    ],
)
def test_the_longest_name_of_the_ninety_ninth_try_fits(name: str, most: int) -> None:
    full = model_names.of_try(name, 99)

    assert OF_SAGEMAKER.fullmatch(full)
    assert len(full) <= most


@pytest.mark.parametrize("name", ["-a", "a-", "a_b", "a b", "ä", ""])
def test_a_name_that_sagemaker_refuses_is_refused_in_the_form(name: str) -> None:
    assert not OF_SAGEMAKER.fullmatch(name)
    assert not re.fullmatch(model_names.MODEL_NAME_PATTERN, name)
    assert not re.fullmatch(model_names.ENDPOINT_NAME_PATTERN, name)


@pytest.mark.parametrize("name", ["a", "metering-forecast", "A1-b2"])
def test_a_name_that_sagemaker_takes_is_taken(name: str) -> None:
    assert re.fullmatch(model_names.MODEL_NAME_PATTERN, name)
    assert re.fullmatch(model_names.ENDPOINT_NAME_PATTERN, name)
