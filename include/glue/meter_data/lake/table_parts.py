"""Parts of tables that are sorted by meter: the row groups that hold a range of meters, and the rows that they hold.

A Parquet file says of each row group which meter is its first and which its last. So the rows of a range are found in
a few row groups; those at its ends hold other meters' rows too, which are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pyarrow as pa

from meter_data.lake.meter_ranges import MeterRange, RowGroupOfMeters, row_groups_of
from meter_data.lake.store import Store

_FOOTERS_AT_ONCE = 16


@dataclass(frozen=True)
class Part:
    """Row groups of a Parquet file; None means all of them."""

    uri: str
    row_groups: tuple[int, ...] | None = None


ALL_METERS = MeterRange()


def row_groups(store: Store, uris: Iterable[str]) -> list[RowGroupOfMeters]:
    """Reads what the footers of these files say of their row groups; in order of files and row groups."""
    # A footer is a few kilobytes: the time goes into waiting for S3. Arrow's files may be read by several threads.
    with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as threads:
        found = threads.map(lambda uri: row_groups_of(store, uri), uris)
        return [group for groups in found for group in groups]


def weighted(groups: Iterable[RowGroupOfMeters], weight: int) -> list[RowGroupOfMeters]:
    """Returns the row groups as if each of their rows were `weight` rows, to cut tables of several kinds together."""
    return [replace(group, rows=group.rows * weight) for group in groups]


def overlaps(group: RowGroupOfMeters, meters: MeterRange) -> bool:
    """Returns whether a row group may hold meters of a range."""
    return meters.overlaps(group.first_meter, group.last_meter)


def parts(groups: Iterable[RowGroupOfMeters], meters: MeterRange) -> tuple[Part, ...]:
    """Returns the row groups that may hold meters of a range, by file, in their order."""
    by_file: dict[str, list[int]] = {}
    for group in groups:
        if overlaps(group, meters):
            by_file.setdefault(group.uri, []).append(group.row_group)
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
        tables.append(meters.rows(table.select(schema.names).cast(in_memory)))
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()
