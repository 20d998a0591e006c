"""The list of a batch's row groups comes back as it was written."""

from pathlib import Path

from meter_data.lake import clean_row_groups
from meter_data.lake.clean_row_groups import CleanRowGroup

from tests.glue.folder_store import FolderStore


def test_the_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    groups = [
        CleanRowGroup("s3://clean/b.parquet", 0, 3, "MAC1", "MAC9", "INT", "201301", "20130101", "20130131"),
        CleanRowGroup("s3://clean/a.parquet", 1, 1, "MAC2", "MAC2", "ERR", "201302", "20130205", "20130205"),
    ]
    store = FolderStore(tmp_path)
    clean_row_groups.write(store, "s3://clean/_summaries/b/clean_row_groups.parquet", groups)
    assert clean_row_groups.read(store, "s3://clean/_summaries/b/clean_row_groups.parquet") == groups


def test_a_batch_without_readings_has_an_empty_list(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    clean_row_groups.write(store, "s3://clean/list.parquet", [])
    assert clean_row_groups.read(store, "s3://clean/list.parquet") == []
