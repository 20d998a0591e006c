"""Forecast of one meter's hourly consumption, asked of the deployed model.

GET /forecast/{meter_id} answers kWh by hour; the hour is its start, as milliseconds since 1970-01-01 00:00 UTC:

    {"consumption": {"1380585600000": 0.7684, …}, "p10": {…}, "p90": {…}}

`consumption` is the median; `quantiles` adds one object for each, in which no hour lies below that of a smaller one.
The first hour follows the last complete one of the readings from data_start to data_end; there are as many hours as the
model was trained to forecast. What is missing in the readings is missing for the model too, never 0.

19 quantiles of a week are under 150 kB, far below the 6 MB that a Lambda function may answer: there is no paging.
Errors are JSON objects, see ANSWERS.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Annotated, Any

import forecast_endpoint
import hourly_history
import meter_ids
import model_record
import weather_features
from athena import Athena, AthenaUnavailableError
from forecast_endpoint import EndpointUnavailableError, ModelFailedError
from hourly_history import NegativeConsumptionError, NoKnownHourError, UnknownMeterError
from model_record import ModelUnavailableError, NoModelError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

ANSWERS = {
    200: "kWh of each hour of the forecast by the hour's start in epoch milliseconds; consumption is the median",
    400: "A parameter is wrong; the body names it",
    404: "Nobody knows this meter, it has no complete hour in these days, or no model was deployed to this endpoint",
    422: "The meter feeds in, and the model knows no values below zero",
    502: "The model answered with an error",
    503: "There is no model yet, or the readings or the endpoint did not answer in time; Retry-After says when to ask "
    "again",
}
RETRY_AFTER_SECONDS = 10
# Training takes its time.
RETRY_AFTER_TRAINING_SECONDS = 600
SECONDS_KEPT_FOR_THE_ANSWER = 2.0
MEDIAN = 50
MOST_QUANTILES = 19
MILLISECONDS_AN_HOUR = 3_600_000
FIRST_DAY = date(1970, 1, 1)

logger = logging.getLogger(__name__)

Answer = dict[str, dict[str, float]]


class Request(BaseModel):
    """The parameters of path and query. A name that is none of these is refused, so that a slip is seen."""

    model_config = ConfigDict(extra="forbid")

    meter_id: Annotated[
        str,
        Field(pattern=f"^{meter_ids.PATTERN}$", max_length=meter_ids.LONGEST, description="Meter, e.g. MAC001595"),
        BeforeValidator(meter_ids.asked),
    ]
    data_start: Annotated[
        date | None,
        Field(ge=FIRST_DAY, description="First day of the readings, yyyy-MM-dd, UTC; 214 days before data_end if none"),
    ] = None
    data_end: Annotated[
        date | None,
        Field(gt=FIRST_DAY, description="Day after the last one, yyyy-MM-dd, UTC; after the newest readings if none"),
    ] = None
    ml_endpoint_name: Annotated[
        str | None,
        Field(
            pattern="^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$",
            description="Endpoint whose model is asked; that of the current model if none",
        ),
    ] = None
    quantiles: Annotated[
        str | None,
        Field(
            pattern="^p[1-9][0-9]?(,p[1-9][0-9]?)*$",
            description=f"Quantiles to add, e.g. p10,p50,p90: p1 to p99, at most {MOST_QUANTILES}",
        ),
    ] = None

    @field_validator("data_start", "data_end", mode="before")
    @classmethod
    def is_a_day(cls, given: Any) -> Any:
        if given is not None and not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", str(given)):
            raise ValueError("not a day such as 2013-10-01")
        return given

    @field_validator("data_end")
    @classmethod
    def lies_after_data_start(cls, data_end: date | None, others: ValidationInfo) -> date | None:
        data_start = others.data.get("data_start")
        if data_start and data_end and data_end <= data_start:
            raise ValueError("it is exclusive and must lie after data_start")
        return data_end

    @field_validator("quantiles")
    @classmethod
    def are_not_too_many(cls, quantiles: str | None) -> str | None:
        if quantiles and len(set(quantiles.split(","))) > MOST_QUANTILES:
            raise ValueError(f"more than {MOST_QUANTILES}")
        return quantiles

    @property
    def percents(self) -> list[int]:
        """The quantiles to add, each once."""
        return [int(name[1:]) for name in dict.fromkeys((self.quantiles or "").split(",")) if name]


@dataclass(frozen=True)
class Settings:
    """What the deployment says; `query_timeout_seconds` bounds all questions to Athena of one answer together."""

    athena: Athena
    query_timeout_seconds: float
    model_parameters: str

    @classmethod
    @cache
    def from_environment(cls) -> Settings:
        return cls(
            athena=Athena(database=os.environ["GLUE_DATABASE"], workgroup=os.environ["WORKGROUP"]),
            query_timeout_seconds=float(os.environ["QUERY_TIMEOUT_SECONDS"]),
            model_parameters=os.environ["MODEL_PARAMETERS"],
        )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of API Gateway (payload format 2.0). The only place where errors become HTTP answers."""
    begun = time.monotonic()
    try:
        request = parse(event)
        settings = Settings.from_environment()
        remaining = context.get_remaining_time_in_millis() / 1000 - SECONDS_KEPT_FOR_THE_ANSWER
        for_queries = remaining - forecast_endpoint.CONNECT_SECONDS - forecast_endpoint.ANSWER_SECONDS
        forecast = get_forecast(request, settings, begun + min(for_queries, settings.query_timeout_seconds))
    except ValidationError as error:
        first = error.errors()[0]
        return refuse(400, f"{first['loc'][0]}: {first['msg']}", str(first["loc"][0]))
    except UnknownMeterError:
        return refuse(404, f"meter {request.meter_id} is not known", "meter_id")
    except NoKnownHourError:
        return refuse(404, f"meter {request.meter_id} has no complete hour in these days", "data_end")
    except NegativeConsumptionError:
        return refuse(
            422,
            f"meter {request.meter_id} has hours below zero, which a model of the likelihood negative-binomial cannot "
            "forecast: train one with the likelihood student-T or gaussian",
        )
    except NoModelError:
        if request.ml_endpoint_name:
            return refuse(404, f"no model was deployed to the endpoint {request.ml_endpoint_name}", "ml_endpoint_name")
        return unavailable(
            "there is no forecast model yet: trigger the DAG train_forecast_model", RETRY_AFTER_TRAINING_SECONDS
        )
    except ModelFailedError as error:
        logger.error("model failed", extra={"reason": str(error)})
        return refuse(502, "the model answered with an error")
    except (AthenaUnavailableError, EndpointUnavailableError, ModelUnavailableError) as error:
        # The engines' words may quote the meter, which stands for a household.
        reason = str(error).replace(request.meter_id, "(meter)")
        logger.error("unavailable", extra={"kind": type(error).__name__, "reason": reason})
        what = "readings do" if isinstance(error, AthenaUnavailableError) else "model does"
        return unavailable(f"the {what} not answer at the moment", RETRY_AFTER_SECONDS)
    logger.info(
        "answered",
        extra={
            "hours": len(forecast["consumption"]),
            "quantiles": len(forecast) - 1,
            "milliseconds": round((time.monotonic() - begun) * 1000),
        },
    )
    return answer(200, forecast)


