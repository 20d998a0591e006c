"""London files of any bytes: every line ends as a reading, a reject or a header, and none is lost."""

from __future__ import annotations

import datetime
import re
import tempfile
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as some
from meter_data.cleaning import items as cleaning
from meter_data.lake.schemas import TYPES
from meter_data.meter_files import file_kinds, text_columns
from meter_data.readers import london, rules

from tests.glue.deliveries import DELIVERED_AT, KAGGLE, OFFICIAL, Cleaned, clean, meter_file, packed
from tests.glue.folder_store import FolderStore
from tests.glue.meter_data.meter_files.contents import MARK, MISLEADING, lines_of

FIELDS = [
    b"MAC000002",
    b" MAC3 ",
    b"",
    b" ",
    b"MAC/3",
    b"2013-01-01 00:30:00.0000000",
    b"2013-02-30 00:30:00",
    b"0.219",
]
FIELDS += [b" 1 ", b"Null", b"-1", b"x", b"Std", b"\xff", "é".encode(), b"\0", b'"a"', MARK]


def rows(width: int) -> some.SearchStrategy[bytes]:
    good = some.sampled_from([b"MAC1,Std,2013-01-01 00:00:00,1", b"MAC1,2013-01-01 00:00:00,Null"])
    mixed = some.lists(some.sampled_from(FIELDS), min_size=width - 1, max_size=width + 1).map(b",".join)
    headers = some.sampled_from([OFFICIAL.encode(), MARK + OFFICIAL.encode(), KAGGLE.encode(), MARK + KAGGLE.encode()])
    anything = some.binary(max_size=20).map(lambda text: re.sub(rb"[\r\n]", b"", text))
    return some.one_of(good, mixed, headers, anything, some.sampled_from([b"", b"  ", *MISLEADING]))


@some.composite
def files(draw: some.DrawFn) -> tuple[str, bytes]:
    """A header and the bytes of a file below it."""
    header = draw(some.sampled_from([OFFICIAL, KAGGLE]))
    found = draw(some.lists(rows(len(header.split(","))), max_size=25))
    ends = [draw(some.sampled_from([b"\n", b"\r", b"\r\n"])) for _ in range(len(found) + 1)]
    mark = draw(some.sampled_from([b"", MARK]))
    content = b"".join(line + end for line, end in zip([mark + header.encode(), *found], ends, strict=True))
    content = content.rstrip(b"\r\n") if draw(some.booleans()) and found and found[-1] else content
    # Many control characters at the beginning make it no text at all, which is set aside.
    assume(file_kinds.recognised(content) is None)
    return header, content


def expected(header: str, content: bytes) -> tuple[Counter[int], Counter[str]]:
    """The numbers of the lines that are readings, and the lines that are rejects, as quarantine has them.

    In plain Python, by the words of docs and module: a header is none, and of the others each is one or the other.
    """
    names = [name.strip() for name in header.split(",")]
    time_place = next(at for at, name in enumerate(names) if name in london.TIMES)
    readings, rejects = Counter[int](), Counter[str]()
    for number, line in enumerate(lines_of(content)):
        if line in (header.encode(), MARK + header.encode()):
            continue
        fields = line.decode(errors="replace").split(",")
        if len(fields) == len(names) and is_reading(fields[0], fields[time_place], fields[time_place + 1]):
            readings[number] += 1
        else:
            rejects[as_text(line)] += 1
    return readings, rejects


def is_reading(meter: str, time: str, value: str) -> bool:
    meter, time, value = meter.strip(" "), time.strip(" "), value.strip(" ")
    is_meter = re.fullmatch(r"[A-Za-z0-9]( ?[A-Za-z0-9._:~*@()-])*", meter) and len(meter) <= 64
    return bool(is_meter) and is_time(time) and (value.lower() == "null" or is_amount(value))


def is_time(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,9})?", text, re.ASCII):
        return False
    try:
        return 1970 <= datetime.datetime.fromisoformat(text[:19]).year <= 2014
    except ValueError:
        return False


def is_amount(text: str) -> bool:
    return bool(re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII)) and float(text) <= 1000


def as_text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("iso-8859-1")


def found(cleaned: Cleaned) -> tuple[Counter[int], Counter[str]]:
    readings, rejects = cleaned.readings(), cleaned.rejects()
    lines = rejects["line"].to_pylist() if rejects.num_rows else []
    return Counter(readings["source_row"].to_pylist()), Counter(lines)


@settings(deadline=None, max_examples=50)
@given(file=files(), is_packed=some.booleans(), lines_at_once=some.sampled_from([1, 3, 1000]))
def test_every_line_is_a_reading_a_reject_or_a_header(
    file: tuple[str, bytes], is_packed: bool, lines_at_once: int
) -> None:
    header, content = file
    name, stored = ("a.csv.gz", packed(content)) if is_packed else ("a.csv", content)
    whole = text_columns.read
    with tempfile.TemporaryDirectory() as root, patch.object(text_columns, "read") as read:
        read.side_effect = lambda of, layout: whole(of, layout, lines_at_once, part_bytes=50)
        cleaned = clean(Path(root), {name: stored})
        assert found(cleaned) == expected(header, content)
        summary = cleaned.summary
        assert summary["rows"] == summary["good"] + summary["rejected"]
        assert summary["good"] == cleaned.readings().num_rows


@settings(deadline=None, max_examples=30)
@given(file=files(), number=some.integers(2, 6))
def test_a_file_in_parts_is_the_file(file: tuple[str, bytes], number: int) -> None:
    header, content = file
    with tempfile.TemporaryDirectory() as root:
        with patch.object(cleaning, "PART_BYTES", max(1, len(content) // number)):
            cleaned = clean(Path(root), {"a.csv": content})
        rows_of_parts = cleaned.readings()["source_row"].to_pylist()
        _, rejects = found(cleaned)
    readings, wanted = expected(header, content)
    assert rejects == wanted
    assert len(rows_of_parts) == len(set(rows_of_parts)) == readings.total()


def test_the_rows_of_parts_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    content = f"{KAGGLE}\n".encode() + b"".join(b"M,2013-01-01 00:00:00,%d\n" % at for at in range(50))
    store, file = FolderStore(tmp_path), meter_file(content)
    store.write(file.uri, content)
    found = []
    for part in (file.part(0, 300), file.part(300, 700), file.part(700, len(content))):
        opened = london.LondonReader().open(store, part)
        assert opened is not None
        found += [(number, kwh) for rows in opened.judged() for number, kwh in zip(rows.row, rows.kwh, strict=True)]
    assert [kwh for _, kwh in found] == list(range(50))
    assert [number for number, _ in found] == sorted({number for number, _ in found})


def test_the_reader_says_what_it_reads() -> None:
    reader = london.reader({}, "the trigger form")
    assert reader.can_be_cut(meter_file(b"", "a.csv"))
    assert not reader.can_be_cut(meter_file(b"", "a.csv.gz"))
    assert london.LondonFile.reasons == london.REASONS
    assert len(london.REASONS) <= rules.NO_REASON
    assert TYPES == ("INT", "AGG", "ERR")


@pytest.mark.parametrize("content", [b"", b"\n", b" \r\n\r\n", MARK])
def test_a_file_of_nothing_is_not_opened(tmp_path: Path, content: bytes) -> None:
    store, file = FolderStore(tmp_path), meter_file(content, delivered_at=DELIVERED_AT)
    store.write(file.uri, content)
    assert london.LondonReader().open(store, file) is None
