"""raw_to_clean as a job run on S3, for files that a description tells how to read."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from tests.glue import field_files
from tests.glue.deliveries import KAGGLE
from tests.glue.extracts import write
from tests.glue.job_runs.job_platform import JobPlatform

pytestmark = pytest.mark.slow

TABLE = {
    "Serial": ["M1", "M1", "M1", "M/1"],
    "ReadAt": ["27.10.2013 00:30", "27.10.2013 01:00", "27.10.2013 01:00", "27.10.2013 02:00"],
    "Energy": ["219", "1000", "2000", "1"],
}
DESCRIPTION = {
    "delimiter": ";",
    "meter_id_column": "Serial",
    "date_time_column": "ReadAt",
    "value_column": "Energy",
    "timestamp_pattern": "dd.MM.yyyy HH:mm",
    "time_zone": "Europe/London",
    "unit": "Wh",
}
GOOD = [("M1", "2013-10-26 23:30:00", 0.219), ("M1", "2013-10-27 00:00:00", 1.0), ("M1", "2013-10-27 01:00:00", 2.0)]


class Platform(JobPlatform):
    """Extracts come in; readings go out."""

    def deliver(
        self,
        batch: str,
        files: dict[str, bytes],
        description: dict[str, Any] | None = None,
        beside: str | None = None,
        delivered_at: str = "2014-01-01T09:00:00Z",
    ) -> None:
        """Put the files, by name, into the landing zone and write the manifest; `beside` is a description's folder."""
        listed = [
            {**self.put("landing", f"readings/{name}", content), "delivered_at": delivered_at}
            for name, content in files.items()
        ]
        if beside is not None:
            uri = f"s3://{self.buckets['landing']}/readings/{beside}/_transformer.json"
            for file in listed:
                if f"/readings/{beside}/" in file["uri"]:
                    file["described_by"] = uri
        manifest = {"batch": batch, "files": listed, **({"description": description} if description else {})}
        self.put("clean", f"_manifests/{batch}.json", json.dumps(manifest).encode())

    def raw_to_clean(self, batch: str, transformer: str) -> str | None:
        manifest = f"s3://{self.buckets['clean']}/_manifests/{batch}.json"
        return self.run("raw_to_clean", batch=batch, manifest=manifest, transformer=transformer)

    def readings(self, batch: str) -> list[tuple[Any, ...]]:
        """Meter, time and value of every row in the clean zone, with the name of its file."""
        found = []
        for key in self.keys("clean", f"clean/batch={batch}/"):
            body = self.s3.get_object(Bucket=self.buckets["clean"], Key=key)["Body"].read()
            rows = parquet.read_table(io.BytesIO(body)).to_pylist()
            found += [
                (
                    row["source_file"].rpartition("/")[2],
                    row["meter_id"],
                    f"{row['reading_date_time']:%Y-%m-%d %H:%M:%S}",
                    row["reading_value"],
                )
                for row in rows
            ]
        return sorted(found)


@pytest.fixture(scope="module")
def platform(aws: Callable[[str], Any]) -> Platform:
    return Platform(aws)


def extracts(folder: Path, *formats: str) -> dict[str, bytes]:
    return {f"a [{name}] %20.{name}": write(name, folder / f"a.{name}", TABLE).read_bytes() for name in formats}


def test_all_five_formats_of_one_delivery_become_the_same_readings(platform: Platform, tmp_path: Path) -> None:
    formats = ("csv", "json", "parquet", "orc", "avro")
    files = extracts(tmp_path, *formats)
    platform.deliver("formats", files, DESCRIPTION)

    assert platform.raw_to_clean("formats", "default") is None

    summary = platform.summary("formats", "raw_to_clean")
    assert [(file["rows"], file["good"], file["rejected_by_reason"]) for file in summary["files"]] == [
        (4, 3, {"invalid_meter_id": 1})
    ] * 5
    assert platform.readings("formats") == sorted((name, *reading) for name in files for reading in GOOD)


def test_a_description_beside_files_counts_for_these_alone(platform: Platform, tmp_path: Path) -> None:
    own = {f"own/{name}": content for name, content in extracts(tmp_path, "avro").items()}
    london = f"{KAGGLE}\r\nMAC000003,2013-01-01 12:00:00.0000000, 2 \r\n".encode()
    platform.deliver("beside", {**own, "london.csv": london}, beside="own")
    platform.put("landing", "readings/own/_transformer.json", json.dumps(DESCRIPTION).encode())

    assert platform.raw_to_clean("beside", "london") is None

    of_london = ("london.csv", "MAC000003", "2013-01-01 12:00:00", 2.0)
    assert platform.readings("beside") == [*(("a [avro] %20.avro", *reading) for reading in GOOD), of_london]


