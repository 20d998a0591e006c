"""Tallies: what is counted of rows that lie in any order, and of rows in quarantine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.lake import schemas
from meter_data.lake.calendar import DAY, MICROSECONDS
from meter_data.lake.columns import coded
from meter_data.merging import tallies
from meter_data.merging.tallies import Rejects, RejectsTallied

from tests.glue import clean_zone
from tests.glue.clean_zone import FIRST, SECOND, Rejected
from tests.glue.folder_store import FolderStore

# 2013-01-30 and the days after it.
FIRST_DAY, DATES = 15735, ("20130130", "20130131", "20130201", "20130202")
ROWS = some.tuples(some.sampled_from(["a", "b"]), some.sampled_from(["M1", "M2"]), some.integers(0, 3))


@settings(deadline=None)
@given(some.lists(ROWS, min_size=1, max_size=30))
def test_rows_in_any_order_add_up_by_file_meter_and_day(rows: list[tuple[str, str, int]]) -> None:
    files, meters = (coded(pa.chunked_array([[row[place] for row in rows]])).in_order() for place in (0, 1))
    days = np.array([FIRST_DAY + row[2] for row in rows], np.int64)
    # The last microsecond of a day is still of that day.
    times = (days * DAY + DAY - 1) * MICROSECONDS + 999
    delivered_at = np.where(files.codes == 0, 10**15, 10**15 + 1)

    found = tallies.of_readings(files, meters, times, delivered_at)

    assert found.schema == schemas.TALLY
    counted: Counter[tuple[str, str, str]] = Counter()
    for row in found.to_pylist():
        counted[row["source_file"], row["meter_id"], row["date_str"]] += row["readings"]
        assert row["rejected"] == 0
        assert row["delivered_at"].microsecond == (row["source_file"] == "b") * (len(files.texts) - 1)
    assert counted == Counter((file, meter, DATES[day]) for file, meter, day in rows)


def test_rejects_with_a_meter_and_a_date_are_tallied_by_month(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    rejects = [
        Rejected("a.csv", FIRST, "M1", "20130131"),
        Rejected("a.csv", FIRST, "M1", "20130131"),
        Rejected("b.csv", SECOND, "M1", "20130131"),
        Rejected("b.csv", SECOND, "M2", "20130201"),
        Rejected("b.csv", SECOND, "M2", None),
        Rejected("b.csv", SECOND, None, "20130201"),
    ]
    clean_zone.quarantine(store, "b1", rejects)
    folder = tallies.folder_of("clean", "b1")
    files = tuple(store.parquet_files("s3://clean/quarantine/batch=b1/"))

    written = tuple(f"{folder}month={month}/rejects.parquet" for month in ("201301", "201302"))
    assert tallies.tally_rejects(store, Rejects(files, folder, 6)) == RejectsTallied(4, 2, written)

    assert len(files) == 2
    written = store.parquet_files(folder)
    assert written == [f"s3://clean/tallies/batch=b1/month=20130{month}/rejects.parquet" for month in (1, 2)]
    january, february = (store.read_parquet(uri) for uri in written)
    assert january.schema == schemas.TALLY
    columns = ("source_file", "meter_id", "date_str", "readings", "rejected")
    assert [tuple(row[name] for name in columns) for row in january.to_pylist()] == [
        ("s3://landing/readings/a.csv", "M1", "20130131", 0, 2),
        ("s3://landing/readings/b.csv", "M1", "20130131", 0, 1),
    ]
    assert [row["meter_id"] for row in february.to_pylist()] == ["M2"]


def test_rejects_of_which_none_can_be_attributed_leave_no_file(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    clean_zone.quarantine(store, "b1", [Rejected("a.csv", FIRST, None, None)] * 3)
    files = tuple(store.parquet_files("s3://clean/quarantine/batch=b1/"))
    assert tallies.tally_rejects(store, Rejects(files, tallies.folder_of("clean", "b1"), 3)) == RejectsTallied(0, 3)
    assert store.parquet_files("s3://clean/tallies/") == []
