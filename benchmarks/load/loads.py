"""A load through to the sums, by the platform's jobs and by others, and what each took and wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.load import class_archive, lake
from benchmarks.load.lake import LANDING_PREFIX, NEVER_SPREAD, Lake
from benchmarks.load.process_tree import MEGABYTE, Usage
from local_aws.glue.java import java_home
from sample_data.london_files import LAYOUTS

# Spark's own defaults where the stand-in has chosen others, and the heap of the predecessor.
PREDECESSORS_SPARK = {
    "spark.driver.memory": "4g",
    "spark.sql.shuffle.partitions": "200",
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "1",
}
# Both compilers, the G1 collector, no archive of Spark's classes.
JAVAS_OWN = (
    "-XX:-UseSerialGC -XX:+UseG1GC -XX:TieredStopAtLevel=4 -XX:SharedArchiveFile={java_home}/lib/server/classes.jsa"
)
# What the predecessor has nothing of.
COMPLETENESS = ("tallies", "completeness")
PREDECESSORS_JOBS = ("clean", "business", "daily", "weekly", "monthly")
ALTERNATIVES = {"duckdb": "by_duckdb.py", "polars": "by_polars.py", "only_reading": "only_reading.py"}


def by_the_platform(
    opened: Lake, batch: str, grain: str = "month", spread_above_rows: int = NEVER_SPREAD
) -> dict[str, Any] | None:
    """Load what is new in the landing zone; None when nothing was, and no job has started."""
    before = _objects(opened)
    runs = len(opened.usages)
    if not opened.ingest(batch, grain, spread_above_rows):
        return None
    return _result(opened.usages[runs:], _objects(opened) - before)


def by_the_predecessor(opened: Lake, *, as_java_chooses: bool = False) -> dict[str, Any]:
    """Load all that lies in the landing zone, as if nothing had been loaded before.

    Java runs with what costs least here, or with its own choices.
    """
    before = _objects(opened)
    runs = len(opened.usages)
    if as_java_chooses:
        java = JAVAS_OWN.format(java_home=java_home(opened.settings.glue_environment))
    else:
        java = f"-XX:SharedArchiveFile={class_archive.made(opened.settings)} -Xlog:disable -Xlog:all=off"
    conf: Mapping[str, str] = {
        **lake.spark_on_folders(opened.root / "buckets"),
        **PREDECESSORS_SPARK,
        "spark.driver.extraJavaOptions": f"'{java}'",
    }
    for job in PREDECESSORS_JOBS:
        given = {"layouts": json.dumps(layouts(opened))} if job == "clean" else {}
        opened.run(f"predecessor/{job}", dict(conf), **given)
    return _result(opened.usages[runs:], _objects(opened) - before)


def by_alternatives(opened: Lake) -> dict[str, dict[str, Any]]:
    """What each of the alternatives takes for the core of the load, on all that lies in the landing zone."""
    folder = Path(__file__).with_name("alternatives")
    return {name: _usage(opened.run_alternative(folder / program)) for name, program in ALTERNATIVES.items()}


def layouts(opened: Lake) -> list[list[str]]:
    """The meter files of the landing zone as URIs, those with the same header together."""
    headers = {layout.header: list[str]() for layout in LAYOUTS}
    for path in opened.files("landing", LANDING_PREFIX):
        with path.open(encoding="utf-8") as file:
            headers[file.readline().rstrip("\r\n")].append(f"s3://landing/{LANDING_PREFIX}{path.name}")
    return [files for files in headers.values() if files]


def _objects(opened: Lake) -> set[tuple[Path, int]]:
    """The data files of the clean and the business zone. The small files beside them (names with _) are not counted."""
    return {
        (path, path.stat().st_mtime_ns)
        for zone in ("clean", "business")
        for path in opened.files(zone)
        if not any(part.startswith("_") for part in path.relative_to(opened.folder(zone)).parts)
    }


def _result(usages: list[tuple[str, Usage]], written: set[tuple[Path, int]]) -> dict[str, Any]:
    of_completeness = [path for path, _ in written if not set(COMPLETENESS).isdisjoint(path.parts)]
    return {
        "cpu_seconds": round(sum(usage.cpu for _, usage in usages), 2),
        "wall_seconds": round(sum(usage.wall for _, usage in usages), 1),
        "peak_rss_mb": round(max(usage.peak_rss for _, usage in usages) / MEGABYTE),
        "peak_pss_mb": round(max(usage.peak_pss for _, usage in usages) / MEGABYTE),
        "files": len(written) - len(of_completeness),
        "files_of_completeness": len(of_completeness),
        "bytes": sum(path.stat().st_size for path, _ in written),
        "jobs": {job.rpartition("/")[2]: _usage(usage) for job, usage in usages},
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "cpu_seconds": round(usage.cpu, 2),
        "wall_seconds": round(usage.wall, 1),
        "peak_rss_mb": round(usage.peak_rss / MEGABYTE),
    }
