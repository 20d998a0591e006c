"""Load a fleet of given sizes for the first time: by the platform's jobs, by the predecessor's, and by alternatives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.load import fleet, lake, loads

BATCH = "20260101T090000-000001"
# Beyond, the predecessor is measured with the cheaper Java flags only.
MOST_WITH_JAVAS_OWN = 4_000_000
# The size that is loaded by Spark's workers too.
SPREAD = 1_000_000
SIZES = (1_000_000, 4_000_000, 16_000_000)


def run(given: fleet.Sample, rows: int, folder: Path) -> dict[str, Any]:
    """The results of one size. The lake is left below `folder`, for the queries."""
    with lake.opened(folder) as opened:
        files = fleet.write(given.households, opened.folder("landing") / lake.LANDING_PREFIX, rows)
        platform = loads.by_the_platform(opened, BATCH)
        predecessor = loads.by_the_predecessor(opened)
        with_its_java = loads.by_the_predecessor(opened, as_java_chooses=True) if rows <= MOST_WITH_JAVAS_OWN else None
        alternatives = loads.by_alternatives(opened)
    return {
        "rows": sum(count for _, count in files),
        "files": len(files),
        "bytes": sum(path.stat().st_size for path, _ in files),
        "platform": platform,
        "spread": _spread([path for path, _ in files], folder / "spread") if rows == SPREAD else None,
        "predecessor": predecessor,
        "predecessor_with_javas_own": with_its_java,
        "alternatives": alternatives,
    }


def _spread(files: list[Path], folder: Path) -> dict[str, Any] | None:
    """The same files loaded by the platform's jobs on Spark's workers."""
    with lake.opened(folder) as opened:
        landing = opened.folder("landing") / lake.LANDING_PREFIX
        for file in files:
            os.link(file, landing / file.name)
        return loads.by_the_platform(opened, BATCH, spread_above_rows=0)
