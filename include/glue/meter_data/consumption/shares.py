"""How the work on some files is shared out: one item for all meters, or one for each range of meters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meter_data.lake import meter_row_groups, table_parts
from meter_data.lake.meter_ranges import ALL_METERS, MeterRange, cut
from meter_data.lake.meter_row_groups import MeterRowGroup
from meter_data.lake.store import Store
from meter_data.lake.table_parts import Part

# An item holds a million readings at a time, but the days of all of them, some 8 million / 48. Its grid of meters and
# days is about as large.
READINGS_AN_ITEM = 8_000_000
# A day's row is held whole, where of a reading little remains.
DAYS_AN_ITEM = 1_000_000


@dataclass(frozen=True)
class Limits:
    """How many rows an item may read before it is cut into ranges of meters."""

    readings: int = READINGS_AN_ITEM
    days: int = DAYS_AN_ITEM

    @property
    def weight_of_day(self) -> int:
        """As many readings as a row of a day counts."""
        return max(1, self.readings // self.days)


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class ShareOfDays:
    """A range of meters, about how many rows it has, and its parts of each of some lists of files."""

    meters: MeterRange
    rows: int
    parts: tuple[tuple[Part, ...], ...]


def shares_of_days(store: Store, sources: Sequence[Sequence[str]], rows: int, limits: Limits) -> list[ShareOfDays]:
    """Shares out lists of files of tables of days, which have about so many rows together."""
    if rows <= limits.days:
        return [ShareOfDays(ALL_METERS, rows, tuple(table_parts.whole(uris) for uris in sources))]
    groups = [meter_row_groups.of_files(store, uris) for uris in sources]
    return [
        ShareOfDays(
            meters,
            sum(rows_of(found, meters) for found in groups),
            tuple(table_parts.parts(found, meters) for found in groups),
        )
        for meters in cut([group for found in groups for group in found], limits.days)
    ]


def rows_of(groups: Iterable[MeterRowGroup], meters: MeterRange) -> int:
    """Returns how many rows the row groups have that may hold meters of a range."""
    return sum(group.rows for group in groups if meters.overlaps(group))
