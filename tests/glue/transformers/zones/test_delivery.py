"""The manifest of a delivery, and its files grouped by header."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from transformers.zones import delivery
from transformers.zones.delivery import MeterFile

OFFICIAL = b"LCLid,stdorToU,DateTime,KWH/hh (per half hour) \r\n"
KAGGLE = b"LCLid,tstp,energy(kWh/hh)\n"


def put(s3: Any, key: str, content: bytes) -> MeterFile:
    etag = s3.put_object(Bucket="landing", Key=key, Body=content)["ETag"].strip('"')
    return MeterFile(f"s3://landing/{key}", etag, len(content), "2026-01-01T00:00:00Z")


def manifest(s3: Any, **document: Any) -> str:
    s3.put_object(Bucket="landing", Key="m.json", Body=json.dumps(document).encode())
    return "s3://landing/m.json"


def test_the_files_of_a_manifest_are_read(s3: Any) -> None:
    entry = {
        "uri": "s3://landing/a.csv",
        "key": "a.csv",
        "etag": "e1",
        "size": 3,
        "delivered_at": "2026-01-01T00:00:00Z",
    }
    uri = manifest(s3, batch="b1", files=[entry])
    file = MeterFile("s3://landing/a.csv", "e1", 3, "2026-01-01T00:00:00Z")
    assert delivery.read_manifest(s3, uri, "b1") == delivery.Manifest([file], {})


def test_what_a_manifest_says_of_files_of_no_known_layout_is_read(s3: Any) -> None:
    entry = {"uri": "s3://landing/a", "etag": "e", "size": 3, "delivered_at": "2026-01-01T00:00:00Z"}
    beside = "s3://landing/_transformer.json"
    uri = manifest(s3, batch="b1", description={"unit": "Wh"}, files=[{**entry, "described_by": beside}])
    found = delivery.read_manifest(s3, uri, "b1")
    assert (found.description, found.files[0].described_by) == ({"unit": "Wh"}, beside)


def test_a_manifest_of_another_batch_or_without_files_is_refused(s3: Any) -> None:
    with pytest.raises(delivery.ManifestError, match="is that of batch b1, not of b2"):
        delivery.read_manifest(s3, manifest(s3, batch="b1", files=[{}]), "b2")
    with pytest.raises(delivery.ManifestError, match="lists no files"):
        delivery.read_manifest(s3, manifest(s3, batch="b1", files=[]), "b1")
    with pytest.raises(delivery.ManifestError, match="s3://landing/none.json cannot be read .*NoSuchKey"):
        delivery.read_manifest(s3, "s3://landing/none.json", "b1")


def test_files_are_grouped_by_their_first_line(s3: Any) -> None:
    one = put(s3, "1.csv", OFFICIAL + b"MAC1,Std,2013-01-01 00:00:00.0000000, 1 \r\n")
    two = put(s3, "2 [x].csv.gz", gzip.compress(KAGGLE))
    three = put(s3, "3?#.csv", OFFICIAL)

    first, second = delivery.layouts(s3, [one, two, three])

    assert first.line == "LCLid,stdorToU,DateTime,KWH/hh (per half hour) "
    assert first.header == ("LCLid", "stdorToU", "DateTime", "KWH/hh (per half hour)")
    assert first.files == (one, three)
    assert (second.header, second.files) == (("LCLid", "tstp", "energy(kWh/hh)"), (two,))


def test_only_the_beginning_of_a_file_is_asked_for(s3: Any) -> None:
    asked: list[str] = []
    s3.meta.events.register("before-parameter-build.s3.GetObject", lambda params, **_: asked.append(params["Range"]))
    file = put(s3, "a.csv", KAGGLE + b"x" * 100_000)
    assert delivery.first_line(s3, file) == "LCLid,tstp,energy(kWh/hh)"
    assert asked == ["bytes=0-65535"]


def test_a_file_of_no_bytes_has_no_line(s3: Any) -> None:
    (layout,) = delivery.layouts(s3, [put(s3, "empty.csv", b"")])
    assert layout.line is None


def test_a_file_that_vanished_is_named(s3: Any) -> None:
    file = put(s3, "a.csv", KAGGLE)
    s3.delete_object(Bucket="landing", Key="a.csv")
    with pytest.raises(delivery.MissingMeterFileError, match=r"s3://landing/a\.csv .* no longer there"):
        delivery.layouts(s3, [file])
    with pytest.raises(delivery.MissingMeterFileError, match=r"s3://landing/a\.csv .* no longer there"):
        delivery.require_unchanged(s3, [file])


def test_a_file_that_changed_is_named(s3: Any) -> None:
    file = put(s3, "a.csv", KAGGLE)
    delivery.require_unchanged(s3, [file])
    put(s3, "a.csv", KAGGLE + b"\n")
    with pytest.raises(delivery.ChangedMeterFileError, match=r"s3://landing/a\.csv has changed .*Trigger"):
        delivery.layouts(s3, [file])
    with pytest.raises(delivery.ChangedMeterFileError, match=r"s3://landing/a\.csv has changed .*Trigger"):
        delivery.require_unchanged(s3, [file])
