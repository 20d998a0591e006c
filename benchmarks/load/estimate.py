"""How CPU time grows with rows, and what large fleets would take, here and on Glue, in time and money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MILLION = 1_000_000
CORES_HERE = 2
G1X_CPUS = 4
# infra/glue.yaml: NoOfMeters -> workers, one of which is the driver; and the rows above which a job spreads its work.
WORKERS = {"1-50000": 2, "50001-and-more": 40}
SPREAD_ABOVE_ROWS = 100 * MILLION
# A job that does not spread its work is given the smallest number of workers that Glue sells.
FEWEST_WORKERS = 2
# What Glue takes from StartJobRun to the script's first line.
GLUE_START_SECONDS = 30
# Eu-west-1, in US dollars. A run is charged for a minute at least.
DPU_HOUR_DOLLARS = 0.44
SHORTEST_SECONDS = 60
# Rows that an item of clean_to_business reads at most.
ROWS_A_RANGE = 2 * MILLION


@dataclass(frozen=True)
class Load:
    """A load of `rows` rows. `items` are the work items of each job: more cores than that do not speed it up."""

    name: str
    rows: int
    items: dict[str, int]


def _load(name: str, rows: int, files: int) -> Load:
    ranges = -(-rows // ROWS_A_RANGE)
    return Load(name, rows, {"raw_to_clean": files, "clean_to_business": ranges, "aggregate_consumption": ranges})


LONDON = _load("the full London set", 167 * MILLION, 168)
A_DAY = _load("a day of a million meters", 48 * MILLION, 48)
LOADS = (LONDON, A_DAY)


@dataclass(frozen=True)
class Line:
    """CPU seconds of a job: fixed + a_million for each million rows."""

    fixed: float
    a_million: float

    def at(self, rows: int) -> float:
        return self.fixed + self.a_million * rows / MILLION


def lines(sizes: list[dict[str, Any]]) -> dict[str, Line]:
    """Each job's line through its two largest sizes."""
    smaller, larger = sorted(sizes, key=lambda size: size["rows"])[-2:]
    return {
        job: _line(
            smaller["rows"], smaller["platform"]["jobs"][job]["cpu_seconds"], larger["rows"], measured["cpu_seconds"]
        )
        for job, measured in larger["platform"]["jobs"].items()
    }


def a_further_row(sizes: list[dict[str, Any]], side: str = "platform") -> float:
    """Returns the CPU microseconds of a further row, by the line through the two largest sizes."""
    smaller, larger = sorted(sizes, key=lambda size: size["rows"])[-2:]
    seconds = larger[side]["cpu_seconds"] - smaller[side]["cpu_seconds"]
    return seconds / (larger["rows"] - smaller["rows"]) * MILLION


def _line(rows: int, seconds: float, more_rows: int, more_seconds: float) -> Line:
    a_million = (more_seconds - seconds) / (more_rows - rows) * MILLION
    return Line(seconds - a_million * rows / MILLION, a_million)


def seconds_here(of_jobs: dict[str, Line], load: Load) -> tuple[float, float]:
    """CPU seconds, and wall seconds when nothing else runs: the rows on all cores, the rest on one."""
    cpu = sum(line.at(load.rows) for line in of_jobs.values())
    wall = sum(line.fixed + (line.at(load.rows) - line.fixed) / CORES_HERE for line in of_jobs.values())
    return cpu, wall


def on_glue(of_jobs: dict[str, Line], workers: int, load: Load, spark_seconds: float) -> tuple[float, float]:
    """Wall seconds of the three jobs after one another, and DPU hours (a G.1X worker is one).

    A vCPU of Glue is taken to be as fast as a core here. A job's items go over the cores in rounds, the last not full.
    A job that spreads its work takes `spark_seconds` more before it begins.
    """
    is_spread = load.rows > SPREAD_ABOVE_ROWS
    cores = (workers - 1) * G1X_CPUS if is_spread else G1X_CPUS
    charged = workers if is_spread else FEWEST_WORKERS
    wall = dpu_seconds = 0.0
    for job, line in of_jobs.items():
        rounds = -(-load.items[job] // cores)
        seconds = GLUE_START_SECONDS + line.fixed + (spark_seconds if is_spread else 0.0)
        seconds += (line.at(load.rows) - line.fixed) / load.items[job] * rounds
        wall += seconds
        dpu_seconds += max(seconds, SHORTEST_SECONDS) * charged
    return wall, dpu_seconds / 3600
