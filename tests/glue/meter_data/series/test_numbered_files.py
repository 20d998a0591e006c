"""Objects by number."""

from __future__ import annotations

from pathlib import Path

from meter_data.series import numbered_files

from tests.glue.folder_store import FolderStore


def test_objects_are_found_by_the_number_in_their_name(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for name in ("0010.jsonl.out", "0002.jsonl.out", "0002.jsonl.manifest", "12.jsonl", "1000.jsonl", "10000.jsonl"):
        store.write(f"s3://working/forecast/b1/transformed/{name}", b"")
    store.write("s3://working/forecast/b10/transformed/0003.jsonl", b"")
    place = "s3://working/forecast/b1/transformed/"
    assert list(numbered_files.found(store, place).items()) == [
        (2, f"{place}0002.jsonl.out"),
        (10, f"{place}0010.jsonl.out"),
        (1000, f"{place}1000.jsonl"),
        (10000, f"{place}10000.jsonl"),
    ]
    assert numbered_files.found(store, "s3://working/forecast/b2/transformed/") == {}


def test_an_object_is_found_by_the_name_that_it_is_given() -> None:
    assert numbered_files.uri_of("s3://working/b1/", 7) == "s3://working/b1/0007.jsonl"
    assert numbered_files.uri_of("s3://working/b1/", 12345) == "s3://working/b1/12345.jsonl"
