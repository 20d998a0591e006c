"""Times of described files that have no pattern: what Spark 3.5 answered is kept in times_as_spark_reads_them.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from meter_data.meter_files.records import Column, Records
from meter_data.readers import described_rows, described_times, rules
from meter_data.readers.description import Description

KEPT: dict[str, Any] = json.loads((Path(__file__).parent / "times_as_spark_reads_them.json").read_text())

# ISO 8601 has more forms of an offset than Spark's cast reads. A line end is part of a text, and no reader's business.
# Before 1970 the clocks of a zone do not matter.
OTHER_ISO = {
    "2013-07-01 00:30\n", "1582-10-10 00:30", "0000-01-01 00:30",
    "2013-07-01T00:30:00+0200", "2013-07-01T00:30:00+02", "2013-07-01T00:30:00-0000", "2013-07-01T00:30:00+00",
    "2013-07-01T00:30:00+0545", "2013-07-01T00:30Z", "2013-07-01T00:30:00UTC", "2013-07-01 00:30:00 UTC",
    "2013-07-01 00:30 UTC", "2013-07-01+00:30",
}  # fmt: skip


@pytest.mark.parametrize("zone", KEPT["iso"])
def test_iso_8601_is_read_as_spark_reads_it(zone: str) -> None:
    expected = {text: answer for text, answer in KEPT["iso"][zone].items() if text not in OTHER_ISO}
    column = Column(pa.array(list(expected), pa.string()), np.arange(len(expected), dtype=np.int32))
    rows = Records(np.arange(len(expected)), {"date_time": column}, np.empty(0, np.int64))

    times = described_times.judge(rows, Description(time_zone=zone), described_rows.REASONS)

    reasons = [None if code == rules.NO_REASON else described_rows.REASONS[code] for code in times.reasons.tolist()]
    instants = [at if holds else None for at, holds in zip(times.instants.tolist(), times.has_instant, strict=True)]
    later = [at if twice else None for at, twice in zip(times.later.tolist(), times.is_ambiguous, strict=True)]
    # Behind the last time is that of a row without one.
    assert (instants.pop(), reasons.pop(), later.pop()) == (None, rules.MALFORMED_TIMESTAMP, None)
    assert dict(zip(expected, zip(instants, reasons, later, strict=True), strict=True)) == {
        text: tuple(answer[1:]) for text, answer in expected.items()
    }
