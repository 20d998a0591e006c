"""Consumption of one meter in one year, by day, ISO week or month.

GET /consumption/{aggregation}/{year}/{meter_id} answers a JSON array of arrays in the order of time, in kWh:

    daily    ["MAC001595", "20130221", 5.316]     at most 366 rows
    weekly   ["MAC001595", 2013, 8, 41.02]        ISO year and ISO week, at most 53 rows
    monthly  ["MAC001595", 2013, 2, 160.9]        at most 12 rows

366 rows of under 150 bytes stay far below the 6 MB that a Lambda function may answer: there is no paging.
A known meter without readings in that year has an empty array. Errors are JSON objects, see ANSWERS.
"""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import boto3
import meter_ids
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

ANSWERS = {
    200: "Rows in the order of time; kWh is the sum of the interval readings",
    400: "A parameter is wrong; the body names it",
    404: "Nobody knows this meter",
    503: "The warehouse did not answer in time; Retry-After says when to ask again",
}
QUERIES = {name: (Path(__file__).parent / f"{name}.sql").read_text("utf-8") for name in ("daily", "weekly", "monthly")}
RETRY_AFTER_SECONDS = 10
SECONDS_KEPT_FOR_THE_ANSWER = 2.0
FIRST_POLL_SECONDS, LAST_POLL_SECONDS = 0.02, 0.5
# Meters report 1e-7 kWh at best: this takes the noise off a sum of doubles, and nothing else.
DECIMALS = 9

logger = logging.getLogger(__name__)

DailyRow = tuple[str, str, float]
PeriodRow = tuple[str, int, int, float]
Answer = list[DailyRow] | list[PeriodRow]


class Request(BaseModel):
    """The parameters in the path, each already a safe word; they reach the warehouse as bound values only."""

    aggregation: Literal["daily", "weekly", "monthly"] = Field(description="Length of the periods")
    year: Annotated[str, Field(pattern="^[0-9]{4}$", description="Calendar year; for weekly the ISO year")]
    meter_id: Annotated[
        str,
        Field(pattern=f"^{meter_ids.PATTERN}$", max_length=meter_ids.LONGEST, description="Meter, e.g. MAC001595"),
        BeforeValidator(meter_ids.asked),
    ]


@dataclass(frozen=True)
class Settings:
    """What the deployment says; `query_timeout_seconds` bounds one question to the warehouse."""

    cluster_identifier: str
    database: str
    secret_arn: str
    query_timeout_seconds: float

    @classmethod
    @cache
    def from_environment(cls) -> Settings:
        return cls(
            cluster_identifier=os.environ["CLUSTER_IDENTIFIER"],
            database=os.environ["DATABASE"],
            secret_arn=os.environ["SECRET_ARN"],
            query_timeout_seconds=float(os.environ["QUERY_TIMEOUT_SECONDS"]),
        )


class UnknownMeterError(Exception):
    """The warehouse holds no consumption of this meter."""


class WarehouseUnavailableError(Exception):
    """The warehouse refused, failed or was too slow; the text is for the log, never for the caller."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of API Gateway (payload format 2.0). The only place where errors become HTTP answers."""
    begun = time.monotonic()
    try:
        request = Request.model_validate(event.get("pathParameters") or {})
        remaining = context.get_remaining_time_in_millis() / 1000 - SECONDS_KEPT_FOR_THE_ANSWER
        rows = get_consumption(request, Settings.from_environment(), begun + remaining)
    except ValidationError as error:
        first = error.errors()[0]
        return answer(400, {"message": f"{first['loc'][0]}: {first['msg']}", "parameter": first["loc"][0]})
    except UnknownMeterError:
        return answer(404, {"message": f"meter {request.meter_id} is not known", "parameter": "meter_id"})
    except WarehouseUnavailableError as error:
        # The engine's words may quote the meter, which stands for a household.
        logger.error("warehouse unavailable", extra={"reason": str(error).replace(request.meter_id, "(meter)")})
        body = {"message": "the warehouse does not answer at the moment"}
        return answer(503, body, {"retry-after": str(RETRY_AFTER_SECONDS)})
    logger.info(
        "answered",
        extra={
            "aggregation": request.aggregation,
            "year": request.year,
            "rows": len(rows),
            "milliseconds": round((time.monotonic() - begun) * 1000),
        },
    )
    return answer(200, rows)


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": json.dumps(body),
    }


def get_consumption(request: Request, settings: Settings, deadline: float) -> Answer:
    """The rows of the answer. Raises UnknownMeterError and WarehouseUnavailableError."""
    deadline = min(deadline, time.monotonic() + settings.query_timeout_seconds)
    bound = {"meter_id": request.meter_id, "year": request.year}
    try:
        rows = run_query(QUERIES[request.aggregation], bound, settings, deadline)
    except (BotoCoreError, ClientError) as error:
        raise WarehouseUnavailableError(str(error)) from error
    if not rows:
        raise UnknownMeterError
    return [(*period, round(kwh, DECIMALS)) for *period, kwh in rows if kwh is not None]  # type: ignore[misc]


def run_query(sql: str, bound: dict[str, str], settings: Settings, deadline: float) -> list[list[Any]]:
    """Run one statement through the Redshift Data API and wait for its rows until `deadline` (monotonic seconds)."""
    client = redshift_data()
    statement = client.execute_statement(
        ClusterIdentifier=settings.cluster_identifier,
        Database=settings.database,
        SecretArn=settings.secret_arn,
        Sql=sql,
        Parameters=[{"name": name, "value": value} for name, value in bound.items()],
        StatementName="get_consumption",
    )["Id"]
    pause = FIRST_POLL_SECONDS
    while (description := client.describe_statement(Id=statement))["Status"] != "FINISHED":
        if description["Status"] in ("FAILED", "ABORTED"):
            reason = f"{description['Status']}: {description.get('Error')}"
            raise WarehouseUnavailableError(f"statement {statement} {reason}")
        if time.monotonic() + pause > deadline:
            cancel(client, statement)
            raise WarehouseUnavailableError(f"statement {statement} took too long and was cancelled")
        time.sleep(pause)
        pause = min(pause * 1.5, LAST_POLL_SECONDS)
    pages = client.get_paginator("get_statement_result").paginate(Id=statement)
    return [[value_of(field) for field in record] for page in pages for record in page["Records"]]


def cancel(client: Any, statement: str) -> None:
    try:
        client.cancel_statement(Id=statement)
    except (BotoCoreError, ClientError) as error:
        logger.warning("statement %s could not be cancelled: %s", statement, type(error).__name__)


def value_of(field: dict[str, Any]) -> Any:
    """The value of a field of the Data API, e.g. {"longValue": 8} or {"isNull": true}."""
    return None if field.get("isNull") else next(iter(field.values()))


@cache
def redshift_data() -> Any:
    patience = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.client("redshift-data", config=patience)
