"""Rows of an hour that clocks show twice: kept beside the clean zone, decided together, written like others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import meter_data.readers
import numpy as np
import pyarrow as pa
import pytest
from meter_data.cleaning import items as cleaning
from meter_data.cleaning import undecided
from meter_data.lake.schemas import CLEAN
from meter_data.lake.store import Store
from meter_data.meter_files.manifest import MeterFile
from meter_data.readers import rules
from meter_data.readers.judged import AmbiguousTimes, JudgedRows, Rejects

from tests.glue.deliveries import clean

HOUR = 3_600_000
# 2013-10-27 00:30 and 01:30 UTC: both are 01:30 on clocks in London.
EARLIER = 1_382_833_800_000
LATER = EARLIER + HOUR
WALL_CLOCK = LATER


@dataclass(frozen=True)
class FewRows:
    """Reads a file whose every line is a meter: one row at the earlier time, ambiguous; of the meter `plain`, not."""

    def can_be_cut(self, file: MeterFile) -> bool:
        return False

    def open(self, store: Store, file: MeterFile) -> OpenedRows:
        with store.open_stream(file.uri) as stream:
            return OpenedRows(stream.read().decode().split())


@dataclass(frozen=True)
class OpenedRows:
    meters: list[str]
    reasons = ()

    def judged(self) -> Iterator[JudgedRows]:
        number = len(self.meters)
        ids = sorted(set(self.meters))
        none, codes = np.full(number, -1, np.int32), pa.array([], pa.string())
        rows = np.array([at for at, meter in enumerate(self.meters) if meter != "plain"], np.int64)
        yield JudgedRows(
            row=np.arange(number) + 10,
            meter_ids=pa.array(ids),
            meter=np.array([ids.index(meter) for meter in self.meters], np.int32),
            times=np.array([EARLIER]),
            time=np.zeros(number, np.int32),
            kwh=np.arange(number) / 2,
            reading_type=np.zeros(number, np.uint8),
            obis_codes=pa.array(["1-0:1.8.0"]),
            obis=np.zeros(number, np.int32),
            error_codes=codes,
            error=none,
            reason=np.full(number, rules.NO_REASON, np.uint8),
            misshapen=np.empty(0, np.int64),
            ambiguous=AmbiguousTimes(
                rows, np.full(len(rows), WALL_CLOCK), np.full(len(rows), LATER), np.zeros(len(rows), bool)
            ),
        )

    def rejects(self, rows: JudgedRows) -> Iterator[Rejects]:
        yield from ()


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> list[pa.Table]:
    """What is to be decided. The first row of each meter is the earlier one, all others are later ones."""
    tables: list[pa.Table] = []

    def decided(table: pa.Table) -> pa.Table:
        tables.append(table)
        meters = table["meter_id"].to_pylist()
        is_first = [meters.index(meter) == at for at, meter in enumerate(meters)]
        instants = np.where(is_first, EARLIER, LATER) * 1000
        place = table.schema.get_field_index("reading_date_time")
        return table.set_column(place, table.schema.field(place), pa.array(instants).cast(pa.timestamp("us", "UTC")))

    modules: dict[str, Any] = {"few_rows": ModuleType("few_rows"), "repeated_hour": ModuleType("repeated_hour")}
    modules["few_rows"].reader = lambda description, origin: FewRows()
    modules["repeated_hour"].decided = decided
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, f"meter_data.readers.{name}", module)
        monkeypatch.setattr(meter_data.readers, name, module, raising=False)
    monkeypatch.setattr(meter_data.readers, "named", lambda name, description, origin: FewRows())
    return tables


def test_rows_of_all_files_are_decided_together_and_counted_with_their_file(
    tmp_path: Path, seen: list[pa.Table]
) -> None:
    cleaned = clean(tmp_path, {"a": b"m1 plain m2", "b": b"plain", "c": b"m2 m1 m1"})

    (table,) = seen
    assert table.schema.equals(undecided.SCHEMA)
    columns = ("meter_id", "file_order", "source_row", "reading_value", "wall_clock", "later", "is_register")
    assert [tuple(row[name] for name in columns) for row in table.to_pylist()] == [
        (*row, WALL_CLOCK, LATER, False)
        for row in [("m1", 0, 10, 0.0), ("m2", 0, 12, 1.0), ("m2", 2, 10, 0.0), ("m1", 2, 11, 0.5), ("m1", 2, 12, 1.0)]
    ]
    assert cleaned.clean_files() == ["00000.parquet", "00001.parquet", "00002.parquet", "decided.parquet"]
    decided = cleaned.store.read_parquet("s3://clean/clean/batch=b1/decided.parquet")
    assert decided.schema.names == CLEAN.names
    assert set(decided["source_batch"].to_pylist()) == {"b1"}
    found = [
        (row["meter_id"], row["reading_date_time"], row["source_file"][-1], row["source_row"], row["obis_code"])
        for row in decided.to_pylist()
    ]
    first, second = (datetime.fromtimestamp(time / 1000, UTC) for time in (EARLIER, LATER))
    assert found == [
        ("m1", first, "a", 10, "1-0:1.8.0"),
        ("m1", second, "c", 11, "1-0:1.8.0"),
        ("m1", second, "c", 12, "1-0:1.8.0"),
        ("m2", first, "a", 12, "1-0:1.8.0"),
        ("m2", second, "c", 10, "1-0:1.8.0"),
    ]
    assert {row["hour"] for row in decided.to_pylist()} == {0, 1}
    assert [(file["rows"], file["good"]) for file in cleaned.summary["files"]] == [(3, 3), (1, 1), (3, 3)]
    texts = ["2013-10-27T00:30:00.000Z", "2013-10-27T01:30:00.000Z"]
    assert [(file["first"], file["last"]) for file in cleaned.summary["files"]] == [
        (texts[0], texts[0]),
        (texts[0], texts[0]),
        (texts[1], texts[1]),
    ]


def test_the_decided_rows_are_in_the_list_of_row_groups_and_the_side_files_go(tmp_path: Path) -> None:
    cleaned = clean(tmp_path, {"a": b"m1 plain m2", "b": b"m3"})

    assert [(group.uri.rpartition("/")[2], group.row_group, group.rows) for group in cleaned.groups] == [
        ("00000.parquet", 0, 1),
        ("decided.parquet", 0, 3),
    ]
    last = cleaned.groups[-1]
    assert (last.first_meter, last.last_meter, last.first_day, last.last_day) == ("m1", "m3", "20131027", "20131027")
    assert cleaned.store.listed("s3://clean/_undecided/") == []


def test_a_delivery_of_which_nothing_is_undecided_has_no_second_step(tmp_path: Path, seen: list[pa.Table]) -> None:
    cleaned = clean(tmp_path, {"a": b"plain"})
    assert (seen, cleaned.clean_files()) == ([], ["00000.parquet"])
    assert cleaning.undecided_item([], "clean", "b1") is None
