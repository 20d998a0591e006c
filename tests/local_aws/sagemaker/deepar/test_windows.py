"""A window's tensors, counted out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from local_aws.sagemaker.deepar import windows
from tests.local_aws.sagemaker.deepar.meters import HOUR, series

PAST, HORIZON = 4, 2


def padded(target: list[float | None], **fields: object) -> windows.Padded:
    return windows.pad(series(target, start="2026-01-01 05:00:00", **fields), PAST, HORIZON, HOUR)


def test_a_series_stands_behind_unobserved_zeros() -> None:
    found = padded([1, None, 3])
    assert found.values.tolist() == [0, 0, 0, 0, 1, 0, 3]
    assert found.observed.tolist() == [0, 0, 0, 0, 1, 0, 1]
    assert found.length == 3
    assert {found.values.dtype, found.observed.dtype, found.features.dtype} == {np.dtype(np.float32)}


def test_features_are_calendar_and_age_and_reach_to_the_end_of_the_forecast() -> None:
    found = padded([1, None, 3])
    assert found.features.shape == (PAST + 3 + HORIZON, 5)
    assert not found.features[:PAST].any()
    # Hour of the day, weekday (Thursday), day of the month and of the year, from -0.5 to 0.5; log10(2 + age).
    first = [5 / 23 - 0.5, 3 / 6 - 0.5, -0.5, -0.5, math.log10(2)]
    last = [9 / 23 - 0.5, 3 / 6 - 0.5, -0.5, -0.5, math.log10(6)]
    np.testing.assert_allclose(found.features[PAST], first, atol=1e-6)
    np.testing.assert_allclose(found.features[-1], last, atol=1e-6)


def test_dynamic_features_follow_the_calendar_with_their_future_where_it_is_known() -> None:
    known = padded([1, 2, 3], dynamic_feat=[[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])
    assert known.features[PAST:, 5:].T.tolist() == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]
    unknown = padded([1, 2, 3], dynamic_feat=[[1, 2, 3]])
    assert unknown.features[PAST:, 5].tolist() == [1, 2, 3, 0, 0]


@pytest.mark.parametrize(
    ("at", "past", "observed"),
    [
        (0, [0, 0, 0, 0], [0, 0, 0, 0]),
        (1, [0, 0, 0, 1], [0, 0, 0, 1]),
        (3, [0, 1, 0, 3], [0, 1, 0, 1]),
        (5, [0, 3, 4, 5], [0, 1, 1, 1]),
    ],
)
def test_the_past_of_a_window_ends_right_before_its_forecast(at: int, past: list[int], observed: list[int]) -> None:
    tensors = windows.inputs([(padded([1, None, 3, 4, 5, 6, 7]), at)], PAST, HORIZON)
    assert tensors["past_target"].tolist() == [past]
    assert tensors["past_observed_values"].tolist() == [observed]


def test_the_features_of_past_and_future_are_those_of_their_hours() -> None:
    tensors = windows.inputs([(padded([1, None, 3, 4, 5, 6, 7]), 5)], PAST, HORIZON)
    past_hours = (tensors["past_time_feat"][0, :, 0] + 0.5) * 23
    future_hours = (tensors["future_time_feat"][0, :, 0] + 0.5) * 23
    np.testing.assert_allclose(past_hours, [6, 7, 8, 9], atol=1e-4)
    np.testing.assert_allclose(future_hours, [10, 11], atol=1e-4)


def test_the_future_of_a_window_begins_with_its_forecast() -> None:
    one = padded([1, None, 3, 4, 5, 6, 7])
    tensors = windows.futures([(one, 1), (one, 5)], PAST, HORIZON)
    assert tensors["future_target"].tolist() == [[0, 3], [6, 7]]
    assert tensors["future_observed_values"].tolist() == [[0, 1], [1, 1]]


def test_no_input_of_a_window_knows_a_value_of_its_future() -> None:
    at = 3
    given = windows.inputs([(padded([1, 2, 3, 4, 5, 6]), at)], PAST, HORIZON)
    other_future = windows.inputs([(padded([1, 2, 3, 40, None, 60]), at)], PAST, HORIZON)
    other_past = windows.inputs([(padded([1, 2, 30, 4, 5, 6]), at)], PAST, HORIZON)
    assert all(torch.equal(given[name], other_future[name]) for name in given)
    assert not torch.equal(given["past_target"], other_past["past_target"])


def test_windows_are_stacked_in_their_order_with_their_categories() -> None:
    tensors = windows.inputs([(padded([1], cat=[3]), 1), (padded([2], cat=[4]), 1)], PAST, HORIZON)
    assert tensors["feat_static_cat"].tolist() == [[3], [4]]
    assert tensors["past_target"][:, -1].tolist() == [1, 2]


def test_a_series_without_category_has_the_only_one_of_the_network() -> None:
    assert windows.inputs([(padded([1]), 1)], PAST, HORIZON)["feat_static_cat"].tolist() == [[0]]
