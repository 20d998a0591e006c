"""raw_to_clean on files of a folder: every row ends as a reading or in quarantine; an unreadable file stops none."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import raw_to_clean
from meter_data.cleaning import clean_zone
from meter_data.cleaning import items as cleaning
from meter_data.lake import schemas
from meter_data.meter_files import lines
from meter_data.meter_files.manifest import Manifest
from meter_data.meter_files.stored_files import ChangedMeterFileError, MissingMeterFileError

from tests.glue.deliveries import (
    BATCH,
    KAGGLE,
    OFFICIAL,
    WITH_ACORN,
    Cleaned,
    clean,
    clean_listed,
    manifest_file,
    meter_file,
    packed,
    text_of,
)
from tests.glue.folder_store import FolderStore

ROW = "MAC000002,Std,2013-01-01 00:30:00.0000000, 0.219 "
DELIVERED = datetime(2015, 6, 1, 12, tzinfo=UTC)


def counts(cleaned: Cleaned) -> tuple[int, int, int]:
    return tuple(cleaned.summary[name] for name in ("rows", "good", "rejected"))


def set_aside(cleaned: Cleaned) -> dict[str, str]:
    """The reasons of the files that were set aside, by their names."""
    files = cleaned.summary["files"]
    return {file["uri"].rpartition("/")[2]: file["set_aside"]["reason"] for file in files if file["set_aside"]}


def test_three_layouts_of_one_delivery_all_load(tmp_path: Path) -> None:
    files = {
        "a.csv": text_of(OFFICIAL, ROW),
        "b.csv.gz": packed(text_of(WITH_ACORN, "MAC000003,ToU,2013-06-30 23:30:00.0000000, 1 ,ACORN-A,Affluent")),
        "c.csv": text_of(KAGGLE, "MAC000004,2013-12-30 00:00:00.0000000, Null ", end="\n"),
    }

    cleaned = clean(tmp_path, files)

    readings = [
        ("MAC000002", 0.219, "INT", "2013-01-01 00:30", "20130101", None, None, 2013, 1, 1, 1, 2013, 0, 30),
        ("MAC000003", 1.0, "INT", "2013-06-30 23:30", "20130630", None, None, 2013, 26, 30, 6, 2013, 23, 30),
        ("MAC000004", None, "ERR", "2013-12-30 00:00", "20131230", None, "NULL", 2014, 1, 30, 12, 2013, 0, 0),
    ]
    assert [tuple(row.values()) for row in cleaned.readings().to_pylist()] == [
        (
            *row[:3],
            datetime.fromisoformat(f"{row[3]}:00+00:00"),
            *row[4:],
            f"s3://landing/readings/{name}",
            DELIVERED,
            1,
            "b1",
        )
        for row, name in zip(readings, files, strict=True)
    ]
    assert cleaned.readings().schema.names == schemas.CLEAN.names
    assert cleaned.clean_files() == ["00000.parquet", "00001.parquet", "00002.parquet"]
    assert cleaned.rejects().num_rows == 0
    assert [(file["rows"], file["good"], file["rejected"]) for file in cleaned.summary["files"]] == [(1, 1, 0)] * 3


def test_the_summary_counts_rows_by_file_and_reason(tmp_path: Path) -> None:
    good = text_of(OFFICIAL, ROW, ROW, "MAC000002,Std,2013-01-01 12:37:27.0000000,Null")
    bad = text_of(OFFICIAL, "MAC1,Std", ROW, "", "MAC1,Std,2013-01-01 00:30:00,x", "a,b,c,d,e")

    cleaned = clean(tmp_path, {"good.csv": good, "bad.csv": bad, "mad.csv": b"meter,when\r\n1,2\r\n"})

    reason = set_aside(cleaned)["mad.csv"]
    empty = {"rows": 0, "good": 0, "rejected": 0, "rejected_by_reason": {}, "first": None, "last": None}
    assert cleaned.summary == {
        "batch": "b1",
        "rows": 8,
        "good": 4,
        "rejected": 4,
        "rejected_by_reason": {"empty_line": 1, "not_a_number": 1, "wrong_field_count": 2},
        "set_aside": 1,
        # In the order of their upload, then of their keys.
        "files": [
            {
                "uri": "s3://landing/readings/bad.csv",
                "rows": 5,
                "good": 1,
                "rejected": 4,
                "rejected_by_reason": {"empty_line": 1, "not_a_number": 1, "wrong_field_count": 2},
                "first": "2013-01-01T00:30:00.000Z",
                "last": "2013-01-01T00:30:00.000Z",
                "set_aside": None,
            },
            {
                "uri": "s3://landing/readings/good.csv",
                "rows": 3,
                "good": 3,
                "rejected": 0,
                "rejected_by_reason": {},
                "first": "2013-01-01T00:30:00.000Z",
                "last": "2013-01-01T12:37:27.000Z",
                "set_aside": None,
            },
            {"uri": "s3://landing/readings/mad.csv", **empty, "set_aside": {"reason": reason}},
        ],
    }


def test_a_rejected_row_lies_in_quarantine_as_it_came(tmp_path: Path) -> None:
    rows = ["  MAC1 , Std,2013-02-30 00:30:00.0000000, 0.1 ", ' "quoted, text"\t', "MAC1,Std,x,\x00"]

    rejects = clean(tmp_path, {"a.csv": text_of(OFFICIAL, *rows, ROW)}).rejects()

    assert rejects.schema.equals(schemas.QUARANTINE)
    assert rejects.select(["source_file", "reason", "line", "delivered_at"]).to_pylist() == [
        {"source_file": "s3://landing/readings/a.csv", "reason": reason, "line": line, "delivered_at": DELIVERED}
        for reason, line in zip(["impossible_timestamp", "wrong_field_count", "malformed_timestamp"], rows, strict=True)
    ]


def test_bytes_that_are_no_text_are_kept_one_by_one(tmp_path: Path) -> None:
    raw = b"MAC\xff\xfe2,Std,2013-01-01 00:30:00.0000000, \x801 "
    content = OFFICIAL.encode() + b"\r\n" + raw + b"\r\n" + "MÄC2,Std,x,1".encode() + b"\r\n"

    ((_, text), (reason, line)) = clean(tmp_path, {"a.csv": content}).reasons()

    assert text == "MÄC2,Std,x,1"
    assert (reason, line.encode("iso-8859-1")) == ("undecodable_bytes", raw)


def test_undecodable_bytes_in_a_column_that_is_not_used_lose_no_reading(tmp_path: Path) -> None:
    content = WITH_ACORN.encode() + b"\r\nMAC000002,Std,2013-01-01 00:30:00.0000000, 1 ,\xff,\xfe\r\n"
    assert counts(clean(tmp_path, {"a.csv": content})) == (1, 1, 0)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_every_kind_of_line_end_is_read(tmp_path: Path, end: str) -> None:
    assert counts(clean(tmp_path, {"a.csv": text_of(OFFICIAL, ROW, ROW, end=end)})) == (2, 2, 0)


def test_a_byte_order_mark_and_a_last_line_without_end_change_nothing(tmp_path: Path) -> None:
    content = f"\ufeff{OFFICIAL}\r\n{ROW}\r\n{ROW}".encode()
    assert counts(clean(tmp_path, {"a.csv": content})) == (2, 2, 0)


def test_a_header_is_no_row_wherever_it_stands(tmp_path: Path) -> None:
    marked = f"\ufeff{OFFICIAL}"
    other = OFFICIAL.replace("stdorToU", "other")  # the columns that are read are those of the header

    cleaned = clean(tmp_path, {"a.csv": text_of(OFFICIAL, ROW, OFFICIAL, ROW, marked, other, ROW, marked)})

    assert counts(cleaned) == (4, 3, 1)
    assert cleaned.reasons() == [("malformed_timestamp", other)]
    assert cleaned.readings()["source_row"].to_pylist() == [1, 3, 6]


def test_a_time_before_1970_or_a_day_after_the_delivery_is_out_of_range(tmp_path: Path) -> None:
    times = ["0001-01-01 00:00:00", "1969-12-31 23:59:59", "2015-06-02 12:00:01", "9999-12-31 23:30:00"]
    possible = ["1970-01-01 00:00:00", "2015-06-02 12:00:00"]
    rows = [f"MAC000002,{time},1" for time in [*times, *possible]]

    cleaned = clean(tmp_path, {"a.csv": text_of(KAGGLE, *rows)})

    assert cleaned.reasons() == [("timestamp_out_of_range", row) for row in sorted(rows[:4])]
    assert cleaned.summary["good"] == 2


def test_files_that_hold_nothing_are_no_rows(tmp_path: Path) -> None:
    files = {"blank.csv": b"\r\n\r\n", "header.csv": text_of(OFFICIAL), "packed.csv.gz": packed(b" \n")}

    cleaned = clean(tmp_path, files)

    assert [(file["rows"], file["set_aside"]) for file in cleaned.summary["files"]] == [(0, None)] * 3
    assert cleaned.readings().num_rows == 0
    assert cleaned.readings().schema.names == schemas.CLEAN.names
    assert cleaned.groups == []


def test_a_file_of_rejects_alone_is_counted(tmp_path: Path) -> None:
    cleaned = clean(tmp_path, {"a.csv": text_of(KAGGLE, "x", "y", "z")})
    assert counts(cleaned) == (3, 0, 3)
    assert cleaned.summary["files"][0]["first"] is None


def test_a_name_of_any_signs_is_read(tmp_path: Path) -> None:
    names = ["a b.csv", "a%20b.csv", "a+b[1].csv", "{x,y}*.csv", "é?.csv", "#.csv", "new\nline.csv"]
    files = {name: text_of(OFFICIAL, *[ROW] * (1 + at)) for at, name in enumerate(names)}

    found = clean(tmp_path, files).summary["files"]

    assert {file["uri"].rpartition("/")[2]: file["good"] for file in found} == dict(
        zip(names, range(1, 8), strict=True)
    )


def test_running_again_replaces_what_a_former_try_has_left(tmp_path: Path) -> None:
    files = {"a.csv": text_of(OFFICIAL, ROW, "bad"), "b.csv": text_of(OFFICIAL, ROW)}
    first = clean(tmp_path, files)
    wanted = first.summary, first.readings(), first.rejects(), first.groups
    for folder in ("clean", "quarantine", "_undecided"):
        first.store.write(f"s3://clean/{folder}/batch={BATCH}/00007.parquet", b"of a job that was killed")
    kept = f"s3://clean/clean/batch={BATCH}1/00000.parquet"
    first.store.write(kept, b"of another batch")

    again = clean(tmp_path, files)

    assert (again.summary, again.readings(), again.rejects(), again.groups) == wanted
    assert again.store.listed("s3://clean/_undecided/") == []
    assert again.store.place(kept).exists()


class Killed(BaseException):
    """The job was killed."""


class DyingStore(FolderStore):
    """Is killed at the write with the number `at`, before it or after it."""

    writes = 0

    def __init__(self, root: Path, at: int, is_after: bool) -> None:
        super().__init__(root)
        self.at, self.is_after = at, is_after

    def write(self, uri: str, content: bytes | pa.Buffer, content_type: str = "binary/octet-stream") -> None:
        number = DyingStore.writes
        DyingStore.writes += 1
        if number == self.at and not self.is_after:
            raise Killed
        super().write(uri, content, content_type)
        if number == self.at:
            raise Killed


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_job_that_is_killed_at_any_write_is_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_after: bool
) -> None:
    monkeypatch.setattr(cleaning, "PART_BYTES", 700)
    rows = [f"M{at % 3},2013-0{at % 2 + 1}-01 00:00:00,{at}" for at in range(40)]
    files = {
        "a.csv": text_of(KAGGLE, *rows, "bad"),
        "b.csv": text_of(KAGGLE, *rows[:3], "worse"),
        "c.csv": b"PK\x03\x04",
    }
    wanted = clean(tmp_path / "whole", files)
    has_survived, deaths = False, 0
    for at in count():
        root = tmp_path / str(at)
        monkeypatch.setattr(DyingStore, "writes", 0)
        store = FolderStore(root)
        for name, content in files.items():
            store.write(f"s3://landing/readings/{name}", content)
        delivery = Manifest(tuple(meter_file(content, name) for name, content in files.items()), {})

        def connect(root: Path = root, at: int = at) -> FolderStore:
            return DyingStore(root, at, is_after)

        try:
            raw_to_clean.convert(connect(), delivery, "london", "clean", BATCH, 10**9, connect)
            has_survived = True
        except Killed:
            deaths += 1

        again = clean(root, files)
        found = (again.summary, again.readings(), again.rejects(), again.groups)
        assert found == (wanted.summary, wanted.readings(), wanted.rejects(), wanted.groups)
        assert again.clean_files() == wanted.clean_files()
        if has_survived:
            break
    # Readings of two parts and of a file, rejects of one part and of a file, the list of row groups, the summary.
    assert deaths == 7


def test_a_rejected_row_keeps_the_meter_and_the_date_that_can_be_read_in_it(tmp_path: Path) -> None:
    rows = {
        "MAC1,2013-01-31 23:30:00.0000000,-1": ("negative_value", "MAC1", "20130131"),
        "MAC2 ,2013-02-01 00:00:00.0000000,1,2": ("wrong_field_count", "MAC2", "20130201"),
        "MAC2,2013-02-01 00:00:00.0000000": ("wrong_field_count", "MAC2", "20130201"),
        "MAC2": ("wrong_field_count", "MAC2", None),
        "MAC/2,2099-02-01 00:00:00": ("wrong_field_count", None, None),
        "MAC3,yesterday,1": ("malformed_timestamp", "MAC3", None),
        "MAC4,2099-01-01 00:00:00.0000000,1": ("timestamp_out_of_range", "MAC4", None),
        ",2013-01-31 00:00:00.0000000,1": ("missing_meter_id", None, "20130131"),
        "MAC/5,2013-01-31 00:00:00.0000000,1": ("invalid_meter_id", None, "20130131"),
        "": ("empty_line", None, None),
        "   ": ("empty_line", None, None),
        "\t": ("wrong_field_count", None, None),
    }

    rejects = clean(tmp_path, {"a.csv": text_of(KAGGLE, *rows)}).rejects()

    names = ("line", "reason", "meter_id", "date_str")
    assert [tuple(row[name] for name in names) for row in rejects.to_pylist()] == [
        (line, *found) for line, found in rows.items()
    ]


def test_rows_are_sorted_by_type_month_meter_and_time_and_equal_ones_stay_in_order(tmp_path: Path) -> None:
    rows = [
        "M2,2013-02-01 00:00:00,1",  # line 1
        "M2,2013-01-31 23:30:00,2",
        "M1,2013-02-01 00:00:00,3",
        "M1,2013-01-01 00:00:00,Null",
        "M1,2013-02-01 00:00:00,4",  # line 5
        "M1,2013-01-01 00:00:00,5",
        "M1,2013-02-01 00:00:00.000,3",
    ]

    cleaned = clean(tmp_path, {"a.csv": text_of(KAGGLE, *rows)})

    assert cleaned.readings()["source_row"].to_pylist() == [6, 2, 3, 5, 7, 1, 4]
    found = [(group.row_group, group.reading_type, group.month, group.rows) for group in cleaned.groups]
    assert found == [(0, "INT", "201301", 2), (1, "INT", "201302", 4), (2, "ERR", "201301", 1)]
    ends = [(group.first_meter, group.last_meter, group.first_day, group.last_day) for group in cleaned.groups]
    assert ends == [
        ("M1", "M2", "20130101", "20130131"),
        ("M1", "M2", "20130201", "20130201"),
        ("M1", "M1", "20130101", "20130101"),
    ]


def test_the_list_of_row_groups_is_what_the_files_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_zone, "ROWS_A_GROUP", 3)
    rows = [f"M{meter},2013-0{month}-01 0{hour}:00:00,1" for month in (1, 2) for meter in (1, 2) for hour in range(4)]

    cleaned = clean(tmp_path, {"a.csv": text_of(KAGGLE, *rows), "b.csv": text_of(KAGGLE, *rows[:5])})

    assert [group.rows for group in cleaned.groups] == [3, 3, 2, 3, 3, 2, 3, 2]
    for group in cleaned.groups:
        table = cleaned.store.read_parquet(group.uri, row_groups=[group.row_group])
        assert table.num_rows == group.rows
        assert {row["reading_type"] for row in table.to_pylist()} == {group.reading_type}
        assert {row["date_str"][:6] for row in table.to_pylist()} == {group.month}
        meters = table["meter_id"].to_pylist()
        assert (meters[0], meters[-1]) == (group.first_meter, group.last_meter)
    for uri in {group.uri for group in cleaned.groups}:
        metadata = pq.ParquetFile(cleaned.store.place(uri)).metadata
        assert metadata.num_row_groups == sum(1 for group in cleaned.groups if group.uri == uri)
        assert metadata.row_group(0).column(0).compression == "SNAPPY"


def test_a_large_file_is_read_in_parts_and_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"M{at % 7},2013-01-{at % 28 + 1:02d} 00:00:00,{at}" for at in range(400)]
    rows[17] = rows[380] = KAGGLE
    rows[50] = rows[399] = "bad"
    content = b"\xef\xbb\xbf" + text_of(KAGGLE, *rows)
    whole = clean(tmp_path / "whole", {"a.csv": content})
    monkeypatch.setattr(cleaning, "PART_BYTES", len(content) // 7 - 10)

    parts = clean(tmp_path / "parts", {"a.csv": content})

    assert len(parts.clean_files()) == 8
    assert parts.summary == whole.summary
    assert parts.rejects().sort_by("line") == whole.rejects().sort_by("line")
    order = [("meter_id", "ascending"), ("reading_date_time", "ascending"), ("source_row", "ascending")]
    found, wanted = (each.readings().cast(plain()).sort_by(order) for each in (parts, whole))
    assert found.drop_columns("source_row").equals(wanted.drop_columns("source_row"))


def plain() -> pa.Schema:
    """The clean zone's schema with texts for dictionaries, which cannot be sorted by."""
    return pa.schema(
        [
            pa.field(field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type)
            for field in schemas.CLEAN
        ]
    )


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.zip", b"PK\x03\x04" + b"\0" * 60, "is a ZIP archive. Unpack it"),
        ("a.csv", b"%PDF-1.7\n", "is a PDF document. Ask its sender"),
        ("a.csv", "LCLid,tstp\r\n".encode("utf-16"), "is text in UTF-16. Save it as UTF-8"),
        (
            "a.csv",
            packed(text_of(OFFICIAL, ROW)),
            "is a gzip file, whatever its name says. Deliver it under a name that",
        ),
        (
            "a.csv.gz",
            text_of(OFFICIAL, ROW),
            "is no gzip file, whatever its name says. Deliver it under a name without",
        ),
        (
            "a.csv.gz",
            packed(text_of(OFFICIAL, ROW))[:-9],
            "is a damaged gzip file: it ends too early. Deliver the file",
        ),
        ("a.csv.gz", packed(b"PK\x03\x04" + b"\0" * 60), "it is a gzip file with a ZIP archive. Unpack it"),
        ("a.csv.gz", packed(text_of(OFFICIAL) + b"\n" * (20 << 20)), "unpacks to more than 500 times its bytes"),
        ("a.csv.gz", packed(text_of(OFFICIAL) + b"0" * (20 << 20)), "unpacks to more than 500 times its bytes"),
        ("a.csv", text_of(OFFICIAL) + b"x" * (10 << 20), "the line that begins at byte 49 of the text is longer than"),
        ("a.csv", b"a," * 1_000_000, "does not end within 65,536 bytes: it is no header"),
        ("a.csv", b"meter,when,kwh\n1,2,3\n", "has the columns\n  meter, when, kwh\nwhich the transformer london does"),
        ("a.csv", b"MAC1,2013-01-01 00:00:00,0.5\n", "begins with a line that holds numbers, so it is no header"),
        ("a.csv", b"\n" * 70_000, "begins with a line without names of columns"),
    ],
)
def test_a_file_that_cannot_be_read_is_set_aside_and_the_others_load(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    cleaned = clean(tmp_path, {name: content, "good.csv": text_of(OFFICIAL, ROW, "bad")})

    assert list(set_aside(cleaned)) == [name]
    assert reason in set_aside(cleaned)[name]
    assert f"readings/{name}" in set_aside(cleaned)[name]
    assert "MAC1" not in set_aside(cleaned)[name], "a message quotes no row"
    assert counts(cleaned) == (2, 1, 1)
    assert {row["source_file"] for row in cleaned.readings().to_pylist()} == {"s3://landing/readings/good.csv"}
    assert cleaned.rejects().num_rows == 1


def test_of_a_file_with_one_unreadable_part_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "PART_BYTES", 3 << 20)
    content = text_of(OFFICIAL, *[ROW] * 60_000, "bad") + b"x" * (2 << 20) + b"\r\n" + text_of(ROW, "bad")

    cleaned = clean(tmp_path, {"a.csv": content, "good.csv": text_of(OFFICIAL, ROW)})

    assert "is longer than 1,048,576 bytes" in set_aside(cleaned)["a.csv"]
    assert counts(cleaned) == (1, 1, 0)
    assert cleaned.readings().num_rows == 1
    assert cleaned.rejects().num_rows == 0
    assert [group.rows for group in cleaned.groups] == [1]


