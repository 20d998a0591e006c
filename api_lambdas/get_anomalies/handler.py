"""Judged days of one meter: what it consumed, the band that was expected, and whether the day is an anomaly.

GET /anomaly/{meter_id} answers columns, each an object by the number of the row; rows are in the order of time:

    {"meter_id": {"1": "MAC000005", …}, "ds": {"1": "2013-01-02", …}, "consumption": {"1": 9.61, …},
     "yhat_lower": {…}, "yhat_upper": {…}, "anomaly": {…}, "importance": {…}}

Consumption and band are in kWh of the day (UTC). `anomaly` is -1 for a day with too little, 1 for one with too much,
else 0. `importance` is the distance to the band in relation to its width, 0 where `anomaly` is 0. A deployment with
weather adds the means of the day, `temperature` and `apparenttemperature` in degrees Celsius, null where they are not
known. A known meter without judged days in that time has empty columns.

A day takes under 500 bytes: 30 years stay below the 6 MB that a Lambda function may answer, and there is no paging.
Errors are JSON objects, see ANSWERS.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import meter_ids
from athena import Athena, AthenaUnavailableError, text
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

ANSWERS = {
    200: "Columns of the judged days; a row has the same number in all of them",
    400: "A parameter is wrong; the body names it",
    404: "Nobody knows this meter",
    503: "The anomalies did not answer in time; Retry-After says when to ask again",
}
JUDGED_DAYS = (Path(__file__).parent / "judged_days.sql").read_text("utf-8")
KNOWN_METER = (Path(__file__).parent / "known_meter.sql").read_text("utf-8")
RETRY_AFTER_SECONDS = 10
SECONDS_KEPT_FOR_THE_ANSWER = 2.0
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9999, 12, 31)
# Meters report 1e-7 kWh at best: this takes the noise off sums and estimates, and nothing else.
DECIMALS = 9

logger = logging.getLogger(__name__)


class JudgedDays(BaseModel):
    """The answer's columns."""

    model_config = ConfigDict(extra="forbid")

    meter_id: dict[str, str]
    ds: Annotated[dict[str, str], Field(description="yyyy-MM-dd, UTC")]
    consumption: Annotated[dict[str, float], Field(description="kWh of the day")]
    yhat_lower: Annotated[dict[str, float], Field(description="kWh, lower end of the band")]
    yhat_upper: Annotated[dict[str, float], Field(description="kWh, upper end of the band")]
    anomaly: Annotated[dict[str, Literal[-1, 0, 1]], Field(description="-1 too little, 1 too much, else 0")]
    importance: Annotated[dict[str, float], Field(description="Distance to the band, in relation to its width")]


class JudgedDaysWithWeather(JudgedDays):
    """The answer's columns where the deployment has weather."""

    temperature: Annotated[dict[str, float | None], Field(description="Degrees Celsius, mean of the day")]
    apparenttemperature: Annotated[dict[str, float | None], Field(description="Degrees Celsius, mean of the day")]


Answer = JudgedDays | JudgedDaysWithWeather


class Request(BaseModel):
    """The parameters of path and query. A name that is none of these is refused, so that a slip is seen."""

    model_config = ConfigDict(extra="forbid")

    meter_id: Annotated[
        str,
        Field(pattern=f"^{meter_ids.PATTERN}$", max_length=meter_ids.LONGEST, description="Meter, e.g. MAC001595"),
        BeforeValidator(meter_ids.asked),
    ]
    data_start: Annotated[
        date,
        Field(ge=FIRST_DAY, description="First day, yyyy-MM-dd, UTC; the first judged one if none"),
    ] = FIRST_DAY
    data_end: Annotated[
        date,
        Field(gt=FIRST_DAY, description="Day after the last one, yyyy-MM-dd, UTC; after the newest one if none"),
    ] = LAST_DAY
    outlier_only: Annotated[
        Literal["0", "1"],
        Field(description="1 leaves out the days that are no anomalies"),
    ] = "0"

    @field_validator("data_start", "data_end", mode="before")
    @classmethod
    def is_a_day(cls, given: Any) -> Any:
        if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", str(given)):
            raise ValueError("not a day such as 2013-10-01")
        return given

    @field_validator("data_end")
    @classmethod
    def lies_after_data_start(cls, data_end: date, others: ValidationInfo) -> date:
        if (data_start := others.data.get("data_start")) and data_end <= data_start:
            raise ValueError("it is exclusive and must lie after data_start")
        return data_end


