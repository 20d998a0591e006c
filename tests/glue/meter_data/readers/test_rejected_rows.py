"""Rejected rows: what quarantine has of each, and that a file of nothing else costs little."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from meter_data import readers
from meter_data.cleaning.clean_zone import Source
from meter_data.cleaning.quarantine import QuarantineFile
from meter_data.readers.judged import JudgedRows, OpenedFile

from tests.glue.deliveries import DELIVERED_AT, KAGGLE, meter_file
from tests.glue.folder_store import FolderStore

DESCRIPTION = {"meter_id_column": "LCLid", "date_time_column": "tstp", "value_column": "energy(kWh/hh)"}
ROWS = 3_000


def judged(root: Path, transformer: str, content: str) -> tuple[OpenedFile, list[JudgedRows]]:
    """A file below the header KAGGLE, opened, and its rows."""
    store, file = FolderStore(root), meter_file(f"{KAGGLE}\n{content}".encode(), delivered_at=DELIVERED_AT)
    store.write(file.uri, f"{KAGGLE}\n{content}".encode())
    opened = readers.named(transformer, DESCRIPTION if transformer == "default" else {}, "a test").open(store, file)
    assert opened is not None
    return opened, list(opened.judged())


@pytest.mark.parametrize("transformer", ["london", "default"])
def test_rejects_come_in_the_order_of_the_file_with_what_can_be_read_of_them(tmp_path: Path, transformer: str) -> None:
    lines = [
        "M1,2013-01-01 00:30:00,x", "", "M1,2013-01-01 00:30:00,1", "M2,yesterday,1", "M3,2013-01-02 00:00:00", "  ",
        KAGGLE, "M/4,2013-01-03 00:00:00,1",
    ]  # fmt: skip
    opened, (rows,) = judged(tmp_path, transformer, "\n".join(lines))

    found = [
        row
        for each in opened.rejects(rows)
        for row in zip(
            each.lines, each.reasons.to_pylist(), each.meter_ids.to_pylist(), each.dates.to_pylist(), strict=True
        )
    ]

    # Only the transformer london looks for a meter and a time in a line of the wrong width.
    of_short_line = ("M3", "20130102") if transformer == "london" else (None, None)
    assert found == [
        (b"M1,2013-01-01 00:30:00,x", "not_a_number", "M1", "20130101"),
        (b"", "empty_line", None, None),
        (b"M2,yesterday,1", "malformed_timestamp", "M2", None),
        (b"M3,2013-01-02 00:00:00", "wrong_field_count", *of_short_line),
        (b"  ", "empty_line", None, None),
        (b"M/4,2013-01-03 00:00:00,1", "invalid_meter_id", None, "20130103"),
    ]


@pytest.mark.parametrize("transformer", ["london", "default"])
@pytest.mark.parametrize("line", ["", "M1,never,0.219", "M1,2013-01-01 00:30:00"])
def test_no_function_is_called_for_each_rejected_row(tmp_path: Path, transformer: str, line: str) -> None:
    """A delivery may hold millions of rejects. What is done for each costs CPU seconds for all."""
    opened, (rows,) = judged(tmp_path, transformer, f"{line}\n" * ROWS)
    source = Source("s3://landing/readings/a.csv", 1_433_160_000_000)
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    with QuarantineFile("s3://clean/quarantine/a.parquet", source) as quarantine:
        sys.setprofile(count)
        try:
            quarantine.add(opened.rejects(rows))
        finally:
            sys.setprofile(None)

        assert quarantine.by_reason.total() == ROWS
    assert calls < ROWS / 2
