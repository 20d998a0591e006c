"""Documents and folders on S3."""

from __future__ import annotations

from typing import Any

import pytest
from transformers.zones import storage


def test_a_document_comes_back_as_it_was_written(s3: Any) -> None:
    storage.write_json(s3, "s3://landing/_summaries/b/raw_to_clean.json", {"batch": "b", "name": "é", "rows": 3})
    assert storage.read_json(s3, storage.summary_uri("landing", "b", "raw_to_clean")) == {
        "batch": "b",
        "name": "é",
        "rows": 3,
    }


def test_a_folder_is_deleted_with_all_below_and_nothing_beside(s3: Any) -> None:
    for key in ("q/batch=1/a", "q/batch=1/b/c", "q/batch=10/a", "q/batch=2/a"):
        s3.put_object(Bucket="landing", Key=key, Body=b"")
    assert storage.delete_folder(s3, "s3://landing/q/batch=1/") == 2
    assert storage.delete_folder(s3, "s3://landing/q/batch=1/") == 0
    left = [item["Key"] for item in s3.list_objects_v2(Bucket="landing")["Contents"]]
    assert left == ["q/batch=10/a", "q/batch=2/a"]


def test_a_prefix_that_is_no_folder_is_not_deleted(s3: Any) -> None:
    with pytest.raises(ValueError, match="must end in a slash"):
        storage.delete_folder(s3, "s3://landing/q/batch=1")


@pytest.mark.parametrize("uri", ["http://b/k", "b/k", "s3:///k"])
def test_what_is_no_place_on_s3_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="no place on S3"):
        storage.split_uri(uri)


def test_a_key_may_hold_signs_that_mean_something_in_a_url() -> None:
    assert storage.split_uri("s3://landing/a b?c#d%20.csv") == ("landing", "a b?c#d%20.csv")
