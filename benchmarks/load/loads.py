"""A load through to the sums, by the platform's jobs and by the predecessor's, and what each took and wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.load.lake import LANDING_PREFIX, Lake
from benchmarks.load.process_tree import MEGABYTE, Usage
from local_aws.glue.java import java_home
from sample_data.london_files import LAYOUTS

# Spark's own defaults where the stand-in has chosen others for the platform's jobs, and the heap of the predecessor.
PREDECESSORS_SPARK = {
    "spark.driver.memory": "4g",
    "spark.sql.shuffle.partitions": "200",
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "1",
}
# Java's own choices instead of the stand-in's flags: both compilers, the G1 collector, no archive of Spark's classes.
JAVAS_OWN = {
    "spark.driver.extraJavaOptions": "'-XX:-UseSerialGC -XX:+UseG1GC -XX:TieredStopAtLevel=4"
    f" -XX:SharedArchiveFile={java_home() / 'lib' / 'server' / 'classes.jsa'}'"
}
# What the predecessor has nothing of.
COMPLETENESS = ("tallies", "completeness")
PREDECESSORS_JOBS = ("clean", "business", "daily", "weekly", "monthly")


def by_the_platform(lake: Lake, batch: str, grain: str = "month") -> dict[str, Any] | None:
    """Load what is new in the landing zone; None when nothing was, and no job has started."""
    before = _objects(lake)
    runs = len(lake.usages)
    if not lake.ingest(batch, grain):
        return None
    return _result(lake.usages[runs:], _objects(lake) - before)


def by_the_predecessor(lake: Lake, java: dict[str, str] | None = None) -> dict[str, Any]:
    """Load all that lies in the landing zone, as if nothing had been loaded before; `java`: JAVAS_OWN or nothing."""
    before = _objects(lake)
    runs = len(lake.usages)
    for job in PREDECESSORS_JOBS:
        given = {"layouts": json.dumps(layouts(lake))} if job == "clean" else {}
        lake.run(f"predecessor/{job}", {**PREDECESSORS_SPARK, **(java or {})}, **given)
    return _result(lake.usages[runs:], _objects(lake) - before)


def layouts(lake: Lake) -> list[list[str]]:
    """The meter files of the landing zone as URIs, those with the same header together."""
    headers = {layout.header: list[str]() for layout in LAYOUTS}
    for path in lake.files("landing", LANDING_PREFIX):
        with path.open(encoding="utf-8") as file:
            headers[file.readline().rstrip("\r\n")].append(f"s3://landing/{LANDING_PREFIX}{path.name}")
    return [files for files in headers.values() if files]


def _objects(lake: Lake) -> set[tuple[Path, int]]:
    """The data files of the clean and the business zone; the small JSON beside them (names with _) is none."""
    return {
        (path, path.stat().st_mtime_ns)
        for zone in ("clean", "business")
        for path in lake.files(zone)
        if not any(part.startswith("_") for part in path.relative_to(lake.folder(zone)).parts)
    }


def _result(usages: list[tuple[str, Usage]], written: set[tuple[Path, int]]) -> dict[str, Any]:
    of_completeness = [path for path, _ in written if not set(COMPLETENESS).isdisjoint(path.parts)]
    return {
        "cpu_seconds": round(sum(usage.cpu for _, usage in usages), 1),
        "wall_seconds": round(sum(usage.wall for _, usage in usages), 1),
        "peak_rss_mb": round(max(usage.peak_rss for _, usage in usages) / MEGABYTE),
        "peak_pss_mb": round(max(usage.peak_pss for _, usage in usages) / MEGABYTE),
        "files": len(written) - len(of_completeness),
        "files_of_completeness": len(of_completeness),
        "bytes": sum(path.stat().st_size for path, _ in written),
        "jobs": {
            job.rpartition("/")[2]: {
                "cpu_seconds": round(usage.cpu, 1),
                "wall_seconds": round(usage.wall, 1),
                "peak_rss_mb": round(usage.peak_rss / MEGABYTE),
                "cpu_by_kind": {kind: round(seconds, 1) for kind, seconds in sorted(usage.cpu_by_kind.items())},
            }
            for job, usage in usages
        },
    }
