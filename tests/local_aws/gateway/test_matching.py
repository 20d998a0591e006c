"""Which route answers: the rules of API Gateway's "Routing API requests"."""

from __future__ import annotations

import pytest

from local_aws.gateway.matching import match
from local_aws.gateway.routes import Route

KEYS = [
    "GET /pets/dog/1",
    "GET /pets/dog/{id}",
    "GET /pets/{proxy+}",
    "ANY /{proxy+}",
    "ANY /pets/dog/{id}",
    "POST /",
    "$default",
]
ROUTES = [Route(key, "function", 1000) for key in KEYS]


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1", {}),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}", {"id": "2"}),
        ("PUT", "/pets/dog/2", "ANY /pets/dog/{id}", {"id": "2"}),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}),
        ("POST", "/test/5", "ANY /{proxy+}", {"proxy": "test/5"}),
        ("POST", "/", "POST /", {}),
        ("GET", "/", "$default", {}),
        ("GET", "/pets/dog/a%20b%2Fc", "GET /pets/dog/{id}", {"id": "a b/c"}),
    ],
)
def test_the_most_specific_route_answers(method: str, path: str, key: str, parameters: dict[str, str]) -> None:
    found = match(ROUTES, method, path)

    assert found is not None
    assert (found.route.route_key, found.parameters) == (key, parameters)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/consumption"), ("GET", "/consumption/a/b"), ("POST", "/consumption/a"), ("GET", "/consumption/")],
)
def test_no_route_answers_what_none_describes(method: str, path: str) -> None:
    assert match([Route("GET /consumption/{meter_id}", "function", 1000)], method, path) is None
