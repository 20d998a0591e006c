"""Days of a range of meters and what is judged of them; months that are written anew."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from meter_data.anomalies import detection
from meter_data.anomalies.design import Floats
from meter_data.anomalies.detection import Rows
from meter_data.lake import meter_row_groups
from meter_data.lake.meter_row_groups import MeterRowGroup
from meter_data.lake.schemas import ANOMALY

from tests.glue.folder_store import FolderStore
from tests.glue.meter_data.anomalies.series import LEVEL, judged, ordinary, shared

DAYS = 60


def judge(consumption: Floats, judged_before: int = 0) -> Rows:
    is_new = np.isfinite(consumption)
    is_new[0, :judged_before] = False
    return detection.judge_rows(consumption, is_new, shared(DAYS), LEVEL)


def test_the_days_that_are_new_are_judged_as_the_whole_series_is() -> None:
    given = ordinary(2, DAYS)
    given[1, 10:20] = np.nan

    found = judge(given, judged_before=57)

    expected = judged(given)
    assert found.meter.tolist() == [0] * 3 + [1] * 50
    assert found.day.tolist() == [57, 58, 59, *range(10), *range(20, 60)]
    places = (found.meter, found.day)
    assert found.consumption.tolist() == given[places].tolist()
    assert found.lower == pytest.approx(expected.lower[places])
    assert found.upper == pytest.approx(expected.upper[places])
    assert found.anomaly.tolist() == expected.anomaly[places].tolist()
    assert found.importance == pytest.approx(expected.importance[places], abs=1e-9)


def test_a_meter_is_judged_from_its_28th_day_on() -> None:
    given = ordinary(2, DAYS)
    given[0, 28:] = given[1, 27:] = np.nan

    assert judge(given).meter.tolist() == [0] * 28


def test_what_is_no_number_is_not_judged() -> None:
    given = ordinary(1, DAYS)
    given[0, 3:5] = [np.nan, np.inf]

    found = detection.judge_rows(given, np.ones((1, DAYS), bool), shared(DAYS), LEVEL)

    assert sorted(set(range(DAYS)) - set(found.day.tolist())) == [3, 4]


def test_where_all_is_judged_nothing_comes_out() -> None:
    found = judge(ordinary(1, DAYS), judged_before=DAYS)

    assert len(found.day) == len(found.consumption) == 0


def test_chunks_of_meters_are_put_together_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ordinary(5, DAYS)
    given[2, 20:] = np.nan
    together = judge(given)
    monkeypatch.setattr(detection, "METERS_A_CHUNK", 2)
    apart = judge(given)

    assert apart.meter.tolist() == together.meter.tolist() == [meter for meter in (0, 1, 3, 4) for _ in range(DAYS)]
    assert apart.lower == pytest.approx(together.lower, abs=1e-9)


def rows_of(*keys: tuple[str, int]) -> pa.Table:
    """Rows of the table anomaly, of days of May 2013."""
    rows = [{"meter_id": meter, "ds": date(2013, 5, day), "anomaly": day} for meter, day in keys]
    return pa.Table.from_pylist(rows, ANOMALY)


def months(
    store: FolderStore, new: list[pa.Table], published: pa.Table
) -> tuple[list[detection.Month], list[tuple[str, int]]]:
    """The items that write May anew, and the rows that they write: meter and day."""
    files = []
    for number, table in enumerate(new):
        uri = f"s3://b/judged/201305/{number}.parquet"
        store.write_parquet(uri, table, 1000)
        files.append(
            {"201305": MeterRowGroup(uri, 0, len(table), table["meter_id"][0].as_py(), table["meter_id"][-1].as_py())}
        )
    store.write_parquet("s3://b/old/1.parquet", published, 3)
    groups = meter_row_groups.of_files(store, ["s3://b/old/1.parquet"])
    items = detection.items_of_months(files, {"201305": groups, "201304": groups}, "s3://b/new/")
    counts = [detection.write_month(store, item) for item in items]
    tables = [store.read_parquet(item.uri) for item in items]
    assert [len(table) for table in tables] == counts
    assert all(table.schema.names == ANOMALY.names for table in tables)
    found = [(row["meter_id"], row["anomaly"]) for table in tables for row in table.to_pylist()]
    return items, found


def test_a_month_holds_new_rows_and_those_that_it_had(tmp_path: Path) -> None:
    new = [rows_of(("M1", 2), ("M1", 9)), rows_of(("M3", 1), ("M4", 1))]
    published = rows_of(("M0", 5), ("M1", 1), ("M1", 5), ("M2", 7), ("M9", 1))
    items, found = months(FolderStore(tmp_path), new, published)
    assert [item.uri for item in items] == ["s3://b/new/month=201305/0001.parquet"]
    assert found == [
        ("M0", 5),
        ("M1", 1),
        ("M1", 2),
        ("M1", 5),
        ("M1", 9),
        ("M2", 7),
        ("M3", 1),
        ("M4", 1),
        ("M9", 1),
    ]


def test_a_large_month_is_written_as_files_of_ranges_of_meters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meters = [f"M{number:02d}" for number in range(20)]
    new = [rows_of(*((meter, 9) for meter in meters[start : start + 5])) for start in range(0, 20, 5)]
    published = rows_of(*((meter, day) for meter in ["A", *meters, "Z"] for day in (1, 2)))
    monkeypatch.setattr(detection, "ROWS_AN_ITEM", 20)
    items, found = months(FolderStore(tmp_path), new, published)
    assert len(items) > 2
    expected = [(meter, day) for meter in meters for day in (1, 2, 9)]
    assert found == [("A", 1), ("A", 2), *expected, ("Z", 1), ("Z", 2)]
