"""raw_to_clean on files of a folder: every row ends as a reading or in quarantine, and all are counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import raw_to_clean
from transformers.zones import headers, schemas

from tests.glue.deliveries import KAGGLE, OFFICIAL, WITH_ACORN, clean, layouts_of, meter_file

Rows = Callable[..., list[tuple[Any, ...]]]

ROW = "MAC000002,Std,2013-01-01 00:30:00.0000000, 0.219 "


def quarantined(spark: Any, rows: Rows, folder: Path) -> list[tuple[str, str]]:
    """(reason, line) of what lies in quarantine."""
    return rows(spark.read.parquet(str(folder)), "reason", "line")


def test_three_layouts_of_one_delivery_all_load(spark: Any, rows: Rows, tmp_path: Path) -> None:
    files = [
        meter_file(tmp_path / "a.csv", OFFICIAL, ROW),
        meter_file(tmp_path / "b.csv.gz", WITH_ACORN, "MAC000003,ToU,2013-06-30 23:30:00.0000000, 1 ,ACORN-A,Affluent"),
        meter_file(tmp_path / "c.csv", KAGGLE, "MAC000004,2013-12-30 00:00:00.0000000, 2 ", end="\n"),
    ]

    cleaned = clean(spark, tmp_path, files)

    found = spark.read.parquet(str(cleaned.clean))
    assert found.schema.simpleString() == f"struct<{schemas.CLEAN.replace(' ', ':').replace(',:', ',')}>"
    readings = [
        ("MAC000002", 0.219, "INT", "2013-01-01 00:30:00", "20130101", None, None, 2013, 1, 1, 1, 2013, 0, 30),
        ("MAC000003", 1.0, "INT", "2013-06-30 23:30:00", "20130630", None, None, 2013, 26, 30, 6, 2013, 23, 30),
        ("MAC000004", 2.0, "INT", "2013-12-30 00:00:00", "20131230", None, None, 2014, 1, 30, 12, 2013, 0, 0),
    ]
    assert rows(found) == [
        (*reading, f"file://{file}", "2015-06-01 12:00:00") for reading, file in zip(readings, files, strict=True)
    ]
    assert not cleaned.quarantine.exists()
    assert [(file["rows"], file["good"], file["rejected"]) for file in cleaned.summary["files"]] == [(1, 1, 0)] * 3


def test_the_summary_counts_rows_by_file_and_reason(spark: Any, tmp_path: Path) -> None:
    good = meter_file(tmp_path / "good.csv", OFFICIAL, ROW, ROW, "MAC000002,Std,2013-01-01 12:37:27.0000000,Null")
    bad = meter_file(tmp_path / "bad.csv", OFFICIAL, "MAC1,Std", ROW, "", "MAC1,Std,2013-01-01 00:30:00,x", "a,b,c,d,e")

    cleaned = clean(spark, tmp_path, [good, bad])

    assert cleaned.summary == {
        "batch": "b1",
        "rows": 8,
        "good": 4,
        "rejected": 4,
        "rejected_by_reason": {"empty_line": 1, "not_a_number": 1, "wrong_field_count": 2},
        "files": [
            {
                "uri": f"file://{good}",
                "rows": 3,
                "good": 3,
                "rejected": 0,
                "rejected_by_reason": {},
                "first": "2013-01-01T00:30:00.000Z",
                "last": "2013-01-01T12:37:27.000Z",
            },
            {
                "uri": f"file://{bad}",
                "rows": 5,
                "good": 1,
                "rejected": 4,
                "rejected_by_reason": {"empty_line": 1, "not_a_number": 1, "wrong_field_count": 2},
                "first": "2013-01-01T00:30:00.000Z",
                "last": "2013-01-01T00:30:00.000Z",
            },
        ],
    }


def test_a_rejected_row_lies_in_quarantine_as_it_came(spark: Any, rows: Rows, tmp_path: Path) -> None:
    lines = ["  MAC1 , Std,2013-02-30 00:30:00.0000000, 0.1 ", ' "quoted, text"\t', "MAC1,Std,x,\x00"]
    file = meter_file(tmp_path / "a.csv", OFFICIAL, *lines, ROW)

    cleaned = clean(spark, tmp_path, [file])

    assert rows(spark.read.parquet(str(cleaned.quarantine)), "source_file", "reason", "line") == sorted(
        [
            (f"file://{file}", "impossible_timestamp", lines[0]),
            (f"file://{file}", "wrong_field_count", lines[1]),
            (f"file://{file}", "malformed_timestamp", lines[2]),
        ]
    )


def test_bytes_that_are_no_text_are_kept_one_by_one(spark: Any, rows: Rows, tmp_path: Path) -> None:
    raw = b"MAC\xff\xfe2,Std,2013-01-01 00:30:00.0000000, \x801 "
    file = tmp_path / "a.csv"
    file.write_bytes(OFFICIAL.encode() + b"\r\n" + raw + b"\r\n" + "MÄC2,Std,x,1".encode() + b"\r\n")

    ((_, text), (reason, line)) = quarantined(spark, rows, clean(spark, tmp_path, [file]).quarantine)

    assert text == "MÄC2,Std,x,1"
    assert (reason, line.encode("iso-8859-1")) == ("undecodable_bytes", raw)


def test_undecodable_bytes_in_a_column_that_is_not_used_lose_no_reading(spark: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    row = b"MAC000002,Std,2013-01-01 00:30:00.0000000, 1 ,\xff,\xfe\r\n"
    file.write_bytes(WITH_ACORN.encode() + b"\r\n" + row)
    assert (summary := clean(spark, tmp_path, [file]).summary)["good"] == summary["rows"] == 1


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_every_kind_of_line_end_is_read(spark: Any, tmp_path: Path, end: str) -> None:
    summary = clean(spark, tmp_path, [meter_file(tmp_path / "a.csv", OFFICIAL, ROW, ROW, end=end)]).summary
    assert (summary["rows"], summary["good"]) == (2, 2)


def test_a_byte_order_mark_and_a_last_line_without_end_change_nothing(spark: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(f"\ufeff{OFFICIAL}\r\n{ROW}\r\n{ROW}".encode())
    summary = clean(spark, tmp_path, [file]).summary
    assert (summary["rows"], summary["good"]) == (2, 2)


def test_a_header_is_no_row_wherever_it_stands(spark: Any, tmp_path: Path) -> None:
    file = meter_file(tmp_path / "a.csv", OFFICIAL, ROW, OFFICIAL, ROW, f"\ufeff{OFFICIAL}", ROW)
    summary = clean(spark, tmp_path, [file]).summary
    assert (summary["rows"], summary["good"]) == (3, 3)


def test_a_time_before_1970_or_a_day_after_the_delivery_is_out_of_range(spark: Any, rows: Rows, tmp_path: Path) -> None:
    times = ["0001-01-01 00:00:00", "1969-12-31 23:59:59", "2015-06-02 12:00:01", "9999-12-31 23:30:00"]
    possible = ["1970-01-01 00:00:00", "2015-06-02 12:00:00"]
    lines = [f"MAC000002,{time},1" for time in [*times, *possible]]

    cleaned = clean(spark, tmp_path, [meter_file(tmp_path / "a.csv", KAGGLE, *lines)])

    assert quarantined(spark, rows, cleaned.quarantine) == [
        ("timestamp_out_of_range", line) for line in sorted(lines[:4])
    ]
    assert cleaned.summary["good"] == 2


def test_empty_files_are_no_rows(spark: Any, tmp_path: Path) -> None:
    empty, blank = tmp_path / "empty.csv", tmp_path / "blank.csv"
    empty.write_bytes(b"")
    blank.write_bytes(b"\r\n\r\n")
    only_header = meter_file(tmp_path / "header.csv", OFFICIAL)

    for files in ([empty, blank], [empty, only_header]):
        cleaned = clean(spark, tmp_path, files)
        assert [file["rows"] for file in cleaned.summary["files"]] == [0, 0]
        assert spark.read.schema(schemas.CLEAN).parquet(str(cleaned.clean)).count() == 0


def test_a_file_of_rejects_alone_is_counted(spark: Any, tmp_path: Path) -> None:
    summary = clean(spark, tmp_path, [meter_file(tmp_path / "a.csv", KAGGLE, "x", "y", "z")]).summary
    assert (summary["rows"], summary["good"], summary["files"][0]["first"]) == (3, 0, None)


def test_names_that_look_like_patterns_or_urls_are_read_once(spark: Any, tmp_path: Path) -> None:
    names = ["a b.csv", "a%20b.csv", "a+b[1].csv", "{x,y}*.csv", "é?.csv", "back\\slash.csv"]
    files = [meter_file(tmp_path / name, OFFICIAL, *[ROW] * (1 + at)) for at, name in enumerate(names)]
    summary = clean(spark, tmp_path, files).summary
    assert [file["good"] for file in summary["files"]] == [1, 2, 3, 4, 5, 6]


def test_the_rejects_of_many_files_find_their_file(spark: Any, tmp_path: Path) -> None:
    files = [
        meter_file(tmp_path / f"{at:02}.csv", OFFICIAL, ROW, *["bad"] * (at in (0, 7, 8, 15, 19))) for at in range(20)
    ]
    summary = clean(spark, tmp_path, files).summary
    assert [at for at, file in enumerate(summary["files"]) if file["rejected"]] == [0, 7, 8, 15, 19]
    assert (summary["rows"], summary["good"], summary["rejected"]) == (25, 20, 5)


def test_running_again_replaces_what_was_written(spark: Any, tmp_path: Path) -> None:
    first = meter_file(tmp_path / "a.csv", OFFICIAL, ROW, "bad")
    clean(spark, tmp_path, [first])
    cleaned = clean(spark, tmp_path, [first])
    assert (cleaned.summary["rows"], cleaned.summary["good"], cleaned.summary["rejected"]) == (2, 1, 1)
    assert spark.read.parquet(str(cleaned.clean)).count() == 1
    assert spark.read.parquet(str(cleaned.quarantine)).count() == 1


def test_an_unknown_header_ends_the_run_before_anything_is_written(tmp_path: Path) -> None:
    _, found = layouts_of(
        [meter_file(tmp_path / "a.csv", OFFICIAL, ROW), meter_file(tmp_path / "b.csv", "meter,time,kwh", "1,2,3")]
    )
    with pytest.raises(headers.UnknownHeaderError, match=r"b\.csv has the columns\s+meter, time, kwh"):
        raw_to_clean.known_layouts(found, "london")


def test_rows_that_are_read_but_not_written_end_the_run() -> None:
    counts = [{"rows": 3, "rejected": 1}, {"rows": 2, "rejected": 0}]
    raw_to_clean.require_equal({"rows": 5, "rejected": 1}, counts)
    with pytest.raises(raw_to_clean.RowCountError, match="6 rows were read, 1 of them bad, but 5 were written"):
        raw_to_clean.require_equal({"rows": 6, "rejected": 1}, counts)


def test_a_rejected_row_keeps_the_meter_and_the_date_that_can_be_read_in_it(
    spark: Any, rows: Rows, tmp_path: Path
) -> None:
    file = meter_file(
        tmp_path / "a.csv",
        KAGGLE,
        "MAC1,2013-01-31 23:30:00.0000000,-1",
        "MAC2,2013-02-01 00:00:00.0000000,1,2",
        "MAC3,yesterday,1",
        "MAC4,2099-01-01 00:00:00.0000000,1",
        ",2013-01-31 00:00:00.0000000,1",
        "MAC/5,2013-01-31 00:00:00.0000000,1",
        "",
    )
    found = spark.read.parquet(str(clean(spark, tmp_path, [file]).quarantine))
    assert found.schema.simpleString() == f"struct<{schemas.QUARANTINE.replace(' ', ':').replace(',:', ',')}>"
    assert {row[0] for row in rows(found, "delivered_at")} == {"2015-06-01 12:00:00"}
    assert rows(found, "reason", "meter_id", "date_str") == [
        ("empty_line", None, None),
        ("invalid_meter_id", None, "20130131"),
        ("malformed_timestamp", "MAC3", None),
        ("missing_meter_id", None, "20130131"),
        ("negative_value", "MAC1", "20130131"),
        ("timestamp_out_of_range", "MAC4", None),
        ("wrong_field_count", "MAC2", "20130201"),
    ]
