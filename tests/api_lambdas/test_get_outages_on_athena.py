"""The handler's SQL on tables of the catalog: readings and places in, the caller's answer out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from api_lambdas.get_outages import handler as lambda_function
from tests.api_lambdas.conftest import LAMBDAS, Context
from tests.api_lambdas.lake import Lake, Row

if TYPE_CHECKING:
    from local_aws.settings import Settings

Ask = Callable[..., tuple[int, Any]]
# MAC1 stands twice, in two places; MAC2 has no place, MAC3 half of one and MAC4 one that is not on earth.
PLACES = """
MAC1	51.5	-0.125
MAC1	51.25	-0.5
MAC1	51.5	-0.125
MAC3		-0.125
MAC4	515.0	-0.125
MAC5	-33.75	151.25
meter_id	lat	long
"""


def error(meter_id: str, moment: str, code: str | None = "NULL") -> Row:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return {"meter_id": meter_id, "reading_date_time": at, "date_str": f"{at:%Y%m%d}", "error_code": code}


@pytest.fixture(scope="module")
def lake(aws: Callable[[str], Any], settings: Settings) -> Lake:
    made = Lake(aws, settings)
    december = [
        error("MAC2", "2012-12-18 15:30:00", "E7"),
        error("MAC1", "2012-12-18 15:13:41.250"),
        error("MAC1", "2012-12-18 15:30:00"),
        error("MAC3", "2012-12-18 15:30:00", None),
        error("MAC4", "2012-12-18 15:59:59.999"),
        error("MAC5", "2012-12-18 16:00:00"),
    ]
    made.publish("daily", ["ERR", "201212"], december)
    normal = [error(f"MAC{number}", "2012-12-18 15:30:00", None) | {"reading_value": 0.25} for number in (1, 5, 6)]
    made.publish("daily", ["INT", "201212"], normal)
    made.publish("daily", ["AGG", "201212"], normal)
    # Partitions of the grain day hold a day each.
    made.publish("daily", ["ERR", "20130131"], [error("MAC1", "2013-01-31 23:30:00")])
    made.publish("daily", ["ERR", "20130201"], [error("MAC1", "2013-02-01 00:00:00")])
    made.put("geodata/geodata.tsv", PLACES.lstrip())
    return made


@pytest.fixture
def ask(lake: Lake, settings: Settings, environment: Callable[..., None]) -> Ask:
    """ask("2012-12-18 15:00:00", "2012-12-18 16:00:00", error_code="E7") is the answer's status and body."""
    environment(
        **settings.aws_environment(),
        GLUE_DATABASE=lake.name,
        WORKGROUP=lake.name,
        QUERY_TIMEOUT_SECONDS="20",
        NO_PROXY="127.0.0.1",
    )

    def answer(start: str, end: str, seconds: float = 29.0, **query: str) -> tuple[int, Any]:
        event = json.loads((LAMBDAS / "get_outages" / "event.json").read_text())
        event["queryStringParameters"] = {"start_date_time": start, "end_date_time": end} | query
        found = lambda_function.handler(event, Context(seconds))
        return found["statusCode"], json.loads(found["body"])

    return answer


def brief(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["meter_id"], item["reading_date_time"][5:]) for item in body["Items"]]


HOUR = ("2012-12-18 15:00:00", "2012-12-18 16:00:00")


def test_an_error_reading_has_the_shape_of_the_guide(ask: Ask) -> None:
    assert ask("2012-12-18 16:00:00", "2012-12-18 16:00:00.001") == (
        200,
        {
            "Items": [
                {
                    "meter_id": "MAC5",
                    "reading_date_time": "2012-12-18 16:00:00.000",
                    "date_str": "20121218",
                    "error_code": "NULL",
                    "lat": -33.75,
                    "long": 151.25,
                }
            ]
        },
    )


def test_normal_readings_are_no_outages_and_the_end_is_left_out(ask: Ask) -> None:
    status, body = ask(*HOUR)

    assert status == 200
    assert brief(body) == [
        ("MAC1", "12-18 15:13:41.250"),
        ("MAC1", "12-18 15:30:00.000"),
        ("MAC2", "12-18 15:30:00.000"),
        ("MAC3", "12-18 15:30:00.000"),
        ("MAC4", "12-18 15:59:59.999"),
    ]


def test_a_meter_without_a_place_is_an_outage_all_the_same(ask: Ask) -> None:
    _, body = ask(*HOUR)

    places = {item["meter_id"]: (item["lat"], item["long"]) for item in body["Items"]}
    assert places == {"MAC1": (51.25, -0.5), "MAC2": (None, None), "MAC3": (None, None), "MAC4": (None, None)}


