"""Turns what the raw_to_clean of Spark writes into what the new one writes, as long as the old one is there.

To be deleted with it.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from meter_data.lake import row_groups, schemas, summaries
from meter_data.lake.row_groups import RowGroup
from meter_data.lake.store import SNAPPY, Store

ORDER = ("reading_type", "month_of_reading", "meter_id", "reading_date_time", "source_row")


def bring_up_to_date(store: Store, clean_bucket: str, batch: str) -> None:
    """Writes a batch's files again, one a meter file, with source_row, and their list. A second time does nothing."""
    folder = f"s3://{clean_bucket}/clean/batch={batch}/"
    old = [uri for uri in store.parquet_files(folder) if "/_" not in uri.removeprefix(folder)]
    tables = [store.read_parquet(uri) for uri in old]
    if any("source_row" in table.column_names for table in tables):
        return
    rows = pa.concat_tables(tables) if tables else _without_row().empty_table()
    rows = rows.cast(_without_row())
    store.delete(old)
    files = {
        name: rows.filter(pc.equal(rows["source_file"], name)) for name in pc.unique(rows["source_file"]).to_pylist()
    }
    listed: list[RowGroup] = []
    in_order = sorted(
        files.values(), key=lambda file: (file["delivered_at"][0].as_py(), file["source_file"][0].as_py())
    )
    for number, file in enumerate(in_order):
        uri = f"{folder}{number:05d}.parquet"
        groups = _groups(file)
        store.write_row_groups(uri, _clean(), iter(groups), SNAPPY)
        listed += [_listed(uri, place, group) for place, group in enumerate(groups)]
    row_groups.write(store, summaries.row_groups_uri(clean_bucket, batch), listed)


def _groups(file: pa.Table) -> list[pa.Table]:
    """The rows of a meter file, sorted, by reading type and month."""
    file = file.append_column("source_row", pa.array(np.arange(file.num_rows)))
    months = pc.utf8_slice_codeunits(file["date_str"], 0, 6)
    file = file.append_column("month_of_reading", months).sort_by([(name, "ascending") for name in ORDER])
    partitions = pc.binary_join_element_wise(file["reading_type"], file["month_of_reading"], "/")
    found = pc.unique(partitions).to_pylist()
    return [file.filter(pc.equal(partitions, name)).select(_clean().names).cast(_clean()) for name in found]


def _listed(uri: str, place: int, group: pa.Table) -> RowGroup:
    meters, days = (sorted(pc.unique(group[name]).to_pylist()) for name in ("meter_id", "date_str"))
    kind = group["reading_type"][0].as_py()
    return RowGroup(uri, place, kind, days[0][:6], group.num_rows, meters[0], meters[-1], days[0], days[-1])


def _clean() -> pa.Schema:
    """The columns of the clean zone, texts as texts."""
    return pa.schema(
        [(field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type) for field in schemas.CLEAN]
    )


def _without_row() -> pa.Schema:
    return pa.schema([field for field in _clean() if field.name != "source_row"])