def parse(event: dict[str, Any]) -> Request:
    """The request; a query parameter without a value is none. Raises ValidationError."""
    query = {name: value for name, value in (event.get("queryStringParameters") or {}).items() if value}
    return Request.model_validate(query | (event.get("pathParameters") or {}))


def refuse(status: int, message: str, parameter: str | None = None) -> dict[str, Any]:
    return answer(status, {"message": message} | ({"parameter": parameter} if parameter else {}))


def unavailable(message: str, retry_after_seconds: int) -> dict[str, Any]:
    return answer(503, {"message": message}, {"retry-after": str(retry_after_seconds)})


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": json.dumps(body),
    }


def get_forecast(request: Request, settings: Settings, deadline: float) -> Answer:
    """The answer's body. Athena is asked until `deadline` (monotonic seconds). Raises what `handler` answers."""
    model = model_record.read(settings.model_parameters, request.ml_endpoint_name)
    past = hourly_history.read(settings.athena, request.meter_id, model, request.data_start, request.data_end, deadline)
    features = None
    if model.weather:
        hours = range(past.first_hour, past.next_hour + model.prediction_length)
        features = weather_features.read(settings.athena, model.weather, hours, deadline)
    found = forecast_endpoint.ask(model, past, features, sorted({MEDIAN, *request.percents}))
    return {"consumption": by_hour(past.next_hour, found[MEDIAN])} | {
        f"p{percent}": by_hour(past.next_hour, found[percent]) for percent in request.percents
    }


def by_hour(first_hour: int, values: Sequence[float]) -> dict[str, float]:
    """Values by the starts of the hours from `first_hour` (numbered from 1970) on, in epoch milliseconds."""
    return {str((first_hour + place) * MILLISECONDS_AN_HOUR): value for place, value in enumerate(values)}
