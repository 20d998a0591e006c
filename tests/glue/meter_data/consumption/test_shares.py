"""Files of days are shared out when they have too many rows for one item."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from meter_data.consumption.shares import Limits, shares_of_days
from meter_data.lake.meter_ranges import ALL_METERS, MeterRange
from meter_data.lake.table_parts import Part

from tests.glue.folder_store import FolderStore

NEW, OLD = "s3://b/new.parquet", "s3://b/old.parquet"


def test_few_rows_are_one_share_and_many_are_cut_by_meter(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.write_parquet(NEW, pa.table({"meter_id": ["M1"] * 4 + ["M2"] * 4}), 4)
    store.write_parquet(OLD, pa.table({"meter_id": ["M2"] * 2}), 4)

    (share,) = shares_of_days(store, [[NEW], [OLD]], 10, Limits(days=10))
    assert (share.meters, share.rows, share.parts) == (ALL_METERS, 10, ((Part(NEW),), (Part(OLD),)))

    first, second = shares_of_days(store, [[NEW], [OLD]], 10, Limits(days=6))
    assert (first.meters, first.rows, first.parts) == (MeterRange(None, "M2"), 4, ((Part(NEW, (0,)),), ()))
    assert (second.meters, second.rows) == (MeterRange("M2", None), 6)
    assert second.parts == ((Part(NEW, (1,)),), (Part(OLD, (0,)),))


def test_a_row_of_a_day_counts_as_much_as_the_readings_that_an_item_may_have_for_it() -> None:
    assert Limits(readings=80, days=10).weight_of_day == 8
    assert Limits(readings=1, days=10).weight_of_day == 1