@dataclass(frozen=True)
class Settings:
    """What the deployment says; `query_timeout_seconds` bounds all questions to Athena of one answer together."""

    athena: Athena
    query_timeout_seconds: float
    with_weather: bool

    @classmethod
    @cache
    def from_environment(cls) -> Settings:
        return cls(
            athena=Athena(database=os.environ["GLUE_DATABASE"], workgroup=os.environ["WORKGROUP"]),
            query_timeout_seconds=float(os.environ["QUERY_TIMEOUT_SECONDS"]),
            with_weather=os.environ["WITH_WEATHER"] == "1",
        )


class UnknownMeterError(Exception):
    """There is no consumption of this meter."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of API Gateway (payload format 2.0). The only place where errors become HTTP answers."""
    begun = time.monotonic()
    try:
        request = parse(event)
        settings = Settings.from_environment()
        remaining = context.get_remaining_time_in_millis() / 1000 - SECONDS_KEPT_FOR_THE_ANSWER
        days = get_anomalies(request, settings, begun + min(remaining, settings.query_timeout_seconds))
    except ValidationError as error:
        first = error.errors()[0]
        return answer(400, {"message": f"{first['loc'][0]}: {first['msg']}", "parameter": first["loc"][0]})
    except UnknownMeterError:
        return answer(404, {"message": f"meter {request.meter_id} is not known", "parameter": "meter_id"})
    except AthenaUnavailableError as error:
        # The engine's words may quote the meter, which stands for a household.
        logger.error("athena unavailable", extra={"reason": str(error).replace(request.meter_id, "(meter)")})
        body = {"message": "the anomalies do not answer at the moment"}
        return answer(503, body, {"retry-after": str(RETRY_AFTER_SECONDS)})
    logger.info(
        "answered",
        extra={
            "outlier_only": request.outlier_only,
            "rows": len(days["ds"]),
            "milliseconds": round((time.monotonic() - begun) * 1000),
        },
    )
    return answer(200, days)


def parse(event: dict[str, Any]) -> Request:
    """The request; a query parameter without a value is none. Raises ValidationError."""
    query = {name: value for name, value in (event.get("queryStringParameters") or {}).items() if value}
    return Request.model_validate(query | (event.get("pathParameters") or {}))


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": json.dumps(body),
    }


def get_anomalies(request: Request, settings: Settings, deadline: float) -> dict[str, dict[str, Any]]:
    """The columns of the answer. `deadline` in monotonic seconds. Raises UnknownMeterError, AthenaUnavailableError."""
    values = [
        text(request.meter_id),
        text(f"{request.data_start:%Y%m}"),
        text(f"{request.data_end - timedelta(days=1):%Y%m}"),
        text(f"{request.data_start}"),
        text(f"{request.data_end}"),
        request.outlier_only,
    ]
    rows = settings.athena.query(JUDGED_DAYS, values, deadline)
    if not rows and not settings.athena.query(KNOWN_METER, [text(request.meter_id)], deadline):
        raise UnknownMeterError
    columns = JudgedDaysWithWeather if settings.with_weather else JudgedDays
    return {
        name: {str(number): without_noise(row[name]) for number, row in enumerate(rows, start=1)}
        for name in columns.model_fields
    }


def without_noise(value: Any) -> Any:
    return round(value, DECIMALS) if isinstance(value, float) else value
