"""Which files of a folder are meter files, and whose they are."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from demo.landing_zone import FirstMeter, NoMeterFilesError, first_meter, meter_files


def test_plain_and_gzipped_files_are_taken_in_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv.gz", "notes.txt"):
        (tmp_path / name).touch()

    assert [file.name for file in meter_files(tmp_path)] == ["a.csv.gz", "b.csv"]


def test_a_folder_without_meter_files_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(NoMeterFilesError, match=str(tmp_path)):
        meter_files(tmp_path)


def test_a_folder_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(NoMeterFilesError, match="nowhere"):
        meter_files(tmp_path / "nowhere")


def test_the_first_meter_is_found_in_each_london_layout(tmp_path: Path) -> None:
    official, kaggle = tmp_path / "official.csv", tmp_path / "kaggle.csv.gz"
    rows = [
        "MAC000002,Std,2012-10-12 00:30:00.0000000, 0 ",
        "MAC000002,Std,2013-01-01 00:00:00.0000000, 0 ",
        "MAC000002,Std,2013-01-01 00:30:00.0000000, 0 ",
        "MAC000002,Std,2014-01-01 00:30:00.0000000, 0 ",
        "MAC000246,Std,2009-01-01 00:30:00.0000000, 0 ",
    ]
    official.write_text("\r\n".join(["LCLid,stdorToU,DateTime,KWH/hh (per half hour) ", *rows, ""]), newline="")
    kaggle.write_bytes(gzip.compress(b"LCLid,tstp,energy(kWh/hh)\nMAC000131,2011-12-14 00:00:00.0000000, 0.045 \n"))

    assert first_meter(official) == FirstMeter("MAC000002", first_year=2012, year=2013, last_year=2014)
    assert first_meter(kaggle) == FirstMeter("MAC000131", first_year=2011, year=2011, last_year=2011)
