"""Cuts tables into ranges of meters, so that no piece of work reads more rows than it should.

The files of a table are sorted by meter, and a Parquet file says of each row group which meter is its first and which
its last. So the rows of a range are found in a few row groups; those at its ends hold other meters' rows too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.columns import texts_and_codes
from meter_data.lake.store import Store

_FOOTERS_AT_ONCE = 16
_METER = "meter_id"


@dataclass(frozen=True)
class Part:
    """Row groups of a Parquet file; None means all of them."""

    uri: str
    row_groups: tuple[int, ...] | None = None


@dataclass(frozen=True)
class MeterRange:
    """The meters from `start` on, before `end`; None means to the last one. Ids are compared by their characters."""

    start: str = ""
    end: str | None = None

    def among(self, meter_ids: pa.StringArray) -> npt.NDArray[np.bool_]:
        """Returns for each id whether it lies in the range."""
        inside = pc.greater_equal(meter_ids, self.start)
        if self.end is not None:
            inside = pc.and_(inside, pc.less(meter_ids, self.end))
        return inside.to_numpy(zero_copy_only=False)


ALL_METERS = MeterRange()


@dataclass(frozen=True)
class RowGroup:
    """A row group of a file that holds meters. `weight` is its number of rows, as its reader values them."""

    uri: str
    number: int
    rows: int
    weight: int
    first_meter: str
    last_meter: str


def row_groups(store: Store, uris: Iterable[str], weight: int = 1) -> list[RowGroup]:
    """Reads the row groups of these files, a row of which counts `weight` times; in order of files and row groups."""
    found = list(uris)

    def of_file(uri: str) -> list[RowGroup]:
        footer = store.read_footer(uri)
        place = footer.schema.names.index(_METER)
        groups = []
        for number in range(footer.num_row_groups):
            group = footer.row_group(number)
            meters = group.column(place).statistics
            groups.append(
                RowGroup(uri, number, group.num_rows, group.num_rows * weight, _text(meters.min), _text(meters.max))
            )
        return groups

    # A footer is a few kilobytes: the time goes into waiting for S3.
    with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as threads:
        return [group for groups in threads.map(of_file, found) for group in groups]


def cut(groups: Iterable[RowGroup], most: int) -> list[MeterRange]:
    """Returns ranges of meters, all meters in their order, whose rows together weigh about `most` each.

    A range weighs more where a single meter does, and by what the row groups at its ends hold of other meters.
    """
    ends: list[str] = []
    weight = 0
    for group in sorted(groups, key=lambda group: (group.last_meter, group.first_meter)):
        if weight and weight + group.weight > most and (not ends or group.first_meter > ends[-1]):
            # The range ends where this group begins. Groups before it in this order end at meters no later than its
            # last one, so that they lie in this range, but for a few meters where groups overlap.
            ends.append(group.first_meter)
            weight = 0
        weight += group.weight
    starts = ["", *ends]
    return [MeterRange(start, end) for start, end in zip(starts, [*ends, None], strict=True)]


def overlaps(group: RowGroup, meters: MeterRange) -> bool:
    """Returns whether a row group may hold meters of a range."""
    return group.last_meter >= meters.start and (meters.end is None or group.first_meter < meters.end)


def parts(groups: Iterable[RowGroup], meters: MeterRange) -> tuple[Part, ...]:
    """Returns the row groups that may hold meters of a range, by file, in their order."""
    by_file: dict[str, list[int]] = {}
    for group in groups:
        if overlaps(group, meters):
            by_file.setdefault(group.uri, []).append(group.number)
    return tuple(Part(uri, tuple(numbers)) for uri, numbers in by_file.items())


def whole(uris: Iterable[str]) -> tuple[Part, ...]:
    """Returns all row groups of these files."""
    return tuple(Part(uri) for uri in uris)


def slices(store: Store, wanted: Iterable[Part], columns: Sequence[str], coded: Sequence[str]) -> Iterator[pa.Table]:
    """Yields these columns of the parts, in their order, in tables of a bounded number of rows."""
    for part in wanted:
        yield from store.read_slices(part.uri, columns, part.row_groups, coded)


def read(store: Store, wanted: Iterable[Part], schema: pa.Schema, meters: MeterRange = ALL_METERS) -> pa.Table:
    """Reads the rows of a range from parts of a table of days: the columns of `schema`, texts as dictionaries.

    `schema` names plain texts as such. The rows stay in their order.
    """
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    in_memory = pa.schema(
        [
            (field.name, pa.dictionary(pa.int32(), pa.string()) if field.name in texts else field.type)
            for field in schema
        ]
    )
    tables = [in_memory.empty_table()]
    for part in wanted:
        table = store.read_parquet(part.uri, schema.names, part.row_groups, texts)
        tables.append(within(table.select(schema.names).cast(in_memory), meters))
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def within(table: pa.Table, meters: MeterRange) -> pa.Table:
    """Returns the rows of a table whose meters lie in the range."""
    if meters == ALL_METERS:
        return table
    texts, codes = texts_and_codes(table[_METER])
    return table.filter(pa.array(meters.among(texts)[codes]))


def _text(bound: str | bytes) -> str:
    return bound.decode() if isinstance(bound, bytes) else bound
