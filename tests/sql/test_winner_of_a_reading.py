"""The lake and the warehouse choose the same row of each reading, whatever the ties."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from hypothesis import HealthCheck, example, given, settings
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
LOADS = some.lists(some.lists(FILES, min_size=1, max_size=4, unique_by=lambda file: file.name), min_size=2, max_size=3)


def of(number: int, value: float | None, obis: str | None = None, error: str | None = None) -> Reading:
    return Reading(f"M{number}", "2013-01-31 12:00:00", value, "INT", obis, error)


# M1: two files of one second. M2: twice in a file. M3: published, and of the same second again. M4: a value and none.
# M5: an older delivery that comes late.
TIES = (
    (
        MeterFile("a.csv", FIRST, [of(1, 9.0, "A"), of(2, 9.0, None, "E"), of(2, 1.0, "A"), of(4, 1.0)]),
        MeterFile("b.csv", FIRST, [of(1, 1.0, None, "E"), of(3, 9.0, "A"), of(4, None)]),
        MeterFile("c.csv", SECOND, [of(5, 1.0)]),
    ),
    (MeterFile("a.csv", FIRST, [of(3, 1.0, None, "E")]), MeterFile("d.csv", FIRST, [of(5, 2.0)])),
)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(LOADS)
@example(TIES)
def test_the_lake_and_the_warehouse_hold_the_same_rows(tables: Warehouse, loads: Sequence[Sequence[MeterFile]]) -> None:
    tables.run("DELETE FROM daily")
    lake: dict[str, pa.Table | None] = dict.fromkeys(TYPES)
    for files in loads:
        rows = [row for file in files for row in file.clean()]
        tables.load("merge_readings", {"daily": f"INSERT INTO daily_copied VALUES {', '.join(map(values, rows))}"})
        for kind in TYPES:
            came = pa.Table.from_pylist([row for row in rows if row["reading_type"] == kind], schema=CLEAN)
            lake[kind] = merged(lake[kind], came)

        found = tables.rows(f"SELECT reading_type, {', '.join(COLUMNS)} FROM daily")
        assert sorted(found, key=repr) == sorted(in_lake(lake), key=repr)


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
