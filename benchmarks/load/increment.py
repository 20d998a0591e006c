"""One more day for a fleet that is loaded, and then nothing new.

The day is the last of the year, so that the platform must write its month, full but for that day, anew: of all days
of a month the dearest.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.load import fleet, lake, loads

DAY = date(2013, 12, 31)
BASE, DELIVERY, AGAIN = "20260101T090000-000001", "20260102T090000-000001", "20260103T090000-000001"
ROWS = 4_000_000


def run(given: fleet.Sample, rows: int, folder: Path) -> dict[str, Any]:
    """The results; `rows` are those of the year with its last day."""
    with lake.opened(folder) as opened:
        landing = opened.folder("landing") / lake.LANDING_PREFIX
        before = fleet.write(given.households, landing, rows, without=DAY)
        base = loads.by_the_platform(opened, BASE)
        rows_of_the_day = deliver_day(given, opened, rows)
        delivery = loads.by_the_platform(opened, DELIVERY)
        jobs = len(opened.usages)
        nothing_new = loads.by_the_platform(opened, AGAIN)
        jobs_for_nothing = len(opened.usages) - jobs
        predecessor = loads.by_the_predecessor(opened)
    return {
        "rows": sum(count for _, count in before),
        "day": DAY.isoformat(),
        "rows_of_the_day": rows_of_the_day,
        "platform_base": base,
        "platform": delivery,
        "predecessor": predecessor,
        "nothing_new": {"jobs_started": jobs_for_nothing, "loaded": nothing_new is not None},
    }


def deliver_day(given: fleet.Sample, opened: lake.Lake, rows: int) -> int:
    """Put the files of DAY into the landing zone; how many rows they have."""
    written = fleet.write(given.households, opened.root / "delivery", rows, only=DAY)
    for path, _ in written:
        path.rename(opened.folder("landing") / lake.LANDING_PREFIX / f"{DAY:%Y%m%d}-{path.name}")
    return sum(count for _, count in written)
