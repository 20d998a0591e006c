"""Rejected rows as quarantine has them: as they came, with their reason and what can be read of them.

A file may hold nothing but rejects, millions of them. So they are handled in lists and arrays, as readings are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from meter_data.lake.calendar import Days
from meter_data.readers import rules
from meter_data.readers.judged import JudgedRows, Rejects

Places = npt.NDArray[np.int64]


def in_order(rows: JudgedRows) -> tuple[Places, Places]:
    """Returns the places of all rejects of a part in the file, ascending, and those among the rows: -1 if misshapen."""
    rejected = np.flatnonzero(rows.reason != rules.NO_REASON)
    in_file = np.concatenate([rows.row[rejected], rows.misshapen])
    among_rows = np.concatenate([rejected, np.full(len(rows.misshapen), -1)])
    order = np.argsort(in_file, kind="stable")  # fast for two runs that ascend
    return in_file[order], among_rows[order]


def of_lines(
    found: Sequence[bytes | str], places: Places, rows: JudgedRows, reasons: Sequence[str], misshapen: str
) -> Rejects:
    """Returns these lines as rejects.

    `places` are those of the lines among the rows, -1 for misshapen ones: these have the reason `misshapen`, or
    EMPTY_LINE if they hold nothing but spaces. `reasons` are what the codes of the other rows mean.
    """
    is_row = places >= 0
    codes = np.full(len(places), len(reasons))
    codes[is_row] = rows.reason[places[is_row]]
    if not is_row.all():
        without_fields = compress(found, (~is_row).tolist())
        # A text stands for each line of an encoding other than UTF-8.
        inside = [line.strip(" ") if isinstance(line, str) else line.strip(b" ") for line in without_fields]
        codes[~is_row] += np.array([not each for each in inside])
    return Rejects(
        found,
        pa.array([*reasons, misshapen, rules.EMPTY_LINE]).take(pa.array(codes)),
        texts(rows.meter_ids, _codes(rows.meter, places)),
        dates(rows.times, _codes(rows.time, places)),
    )


def texts(distinct: pa.StringArray, codes: npt.NDArray[np.int32]) -> pa.StringArray:
    """Returns the texts with these codes, null for -1."""
    return distinct.take(pa.array(codes, mask=codes < 0))


def dates(instants: Places, codes: npt.NDArray[np.int32]) -> pa.StringArray:
    """Returns yyyyMMdd of the instants with these codes, null for -1. Instants are milliseconds since 1970 UTC."""
    is_known = codes >= 0
    known = instants[codes[is_known]]
    days = Days(known)
    of_row = np.full(len(codes), -1, np.int32)
    of_row[is_known] = days.places(known)
    return texts(days.date_str, of_row)


def _codes(of_rows: npt.NDArray[np.int32], places: Places) -> npt.NDArray[np.int32]:
    """Returns the codes of the rows at these places, -1 for a place of -1."""
    found = np.full(len(places), -1, np.int32)
    found[places >= 0] = of_rows[places[places >= 0]]
    return found
