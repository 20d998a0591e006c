"""raw_to_clean as a job run on S3: meter files come in, readings, rejects and the summary go out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as parquet
import pytest

from tests.glue.deliveries import KAGGLE, OFFICIAL, packed
from tests.glue.job_runs.load_platform import LoadPlatform, text_of

pytestmark = pytest.mark.slow

ROW = "MAC000002,Std,2012-12-31 00:30:00.0000000, 0.25 "
NULL = "MAC000003,2013-01-01 12:37:27.0000000,Null"


@pytest.fixture(scope="module")
def platform(aws: Callable[[str], Any]) -> LoadPlatform:
    return LoadPlatform(aws)


def deliver(platform: LoadPlatform, batch: str, **files: bytes) -> list[dict[str, Any]]:
    """Puts files into the landing zone, and the manifest of the batch into the clean zone."""
    listed = [
        {**platform.put("landing", f"readings/{name}", content), "delivered_at": "2014-01-01T09:00:00Z"}
        for name, content in files.items()
    ]
    platform.put("clean", f"_manifests/{batch}.json", json.dumps({"batch": batch, "files": listed}).encode())
    return listed


def rows(platform: LoadPlatform, key: str) -> list[dict[str, Any]]:
    return parquet.read_table(io.BytesIO(platform.content("clean", key))).to_pylist()


def test_a_delivery_becomes_readings_rejects_and_a_summary(platform: LoadPlatform) -> None:
    files = {
        "a.csv": text_of(OFFICIAL, ROW, "bad").encode(),
        "b [x] %20 é#?.csv.gz": packed(text_of(KAGGLE, NULL).encode()),
        "c.csv": b"PK\x03\x04" + b"\0" * 100,
    }
    deliver(platform, "b1", **files)
    platform.put("clean", "quarantine/batch=b1/00009.parquet", b"of a former try")

    assert platform.raw_to_clean("b1") is None

    summary = platform.summary("b1", "raw_to_clean")
    assert [(file["good"], file["rejected"], bool(file["set_aside"])) for file in summary["files"]] == [
        (1, 1, False),
        (1, 0, False),
        (0, 0, True),
    ]
    assert "readings/c.csv cannot be read: it is a ZIP archive." in summary["files"][2]["set_aside"]["reason"]
    assert platform.keys("clean", "clean/") == ["clean/batch=b1/00000.parquet", "clean/batch=b1/00001.parquet"]
    (reading,) = rows(platform, "clean/batch=b1/00001.parquet")
    assert (reading["meter_id"], reading["error_code"]) == ("MAC000003", "NULL")
    assert reading["source_file"] == f"s3://{platform.buckets['landing']}/readings/b [x] %20 é#?.csv.gz"
    assert platform.keys("clean", "quarantine/") == ["quarantine/batch=b1/00000.parquet"]
    assert [row["line"] for row in rows(platform, "quarantine/batch=b1/00000.parquet")] == ["bad"]
    assert [row["rows"] for row in rows(platform, "_summaries/b1/clean_row_groups.parquet")] == [1, 1]


def test_a_file_that_has_changed_or_is_gone_fails_the_job(platform: LoadPlatform) -> None:
    (file,) = deliver(platform, "b2", **{"changed.csv": text_of(OFFICIAL, ROW).encode()})
    platform.put("landing", "readings/changed.csv", text_of(OFFICIAL, ROW, ROW).encode())
    assert "changed.csv has changed since it was listed" in (platform.raw_to_clean("b2") or "")

    platform.s3.delete_object(Bucket=platform.buckets["landing"], Key=file["key"])
    assert "changed.csv was listed in the manifest but is no longer there" in (platform.raw_to_clean("b2") or "")
    assert platform.keys("clean", "_summaries/b2/") == platform.keys("clean", "clean/batch=b2/") == []