def test_the_time_begins_with_its_first_millisecond(ask: Ask) -> None:
    assert brief(ask("2012-12-18 15:30:00.001", "2012-12-18 16:00:00")[1]) == [("MAC4", "12-18 15:59:59.999")]
    assert len(ask("2012-12-18 15:30:00", "2012-12-18 15:30:00.001")[1]["Items"]) == 3


@pytest.mark.parametrize(
    ("code", "meters"), [("E7", ["MAC2"]), ("NULL", ["MAC1", "MAC1", "MAC4"]), ("null", []), ("' OR '1'='1", [])]
)
def test_a_code_chooses_readings(ask: Ask, code: str, meters: list[str]) -> None:
    status, body = ask(*HOUR, error_code=code)

    assert (status, [item["meter_id"] for item in body["Items"]]) == (200, meters)


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2013-01-31 00:00:00", "2013-02-01 00:00:00", ["01-31 23:30:00.000"]),
        ("2013-01-31 00:00:00", "2013-02-01 00:00:01", ["01-31 23:30:00.000", "02-01 00:00:00.000"]),
        ("2013-02-01 00:00:00", "2013-02-02 00:00:00", ["02-01 00:00:00.000"]),
    ],
)
def test_partitions_of_days_are_found(ask: Ask, start: str, end: str, found: list[str]) -> None:
    assert brief(ask(start, end)[1]) == [("MAC1", moment) for moment in found]


def test_a_time_without_error_readings_has_no_items(ask: Ask) -> None:
    assert ask("2011-01-01 00:00:00", "2012-01-01 00:00:00") == (200, {"Items": []})


@pytest.mark.parametrize("at_once", [1, 2, 3, 4, 5])
def test_pages_together_are_the_whole(ask: Ask, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    _, whole = ask(*HOUR)
    monkeypatch.setattr(lambda_function, "MOST_ITEMS", at_once)

    items, following = [], {"start_date_time": HOUR[0]}
    while following:
        _, body = ask(following.pop("start_date_time"), HOUR[1], **following)
        assert len(body["Items"]) <= at_once
        items += body["Items"]
        assert items == whole["Items"][: len(items)]
        following = body.get("Next")

    assert len(items) == len(whole["Items"])


def test_only_the_partitions_of_the_time_and_of_errors_are_read(
    ask: Ask, lake: Lake, aws: Callable[[str], Any]
) -> None:
    """A partition that lost its file breaks each query that reads it."""
    partitions = aws("glue").get_partitions(DatabaseName=lake.name, TableName="daily")["Partitions"]
    folders = {
        tuple(partition["Values"]): partition["StorageDescriptor"]["Location"].partition(f"{lake.bucket}/")[2]
        for partition in partitions
    }
    broken = [f"{folders[values]}broken.parquet" for values in (("INT", "201212"), ("ERR", "20130201"))]
    for key in broken:
        aws("s3").put_object(Bucket=lake.bucket, Key=key, Body=b"not Parquet")
    try:
        assert ask(*HOUR)[0] == 200
        assert ask("2013-01-31 00:00:00", "2013-02-01 00:00:00")[0] == 200
        assert ask("2013-01-31 00:00:00", "2013-02-01 00:00:00.001")[0] == 503
    finally:
        for key in broken:
            aws("s3").delete_object(Bucket=lake.bucket, Key=key)


def test_places_that_came_as_text_are_places(ask: Ask, lake: Lake, aws: Callable[[str], Any]) -> None:
    glue = aws("glue")
    table = glue.get_table(DatabaseName=lake.name, Name="geodata")["Table"]
    columns = table["StorageDescriptor"]["Columns"]
    texts = table["StorageDescriptor"] | {"Columns": [column | {"Type": "string"} for column in columns]}
    declared = {name: table[name] for name in ("Name", "TableType", "Parameters")}
    glue.update_table(DatabaseName=lake.name, TableInput=declared | {"StorageDescriptor": texts})
    try:
        _, body = ask(*HOUR)
    finally:
        storage = {"StorageDescriptor": table["StorageDescriptor"]}
        glue.update_table(DatabaseName=lake.name, TableInput=declared | storage)

    assert [(item["meter_id"], item["lat"]) for item in body["Items"]] == [
        ("MAC1", 51.25),
        ("MAC1", 51.25),
        ("MAC2", None),
        ("MAC3", None),
        ("MAC4", None),
    ]


def test_without_any_geography_outages_are_told(ask: Ask, lake: Lake) -> None:
    lake.put("geodata/geodata.tsv", "")
    try:
        status, body = ask(*HOUR)
    finally:
        lake.put("geodata/geodata.tsv", PLACES.lstrip())

    assert (status, [item["lat"] for item in body["Items"]]) == (200, [None] * 5)


def test_a_query_without_time_left_is_stopped(ask: Ask) -> None:
    # 2 seconds are kept for the answer.
    assert ask(*HOUR, seconds=2.0) == (503, {"message": "the readings do not answer at the moment"})
