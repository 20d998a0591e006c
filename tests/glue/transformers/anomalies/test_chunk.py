"""Rows of a chunk of meters and what is judged of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from transformers.anomalies.chunk import judge_rows

from tests.glue.transformers.anomalies.series import LEVEL, judged, ordinary, shared

DAYS = 60


def rows(meter: str, consumption: np.ndarray, judged_before: int = 0) -> pd.DataFrame:
    known = np.flatnonzero(~np.isnan(consumption))
    return pd.DataFrame(
        {
            "meter_id": meter,
            "day": known.astype(np.int32),
            "consumption": consumption[known],
            "is_judged": known < judged_before,
        }
    )


def test_the_days_that_are_new_are_judged_as_the_whole_series_is() -> None:
    given = ordinary(2, DAYS)
    given[1, 10:20] = np.nan
    shuffled = pd.concat([rows("M2", given[1]), rows("M1", given[0], judged_before=57)]).sample(frac=1, random_state=1)

    found = judge_rows(shuffled, shared(DAYS), LEVEL)

    expected = judged(given)
    assert found["meter_id"].tolist() == ["M1"] * 3 + ["M2"] * 50
    assert found["day"].tolist() == [57, 58, 59, *range(10), *range(20, 60)]
    places = ([0] * 3 + [1] * 50, found["day"])
    assert found["consumption"].tolist() == given[places].tolist()
    assert found["yhat_lower"].to_numpy() == pytest.approx(expected.lower[places])
    assert found["yhat_upper"].to_numpy() == pytest.approx(expected.upper[places])
    assert found["anomaly"].tolist() == expected.anomaly[places].tolist()
    assert found["importance"].to_numpy() == pytest.approx(expected.importance[places], abs=1e-9)


def test_a_meter_is_judged_from_its_28th_day_on() -> None:
    given = ordinary(2, DAYS)
    given[0, 28:] = given[1, 27:] = np.nan

    found = judge_rows(pd.concat([rows("M1", given[0]), rows("M2", given[1])]), shared(DAYS), LEVEL)

    assert found["meter_id"].tolist() == ["M1"] * 28


def test_what_is_no_number_is_not_judged() -> None:
    given = rows("M1", ordinary(1, DAYS)[0])
    given.loc[[3, 4], "consumption"] = [np.nan, np.inf]

    found = judge_rows(given, shared(DAYS), LEVEL)

    assert sorted(set(range(DAYS)) - set(found["day"])) == [3, 4]


def test_where_all_is_judged_nothing_comes_out() -> None:
    found = judge_rows(rows("M1", ordinary(1, DAYS)[0], judged_before=DAYS), shared(DAYS), LEVEL)

    assert found.empty
    assert list(found.columns)[:3] == ["meter_id", "day", "consumption"]
