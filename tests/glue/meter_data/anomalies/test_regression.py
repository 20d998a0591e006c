"""The batched regression against least squares of numpy, and against outliers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.anomalies.regression import fit, quantile

NAN = np.nan


def test_without_outliers_or_penalty_it_is_least_squares() -> None:
    """Residuals of one size are all within Huber's limit."""
    noise = np.random.default_rng(1)
    columns = np.c_[np.ones(50), noise.normal(size=(50, 2))]
    signs = np.where(np.arange(50) % 2, 0.1, -0.1)
    values = columns @ noise.normal(size=(3, 4)) + signs[:, None]

    expected = columns @ np.linalg.lstsq(columns, values, rcond=None)[0]

    assert fit(values.T, columns, np.zeros((4, 3))) == pytest.approx(expected.T, abs=1e-9)


def test_outliers_hardly_move_it() -> None:
    values = np.tile([1.0, 1.1, 0.9, 1.0, 1.05], 10)[None, :]
    values[0, ::10] = 50.0

    found = fit(values, np.ones((50, 1)), np.zeros((1, 1)))

    assert found == pytest.approx(1.02, abs=0.03)


def test_a_missing_day_weighs_nothing() -> None:
    columns = np.c_[np.ones(40), np.arange(40.0)]
    values = (3 + 0.5 * np.arange(40.0) + np.random.default_rng(2).normal(0, 0.1, 40))[None, :]
    gaps = np.arange(40) % 3 == 0
    with_gaps = np.where(gaps, NAN, values)

    found = fit(with_gaps, columns, np.zeros((1, 2)))

    assert found[:, ~gaps] == pytest.approx(fit(values[:, ~gaps], columns[~gaps], np.zeros((1, 2))), abs=1e-9)
    assert np.isfinite(found).all()


def test_a_penalty_counts_as_so_many_days_at_zero() -> None:
    """Twenty days at 1 and the penalty 20: half of the way. All residuals are equal, so none is an outlier."""
    assert fit(np.ones((1, 20)), np.ones((20, 1)), np.array([[20.0]])) == pytest.approx(0.5, abs=1e-9)


@given(
    some.lists(some.one_of(some.none(), some.floats(-1e6, 1e6)), min_size=1, max_size=20), some.sampled_from([0.5, 0.9])
)
@settings(max_examples=50, deadline=None)
def test_quantiles_are_those_of_numpy(values: list[float | None], share: float) -> None:
    array = np.array([[NAN if value is None else value for value in values]])

    found = quantile(array, share)

    if np.isfinite(array).any():
        assert found == pytest.approx(np.nanquantile(array, share, axis=1))
    else:
        assert np.isnan(found).all()
