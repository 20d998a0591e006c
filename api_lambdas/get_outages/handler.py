"""Meters in an abnormal state: readings in place of which the meter sent an error, with the place of the meter.

GET /outage answers the error readings from start_date_time to end_date_time (exclusive, UTC), in the order of time:

    {"Items": [{"meter_id": "MAC000022", "reading_date_time": "2012-12-18 15:13:41.000", "date_str": "20121218",
                "error_code": "NULL", "lat": 51.52, "long": -0.09}, …]}

`lat` and `long` (WGS 84) are null where the place of a meter is not known. No error readings in that time: no items.

At most 5,000 items of under 300 bytes are answered at once, far below the 6 MB that a Lambda function may answer. Where
there are more, `Next` holds the two parameters to ask with for the following ones, the others staying as they are:

    {"Items": […], "Next": {"start_date_time": "2012-12-18 15:13:41.000", "after_meter_id": "MAC000022"}}

Errors are JSON objects, see ANSWERS.
"""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import meter_ids
from athena import Athena, AthenaUnavailableError, text
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

ANSWERS = {
    200: "Error readings in the order of time; Next where there are more of them",
    400: "A parameter is wrong; the body names it",
    503: "The readings did not answer in time; Retry-After says when to ask again",
}
ERROR_READINGS = (Path(__file__).parent / "error_readings.sql").read_text("utf-8")
RETRY_AFTER_SECONDS = 10
SECONDS_KEPT_FOR_THE_ANSWER = 2.0
MOST_ITEMS = 5000
FIRST_YEAR = 1970
MOMENT = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T +][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,3})?$"

logger = logging.getLogger(__name__)


class ErrorReading(BaseModel):
    """What a meter sent in place of a reading, and where it is."""

    meter_id: str
    reading_date_time: Annotated[str, Field(description="yyyy-MM-dd HH:mm:ss.SSS, UTC")]
    date_str: Annotated[str, Field(description="yyyyMMdd, UTC")]
    error_code: str | None
    lat: Annotated[float | None, Field(description="Degrees north (WGS 84)")]
    long: Annotated[float | None, Field(description="Degrees east (WGS 84)")]


class Following(BaseModel):
    """Parameters with which the following items are asked for."""

    start_date_time: str
    after_meter_id: str


class AllItems(BaseModel):
    """The answer when there are no more items."""

    model_config = ConfigDict(extra="forbid")

    Items: list[ErrorReading]


class FirstItems(AllItems):
    """The answer when there are more."""

    Next: Following


Answer = AllItems | FirstItems


class Request(BaseModel):
    """The parameters of the query. A name that is none of these is refused, so that a slip is seen."""

    model_config = ConfigDict(extra="forbid")

    start_date_time: Annotated[
        str,
        Field(pattern=MOMENT, description="First moment, yyyy-MM-dd HH:mm:ss, UTC"),
    ]
    end_date_time: Annotated[
        str,
        Field(pattern=MOMENT, description="End, itself left out, yyyy-MM-dd HH:mm:ss, UTC"),
    ]
    error_code: Annotated[
        str | None,
        Field(pattern="^[ -~]{1,64}$", description="Readings with this code only, e.g. NULL"),
    ] = None
    after_meter_id: Annotated[
        str | None,
        Field(
            pattern=f"^{meter_ids.PATTERN}$",
            max_length=meter_ids.LONGEST,
            description="For the following items, from Next: begin after this meter",
        ),
        # A plus sign is how forms write a space, and an id holds none.
        BeforeValidator(lambda given: meter_ids.asked(given.replace("+", " "))),
    ] = None

    @field_validator("start_date_time", "end_date_time")
    @classmethod
    def is_a_moment(cls, given: str) -> str:
        """Written as readings are. A plus sign is how forms write a space, and not every gateway reads it."""
        moment = datetime.fromisoformat(given.replace("+", " "))
        if moment.year < FIRST_YEAR:
            raise ValueError(f"before {FIRST_YEAR}")
        return moment.isoformat(" ", "milliseconds")

    @field_validator("end_date_time")
    @classmethod
    def lies_after_start(cls, end: str, others: ValidationInfo) -> str:
        if (start := others.data.get("start_date_time")) and end <= start:
            raise ValueError("it is exclusive and must lie after start_date_time")
        return end


@dataclass(frozen=True)
class Settings:
    """What the deployment says; `query_timeout_seconds` bounds one question to Athena."""

    athena: Athena
    query_timeout_seconds: float

    @classmethod
    @cache
    def from_environment(cls) -> Settings:
        return cls(
            athena=Athena(database=os.environ["GLUE_DATABASE"], workgroup=os.environ["WORKGROUP"]),
            query_timeout_seconds=float(os.environ["QUERY_TIMEOUT_SECONDS"]),
        )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of API Gateway (payload format 2.0). The only place where errors become HTTP answers."""
    begun = time.monotonic()
    try:
        request = parse(event)
        settings = Settings.from_environment()
        remaining = context.get_remaining_time_in_millis() / 1000 - SECONDS_KEPT_FOR_THE_ANSWER
        found = get_outages(request, settings, begun + min(remaining, settings.query_timeout_seconds))
    except ValidationError as error:
        first = error.errors()[0]
        return answer(400, {"message": f"{first['loc'][0]}: {first['msg']}", "parameter": first["loc"][0]})
    except AthenaUnavailableError as error:
        logger.error("athena unavailable", extra={"reason": str(error)})
        body = {"message": "the readings do not answer at the moment"}
        return answer(503, body, {"retry-after": str(RETRY_AFTER_SECONDS)})
    logger.info(
        "answered",
        extra={
            "items": len(found["Items"]),
            "complete": "Next" not in found,
            "milliseconds": round((time.monotonic() - begun) * 1000),
        },
    )
    return answer(200, found)


def parse(event: dict[str, Any]) -> Request:
    """The request; a parameter without a value is none. Raises ValidationError."""
    return Request.model_validate(
        {name: value for name, value in (event.get("queryStringParameters") or {}).items() if value}
    )


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": json.dumps(body),
    }


def get_outages(request: Request, settings: Settings, deadline: float) -> dict[str, Any]:
    """The answer's body, as `Answer`. `deadline` in monotonic seconds. Raises AthenaUnavailableError."""
    start, end = (datetime.fromisoformat(moment) for moment in (request.start_date_time, request.end_date_time))
    values = [
        text(f"{start:%Y%m}"),
        text(f"{end - timedelta(milliseconds=1):%Y%m%d}"),
        text(request.start_date_time),
        text(request.end_date_time),
        text(request.error_code or ""),
        text(request.start_date_time),
        text(request.after_meter_id or ""),
        str(MOST_ITEMS + 1),
    ]
    rows = settings.athena.query(ERROR_READINGS, values, deadline)
    items = rows[:MOST_ITEMS]
    if len(rows) == len(items):
        return {"Items": items}
    following = {"start_date_time": items[-1]["reading_date_time"], "after_meter_id": items[-1]["meter_id"]}
    return {"Items": items, "Next": following}
