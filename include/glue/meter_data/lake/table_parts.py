"""Parts of tables that are sorted by meter: some row groups of a file, and the rows of some meters in them.

The row groups at the ends of a range of meters hold rows of other meters too, which are left out when they are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from meter_data.lake.columns import coded
from meter_data.lake.meter_ranges import ALL_METERS, MeterRange
from meter_data.lake.meter_row_groups import METER, MeterRowGroup
from meter_data.lake.schemas import CODED
from meter_data.lake.store import Store


@dataclass(frozen=True)
class Part:
    """Row groups of a Parquet file, by their numbers; None means all of them."""

    uri: str
    row_groups: tuple[int, ...] | None = None


def parts(groups: Iterable[MeterRowGroup], meters: MeterRange = ALL_METERS) -> tuple[Part, ...]:
    """Returns the row groups that may hold meters of a range, by file; files in the order in which they appear."""
    by_file: dict[str, list[int]] = {}
    for group in groups:
        if meters.overlaps(group):
            by_file.setdefault(group.uri, []).append(group.row_group)
    return tuple(Part(uri, tuple(sorted(numbers))) for uri, numbers in by_file.items())


def whole(uris: Iterable[str]) -> tuple[Part, ...]:
    """Returns all row groups of these files."""
    return tuple(Part(uri) for uri in uris)


def slices(store: Store, wanted: Iterable[Part], columns: Sequence[str], texts: Sequence[str]) -> Iterator[pa.Table]:
    """Yields these columns of the parts, in their order, in tables of a bounded number of rows.

    The columns named in `texts` are dictionaries.
    """
    for part in wanted:
        yield from store.read_slices(part.uri, columns, part.row_groups, texts)


def read(store: Store, wanted: Iterable[Part], schema: pa.Schema, meters: MeterRange = ALL_METERS) -> pa.Table:
    """Reads the rows of a range from parts of a table of days: the columns of `schema`, texts as dictionaries.

    `schema` names plain texts as such. The rows stay in their order.
    """
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    in_memory = pa.schema([(field.name, CODED if field.name in texts else field.type) for field in schema])
    tables = [in_memory.empty_table()]
    for part in wanted:
        table = store.read_parquet(part.uri, schema.names, part.row_groups, texts)
        tables.append(meters.rows(table.select(schema.names).cast(in_memory)))
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def rows_of_meters(
    store: Store, wanted: Iterable[Part], meters: Sequence[str], columns: Sequence[str], texts: Sequence[str] = ()
) -> Iterator[tuple[npt.NDArray[np.int64], pa.Table]]:
    """Yields the rows of these meters: for each row the place of its meter among `meters`, and its columns.

    The columns named in `texts` are dictionaries.
    """
    listed = pa.array(meters, pa.string())
    for table in slices(store, wanted, [METER, *columns], [METER, *texts]):
        place = coded(table[METER]).places_among(listed)
        kept, is_wanted = table.drop_columns([METER]), place >= 0
        if not is_wanted.all():
            place, kept = place[is_wanted], kept.filter(pa.array(is_wanted))
        yield place, kept
