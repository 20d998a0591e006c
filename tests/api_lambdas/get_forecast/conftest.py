"""Readings in tables of the catalog, records of models, and an endpoint that a handler may ask.

The endpoint's forecast is 1000 q + h Wh for the quantile q and the hour h, so that a median begins at 0.5 kWh.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import athena
import forecast_endpoint
import model_record
import pytest

from api_lambdas.get_forecast import handler as lambda_function
from tests.api_lambdas.conftest import LAMBDAS, Context
from tests.api_lambdas.get_forecast.deepar_endpoint import DeepArEndpoint, serving
from tests.api_lambdas.lake import Lake, half_hours

if TYPE_CHECKING:
    from local_aws.settings import Settings

HOURS = 3
RECORD = {
    "endpoint_name": "metering-forecast",
    "endpoint_config_name": "consumption-20140201T090000-3fa2c1",
    "model_name": "consumption-20140201T090000-3fa2c1",
    "unit": "Wh",
    "scale": 0.001,
    "time_freq": "1H",
    "context_length": 24,
    "prediction_length": HOURS,
    "quantiles": [0.1, 0.5, 0.9],
    "likelihood": "negative-binomial",
    "intervals_per_hour": 2,
    "weather": None,
}
KWH = RECORD | {"unit": "kWh", "scale": 1, "likelihood": "student-T", "endpoint_name": "in-kwh"}
HOURLY = RECORD | {"intervals_per_hour": 1, "endpoint_name": "read-hourly"}
FEATURES = [
    {"name": "humidity", "mean": 0.5, "std": 0.25},
    {"name": "temperature", "mean": 10.0, "std": 2.0},
    {"name": "apparenttemperature", "mean": 8.0, "std": 4.0},
]
WITH_WEATHER = RECORD | {"endpoint_name": "with-weather", "weather": {"features": FEATURES}}

Ask = Callable[..., tuple[int, Any, dict[str, str]]]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def milliseconds(text: str) -> str:
    return str(round(at(text).timestamp() * 1000))


# Hours from 22:00: 0.3 kWh; 1 of 2 readings; five hours of nothing; 0.7 kWh; 0 kWh; and one of 2 readings again.
WITH_GAP = [0.1, 0.2, 0.4, None, *[None] * 10, 0.3, 0.4, 0.0, 0.0, 0.5, None]
LONG = [0.001 * hour / 2 for hour in range(800) for _ in range(2)]
WEATHER = """
2012-03-01 00:00:00	12.0	8.0	0.75	6.0
2012-03-01 01:00:00	14.0	4.0	0.5	6.0
2012-03-05 00:00:00	2.0	0.0	0.0	6.0
2012-03-05 01:00:00	2.0	0.0	0.0	6.0
2012-03-05 02:00:00	6.0	8.0	0.5	6.0
2013-03-01 00:00:00	10.0	12.0		6.0
2013-03-01 01:00:00			1.0	6.0
"""


@pytest.fixture(scope="session")
def lake(aws: Callable[[str], Any], settings: Settings) -> Lake:
    made = Lake(aws, settings)
    january = half_hours("GAP", at("2013-01-30 22:00"), WITH_GAP)
    january += half_hours("QUIET", at("2013-01-01 00:00"), [0.0] * 6)
    january += half_hours("NEIGHBOUR", at("2013-01-30 22:00"), [9.0] * 40)
    made.publish("daily", ["INT", "201301"], january)
    made.publish("daily", ["AGG", "201301"], half_hours("GAP", at("2013-01-30 22:00"), [1000.0] * 60))
    made.publish("daily", ["ERR", "201301"], half_hours("GAP", at("2013-01-30 23:00"), [None]))
    february = half_hours("GAP", at("2013-02-01 00:00"), [0.05, 0.05, 0.06, 0.06])
    february += half_hours("SUN", at("2013-02-01 00:00"), [0.5, 0.5, -0.5, -0.25])
    february += half_hours("HALF", at("2013-02-01 00:00"), [0.5, None] * 4)
    made.publish("daily", ["INT", "201302"], february)
    march = half_hours("SUMMER", at("2013-03-31 00:00"), [0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4, 0.4])
    march += half_hours("DRY", at("2013-03-01 00:00"), [0.1] * 4)
    made.publish("daily", ["INT", "201303"], march)
    # A partition of the grain day holds a day of its own.
    made.publish("daily", ["INT", "20140601"], half_hours("DAYS", at("2014-06-01 00:00"), [0.1] * 4))
    made.publish("daily", ["INT", "20140602"], half_hours("DAYS", at("2014-06-02 00:00"), [0.2] * 4))
    made.publish("daily", ["INT", "201501"], half_hours("LONG", at("2015-01-01 00:00"), LONG))
    months = {
        "GAP": ["20130101", "20130201"],
        "QUIET": ["20130101"],
        "SUN": ["20130201"],
        "HALF": ["20130201"],
        "SUMMER": ["20130301"],
        "DRY": ["20130301"],
        "DAYS": ["20140601"],
        "LONG": ["20150101", "20150201"],
    }
    rows = [{"meter_id": meter, "month_start": month} for meter, starts in months.items() for month in starts]
    for year in ("2013", "2014", "2015"):
        made.publish("aggregated_monthly", [year], [row for row in rows if row["month_start"].startswith(year)])
    made.put("weather/weather.tsv", WEATHER.lstrip())
    return made


@pytest.fixture
def endpoint() -> DeepArEndpoint:
    return DeepArEndpoint(HOURS)


@pytest.fixture
def records(aws: Callable[[str], Any], lake: Lake) -> str:
    """The prefix of the records of the models."""
    prefix = f"/{lake.name}"
    for record in (RECORD, KWH, HOURLY, WITH_WEATHER):
        name = f"{prefix}/models/{record['endpoint_name']}"
        aws("ssm").put_parameter(Name=name, Value=json.dumps(record), Type="String", Overwrite=True)
    aws("ssm").put_parameter(Name=f"{prefix}/current-model", Value=json.dumps(RECORD), Type="String", Overwrite=True)
    return prefix


@pytest.fixture
def ask(
    lake: Lake,
    records: str,
    endpoint: DeepArEndpoint,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Ask]:
    """ask("GAP", data_end="2013-02-01") is the answer's status, body and headers."""
    caches = (
        lambda_function.Settings.from_environment,
        athena.client,
        model_record.client,
        forecast_endpoint.client,
    )
    with serving(endpoint) as url:
        variables = {
            "GLUE_DATABASE": lake.name,
            "WORKGROUP": lake.name,
            "QUERY_TIMEOUT_SECONDS": "15",
            "MODEL_PARAMETERS": records,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
            "NO_PROXY": "127.0.0.1",
        }
        for name, value in (settings.aws_environment() | variables).items():
            monkeypatch.setenv(name, value)
        for cache in caches:
            cache.cache_clear()

        def answer(meter_id: str, seconds: float = 29.0, **query: str) -> tuple[int, Any, dict[str, str]]:
            event = json.loads((LAMBDAS / "get_forecast" / "event.json").read_text())
            event["pathParameters"] = {"meter_id": meter_id}
            event["queryStringParameters"] = query
            if not query:
                # API Gateway sends no empty object.
                del event["queryStringParameters"]
            found = lambda_function.handler(event, Context(seconds))
            assert found["headers"]["content-type"] == "application/json"
            return found["statusCode"], json.loads(found["body"]), found["headers"]

        yield answer
    for cache in caches:
        cache.cache_clear()
