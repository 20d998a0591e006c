"""One definition of a meter id: every function takes the same ids, however a gateway hands them over."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as some
from meter_data.readers import meter_ids
from pydantic import ValidationError

from api_lambdas.get_anomalies import handler as get_anomalies
from api_lambdas.get_consumption import handler as get_consumption
from api_lambdas.get_forecast import handler as get_forecast
from api_lambdas.get_outages import handler as get_outages
from local_aws.gateway.matching import match
from local_aws.gateway.routes import Route

REPOSITORY = Path(__file__).resolve().parents[2]
LAMBDAS = REPOSITORY / "api_lambdas"
AUTHORITY = REPOSITORY / "include" / "glue" / "meter_data" / "readers" / "meter_ids.py"

IDS = [
    "MAC000002",
    "1012345678901",
    "0000BUG20",
    "22 0000 4836 192",
    "1-0:1.8.0*255",
    "DE00056266802AO6G56M11SN51G21M24S",
    "AA:BB:CC:00:11:22",
    "flat_7~b@site(2)",
    "12E5",
    "M" * 64,
]
NO_IDS = [
    *["", "M" * 65, "M\n", "M\x00", "MÄC2", "M\u00a02", " M", "M ", "M  2", ".", "..", "-", "*", "(1)"],
    *["BUG20/1", "BUG20+7", "#BUG20", "BUG20#7", '="00BUG20"', "'00BUG20", "BUG20%2F1", "100%", "A\\B"],
    *["A?B", "A&B", "A;B", "A=B", "A,B", "A$B", "A!B", 'A"B', "A'B", "A`B", "A|B", "A^B", "A<B>", "A[1]", "A{1}"],
]
OF_PATH: dict[str, Callable[[str], Any]] = {
    "get_anomalies": lambda given: get_anomalies.parse({"pathParameters": {"meter_id": given}}).meter_id,
    "get_consumption": lambda given: (
        get_consumption.Request.model_validate({"aggregation": "daily", "year": "2024", "meter_id": given}).meter_id
    ),
    "get_forecast": lambda given: get_forecast.parse({"pathParameters": {"meter_id": given}}).meter_id,
}


def after_meter(given: str) -> str | None:
    query = {"start_date_time": "2024-03-04 00:00:00", "end_date_time": "2024-03-05 00:00:00", "after_meter_id": given}
    return get_outages.parse({"queryStringParameters": query}).after_meter_id


@pytest.mark.parametrize("meter_id", IDS)
@pytest.mark.parametrize("function", OF_PATH)
def test_an_id_is_understood_decoded_or_not(function: str, meter_id: str) -> None:
    """API Gateway decodes paths, but its guide does not say how often. The functions do not depend on it."""
    read = OF_PATH[function]

    assert [read(meter_id), read(quote(meter_id)), read(quote(meter_id, safe=""))] == [meter_id] * 3


@pytest.mark.parametrize("meter_id", IDS)
def test_the_next_page_is_asked_for_by_any_way_of_writing_a_query(meter_id: str) -> None:
    assert [after_meter(meter_id), after_meter(quote(meter_id)), after_meter(quote_plus(meter_id))] == [meter_id] * 3


@pytest.mark.parametrize("meter_id", IDS)
def test_an_id_is_understood_behind_the_gateway_of_the_stand_in(meter_id: str) -> None:
    found = match([Route("GET /anomaly/{meter_id}", "get_anomalies", 1000)], "GET", f"/anomaly/{quote(meter_id)}")

    assert found is not None
    assert get_anomalies.parse({"pathParameters": found.parameters}).meter_id == meter_id


@pytest.mark.parametrize("meter_id", NO_IDS)
@pytest.mark.parametrize("function", OF_PATH)
def test_what_is_no_id_is_refused(function: str, meter_id: str) -> None:
    with pytest.raises(ValidationError, match="meter_id"):
        OF_PATH[function](meter_id)


@pytest.mark.parametrize("meter_id", [each for each in NO_IDS if each and "+" not in each])
def test_a_page_does_not_begin_after_what_is_no_id(meter_id: str) -> None:
    with pytest.raises(ValidationError, match="after_meter_id"):
        after_meter(meter_id)


PARTS = some.text(alphabet=string.ascii_letters + string.digits + "._:~*@()-", min_size=1, max_size=10)


@given(some.lists(PARTS, min_size=1, max_size=5).map(" ".join))
def test_every_id_survives_a_url(meter_id: str) -> None:
    if meter_id[0] in "._:~*@()-":
        meter_id = f"0{meter_id}"

    assert {read(quote(meter_id, safe="")) for read in OF_PATH.values()} == {meter_id}
    (sent,) = parse_qs(urlencode({"after_meter_id": meter_id}))["after_meter_id"]
    assert after_meter(sent) == meter_id


def test_every_function_has_the_definition_that_ingestion_has() -> None:
    users = [folder.name for folder in LAMBDAS.iterdir() if "meter_ids" in _text(folder / "handler.py")]
    copies = sorted(LAMBDAS.glob("*/meter_ids.py"))

    assert sorted(users) == [path.parent.name for path in copies]
    assert users
    for path in copies:
        assert _text(path) == _text(AUTHORITY), f"{path} differs: copy {AUTHORITY.relative_to(REPOSITORY)} over it"


def test_no_function_has_a_pattern_of_its_own() -> None:
    """Every parameter that names a meter, as the REST API's page lists them."""
    page = json.loads(_text(REPOSITORY / "docs" / "openapi.json"))
    schemas = {
        (operation["operationId"], parameter["name"]): _of_text(parameter["schema"])
        for methods in page["paths"].values()
        for operation in methods.values()
        for parameter in operation["parameters"]
        if "meter_id" in parameter["name"]
    }
    assert set(schemas) == {
        *((function, "meter_id") for function in OF_PATH),
        ("get_outages", "after_meter_id"),
    }
    for schema in schemas.values():
        assert (schema["pattern"], schema["maxLength"]) == (f"^{meter_ids.PATTERN}$", meter_ids.LONGEST)


def test_the_warehouse_has_room_for_the_longest_id() -> None:
    statements = sorted((REPOSITORY / "include" / "sql" / "redshift").glob("*.sql"))
    lengths = {size for path in statements for size in re.findall(r"\bmeter_id VARCHAR\((\d+)\)", _text(path))}

    assert lengths == {"64"}


def _of_text(schema: dict[str, Any]) -> dict[str, Any]:
    return next(each for each in schema.get("anyOf", [schema]) if each.get("type") == "string")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
