"""The lake and the warehouse choose the same row of each reading, whatever the ties."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as some
from meter_data.lake.schemas import CLEAN
from meter_data.merging import winners as merging
from meter_data.merging.winners import Merged

from tests.glue.clean_zone import FIRST, SECOND, MeterFile, Reading
from tests.sql.conftest import Warehouse

COLUMNS = ("meter_id", "reading_date_time", "reading_value", "obis_code", "error_code", "delivered_at")
TYPES = ("INT", "ERR")
READINGS = some.builds(
    Reading,
    some.sampled_from([f"M{number}" for number in range(12)]),
    some.just("2013-01-31 12:00:00"),
    some.sampled_from([0.0, -0.0, 0.1, 0.30000000000000004, 0.3, None]),
    some.sampled_from(TYPES),
    some.sampled_from([None, "1-0:1.8.0", "1-0:2.8.0"]),
    some.sampled_from([None, "E", "e"]),
)
# Keys whose order differs between bytes, cases and languages.
FILES = some.builds(
    MeterFile,
    some.sampled_from(["a.csv", "B.csv", "a-b.csv", "a_b.csv", "ä.csv", "\uffee.csv", "\U0001f50c.csv"]),
    some.sampled_from([FIRST, SECOND]),
    some.lists(READINGS, min_size=8, max_size=24),
)
FILES_OF_A_BATCH = some.lists(FILES, min_size=1, max_size=3, unique_by=lambda file: file.name)
BATCHES = some.lists(FILES_OF_A_BATCH, min_size=2, max_size=4)
# What happens: a batch is merged into the lake, once or again after it was cleared; or batches that are merged by then
# are loaded into the warehouse together.
STEPS = some.lists(some.integers(0, 3) | some.frozensets(some.integers(0, 3), min_size=1), max_size=10)
Batch = Sequence[MeterFile]
Step = int | frozenset[int]


def of(number: int, value: float | None, obis: str | None = None, error: str | None = None) -> Reading:
    return Reading(f"M{number}", "2013-01-31 12:00:00", value, "INT", obis, error)


# M1: two files of one second. M2: twice in a file. M3: merged, and of the same second again, from a file of the same
# name. M4: a value and none. M5: an older delivery that comes late. M6: the earlier batch has the later file and row.
TIES = (
    (
        MeterFile("a.csv", FIRST, [of(1, 9.0, "A"), of(2, 9.0, None, "E"), of(2, 1.0, "A"), of(4, 1.0)]),
        MeterFile("b.csv", FIRST, [of(1, 1.0, None, "E"), of(3, 9.0, "A"), of(4, None), of(6, 9.0)]),
        MeterFile("c.csv", SECOND, [of(5, 1.0)]),
    ),
    (
        MeterFile("a.csv", FIRST, [of(6, 2.0), of(3, 1.0, None, "E")]),
        MeterFile("b.csv", FIRST, [of(3, 3.0)]),
        MeterFile("d.csv", FIRST, [of(5, 2.0)]),
    ),
)


@settings(
    max_examples=15,
    deadline=None,
    # A history takes a second: what fails is shown as it was drawn, and not tried again in hundreds of forms.
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(BATCHES, STEPS)
@example(TIES, [0, frozenset({0}), 1, frozenset({1})])
@example(TIES, [0, 1, frozenset({0, 1})])
@example(TIES, [0, 1, frozenset({1}), frozenset({0})])
@example(TIES, [0, 1, frozenset({1}), 0])
@example(TIES, [1, frozenset({1}), 0, frozenset({0}), 1, frozenset({0, 1}), frozenset({0})])
def test_the_lake_and_the_warehouse_hold_the_same_rows(
    tables: Warehouse, batches: Sequence[Batch], steps: Sequence[Step]
) -> None:
    tables.run("DELETE FROM daily")
    lake: dict[str, pa.Table | None] = dict.fromkeys(TYPES)
    merged_at: dict[int, str] = {}
    waiting: set[int] = set()
    for minute, step in enumerate(steps):
        if isinstance(step, frozenset):
            load(tables, batches, {number: time for number, time in merged_at.items() if number in step})
            waiting -= step
        elif step < len(batches):
            merge(lake, rows_of(batches, step))
            merged_at[step] = f"2026-01-02 09:{minute:02}:00"
            waiting.add(step)
    load(tables, batches, {number: merged_at[number] for number in waiting})

    found = tables.rows(f"SELECT reading_type, {', '.join(COLUMNS)} FROM daily")
    assert sorted(found, key=repr) == sorted(in_lake(lake), key=repr)


def load(tables: Warehouse, batches: Sequence[Batch], merged_at: dict[int, str]) -> None:
    """Loads batches together."""
    if not merged_at:
        return
    rows = [row for number in merged_at for row in rows_of(batches, number)]
    times = [f"('{name_of(number)}', '{time}')" for number, time in merged_at.items()]
    copied = {
        "daily": f"INSERT INTO daily_copied VALUES {', '.join(map(values, rows))}",
        "batches": f"INSERT INTO batches_copied VALUES {', '.join(times)}",
    }
    tables.load("merge_readings", copied)


def merge(lake: dict[str, pa.Table | None], rows: list[dict[str, object]]) -> None:
    """Merges a batch into the lake."""
    for kind in TYPES:
        came = pa.Table.from_pylist([row for row in rows if row["reading_type"] == kind], schema=CLEAN)
        lake[kind] = merged(lake[kind], came)


def rows_of(batches: Sequence[Batch], number: int) -> list[dict[str, object]]:
    return [row for file in batches[number] for row in file.clean(name_of(number))]


def name_of(number: int) -> str:
    """The name of a batch: that of a lower number is the greater text."""
    return f"b{9 - number}"


def merged(published: pa.Table | None, came: pa.Table) -> pa.Table | None:
    """The lake's readings of a type after a batch."""
    if not came.num_rows:
        return published
    before = [published.select(list(merging.STORED))] if published is not None else []
    return Merged(merging.rows_of(before, [came.select(list(merging.DELIVERED))])).readings(slice(None))


def in_lake(lake: dict[str, pa.Table | None]) -> list[tuple[object, ...]]:
    """The rows of the lake, as the Data API gives those of the warehouse."""
    return [
        (
            kind,
            *(
                f"{row[name]:%Y-%m-%d %H:%M:%S}" if name in ("reading_date_time", "delivered_at") else row[name]
                for name in COLUMNS
            ),
        )
        for kind, table in lake.items()
        if table is not None
        for row in table.to_pylist()
    ]


def values(row: dict[str, object]) -> str:
    """A clean row as values of SQL, in the order of a clean file."""
    return f"({', '.join(literal(row[name]) for name in CLEAN.names)})"


def literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int | float):
        return f"CAST('{value!r}' AS DOUBLE PRECISION)" if isinstance(value, float) else str(value)
    return f"'{value:%Y-%m-%d %H:%M:%S}'" if hasattr(value, "year") else f"'{value}'"
