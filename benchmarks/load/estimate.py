"""How CPU time grows with rows, and what the full London set would take, here and on Glue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MILLION = 1_000_000
LONDON_ROWS = 167_000_000
LONDON_FILES = 168
# November 2011 to February 2014; 6 million rows a month, which is one file of the business zone.
LONDON_MONTHS = 28
CORES_HERE = 2
G1X_CPUS = 4
# infra/glue.yaml: NoOfMeters -> workers. One of them is the driver.
WORKERS = {"1-50000": 10, "50001-and-more": 40}
# What Glue takes from StartJobRun to the script's first line.
GLUE_START_SECONDS = 30
# How many tasks a job has for the full set: what more cores than that cannot make faster.
TASKS = {"raw_to_clean": LONDON_FILES, "clean_to_business": LONDON_MONTHS, "aggregate_consumption": LONDON_MONTHS}


@dataclass(frozen=True)
class Line:
    """CPU seconds of a job: fixed + a_million for each million rows."""

    fixed: float
    a_million: float

    def at(self, rows: int) -> float:
        return self.fixed + self.a_million * rows / MILLION


def lines(sizes: list[dict[str, Any]]) -> dict[str, Line]:
    """Each job's line through its two largest sizes: the smaller ones are still compiling."""
    smaller, larger = sorted(sizes, key=lambda size: size["rows"])[-2:]
    return {
        job: _line(
            smaller["rows"], smaller["platform"]["jobs"][job]["cpu_seconds"], larger["rows"], measured["cpu_seconds"]
        )
        for job, measured in larger["platform"]["jobs"].items()
    }


def _line(rows: int, seconds: float, more_rows: int, more_seconds: float) -> Line:
    a_million = (more_seconds - seconds) / (more_rows - rows) * MILLION
    return Line(seconds - a_million * rows / MILLION, a_million)


def seconds_here(of_jobs: dict[str, Line], rows: int = LONDON_ROWS) -> tuple[float, float]:
    """CPU seconds, and wall seconds when nothing else runs: the rows on all cores, the rest on one."""
    cpu = sum(line.at(rows) for line in of_jobs.values())
    wall = sum(line.fixed + (line.at(rows) - line.fixed) / CORES_HERE for line in of_jobs.values())
    return cpu, wall


def seconds_on_glue(of_jobs: dict[str, Line], workers: int, rows: int = LONDON_ROWS) -> tuple[float, float]:
    """Wall seconds of the three jobs after one another, and DPU hours (a G.1X worker is one).

    A vCPU of Glue is taken to be as fast as a core here. A job's tasks go over the cores in rounds, the last not full.
    """
    cores = (workers - 1) * G1X_CPUS
    wall = 0.0
    for job, line in of_jobs.items():
        rounds = -(-TASKS[job] // cores)
        wall += GLUE_START_SECONDS + line.fixed + (line.at(rows) - line.fixed) / TASKS[job] * rounds
    return wall, wall * workers / 3600
