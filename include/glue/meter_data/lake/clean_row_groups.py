"""The list of a batch's row groups in the clean zone, which raw_to_clean writes and clean_to_business reads.

A Parquet file of the clean zone is sorted by reading type, month, meter and time, and each of its row groups holds one
reading type and month. So a partition of the business zone is made from exactly the row groups that the list names.

    uri           of the Parquet file
    row_group     its number within the file, from 0
    reading_type, month (yyyyMM, UTC)
    rows
    first_meter, last_meter
    first_day, last_day (yyyyMMdd, UTC)

The list is in the order of the files: by time of upload, then by key, then by place in the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import pyarrow as pa

from meter_data.lake.meter_row_groups import MeterRowGroup
from meter_data.lake.store import Store

SCHEMA = pa.schema(
    [
        ("uri", pa.string()),
        ("row_group", pa.int32()),
        ("reading_type", pa.string()),
        ("month", pa.string()),
        ("rows", pa.int64()),
        ("first_meter", pa.string()),
        ("last_meter", pa.string()),
        ("first_day", pa.string()),
        ("last_day", pa.string()),
    ]
)
_ROWS_A_GROUP = 100_000


@dataclass(frozen=True)
class CleanRowGroup(MeterRowGroup):
    """A row group of the clean zone; see above."""

    reading_type: str
    month: str
    first_day: str
    last_day: str


def write(store: Store, uri: str, groups: Iterable[CleanRowGroup]) -> None:
    """Writes the list of a batch."""
    table = pa.Table.from_pylist([asdict(group) for group in groups], schema=SCHEMA)
    store.write_parquet(uri, table, _ROWS_A_GROUP)


def read(store: Store, uri: str) -> list[CleanRowGroup]:
    """Reads the list of a batch, in its order."""
    return [CleanRowGroup(**row) for row in store.read_parquet(uri).to_pylist()]
