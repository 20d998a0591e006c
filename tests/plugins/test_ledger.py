"""Which files are new: by content, not by name; a batch keeps its files; what is loaded is known."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from metering import ledger

from tests.plugins.object_store import ObjectStore

BATCH, NEXT = "20260102T090000-3fa2c1", "20260103T090000-aa11bb"
MERGED_AT = datetime(2026, 1, 2, 10, 20, tzinfo=UTC)
RECORDED_AT = datetime(2026, 1, 2, 10, 30, tzinfo=UTC)
MD5_OF_A, MD5_OF_BB = "0cc175b9c0f1b6a831c399e269772661", "21ad0bd836b90d08f4cf640b4c298e7c"


def find(
    s3: ObjectStore,
    batch: str = BATCH,
    reprocess: tuple[str, ...] = (),
    transformer: str = "london",
    description: dict[str, Any] | None = None,
) -> dict[str, Any] | None:
    return ledger.find_new_meter_files(
        s3,
        landing_bucket="landing",
        landing_prefix="readings/",
        clean_bucket="clean",
        batch=batch,
        reprocess=reprocess,
        transformer=transformer,
        description=description,
    )


def load(s3: ObjectStore, batch: str = BATCH) -> None:
    """Find new files and record them as loaded."""
    assert find(s3, batch)
    summary = {"batch": batch, "run": f"{batch}-1", "dates": ["20130101-20130131"], "partitions": []}
    ledger.record(s3, clean_bucket="clean", summary=summary, merged_at=MERGED_AT, recorded_at=RECORDED_AT)


def keys(s3: ObjectStore, batch: str = BATCH) -> list[str]:
    return [file["key"] for file in s3.json("clean", f"_manifests/{batch}.json")["files"]]


def test_new_files_go_into_a_manifest_in_order_of_delivery(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/b.csv", "a")
    s3.put_object("landing", "readings/2026/a.csv.gz", "bb")

    assert find(s3) == {"batch": BATCH, "files": 2, "bytes": 3}
    manifest = s3.json("clean", f"_manifests/{BATCH}.json")
    assert {len(file.pop("read_with")) for file in manifest["files"]} == {16}
    assert manifest == {
        "batch": BATCH,
        "files": [
            {
                "uri": "s3://landing/readings/b.csv",
                "key": "readings/b.csv",
                "etag": MD5_OF_A,
                "size": 1,
                "delivered_at": "2026-01-01T00:01:00Z",
            },
            {
                "uri": "s3://landing/readings/2026/a.csv.gz",
                "key": "readings/2026/a.csv.gz",
                "etag": MD5_OF_BB,
                "size": 2,
                "delivered_at": "2026-01-01T00:02:00Z",
            },
        ],
    }


def test_a_file_is_described_by_the_nearest_description_at_or_above_it(s3: ObjectStore) -> None:
    for key in ("a/x.csv", "a/b/x.csv", "a/b/c/x.csv", "ab/x.csv"):
        s3.put_object("landing", f"readings/{key}", key)
    for folder in ("a/", "a/b/c/", "other/"):
        s3.put_object("landing", f"readings/{folder}_transformer.json", "{}")

    find(s3)

    files = s3.json("clean", f"_manifests/{BATCH}.json")["files"]
    assert {file["key"]: file.get("described_by") for file in files} == {
        "readings/a/x.csv": "s3://landing/readings/a/_transformer.json",
        "readings/a/b/x.csv": "s3://landing/readings/a/_transformer.json",
        "readings/a/b/c/x.csv": "s3://landing/readings/a/b/c/_transformer.json",
        "readings/ab/x.csv": None,
    }


def test_without_new_files_there_is_no_manifest(s3: ObjectStore) -> None:
    assert find(s3) is None
    assert s3.keys("clean") == []


@pytest.mark.parametrize("key", ["readings/", "readings/2026/", "readings/_transformer.json", "other/a.csv"])
def test_what_nobody_delivered_as_a_meter_file_is_passed_over(
    s3: ObjectStore, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    s3.put_object("landing", key, "a")

    with caplog.at_level(logging.INFO, logger="metering.ledger"):
        assert find(s3) is None

    assert "passed over" not in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "_hidden.csv",
            "a",
            "its name begins with '_', as those of hidden and unfinished files do. Rename it to load it.",
        ),
        (
            ".hidden.csv",
            "a",
            "its name begins with '.', as those of hidden and unfinished files do. Rename it to load it.",
        ),
        ("empty.csv", "", "it is empty. Upload it again if it should hold readings."),
    ],
)
def test_a_file_that_is_not_read_is_named_in_the_log(
    s3: ObjectStore, caplog: pytest.LogCaptureFixture, name: str, content: str, reason: str
) -> None:
    s3.put_object("landing", f"readings/2026/{name}", content)
    s3.put_object("landing", "readings/2026/good.csv", "good")

    with caplog.at_level(logging.INFO, logger="metering.ledger"):
        assert find(s3) == {"batch": BATCH, "files": 1, "bytes": 4}

    assert keys(s3) == ["readings/2026/good.csv"]
    assert caplog.messages == [f"s3://landing/readings/2026/{name} is passed over: {reason}"]


def test_a_file_that_is_not_read_is_named_when_nothing_is_new(
    s3: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    s3.put_object("landing", "readings/_hidden\n.csv", "a")

    with caplog.at_level(logging.INFO, logger="metering.ledger"):
        assert find(s3) is None

    assert caplog.messages[0].startswith(r"'s3://landing/readings/_hidden\n.csv' is passed over: ")


def test_a_name_of_any_signs_stands_in_the_manifest_as_it_is(s3: ObjectStore) -> None:
    names = [
        "100%.csv",
        "x%20y.csv",
        "x y.csv",
        "a+b.csv",
        "März 2024.csv",
        "Q1=a&b;c.csv",
        "[2024] {a,b}.csv",
        "#?*.csv",
    ]
    for name in names:
        s3.put_object("landing", f"readings/{name}", name)

    assert find(s3) == {"batch": BATCH, "files": 8, "bytes": sum(len(name.encode()) for name in names)}
    files = s3.json("clean", f"_manifests/{BATCH}.json")["files"]
    assert [file["uri"] for file in files] == [f"s3://landing/readings/{name}" for name in names]


def test_a_loaded_file_is_not_loaded_again(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.csv", "a")
    load(s3)

    assert find(s3, NEXT) is None
    assert s3.keys("clean", "_manifests/") == [f"_manifests/{BATCH}.json"]


def test_the_same_bytes_under_another_name_are_known(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.csv", "a")
    load(s3)
    s3.put_object("landing", "readings/again.csv", "a")

    assert find(s3, NEXT) is None


def test_other_bytes_under_a_known_name_are_new(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.csv", "a")
    load(s3)
    s3.put_object("landing", "readings/a.csv", "bb")

    assert find(s3, NEXT) == {"batch": NEXT, "files": 1, "bytes": 2}


def test_the_same_bytes_twice_in_a_delivery_are_loaded_once_and_noted(
    s3: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    s3.put_object("landing", "readings/z.csv", "a")
    s3.put_object("landing", "readings/a.csv", "a")

    with caplog.at_level(logging.INFO, logger="metering.ledger"):
        assert find(s3) == {"batch": BATCH, "files": 1, "bytes": 1}

    assert keys(s3) == ["readings/z.csv"]
    assert "s3://landing/readings/a.csv is skipped: the same bytes as s3://landing/readings/z.csv" in caplog.text


def test_a_batch_keeps_its_files_when_its_run_is_cleared(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.csv", "a")
    load(s3)
    s3.put_object("landing", "readings/b.csv", "bb")

    assert find(s3, BATCH) == {"batch": BATCH, "files": 1, "bytes": 1}
    assert keys(s3) == ["readings/a.csv"]
    assert find(s3, NEXT) == {"batch": NEXT, "files": 1, "bytes": 2}


def test_files_of_a_run_that_died_are_taken_by_the_next(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.csv", "a")
    find(s3, BATCH)

    assert find(s3, NEXT) == {"batch": NEXT, "files": 1, "bytes": 1}


def test_a_known_file_can_be_loaded_again_by_its_key(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.csv", "a")
    s3.put_object("landing", "readings/b.csv", "bb")
    load(s3)

    assert find(s3, NEXT, reprocess=("readings/b.csv",)) == {"batch": NEXT, "files": 1, "bytes": 2}
    assert keys(s3, NEXT) == ["readings/b.csv"]


def test_a_file_to_load_again_that_is_not_there_is_named(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.csv", "a")

    with pytest.raises(ledger.UnknownMeterFileError, match=r"Not in the landing zone: b\.csv"):
        find(s3, reprocess=("readings/a.csv", "b.csv"))


def test_a_loaded_batch_leaves_an_entry_a_file_and_one_of_its_own(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.csv", "a")
    s3.put_object("landing", "readings/b.csv", "bb")
    find(s3)
    summary = {"batch": BATCH, "run": f"{BATCH}-2", "dates": ["20130101-20130131"], "partitions": [1, 2]}

    said = ledger.record(s3, clean_bucket="clean", summary=summary, merged_at=MERGED_AT, recorded_at=RECORDED_AT)

    assert said == {"batch": BATCH, "run": f"{BATCH}-2", "dates": ["20130101-20130131"]}
    assert s3.keys("clean", "_ledger/") == [f"_ledger/{MD5_OF_A}-1.json", f"_ledger/{MD5_OF_BB}-2.json"]
    assert s3.json("clean", f"_ledger/{MD5_OF_A}-1.json") == {
        "key": "readings/a.csv",
        "etag": MD5_OF_A,
        "size": 1,
        "batch": BATCH,
        "recorded_at": "2026-01-02T10:30:00Z",
    }
    times = {"merged_at": "2026-01-02T10:20:00Z", "recorded_at": "2026-01-02T10:30:00Z"}
    assert s3.json("clean", f"_batches/{BATCH}.json") == {**said, "files": 2, **times}
    assert ledger.merged_at(s3, "clean", BATCH) == MERGED_AT


def test_the_published_batches_come_oldest_first(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.csv", "a")
    load(s3, NEXT)
    s3.put_object("landing", "readings/b.csv", "bb")
    load(s3, BATCH)
    s3.put_object("landing", "readings/c.csv", "ccc")
    find(s3, "20260104T090000-cccccc")

    assert ledger.published_batches(s3, "clean") == [BATCH, NEXT]


def test_a_batch_that_is_loaded_again_is_swept_no_more(s3: ObjectStore) -> None:
    summary = {"batch": "b1", "run": "b1-2", "dates": []}
    s3.put_json("clean", "_manifests/b1.json", {"batch": "b1", "files": []})
    ledger.record_sweep(s3, clean_bucket="clean", batch="b1", swept_at=datetime(2026, 1, 2, tzinfo=UTC))
    assert ledger.swept_batches(s3, "clean") == {"b1"}

    ledger.record(
        s3, clean_bucket="clean", summary=summary, merged_at=MERGED_AT, recorded_at=datetime(2026, 1, 3, tzinfo=UTC)
    )

    assert ledger.swept_batches(s3, "clean") == set()


def set_aside(s3: ObjectStore, batch: str, *names: str) -> None:
    """The gate notes that files of the batch could not be read; the others are recorded as loaded."""
    uris = [f"s3://landing/readings/{name}" for name in names]
    files = [{"uri": uri, "set_aside": {"reason": f"{uri} is a ZIP archive. Unpack it."}} for uri in uris]
    read = {"uri": "s3://landing/readings/good.csv", "set_aside": None}
    summary = {"batch": batch, "files": [*files, read]}
    ledger.record_set_aside(s3, clean_bucket="clean", summary=summary, recorded_at=RECORDED_AT)
    merged = {"batch": batch, "run": f"{batch}-1", "dates": [], "partitions": []}
    ledger.record(
        s3, clean_bucket="clean", summary=merged, merged_at=MERGED_AT, recorded_at=RECORDED_AT, set_aside=uris
    )


def test_a_file_that_was_set_aside_is_not_tried_again_but_named(
    s3: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    s3.put_object("landing", "readings/a.zip", "a")
    s3.put_object("landing", "readings/good.csv", "bb")
    find(s3)
    set_aside(s3, BATCH, "a.zip")

    with caplog.at_level(logging.WARNING, logger="metering.ledger"):
        assert find(s3, NEXT) is None

    assert s3.keys("clean", "_ledger/") == [f"_ledger/{MD5_OF_BB}-2.json"]
    assert s3.json("clean", f"_batches/{BATCH}.json")["files"] == 1
    assert caplog.messages == [
        f"s3://landing/readings/a.zip is still set aside, because it could not be read in batch {BATCH}: "
        "s3://landing/readings/a.zip is a ZIP archive. Unpack it.\n"
        "It is tried again when it or its description has changed, with another transformer, or when reprocess names "
        "it."
    ]


def test_what_is_noted_of_a_file_that_was_set_aside(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.zip", "a")
    find(s3)
    read_with = s3.json("clean", f"_manifests/{BATCH}.json")["files"][0]["read_with"]
    set_aside(s3, BATCH, "a.zip")

    assert s3.keys("clean", "_set_aside/") == [f"_set_aside/{MD5_OF_A}-1-{read_with}.json"]
    assert s3.json("clean", f"_set_aside/{MD5_OF_A}-1-{read_with}.json") == {
        "key": "readings/a.zip",
        "etag": MD5_OF_A,
        "size": 1,
        "read_with": read_with,
        "batch": BATCH,
        "reason": "s3://landing/readings/a.zip is a ZIP archive. Unpack it.",
        "recorded_at": "2026-01-02T10:30:00Z",
    }


def test_a_file_of_a_manifest_of_an_earlier_version_is_tried_again(s3: ObjectStore) -> None:
    """Before files were set aside, manifests did not say what they were read with."""
    s3.put_object("landing", "readings/a.zip", "a")
    find(s3)
    manifest = s3.json("clean", f"_manifests/{BATCH}.json")
    del manifest["files"][0]["read_with"]
    s3.put_object("clean", f"_manifests/{BATCH}.json", json.dumps(manifest))
    set_aside(s3, BATCH, "a.zip")

    assert s3.keys("clean", "_set_aside/") == []
    assert find(s3, NEXT) == {"batch": NEXT, "files": 1, "bytes": 1}


def replaced(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.csv", "other")


def described(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/_transformer.json", '{"unit": "Wh"}')


@pytest.mark.parametrize(
    ("change", "way"),
    [
        (replaced, {}),
        (described, {}),
        (lambda s3: None, {"transformer": "london"}),
        (lambda s3: None, {"description": {"unit": "Wh"}}),
        (lambda s3: None, {"reprocess": ("readings/a.csv",)}),
    ],
    ids=["the file", "a description beside it", "the transformer", "the description of the run", "it is asked for"],
)
def test_a_file_that_was_set_aside_is_tried_again_when_something_has_changed(
    s3: ObjectStore, change: Callable[[ObjectStore], None], way: dict[str, Any]
) -> None:
    before: dict[str, Any] = {"transformer": "default", "description": {"unit": "kWh"}}
    s3.put_object("landing", "readings/a.csv", "a")
    find(s3, **before)
    set_aside(s3, BATCH, "a.csv")
    assert find(s3, NEXT, **before) is None

    change(s3)

    assert find(s3, NEXT, **(before | way)) is not None
    assert keys(s3, NEXT) == ["readings/a.csv"]


def test_a_description_that_has_changed_has_its_files_tried_again(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/own/a.csv", "a")
    s3.put_object("landing", "readings/own/_transformer.json", "{}")
    find(s3)
    set_aside(s3, BATCH, "own/a.csv")
    # A description beside the file wins over what the run says, so that changes nothing.
    assert find(s3, NEXT, transformer="default", description={"unit": "Wh"}) is None

    s3.put_object("landing", "readings/own/_transformer.json", '{"unit": "Wh"}')

    assert find(s3, NEXT) == {"batch": NEXT, "files": 1, "bytes": 1}


def test_the_run_description_is_nothing_to_a_file_of_another_transformer(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.csv", "a")
    find(s3, description={"unit": "kWh"})
    set_aside(s3, BATCH, "a.csv")

    assert find(s3, NEXT, description={"unit": "Wh"}) is None


def test_a_file_that_loads_after_all_is_set_aside_no_more(s3: ObjectStore) -> None:
    s3.put_object("landing", "readings/a.csv", "a")
    s3.put_object("landing", "readings/b.csv", "bb")
    find(s3)
    set_aside(s3, BATCH, "a.csv", "b.csv")
    assert len(s3.keys("clean", "_set_aside/")) == 2

    find(s3, NEXT, reprocess=("readings/a.csv",))
    set_aside(s3, NEXT)

    assert [key.split("/")[1][:34] for key in s3.keys("clean", "_set_aside/")] == [f"{MD5_OF_BB}-2"]
    assert s3.keys("clean", "_ledger/") == [f"_ledger/{MD5_OF_A}-1.json"]
