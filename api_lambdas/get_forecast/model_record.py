"""Which model is asked, and what is to be known of it: JSON documents in SSM parameters, written by training.

<prefix>/current-model        the model that counts where nobody names an endpoint
<prefix>/models/<endpoint>    the model of an endpoint
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, Field, ValidationError

COUNTS = "negative-binomial"


class Feature(BaseModel):
    """A column of the table weather; mean and standard deviation are those of the training."""

    name: Literal["temperature", "apparenttemperature", "humidity"]
    mean: float
    std: Annotated[float, Field(gt=0)]


class Weather(BaseModel):
    """The features in the order in which the model learnt them."""

    features: list[Feature]


class Model(BaseModel):
    """What a question to the model needs; lengths in hours, `scale` in kWh for one of the model's values."""

    endpoint_name: str
    scale: Annotated[float, Field(gt=0)]
    context_length: int
    prediction_length: int
    likelihood: str
    intervals_per_hour: int
    weather: Weather | None

    @property
    def counts(self) -> bool:
        """Whether its values are whole numbers from 0 on."""
        return self.likelihood == COUNTS


class NoModelError(Exception):
    """No model was deployed: none at all, or none to the endpoint that was asked for."""


class ModelUnavailableError(Exception):
    """The record cannot be read; the text is for the log, never for the caller."""


def read(prefix: str, endpoint_name: str | None) -> Model:
    """The endpoint's model, the current one where no endpoint is named. Raises NoModelError, ModelUnavailableError.

    Read anew for each answer: a model that has just been replaced may count in another unit.
    """
    name = f"{prefix}/models/{endpoint_name}" if endpoint_name else f"{prefix}/current-model"
    try:
        text = client().get_parameter(Name=name)["Parameter"]["Value"]
        return Model.model_validate_json(text)
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ParameterNotFound":
            raise NoModelError from None
        raise ModelUnavailableError(f"{name}: {error}") from error
    except ValidationError as error:
        raise ModelUnavailableError(f"{name} is no model record: {error}") from error


@cache
def client() -> Any:
    patience = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.client("ssm", config=patience)