def test_a_line_of_a_million_fields_is_a_reject(tmp_path: Path) -> None:
    wide = "," * (lines.LONGEST_LINE - 1)
    cleaned = clean(tmp_path, {"a.csv": text_of(OFFICIAL, ROW, wide, ROW)})
    assert cleaned.reasons() == [("wrong_field_count", wide)]
    assert cleaned.summary["good"] == 2


def test_a_file_beside_the_files_may_name_their_transformer(tmp_path: Path) -> None:
    files = {"own/a.csv": text_of(OFFICIAL, ROW), "b.csv": text_of(OFFICIAL, ROW)}

    cleaned = clean(tmp_path, files, "paris", beside={"own/_transformer.json": b'{"transformer": "london"}'})

    assert cleaned.summary["good"] == 1
    assert set_aside(cleaned) == {
        "b.csv": "There is no transformer 'paris' (the trigger form). Set transformer to london or default; "
        "docs/loading-your-files.md explains both."
    }


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        (b"{", "describes meter files, but cannot be read: Expecting property name"),
        (b"\xff", "describes meter files, but cannot be read: "),
        (b"[]", "must hold a JSON object that describes meter files. Correct it"),
        (b'{"transformer": 1}', "must hold a JSON object that describes meter files. Correct it"),
        (b'{"transformer": "rules"}', "There is no transformer 'rules' (s3://landing/readings/own/_transformer.json)"),
        (b'{"transformer": "../x"}', "There is no transformer '../x' (s3://landing/readings/own/_transformer.json)"),
    ],
)
def test_a_description_that_cannot_be_used_sets_its_own_files_aside(
    tmp_path: Path, description: bytes, reason: str
) -> None:
    files = {"own/a.csv": text_of(OFFICIAL, ROW), "b.csv": text_of(OFFICIAL, ROW)}

    cleaned = clean(tmp_path, files, beside={"own/_transformer.json": description})

    assert list(set_aside(cleaned)) == ["a.csv"]
    assert reason in set_aside(cleaned)["a.csv"]
    assert cleaned.summary["good"] == 1


