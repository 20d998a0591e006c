from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from local_aws.sagemaker.deepar.frequency import Frequency
from local_aws.sagemaker.deepar.series import Series, SeriesError

HOUR = Frequency.parse("1H")
START = "2026-01-01 05:00:00"


def read(**fields: Any) -> Series:
    return Series.read({"start": START, "target": [1, 2]} | fields, HOUR)


def test_a_record_becomes_a_series() -> None:
    series = read(cat=[0, 3], dynamic_feat=[[1, 2], [0.5, -1]])
    assert str(series.start) == "2026-01-01 05:00"
    assert series.target.dtype == np.float32
    assert series.target.tolist() == [1, 2]
    assert series.categories == (0, 3)
    assert series.dynamic is not None
    assert series.dynamic.tolist() == [[1, 2], [0.5, -1]]


def test_null_and_the_text_nan_are_missing_values() -> None:
    series = read(target=[1.5, None, "NaN", math.nan, 4])
    assert np.isnan(series.target).tolist() == [False, True, True, True, False]
    assert series.known.tolist() == [1.5, 4]
    assert len(series) == 5


def test_a_series_of_one_category_may_give_it_without_an_array() -> None:
    assert read(cat=2).categories == (2,)


def test_null_in_an_optional_field_is_as_if_it_were_not_there() -> None:
    series = read(cat=None, dynamic_feat=None)
    assert (series.categories, series.dynamic) == (None, None)


def test_fields_that_are_not_deepars_are_let_through() -> None:
    assert read(meter_id="MAC000002").target.tolist() == [1, 2]


@pytest.mark.parametrize("record", [None, 3, "text", [1, 2], [{"start": START}]])
def test_what_is_no_object_is_no_series(record: object) -> None:
    with pytest.raises(SeriesError, match="must be a JSON object"):
        Series.read(record, HOUR)


@pytest.mark.parametrize("field", ["start", "target"])
def test_a_required_field_is_missed_by_name(field: str) -> None:
    record = {"start": START, "target": [1]}
    del record[field]
    with pytest.raises(SeriesError, match=f"the field '{field}' is missing"):
        Series.read(record, HOUR)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"start": 1767225600}, "'start' must be a string"),
        ({"start": "1 o'clock"}, "'start' cannot be read"),
        ({"start": "2026-01-01 00:00:00+01:00"}, "without a time zone"),
        ({"target": None}, "'target' must be an array"),
        ({"target": {"0": 1}}, "'target' must be an array"),
        ({"target": [1, "2"]}, "'target' must be an array of numbers, but holds '2'"),
        ({"target": [1, True]}, "but holds True"),
        ({"target": [[1]]}, r"but holds \[1\]"),
        ({"target": [1, "nan"]}, "but holds 'nan'"),
        ({"target": [1, math.inf]}, "beyond 32 bit floats"),
        ({"target": [1, 1e39]}, "beyond 32 bit floats"),
        ({"target": [1, 10**400]}, "no float can be"),
        ({"cat": "a"}, "'cat' must be an array of integers"),
        ({"cat": []}, "'cat' must be an array of integers"),
        ({"cat": [-1]}, "'cat' must be an array of integers"),
        ({"cat": [1.0]}, "'cat' must be an array of integers"),
        ({"cat": [True]}, "'cat' must be an array of integers"),
        ({"dynamic_feat": []}, "'dynamic_feat' must be an array of arrays"),
        ({"dynamic_feat": [1, 2]}, "'dynamic_feat' must be an array of arrays"),
        ({"dynamic_feat": [[1, 2], [1]]}, "differ in length: 2, 1"),
        ({"dynamic_feat": [[1, 2], [1, None]]}, "'dynamic_feat' 1 has missing values"),
        ({"dynamic_feat": [["NaN", 1]]}, "'dynamic_feat' 0 has missing values"),
        ({"dynamic_feat": [[math.nan, 1]]}, "'dynamic_feat' 0 has missing values"),
        ({"dynamic_feat": [["1", 1]]}, "'dynamic_feat' must be an array of numbers, but holds '1'"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_wrong(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SeriesError, match=message):
        read(**fields)


def test_a_long_wrong_value_is_not_repeated_whole() -> None:
    with pytest.raises(SeriesError) as caught:
        read(target="9" * 10_000)
    assert len(str(caught.value)) < 200
