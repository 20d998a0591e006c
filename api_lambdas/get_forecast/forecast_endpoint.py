"""One question to a DeepAR endpoint, its answer in kWh."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from hourly_history import History
from model_record import Model

# As many as in forecasts of the whole fleet.
SAMPLES = 100
# Beside the time for Athena this must fit into the 29 seconds of the function.
ANSWER_SECONDS = 10.0
CONNECT_SECONDS = 1.0
# Tenths of a microwatt-hour: this takes the noise of the conversion off, and nothing else.
DECIMALS = 9


class EndpointUnavailableError(Exception):
    """The endpoint is not in service or too slow; the text is for the log, never for the caller."""


class ModelFailedError(Exception):
    """The model gave an error or nonsense for an answer; the text is for the log, never for the caller."""


def ask(
    model: Model, history: History, weather: list[list[float]] | None, percents: Sequence[int]
) -> dict[int, list[float]]:
    """kWh of each hour of the forecast, for each percentage of `percents`: {50: [0.31, …]}.

    No quantile lies below a smaller one, nor below 0 when the model counts. Raises EndpointUnavailableError,
    ModelFailedError.
    """
    instance: dict[str, Any] = {"start": history.start, "target": history.target}
    if weather is not None:
        instance["dynamic_feat"] = weather
    configuration = {
        "num_samples": SAMPLES,
        "output_types": ["quantiles"],
        "quantiles": [f"{percent / 100:g}" for percent in percents],
    }
    answer = _invoke(model.endpoint_name, {"instances": [instance], "configuration": configuration})
    found = _quantiles(answer, percents, model.prediction_length)
    least = 0.0 if model.counts else -math.inf
    ascending = sorted(percents)
    in_order = [
        sorted(max(value, least) for value in hour) for hour in zip(*(found[each] for each in ascending), strict=True)
    ]
    return {
        percent: [round(hour[place] * model.scale, DECIMALS) for hour in in_order]
        for place, percent in enumerate(ascending)
    }


def _invoke(endpoint_name: str, question: dict[str, Any]) -> bytes:
    try:
        answer = client().invoke_endpoint(
            EndpointName=endpoint_name,
            ContentType="application/json",
            Accept="application/json",
            Body=json.dumps(question),
        )
        return answer["Body"].read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ModelError":
            # The model's own words may quote readings.
            status = error.response.get("OriginalStatusCode")
            raise ModelFailedError(f"endpoint {endpoint_name}: its model answered {status}") from error
        raise EndpointUnavailableError(f"endpoint {endpoint_name}: {error}") from error
    except BotoCoreError as error:
        raise EndpointUnavailableError(f"endpoint {endpoint_name}: {error}") from error


def _quantiles(answer: bytes, percents: Sequence[int], hours: int) -> dict[int, list[float]]:
    """The values of each percentage. Raises ModelFailedError unless all are there, one finite number an hour."""
    try:
        (prediction,) = json.loads(answer)["predictions"]
        given = {round(float(name) * 100): values for name, values in prediction["quantiles"].items()}
        found = {percent: [float(value) for value in given[percent]] for percent in percents}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFailedError(f"the answer is not DeepAR's: {type(error).__name__}") from error
    if any(len(values) != hours or not all(map(math.isfinite, values)) for values in found.values()):
        raise ModelFailedError(f"the answer has not {hours} finite values for each quantile")
    return found


@cache
def client() -> Any:
    patience = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return boto3.client("sagemaker-runtime", config=patience)
