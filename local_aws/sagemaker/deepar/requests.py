"""What an endpoint is asked and answers: application/json with instances and configuration, or a JSON line each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from local_aws.sagemaker.deepar.errors import BadRequestError
from local_aws.sagemaker.deepar.model import Model
from local_aws.sagemaker.deepar.series import Series, SeriesError, Values

CONFIGURATION_VARIABLE = "DEEPAR_INFERENCE_CONFIG"
JSON, JSON_LINES = "application/json", "application/jsonlines"


class Configuration(BaseModel):
    """What is wanted of a forecast; the defaults are the documentation's."""

    model_config = ConfigDict(extra="forbid")

    num_samples: Annotated[int, Field(ge=1, le=10_000)] = 100
    output_types: list[Literal["mean", "quantiles", "samples"]] = Field(default=["mean", "quantiles"], min_length=1)
    quantiles: list[Annotated[float, Field(gt=0, lt=1)]] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


def answer(model: Model, content_type: str, body: bytes, environment: Mapping[str, str]) -> tuple[str, str]:
    """Content type and text of the answer. Raises BadRequestError for what is no request."""
    kind = content_type.partition(";")[0].strip() or JSON
    if kind == JSON:
        document = _json(body)
        if not isinstance(document, dict) or not isinstance(document.get("instances"), list):
            raise BadRequestError("the request must be a JSON object with a list of instances")
        configuration = _configuration(document.get("configuration", {}))
        instances = [_instance(model, one, number) for number, one in enumerate(document["instances"])]
        return JSON, json.dumps({"predictions": predictions(model, instances, configuration)})
    if kind == JSON_LINES:
        configuration = _configuration(_json(environment.get(CONFIGURATION_VARIABLE, "{}").encode()))
        lines = [line for line in body.splitlines() if line.strip()]
        instances = [_instance(model, _json(line), number) for number, line in enumerate(lines)]
        answers = predictions(model, instances, configuration)
        return JSON_LINES, "".join(f"{json.dumps(one)}\n" for one in answers)
    raise BadRequestError(f"the content type {kind} is not supported: use {JSON} or {JSON_LINES}")


def predictions(model: Model, instances: list[Series], configuration: Configuration) -> list[dict[str, Any]]:
    """One answer an instance, in their order."""
    return [_prediction(paths, configuration) for paths in model.sample(instances, configuration.num_samples)]


def _prediction(paths: Values, configuration: Configuration) -> dict[str, Any]:
    if not np.isfinite(paths).all():
        raise ArithmeticError("the model gives no finite forecast for an instance")
    wanted: dict[str, Any] = {}
    if "mean" in configuration.output_types:
        wanted["mean"] = paths.mean(axis=0).tolist()
    if "quantiles" in configuration.output_types:
        found = np.quantile(paths, configuration.quantiles, axis=0)
        wanted["quantiles"] = {
            f"{quantile:g}": values.tolist() for quantile, values in zip(configuration.quantiles, found, strict=True)
        }
    if "samples" in configuration.output_types:
        wanted["samples"] = paths.tolist()
    return wanted


def _instance(model: Model, document: Any, number: int) -> Series:
    try:
        instance = Series.read(document, model.hyperparameters.time_freq)
        model.require(instance)
    except SeriesError as error:
        raise BadRequestError(f"instance {number}: {error}") from None
    return instance


def _configuration(document: Any) -> Configuration:
    try:
        return Configuration.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadRequestError(f"configuration {place}: {first['msg']}") from None


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the request is not JSON: {error}") from None
