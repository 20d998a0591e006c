"""One robust regression for many meters at once: the same columns, each meter its own weights and coefficients.

Iteratively reweighted least squares with Huber's weights (Huber and Ronchetti, Robust Statistics, 2009, section 7.8)
and a ridge penalty. A missing day has weight zero, so meters with gaps share the design with all others. There is no
loop over meters: normal matrices of all meters are one product, and solved as a stack.
"""

from __future__ import annotations

import numpy as np

from meter_data.anomalies.design import Floats

ITERATIONS = 6
HUBER = 1.345  # 95 % as efficient as least squares where residuals are normal
MAD = 1.4826  # a normal deviation over its median absolute deviation
TINY = 1e-12


def fit(values: Floats, columns: Floats, penalties: Floats) -> Floats:
    """(meters, days): what is expected of `values` (meters, days; NaN is missing) by `columns` (days, columns).

    `penalties` (meters, columns) are added to the diagonals of the normal matrices; the first column, the level, has
    none. A meter must have a value.
    """
    meters, count = len(values), columns.shape[1]
    known = np.isfinite(values)
    given = np.where(known, values, 0.0)
    products = (columns[:, :, None] * columns[:, None, :]).reshape(len(columns), count * count)
    ridge = penalties[:, :, None] * np.eye(count)
    weights = known.astype(float)
    expected = given
    for _ in range(ITERATIONS):
        normal = (weights @ products).reshape(meters, count, count) + ridge
        coefficients = np.linalg.solve(normal, ((weights * given) @ columns)[:, :, None])[:, :, 0]
        expected = coefficients @ columns.T
        residuals = np.abs(np.where(known, given - expected, np.nan))
        limit = HUBER * MAD * quantile(residuals, 0.5)[:, None]
        weights = known * np.minimum(1.0, (limit + TINY) / (np.nan_to_num(residuals) + TINY))
    return expected


def quantile(values: Floats, share: float) -> Floats:
    """Quantiles along the last axis of the values that are not NaN, between neighbours linearly; NaN where none is.

    As numpy's nanquantile, which goes through Python for every meter.
    """
    ordered = np.sort(values, axis=-1)  # NaN last
    count = np.isfinite(values).sum(axis=-1)
    place = share * np.maximum(count - 1, 0)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    lower, upper = (np.take_along_axis(ordered, at[..., None], axis=-1)[..., 0] for at in (below, above))
    answer: Floats = lower + (upper - lower) * (place - below)
    return answer
