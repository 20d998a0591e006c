"""Columns of the clean zone: dictionaries that hold what their rows name, and no more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.cleaning import clean_zone
from meter_data.cleaning.clean_zone import Readings, Source
from meter_data.lake.schemas import CLEAN, TYPES

from tests.glue.folder_store import FolderStore

TIMES = [0, 1_356_998_400_000, 1_359_676_799_999, 1_359_676_800_000]  # 1970, 1 and 31 January and 1 February 2013
METERS = ["M1", "M10", "M2"]


@settings(deadline=None)
@given(data=some.data(), number=some.integers(0, 12), texts=some.integers(0, 12))
def test_a_dictionary_holds_the_texts_of_its_rows(data: some.DataObject, number: int, texts: int) -> None:
    codes = data.draw(some.lists(some.integers(-1, texts - 1), min_size=number, max_size=number))
    names = [f"text {at}" for at in range(texts)]

    found = clean_zone._few(np.array(codes, np.int32), pa.array(names, pa.string()))

    assert found.to_pylist() == [None if code < 0 else names[code] for code in codes]
    assert found.dictionary.to_pylist() == [name for at, name in enumerate(names) if at in codes]


@settings(deadline=None, max_examples=50)
@given(
    rows=some.lists(some.tuples(some.integers(0, 2), some.integers(0, 2), some.integers(0, 3)), max_size=30),
    rows_a_group=some.integers(1, 8),
)
def test_readings_lie_sorted_in_groups_of_one_type_and_month(
    rows: list[tuple[int, int, int]], rows_a_group: int
) -> None:
    """Each row is a type, a meter and a time, by their places."""
    types, meters, times = (np.array([row[at] for row in rows], np.int32) for at in range(3))
    none, texts = np.full(len(rows), -1, np.int32), pa.array([], pa.string())
    readings = Readings(
        meter_ids=pa.array(METERS),
        meter=meters,
        times=np.array(TIMES),
        time=times,
        kwh=np.arange(len(rows), dtype=np.float64),
        reading_type=types.astype(np.uint8),
        obis_codes=texts,
        obis=none,
        error_codes=texts,
        error=none,
        row=np.arange(len(rows)),
        sources=(Source("s3://landing/a.csv", 0),),
        source=np.zeros(len(rows), np.int32),
    )
    months = ["197001", "201301", "201301", "201302"]
    wanted = sorted((kind, months[time], METERS[meter], TIMES[time], at) for at, (kind, meter, time) in enumerate(rows))

    groups = list(clean_zone._sorted_groups(readings, rows_a_group))
    tables = [clean_zone.columns(readings, places, clean_zone.OF_READINGS) for _, _, places in groups]

    found = [
        (TYPES.index(row["reading_type"]), row["date_str"][:6], row["meter_id"], row["source_row"])
        for table in tables
        for row in table.to_pylist()
    ]
    assert found == [(kind, month, meter, at) for kind, month, meter, _, at in wanted]
    assert all(len({(row["reading_type"], row["date_str"][:6]) for row in table.to_pylist()}) == 1 for table in tables)
    assert all(table.num_rows <= rows_a_group for table in tables)


def test_a_file_without_readings_has_its_columns(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with clean_zone.CleanFile("clean", "b1", "00000.parquet") as file:
        file.write(store)
    assert store.read_parquet(file.uri).schema.names == CLEAN.names
    assert file.groups == []
