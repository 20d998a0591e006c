"""The tables of reference data as infra/ declares them, over files as load_reference_data writes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from metering import reference_tables

from local_aws.control_plane import ControlPlane
from local_aws.infrastructure.deploy import deploy
from local_aws.settings import Settings

Client = Callable[[str], Any]

WEATHER = (
    b"visibility,temperature,time,pressure,apparentTemperature,summary,humidity\n"
    b'4.88,9.76,"2011-11-11 01:00:00",NULL,8.24,"Breezy, ""dry""\r",0.94\n'
    b'5.97,10.24,"2011-11-11 00:00:00",1016.76,10.5,"Clear",0.91\n'
)
POSITIONS = b"meter_id,lat,long\r\nMAC2,51.5,-0.125\r\nMAC1,-33.86,151.2\r\n"
CUSTOMERS = b"customer_id;name;zip;city;state;street;phone;meter_id\nc-1;Ada;01234;Ockham;;1 Row;;MAC1\n"


@pytest.fixture(scope="module")
def athena(settings: Settings, control_plane: ControlPlane, aws: Client) -> Any:
    """The deployment with one file of each kind, crawled."""
    deployed = deploy(settings)
    written = {
        (deployed["BusinessBucketName"], "weather/weather.tsv"): text(reference_tables.weather("w", WEATHER)),
        (deployed["BusinessBucketName"], "geodata/geodata.tsv"): text(reference_tables.positions("g", POSITIONS)),
        (deployed["LandingBucketName"], "reference/cisdata/c.csv"): CUSTOMERS,
    }
    for (bucket, key), content in written.items():
        aws("s3").put_object(Bucket=bucket, Key=key, Body=content)
    for name in ("weather", "geodata", "cisdata"):
        crawl(aws("glue"), f"crawl_{name}")
    return aws("athena")


def text(rows: reference_tables.Rows) -> bytes:
    return reference_tables.text_of(rows).encode()


def crawl(glue: Any, name: str) -> None:
    glue.start_crawler(Name=name)
    while (crawler := glue.get_crawler(Name=name)["Crawler"])["State"] != "READY":
        time.sleep(0.05)
    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED", crawler["LastCrawl"]


def rows(athena: Any, query: str) -> list[tuple[str | None, ...]]:
    started = athena.start_query_execution(
        QueryString=query, WorkGroup="metering", QueryExecutionContext={"Database": "metering"}
    )["QueryExecutionId"]
    states = ("SUCCEEDED", "FAILED", "CANCELLED")
    while (status := athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"])[
        "State"
    ] not in states:
        time.sleep(0.05)
    assert status["State"] == "SUCCEEDED", status
    found = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"][1:]
    return [tuple(field.get("VarCharValue") for field in row["Data"]) for row in found]


def test_weather_is_read_by_its_columns_whatever_their_order_was(athena: Any) -> None:
    query = (
        "SELECT time, temperature, apparenttemperature, humidity, pressure, windspeed, summary FROM weather ORDER BY 1"
    )

    assert rows(athena, query) == [
        ("2011-11-11 00:00:00", "10.24", "10.5", "0.91", "1016.76", None, "Clear"),
        ("2011-11-11 01:00:00", "9.76", "8.24", "0.94", None, None, "Breezy, dry"),
    ]


def test_an_hour_of_the_weather_is_a_timestamp(athena: Any) -> None:
    query = "SELECT temperature FROM weather WHERE CAST(time AS timestamp) = TIMESTAMP '2011-11-11 01:00:00'"

    assert rows(athena, query) == [("9.76",)]


def test_positions_are_numbers_and_a_header_is_no_meter(athena: Any) -> None:
    assert rows(athena, 'SELECT meter_id, lat, "long" FROM geodata ORDER BY 1') == [
        ("MAC1", "-33.86", "151.2"),
        ("MAC2", "51.5", "-0.125"),
    ]


def test_customers_are_found_by_place_and_a_header_is_a_row_of_its_own(athena: Any) -> None:
    assert rows(athena, "SELECT meter_id, name, zip FROM cisdata ORDER BY 1") == [
        ("MAC1", "Ada", "01234"),
        ("meter_id", "name", "zip"),
    ]


def test_results_go_where_the_workgroup_says(athena: Any, settings: Settings) -> None:
    group = athena.get_work_group(WorkGroup="metering")["WorkGroup"]["Configuration"]

    assert group["EnforceWorkGroupConfiguration"] is True
    assert group["ResultConfiguration"]["OutputLocation"] == f"s3://{settings.bucket('athena')}/results/"
