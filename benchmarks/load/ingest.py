"""Load a fleet of given sizes for the first time, by the platform's jobs and by the predecessor's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.load import fleet, lake, loads

BATCH = "20260101T090000-000001"
# Beyond, the predecessor is measured with the platform's Java flags only.
MOST_WITH_JAVAS_OWN = 4_000_000
# Next to nothing: what the applications take to start, plan, compile and end.
START_ROWS = 5_000
SIZES = (1_000_000, 4_000_000, 16_000_000)


def run(given: fleet.Sample, rows: int, folder: Path) -> dict[str, Any]:
    """The results of one size. The lake is left below `folder`, for the queries."""
    with lake.opened(folder) as opened:
        files = fleet.write(given.households, opened.folder("landing") / lake.LANDING_PREFIX, rows)
        platform = loads.by_the_platform(opened, BATCH)
        predecessor = loads.by_the_predecessor(opened)
        with_its_java = loads.by_the_predecessor(opened, loads.JAVAS_OWN) if rows <= MOST_WITH_JAVAS_OWN else None
        return {
            "rows": sum(count for _, count in files),
            "files": len(files),
            "bytes": sum(path.stat().st_size for path, _ in files),
            "platform": platform,
            "predecessor": predecessor,
            "predecessor_with_javas_own": with_its_java,
        }


def start(given: fleet.Sample, folder: Path) -> dict[str, Any]:
    """CPU seconds of a load of START_ROWS."""
    with lake.opened(folder) as opened:
        fleet.write(given.households, opened.folder("landing") / lake.LANDING_PREFIX, START_ROWS)
        loaded = loads.by_the_platform(opened, BATCH)
        before = loads.by_the_predecessor(opened)
    return {"rows": START_ROWS, "platform": loaded, "predecessor": before}