@pytest.mark.parametrize("content", [text_of(OFFICIAL, ROW, ROW), b"PK\x03\x04", b""])
def test_a_file_that_has_changed_since_it_was_listed_ends_the_run(tmp_path: Path, content: bytes) -> None:
    store = FolderStore(tmp_path)
    listed = manifest_file("a.csv", text_of(OFFICIAL, ROW))
    store.write(listed["uri"], content)

    with pytest.raises(ChangedMeterFileError, match=r"a\.csv has changed since it was listed: .+ Trigger ingest_meter"):
        clean_listed(store, [listed])

    assert store.listed("s3://clean/clean/") == store.listed("s3://clean/_summaries/") == []


@pytest.mark.parametrize("changed", ["a.csv", "b.csv"])
def test_a_run_that_fails_leaves_what_a_former_one_has_written(tmp_path: Path, changed: str) -> None:
    """load_redshift reads the rows of a published batch, whose run somebody may clear when its files have changed."""
    files = {"a.csv": text_of(OFFICIAL, ROW, "bad"), "b.csv": text_of(OFFICIAL, ROW)}
    store = clean(tmp_path, files).store
    written = {file.uri: store.place(file.uri).read_bytes() for file in store.listed("s3://clean/")}
    store.write(f"s3://landing/readings/{changed}", text_of(OFFICIAL, ROW, ROW))

    with pytest.raises(ChangedMeterFileError):
        clean_listed(store, [manifest_file(name, content) for name, content in files.items()])

    found = {file.uri: store.place(file.uri).read_bytes() for file in store.listed("s3://clean/")}
    # The manifest is the test's own, and not written by the job.
    assert {name for name in found if found[name] != written[name]} <= {f"s3://clean/_manifests/{BATCH}.json"}
    assert found.keys() == written.keys()


