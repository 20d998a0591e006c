"""The JSONPath of the filters, against the examples of SageMaker's documentation and by hand."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.sagemaker.json_path import JsonPath, JsonPathError

RECORD = {"id": 7, "features": [1, 2, 3], "deep": {"a b": {"c": 0}}}
ARRAY = [10, 11, 12, 13, 14, 15, 16]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("$", RECORD, RECORD),
        ("$.features", RECORD, [1, 2, 3]),
        ("$['features']", RECORD, [1, 2, 3]),
        ('$["features"]', RECORD, [1, 2, 3]),
        ("$.deep['a b'].c", RECORD, 0),
        ("$.deep.['a b']", RECORD, {"c": 0}),
        ("$['id','features']", RECORD, {"id": 7, "features": [1, 2, 3]}),
        ("$['features', 'id']", RECORD, {"features": [1, 2, 3], "id": 7}),
        ("$['id','absent']", RECORD, {"id": 7}),
        ("$.deep['a b','x']", RECORD, {"a b": {"c": 0}}),
        ("$['a,b']", {"a,b": 1}, 1),
        ("$.features[0]", RECORD, 1),
        ("$[-1]", ARRAY, 16),
        ("$[1:]", ARRAY, [11, 12, 13, 14, 15, 16]),
        ("$[0:2]", ARRAY, [10, 11]),
        ("$[:-1]", ARRAY, [10, 11, 12, 13, 14, 15]),
        ("$[0,5:]", ARRAY, [10, 15, 16]),
        ("$[1,0]", ARRAY, [11, 10]),
        ("$[5:99]", ARRAY, [15, 16]),
        ("$.features[*]", RECORD, [1, 2, 3]),
        ("$.deep.*", RECORD, [{"c": 0}]),
    ],
)
def test_a_path_selects(path: str, value: Any, expected: Any) -> None:
    assert JsonPath(path).select(value) == expected


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("$.absent", RECORD, "finds no member 'absent'"),
        ("$.id.x", RECORD, "finds no member 'x'"),
        ("$[7]", ARRAY, "finds no element 7"),
        ("$[0,7]", ARRAY, "finds no element 7"),
        ("$[0]", RECORD, "finds no element 0"),
        ("$[1:]", RECORD, "needs an array, not dict"),
        ("$['a','b']", ARRAY, "needs an object, not list"),
        ("$.*", 3, "needs an object or an array, not int"),
    ],
)
def test_a_path_that_leads_nowhere_says_so(path: str, value: Any, message: str) -> None:
    with pytest.raises(JsonPathError, match=message):
        JsonPath(path).select(value)


@pytest.mark.parametrize(
    "path",
    ["", "features", "$..id", "$[?(@.a > 1)]", "$['a','b'].c", "$[*].a", "$.length()", "$['a", "$[1:5:2]", "$[]"],
)
def test_a_path_that_is_not_served_is_refused(path: str) -> None:
    with pytest.raises(JsonPathError, match="JSONPath"):
        JsonPath(path)
