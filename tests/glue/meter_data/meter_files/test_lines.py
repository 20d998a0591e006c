"""The lines of a file, plain and packed, in parts of any size."""

from __future__ import annotations

import gzip
import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.meter_files import lines

from tests.glue.meter_data.meter_files.contents import MARK, Stream, contents, file_of, lines_of

SIZES = some.integers(1, 60)


@settings(deadline=None)
@given(content=contents(), size=SIZES, at_once=some.one_of(some.none(), SIZES), packed=some.booleans())
def test_parts_are_whole_lines_and_lose_nothing(content: bytes, size: int, at_once: int | None, packed: bool) -> None:
    parts = list(lines.parts(file_of(content, packed=packed, at_once=at_once), size))

    assert b"".join(parts) == content.removeprefix(MARK)
    assert [line for part in parts for line in lines_of_part(part)] == lines_of(content)
    assert all(parts)


@settings(deadline=None)
@given(content=contents())
def test_the_lines_of_a_part_are_counted(content: bytes) -> None:
    assert lines.count(content) == len(lines_of_part(content))


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_no_line_end_is_cut_in_two(end: bytes, size: int) -> None:
    found = list(lines.parts(file_of(end.join([b"ab", b"", b"c", b"def"])), size))
    assert [line for part in found for line in lines_of_part(part)] == [b"ab", b"", b"c", b"def"]


@pytest.mark.parametrize("content", [b"", MARK])
def test_a_file_of_nothing_has_no_lines(content: bytes) -> None:
    assert list(lines.parts(file_of(content))) == []
    assert list(lines.parts(file_of(content, packed=True))) == []


@settings(deadline=None)
@given(
    content=some.lists(some.sampled_from([b"x", b"xx", b"xxxx", b"\n", b"\r", b"\r\n"]), max_size=40).map(b"".join),
    size=SIZES,
    longest=some.integers(1, 9),
)
def test_a_file_is_refused_if_and_only_if_a_line_is_too_long(content: bytes, size: int, longest: int) -> None:
    long = [line for line in lines_of(content) if len(line) > longest]
    try:
        list(lines.parts(file_of(content), size, longest))
    except lines.LineTooLongError:
        assert long
    else:
        assert not long


def test_the_message_about_a_long_line_says_in_which_file_and_where() -> None:
    content = b"first\nsecond\n" + b"x" * 30 + b"\nlast\n"
    message = r"s3://landing/a\.csv: the line that begins at byte 13 of the text is longer than 29 bytes\. Deliver"
    for size in (4, 16, 1000):
        with pytest.raises(lines.LineTooLongError, match=message):
            list(lines.parts(file_of(content), size, longest=29))
    assert b"".join(lines.parts(file_of(content), 4, longest=30)) == content


@pytest.mark.parametrize("sign", [b"0", b"\n", b"\r\n"])
def test_a_gzip_bomb_is_refused_within_bounded_memory(sign: bytes) -> None:
    members = gzip.compress(b"header\n" + sign * (32 << 20), mtime=0) * 10
    file = lines.File("s3://landing/bomb.csv.gz", lambda: io.BytesIO(members), is_gzip=True)
    tracemalloc.start()
    try:
        with pytest.raises(lines.GzipBombError, match="bomb.csv.gz unpacks to more than 500 times its bytes"):
            for _ in lines.parts(file):
                pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * lines.PART_BYTES


def test_all_members_of_a_gzip_file_are_read() -> None:
    members = gzip.compress(b"a,b\n1,", mtime=0) + gzip.compress(b"2\n", mtime=0)
    assert list(lines.parts(lines.File("a.gz", lambda: io.BytesIO(members), is_gzip=True))) == [b"a,b\n1,2\n"]


@pytest.mark.parametrize(
    "stored",
    [
        gzip.compress(b"a,b\n" * 1000, mtime=0)[:-9],
        gzip.compress(bytes(range(256)) * 9, mtime=0)[:40] + b"\xff" * 60,
        gzip.compress(b"a,b\n", mtime=0) + b"what is this?",
        b"a,b\n",
    ],
    ids=["cut off", "overwritten", "followed by something else", "not packed"],
)
def test_a_damaged_gzip_file_is_named(stored: bytes) -> None:
    file = lines.File("s3://landing/a.csv.gz", lambda: io.BytesIO(stored), is_gzip=True)
    with pytest.raises(lines.DamagedGzipError, match=r"s3://landing/a\.csv\.gz is a damaged gzip file: .+ Deliver"):
        list(lines.parts(file))


@settings(deadline=None)
@given(content=contents(), size=SIZES, wanted=some.sets(some.integers(0, 80)), packed=some.booleans())
def test_lines_are_picked_by_their_numbers(content: bytes, size: int, wanted: set[int], packed: bool) -> None:
    numbers = np.array(sorted(wanted), np.int64)
    found = [line for picked in lines.Picker(file_of(content, packed=packed), size).pick(numbers) for line in picked]
    assert found == [line for number, line in enumerate(lines_of(content)) if number in wanted]


def test_lines_are_picked_one_part_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PICKED_AT_ONCE", 3)
    picker = lines.Picker(file_of(b"".join(b"%d\n" % number for number in range(20))), size=20)
    first, second = list(picker.pick(np.array([0, 1, 2, 3, 9, 10]))), list(picker.pick(np.array([12, 30])))
    assert [line for picked in first for line in picked] == [b"0", b"1", b"2", b"3", b"9", b"10"]
    assert max(map(len, first)) == 3
    assert second == [[b"12"]]


def test_picking_reads_no_further_than_needed() -> None:
    stream = Stream(b"line\n" * 1000)
    picker = lines.Picker(lines.File("a.csv", lambda: stream), size=50)
    assert list(picker.pick(np.array([], np.int64))) == []
    assert stream.tell() == 0
    assert list(picker.pick(np.array([0, 3]))) == [[b"line", b"line"]]
    assert stream.tell() == 50


def lines_of_part(part: bytes) -> list[bytes]:
    """The lines of a part. Only a file's beginning has a byte order mark that belongs to none."""
    return lines_of(MARK + part)
