"""A chunk of meters, from rows to arrays and back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from transformers.anomalies.design import Design
from transformers.anomalies.judgement import LEAST_HISTORY, judge

# Columns of the rows given: the complete days of whole meters. `day` counts from the design's first; `is_judged` days
# are looked at, as history, and not judged again.
GIVEN = "meter_id string, day int, consumption double, is_judged boolean"
JUDGED = (
    "meter_id string, day int, consumption double, yhat_lower double, yhat_upper double, anomaly int, importance double"
)


def judge_rows(rows: pd.DataFrame, design: Design, level: float) -> pd.DataFrame:
    """Rows as in GIVEN → rows as in JUDGED, in order of meter and day, of the days that are not judged.

    None of a meter that has fewer than LEAST_HISTORY days.
    """
    codes, meters = pd.factorize(rows["meter_id"], sort=True)
    places = (codes, rows["day"].to_numpy())
    consumption = np.full((len(meters), len(design.days)), np.nan)
    consumption[places] = rows["consumption"]
    is_new = np.zeros(consumption.shape, dtype=bool)
    is_new[places] = ~rows["is_judged"].to_numpy(dtype=bool)
    # Not a number is no consumption.
    is_new &= np.isfinite(consumption)
    chosen = (np.isfinite(consumption).sum(axis=1) >= LEAST_HISTORY) & is_new.any(axis=1)
    meters, consumption, is_new = meters[chosen], consumption[chosen], is_new[chosen]
    found = judge(consumption, design, level)
    at, day = np.nonzero(is_new)
    return pd.DataFrame(
        {
            "meter_id": np.asarray(meters, dtype=object)[at],
            "day": day.astype(np.int32),
            "consumption": consumption[is_new],
            "yhat_lower": found.lower[is_new],
            "yhat_upper": found.upper[is_new],
            "anomaly": found.anomaly[is_new].astype(np.int32),
            "importance": found.importance[is_new],
        }
    )
