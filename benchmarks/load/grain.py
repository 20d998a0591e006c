"""Partitions of a month beside partitions of a day: the first load, a day's delivery onto it, and what queries read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.load import fleet, increment, lake, loads, queries

ROWS = 4_000_000
GRAINS = ("month", "day")


def run(given: fleet.Sample, rows: int, folder: Path) -> dict[str, Any]:
    """The results of both grains; `rows` are those of the year with its last day."""
    return {"rows": rows, "grains": {grain: _of_grain(given, rows, folder / grain, grain) for grain in GRAINS}}


def _of_grain(given: fleet.Sample, rows: int, folder: Path, grain: str) -> dict[str, Any]:
    with lake.opened(folder) as opened:
        fleet.write(given.households, opened.folder("landing") / lake.LANDING_PREFIX, rows, without=increment.DAY)
        base = loads.by_the_platform(opened, increment.BASE, grain)
        increment.deliver_day(given, opened, rows)
        delivery = loads.by_the_platform(opened, increment.DELIVERY, grain)
        meter = queries.middle_meter(given, rows)
        return {
            "first_load": base,
            "delivery": delivery,
            "questions": {
                question.name: queries.ask(opened, question, meter, queries.platforms_files)
                for question in queries.QUESTIONS
            },
        }
