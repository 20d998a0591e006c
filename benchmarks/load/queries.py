"""What questions to the readings read: files and bytes, in the platform's layout and in the predecessor's.

DuckDB, the stand-in's engine of Athena, asks over S3's protocol; the store counts the bytes that it sends and the
objects of which it sends any. Footers are among them; lists are not. Both sides are given the files of the partitions
that the question's dates touch, as a catalog gives them, and the same SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.load import fleet, ingest, lake
from benchmarks.load.lake import Lake

ROWS = 16_000_000
FIRST, DAYS = date(2013, 4, 1), 90
ONE_DAY = date(2013, 7, 15)
MONTH = date(2013, 7, 1)


@dataclass(frozen=True)
class Question:
    """`sql` asks `readings`; the dates are closed."""

    name: str
    sql: str
    first: date
    last: date


QUESTIONS = (
    Question(
        "one meter, 90 days",
        "SELECT reading_date_time, reading_value FROM readings"
        " WHERE meter_id = $meter AND reading_date_time >= $first AND reading_date_time < $end",
        FIRST,
        FIRST + timedelta(days=DAYS - 1),
    ),
    Question(
        "one day of all meters",
        "SELECT meter_id, reading_date_time, reading_value FROM readings"
        " WHERE reading_date_time >= $first AND reading_date_time < $end",
        ONE_DAY,
        ONE_DAY,
    ),
    Question("a month's sum, of the readings", "SELECT sum(reading_value) FROM readings", MONTH, date(2013, 7, 31)),
)


def run(given: fleet.Sample, rows: int, folder: Path) -> dict[str, Any]:
    """The results; a lake that `ingest` left below `folder` is used, or made."""
    if not (folder / "buckets" / "business" / "predecessor" / "aggregated_monthly").exists():
        ingest.run(given, rows, folder)
    with lake.opened(folder) as opened:
        meter = middle_meter(given, rows)
        return {
            "rows": rows,
            "meter": meter,
            "questions": [
                {
                    "name": question.name,
                    "platform": ask(opened, question, meter, platforms_files),
                    "predecessor": ask(opened, question, meter, predecessors_files),
                }
                for question in QUESTIONS
            ],
        }


def middle_meter(given: fleet.Sample, rows: int) -> str:
    """A meter in the middle of the fleet: the first and the last have luck with the row groups' limits."""
    homes = len(list(fleet.replicated(given.households, rows)))
    middle = given.households[homes // 2 % len(given.households)]
    return fleet.copy(middle, homes // 2 // len(given.households), homes // 2).identity.meter_id


def ask(opened: Lake, question: Question, meter: str, find: Callable[[Lake, Question], list[Path]]) -> dict[str, Any]:
    """Files and bytes that the question reads, of how many files it was given, and how many rows it answers."""
    given = find(opened, question)
    uris = ", ".join(f"'s3://{path.relative_to(opened.root / 'buckets')}'" for path in given)
    with duckdb.connect(":memory:") as engine:
        for statement in settings(opened):
            engine.execute(statement)
        # Names of partitions stand in paths; no column is made of them.
        engine.execute(f"CREATE VIEW readings AS SELECT * FROM read_parquet([{uris}], hive_partitioning = false)")  # noqa: S608
        opened.store.take_reads()
        # The view has read the schema of a file: it is read again, as for a table that a catalog declares.
        values = {"meter": meter, "first": question.first, "end": question.last + timedelta(days=1)}
        named = {name: value for name, value in values.items() if f"${name}" in question.sql}
        rows = engine.execute(question.sql, named).fetchall()
    reads = opened.store.take_reads()
    return {"files": len(reads), "bytes": sum(reads.values()), "files_given": len(given), "rows": len(rows)}


def settings(opened: Lake) -> list[str]:
    """What makes DuckDB ask the store, and nothing twice out of its memory."""
    folder = files("duckdb_extension_httpfs")
    extension = next(iter(folder.rglob("httpfs.duckdb_extension")))  # type: ignore[attr-defined]
    place = opened.settings.s3_url.removeprefix("http://")
    return [
        f"LOAD '{extension}'",
        "SET TimeZone = 'UTC'",
        "SET threads = 2",
        "SET enable_external_file_cache = false",
        f"CREATE SECRET (TYPE s3, PROVIDER config, URL_STYLE 'path', USE_SSL false, KEY_ID 'k', SECRET 's',"
        f" ENDPOINT '{place}', REGION '{opened.settings.region}')",
    ]


def platforms_files(opened: Lake, question: Question) -> list[Path]:
    """The files of the published partitions that hold the question's dates."""
    first, last = f"{question.first:%Y%m%d}", f"{question.last:%Y%m%d}"
    # A partition is named by its month, at grain day by its day.
    return [
        file
        for (kind, name), found in opened.published("daily").items()
        if kind == "INT" and first[: len(name)] <= name <= last[: len(name)]
        for file in found
    ]


def predecessors_files(opened: Lake, question: Question) -> list[Path]:
    """The files of the dates' folders."""
    length = (question.last - question.first).days + 1
    days = [question.first + timedelta(days=number) for number in range(length)]
    folder = opened.folder("business") / "predecessor" / "daily" / "reading_type=INT"
    return [file for day in days for file in sorted((folder / f"date_str={day:%Y%m%d}").glob("*.parquet"))]