def test_a_file_that_is_gone_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(MissingMeterFileError, match=r"a\.csv was listed in the manifest but is no longer there"):
        clean_listed(FolderStore(tmp_path), [manifest_file("a.csv", b"x")])


def test_an_error_that_nobody_foresaw_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred files, people want to know which one to take out."""

    def fail(*_: Any) -> Any:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(cleaning, "_read", fail)
    with pytest.raises(OverflowError) as raised:
        clean(tmp_path, {"a.csv": text_of(OFFICIAL, ROW)})
    (note,) = raised.value.__notes__
    assert note.startswith("It happened while s3://landing/readings/a.csv was read. ")
    assert "take this file out of the landing zone" in note


def test_a_file_that_changes_while_it_is_read_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)
    content = text_of(OFFICIAL, ROW)
    store.write("s3://landing/readings/a.csv", content)
    plan = cleaning.plan(store, Manifest((meter_file(content),), {}), "london", "clean", BATCH)
    read = cleaning._read

    def read_and_replace(*given: Any) -> Any:
        found = read(*given)
        store.write("s3://landing/readings/a.csv", text_of(OFFICIAL, ROW, ROW))
        return found

    monkeypatch.setattr(cleaning, "_read", read_and_replace)
    with pytest.raises(ChangedMeterFileError):
        cleaning.clean(store, plan.items[0])
    assert store.listed("s3://clean/") == []
