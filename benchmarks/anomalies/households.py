"""Daily consumption of the London households of 2013 (Low Carbon London, UK Power Networks, CC BY 4.0)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from local_aws.environment import shared_data

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED_DATA = shared_data()
FILE = Path("london") / "LCL-withAcorn-60-households-2013.csv.gz"
INTERVALS_A_DAY = 48
# Households with fewer days are judged by nobody.
LEAST_DAYS = 28


@dataclass(frozen=True)
class Households:
    """consumption: (meters, days) in kWh; NaN where a day does not have all its half hours."""

    meters: list[str]
    days: list[date]
    consumption: NDArray[np.float64]


def read(path: Path = SHARED_DATA / FILE) -> Households:
    """The households with LEAST_DAYS complete days or more, on all days of the file."""
    rows = pd.read_csv(path, usecols=[0, 2, 3], names=["meter", "time", "value"], header=0, skipinitialspace=True)
    rows["value"] = pd.to_numeric(rows["value"], errors="coerce")
    rows = rows.dropna().drop_duplicates(["meter", "time"])
    days = rows.groupby(["meter", rows["time"].str[:10]])["value"].agg(["sum", "count"])
    complete = days.loc[days["count"] == INTERVALS_A_DAY, "sum"].unstack("time")
    complete = complete.reindex(columns=pd.date_range(complete.columns.min(), complete.columns.max()).astype(str))
    complete = complete[complete.notna().sum(axis=1) >= LEAST_DAYS]
    return Households(
        list(complete.index), [date.fromisoformat(day) for day in complete.columns], complete.to_numpy(dtype=float)
    )