def test_a_description_beside_files_may_name_another_transformer(platform: Platform) -> None:
    london = f"{KAGGLE}\r\nMAC000003,2013-01-01 12:00:00.0000000, 2 \r\n".encode()
    platform.deliver("named", {"official/london.csv": london}, beside="official")
    platform.put("landing", "readings/official/_transformer.json", b'{"transformer": "london"}')

    assert platform.raw_to_clean("named", "default") is None

    assert platform.readings("named") == [("london.csv", "MAC000003", "2013-01-01 12:00:00", 2.0)]


def set_aside(platform: Platform, batch: str) -> str:
    """Why the one file of the batch was set aside; nothing of it was written."""
    (file,) = platform.summary(batch, "raw_to_clean")["files"]
    assert platform.keys("clean", f"clean/batch={batch}/") == []
    reason: str = file["set_aside"]["reason"]
    return reason


def test_a_file_whose_columns_do_not_fit_is_set_aside(platform: Platform) -> None:
    platform.deliver("unfit", {"a.csv": b"id;when;kwh\r\nM1;01.01.2013 00:30;1\r\n"}, DESCRIPTION)

    assert platform.raw_to_clean("unfit", "default") is None

    message = set_aside(platform, "unfit")
    assert message.startswith("s3://")
    assert "  1  id\n  2  when\n  3  kwh\n" in message
    assert "  meter_id_column = Serial\n" in message


def test_files_whose_description_cannot_be_read_are_set_aside(platform: Platform) -> None:
    for batch, content, words in [
        ("broken", b"{", "readings/broken/_transformer.json describes meter files, but cannot be read"),
        ("wrong", b'{"unit": "m3"}', "readings/wrong/_transformer.json) cannot be used:\n  unit must be one of"),
    ]:
        platform.deliver(batch, {f"{batch}/a.csv": b"x\r\n"}, beside=batch)
        platform.put("landing", f"readings/{batch}/_transformer.json", content)

        assert platform.raw_to_clean(batch, "london") is None

        assert words in set_aside(platform, batch)


def test_a_description_of_the_run_that_cannot_be_used_ends_the_job(platform: Platform) -> None:
    platform.deliver("form", {"a.csv": b"x\r\n"}, {"unit": "m3"})

    message = platform.raw_to_clean("form", "default")

    assert message is not None
    assert message.startswith("DescriptionError: The description of the meter files (the trigger form) cannot be used:")


def test_files_of_any_name_are_read_from_s3(platform: Platform) -> None:
    description, files = field_files.delivery("22_odd_file_names")
    # plugins/metering/ledger.py passes over these and says so.
    listed = {name: content for name, content in files.items() if content and name[0] not in "._"}
    listed |= {"x y.csv": field_files.rows("TWIN"), "a:b 12:30.csv": field_files.rows("COLON")}
    listed |= {"who?.csv": field_files.rows("QUESTION"), "back\\slash.csv": field_files.rows("BACK")}
    said = {name: value for name, value in description.items() if name != "transformer"}
    platform.deliver("names", listed, said, delivered_at="2024-06-01T12:00:00Z")

    assert platform.raw_to_clean("names", "default") is None

    loaded = {(name, meter) for name, meter, _, _ in platform.readings("names")}
    expected = {(name, f"BUG22N{at}") for at, name in enumerate(field_files.NAMES) if name[0] not in "._"}
    others = {("x y.csv", "TWIN"), ("a:b 12:30.csv", "COLON"), ("who?.csv", "QUESTION"), ("back\\slash.csv", "BACK")}
    assert loaded == expected | others
    by_name = {
        file["uri"].rpartition("/")[2]: file["good"] for file in platform.summary("names", "raw_to_clean")["files"]
    }
    assert by_name == {name: 0 if name.startswith("only_") else field_files.ROWS for name in listed}


def test_an_archive_named_csv_is_set_aside_as_what_it_is(platform: Platform) -> None:
    description, files = field_files.delivery("15_archive_and_xml_beside_good_files/zip_csv")
    platform.deliver("archive", files, {name: value for name, value in description.items() if name != "transformer"})

    assert platform.raw_to_clean("archive", "default") is None

    message = set_aside(platform, "archive")
    assert "/usage.csv cannot be read: it is a ZIP archive. Unpack it and deliver the files in it" in message
