"""The merge in plain Python, one reading after the other: what tests compare clean_to_business and the warehouse with.

A reading is known by (meter, type, time); of each the table holds (value, obis code, error code, delivered_at).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tests.glue.clean_zone import MeterFile, Reading

Key = tuple[str, str, str]
Stored = tuple[float | None, str | None, str | None, str]
Readings = dict[Key, Stored]


def merge(published: Readings, files: Iterable[MeterFile], grain: str = "month") -> tuple[Readings, dict[str, int]]:
    """Returns the table after a batch of files, and what the summary counts."""
    came: dict[Key, list[tuple[str, str, int, Reading]]] = defaultdict(list)
    for file in files:
        for line, row in enumerate(file.readings, start=1):
            came[row.meter, row.kind, row.time].append((file.delivered_at, file.uri, line, row))
    after, conflicts, replaced = dict(published), 0, 0
    for key, rows in came.items():
        delivered_at, _, _, newest = max(rows, key=lambda row: row[:3])
        before = published.get(key)
        if before is None or before[3] <= delivered_at:
            after[key] = (newest.value, newest.obis, newest.error, delivered_at)
            replaced += before not in (None, after[key])
        value, *_, winning = after[key]
        values = {row.value for at, _, _, row in rows if at == winning}
        if before is not None and before[3] == winning:
            values.add(before[0])
        conflicts += value is not None and bool(values - {value, None})
    touched = {partition(key, grain) for key in came}
    rows_in = sum(map(len, came.values()))
    return after, {
        "rows_in": rows_in,
        "duplicates": rows_in - len(came),
        "conflicts": conflicts,
        "readings_added": len(after) - len(published),
        "readings_replaced": replaced,
        "readings_written": sum(partition(key, grain) in touched for key in after),
    }


def partition(key: Key, grain: str) -> tuple[str, str]:
    """Returns the partition of a reading, by reading type and the value of its key month."""
    _, kind, time = key
    date = time[:10].replace("-", "")
    return kind, date if grain == "day" else date[:6]
