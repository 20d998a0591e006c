"""Times whose digits stand in the columns of a matrix, one text a row: many are read at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Digits = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def number(digits: Digits, first: int, length: int) -> Integers:
    """Returns the number of each row that `length` digits from the column `first` on are."""
    powers_of_ten = 10 ** np.arange(length - 1, -1, -1)
    return digits[:, first : first + length].astype(np.int64) @ powers_of_ten


def milliseconds(
    year: Integers,
    month: Integers,
    day: Integers,
    hour: Integers,
    minute: Integers,
    second: Integers,
    millisecond: Integers,
) -> tuple[Mask, Integers]:
    """Returns which of these times exist in the Gregorian calendar, and their milliseconds since 1970.

    Leap seconds and the hour 24 do not exist. Where a time does not exist, its milliseconds mean nothing.
    """
    # Months since January 1970. A month that does not exist gives some other month here, and is refused below.
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    first_day = months.astype("datetime64[D]").astype(np.int64)  # days since 1970
    days_in_month = (months + 1).astype("datetime64[D]").astype(np.int64) - first_day
    is_date = (month >= 1) & (month <= 12) & (day >= 1) & (day <= days_in_month)
    exists = is_date & (hour < 24) & (minute < 60) & (second < 60)
    days = first_day + day - 1
    return exists, (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millisecond
